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
    told = "; ".join(f"{line.key}: {line.error}" for line in bad[:MOST_NAMED])
    more = f"; and {len(bad) - MOST_NAMED} more" if len(bad) > MOST_NAMED else ""
    error = PayloadError(
        f"{len(bad)} lines cannot be read: {told}{more}",
        path="lines",
        source=bad[0].error.source,
        broken=all(line.error.broken for line in bad),
        unknown_status=next((line.error.unknown_status for line in bad if line.error.unknown_status), ""),
    )
    lines = [line.row.get("line_id") for line in bad]
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
