"""What all imports share: progress, what was taken, what was refused and where."""

from collections.abc import Callable, Iterable
from typing import Any, Protocol

from erpsync.cli.app import App
from erpsync.cli.csv_rows import Rows
from erpsync.cli.errors import FAILED, OK


class Result(Protocol):
    """What an import of `flows` gives back."""

    @property
    def taken(self) -> int: ...
    @property
    def refused(self) -> list[tuple[str, str]]: ...
    @property
    def notes(self) -> list[tuple[str, str]]: ...


def take(app: App, rows: Rows[Any], take_in: Callable[[Iterable[Any], Callable[[int], None]], Result]) -> int:
    """Import the files of the command; exit code 1 when any row was refused.

    Every refused row is named on stderr by file and line; the others are taken.
    """
    rows.sheet = app.args.sheet
    with app.out.progress("rows") as progress:
        result = take_in(rows.of(app.args.files), progress)
    refused = sorted([*rows.refused, *result.refused], key=_place)
    for source, problem in refused:
        app.out.refuse(f"{source}: {problem}")
    for source, note in result.notes:
        app.out.note(f"{source}: {note}")
    for source, which in rows.passed:
        app.out.note(f"{source}: passed over {which}")
    shown = {"taken": result.taken, "refused": [{"source": s, "problem": problem} for s, problem in refused]}
    if result.notes:
        shown["notes"] = [{"source": source, "note": note} for source, note in result.notes]
    if rows.passed:
        shown["passed_over"] = [{"source": source, "rows": which} for source, which in rows.passed]
    taken = "1 row taken" if result.taken == 1 else f"{result.taken} rows taken"
    app.out.value(shown, f"{taken}, {len(refused)} refused")
    return FAILED if refused else OK


def _place(refusal: tuple[str, str]) -> tuple[str, int]:
    """Return file and line of a refusal, for sorting."""
    file, _, line = refusal[0].rpartition(":")
    return (file, int(line)) if line.isdecimal() else (refusal[0], 0)
