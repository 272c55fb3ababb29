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
        unknown_status=next((each.error.unknown_status for each in bad if each.error.unknown_status), ""),
    )
    lines = [each.row.get("line_id") for each in bad]
    row = {**bad[0].row, "line_ids": lines} if any(lines) else bad[0].row
    return [replace(bad[0], error=error, row=row)]


def no_line(bad: Sequence[BadLine]) -> PayloadError:
    """Return the error of a record of which no line can be read: that of the first, said to be about a line."""
    error = bad[0].error
    return PayloadError(
        error.problem,
        path=error.path,
        source=error.source,
        broken=error.broken,
        unknown_status=error.unknown_status,
        of_line=not error.unknown_status,
    )
