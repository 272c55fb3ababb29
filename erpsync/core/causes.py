"""What errors have in common: the same error with what differs from one record to the next taken out.

Why by text and not by a code: letters come from connectors, channels and defects alike, and only some have a code;
what people need is that two hundred of one cause look like one.
"""

import hashlib
import re

PLACE = "…"
MOST_CHARS = 300
"""A cause is cut off here: a channel that quotes a whole page must not make groups of one."""

_QUOTED = re.compile(r"\"[^\"]*\"|(?<!\w)'[^']*'|`[^`]*`|“[^”]*”|‘[^’]*’|「[^」]*」|《[^》]*》|【[^】]*】")
_ADDRESS = re.compile(r"\bhttps?://\S+")
# A token with a digit in it is an id, an amount, an instant or a path with one; what holds none is a word.
_WITH_DIGIT = re.compile(r"[^\s,;:()\[\]（），；：。]*\d[^\s,;:()\[\]（），；：。]*")
_SEVERAL = re.compile(rf"{PLACE}(?:[\s,:;./-]*{PLACE})+")


def cause_of(error: str) -> str:
    """Return an error without its numbers, ids and quoted texts; each stands as "…"."""
    text = " ".join(error[: 4 * MOST_CHARS].split())
    for pattern in (_QUOTED, _ADDRESS, _WITH_DIGIT, _SEVERAL):
        text = pattern.sub(PLACE, text)
    return text if len(text) <= MOST_CHARS else f"{text[: MOST_CHARS - 1]}{PLACE}"


def group_of(kind: str, cause: str) -> str:
    """Return the name of the group of a kind and cause: 12 hex digits, the same on every day."""
    return hashlib.sha256(f"{kind}\0{cause}".encode("utf-8", "surrogatepass")).hexdigest()[:12]
