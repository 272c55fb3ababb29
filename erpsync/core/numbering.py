"""Our own order numbers, made from a pattern such as `S{yyyymmdd}{seq:06}`."""

import re
from datetime import datetime

_FIELD = re.compile(r"\{(yyyymmdd|yyyy|mm|dd|channel|seq)(?::0(\d+))?\}")


def prefix(pattern: str, *, channel: str, at: datetime) -> str:
    """Return the pattern with all but `{seq}` filled in: numbers count up per such prefix.

    Args:
        at: the instant of numbering, in the operator's time zone.
    """
    values = {"yyyymmdd": f"{at:%Y%m%d}", "yyyy": f"{at:%Y}", "mm": f"{at:%m}", "dd": f"{at:%d}", "channel": channel}
    return _FIELD.sub(lambda found: values.get(found[1], found[0]), pattern)


def number(filled: str, seq: int) -> str:
    """Return the order number for `seq` in a pattern filled by `prefix`."""
    return _FIELD.sub(lambda found: f"{seq:0{found[2] or 1}d}", filled)
