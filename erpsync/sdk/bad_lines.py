"""Many lines of one record that cannot be read, told as one.

Why one: a dead letter holds the whole record, and a copy of it for each of its bad lines fills a database.
"""

from collections.abc import Sequence
from dataclasses import replace

from erpsync.sdk.errors import PayloadError
from erpsync.sdk.types import BadLine

MOST_NAMED = 20


def as_one(bad: Sequence[BadLine]) -> list[BadLine]:
    """Return nothing, the only bad line, or the first one with an error that names the first twenty and the count."""
    if len(bad) < 2:
        return list(bad)
    told = "; ".join(f"{each.key}: {each.error}" for each in bad[:MOST_NAMED])
    more = f"; and {len(bad) - MOST_NAMED} more" if len(bad) > MOST_NAMED else ""
    error = PayloadError(
        f"{len(bad)} lines cannot be read: {told}{more}",
        path="lines",
        source=bad[0].error.source,
        broken=all(each.error.broken for each in bad),
    )
    return [replace(bad[0], error=error)]
