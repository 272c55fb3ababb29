"""What a command prints: results on stdout, as tables for people or as JSON for programs; all else on stderr.

Why text is cleaned before it is shown: titles and codes come from strangers, and a terminal obeys control characters.
"""

import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import tzinfo
from typing import Any, TextIO

from erpsync.cli.tables import Column, cell
from erpsync.core.instants import with_local
from erpsync.languages import ENGLISH, Language

Json = dict[str, Any]
_SQUEEZED = 24  # columns that text which may wrap is given at least
_UNBOUNDED = 10_000  # columns: what is not a terminal is never wrapped


class Output:
    """The command's stdout and stderr.

    Args:
        as_json: print one JSON value instead of text.
        quiet: leave out what is no result and no error.
        speech: the language of texts; JSON stays as it is.

    Attributes:
        zone: the operator's, in which every instant of a text is shown; None leaves texts as they are.
    """

    zone: tzinfo | None = None

    def __init__(
        self,
        *,
        as_json: bool,
        quiet: bool = False,
        out: TextIO | None = None,
        err: TextIO | None = None,
        speech: Language = ENGLISH,
    ) -> None:
        self.speech = speech
        self.as_json = as_json
        self.quiet = quiet
        self.out = out or sys.stdout
        self.err = err or sys.stderr

    def rows(self, rows: Iterable[Json], columns: Sequence[Column], *, empty: str = "") -> None:
        """Print a list: one JSON array, or a table with these columns; `empty` is for people when there is nothing."""
        if self.as_json:
            self._array(rows)
            return
        shown = [[cell(row, column, self.speech) for column in columns] for row in rows]
        if shown:
            self.table(shown, columns)
        elif empty:
            self.note(empty)

    def value(self, value: Any, text: str | Callable[[], None]) -> None:
        """Print one result: as JSON, or as `text` (a line, or a function that prints it)."""
        if self.as_json:
            self.json(value)
        elif callable(text):
            text()
        else:
            self.line(text)

    def json(self, value: Any) -> None:
        """Print a JSON value over several lines."""
        self.out.write(f"{json.dumps(value, ensure_ascii=self._ascii, indent=2)}\n")

    def line(self, text: str = "") -> None:
        """Print a line on stdout."""
        self.out.write(f"{self._shown(text)}\n")

    def item(self, text: str) -> None:
        """Print a line of a list on stdout."""
        self.out.write(f"- {self._shown(text)}\n")

    def note(self, text: str) -> None:
        """Print a line on stderr, for who wants to know; not with --quiet."""
        if not self.quiet:
            self.err.write(f"{self._shown(text)}\n")

    def refuse(self, text: str) -> None:
        """Print a line on stderr about input that was not taken."""
        self.err.write(f"{self._shown(text)}\n")

    def complain(self, text: str) -> None:
        """Print an error on stderr, in one line."""
        self.err.write(f"erpsync: {self._shown(text)}\n")

    def ask(self, text: str) -> None:
        """Print a question on stderr, for whoever sits there to type behind."""
        self.err.write(f"{self.speech.say(text)}: ")
        self.err.flush()

    def table(self, rows: Sequence[Sequence[str]], columns: Sequence[Column]) -> None:
        """Print text cells under the columns' heads, aligned by what a terminal shows (wide characters count two)."""
        from rich.table import Table
        from rich.text import Text

        table = Table(box=None, pad_edge=False, header_style="bold", show_edge=False)
        heads = [self.speech.head(column.head) for column in columns]
        for head, column in zip(heads, columns, strict=True):
            table.add_column(
                head, justify="right" if column.is_number else "left", no_wrap=not column.wraps, overflow="fold"
            )
        cells = [[self._cell(text, column) for text, column in zip(row, columns, strict=True)] for row in rows]
        for row, shown in zip(rows, cells, strict=True):
            styles = [style(text) if column.kind == "status" else "" for text, column in zip(row, columns, strict=True)]
            table.add_row(*(Text(text, style=look) for text, look in zip(shown, styles, strict=True)))
        self._render(table, least=_least_width(cells, columns, heads))

    def _cell(self, text: str, column: Column) -> str:
        """Return a cell as people read it: codes in words, sentences said, names as they are."""
        if column.kind in ("status", "word"):
            return clean(self.speech.word(text))
        local_text = text if self.zone is None else with_local(text, self.zone)
        return clean(local_text if column.kind in ("text", "free") else self.speech.say(local_text))

    def heading(self, text: str) -> None:
        """Print a heading, bold on a terminal, with an empty line before it."""
        from rich.text import Text

        self.line()
        self._render(Text(self._shown(text), style="bold"))

    def _shown(self, text: str) -> str:
        return clean(self.speech.say(text if self.zone is None else with_local(text, self.zone)))

    def _render(self, shown: Any, *, least: int = 0) -> None:
        """Print what rich shows; a terminal narrower than `least` breaks the lines itself, so nothing is cut off."""
        from rich.console import Console

        console = Console(file=self.out, markup=False, emoji=False)
        console.width = max(console.width, least) if self.out.isatty() else _UNBOUNDED
        with console.capture() as captured:
            console.print(shown, highlight=False)
        self.out.write("".join(f"{line.rstrip()}\n" for line in captured.get().splitlines()))

    def _array(self, rows: Iterable[Json]) -> None:
        """Print an array with one row per line, written as the rows come."""
        separator = "["
        for row in rows:
            self.out.write(f"{separator}\n{json.dumps(row, ensure_ascii=self._ascii)}")
            separator = ","
        self.out.write("[]\n" if separator == "[" else "\n]\n")

    @property
    def _ascii(self) -> bool:
        return (getattr(self.out, "encoding", None) or "utf-8").lower().replace("-", "") != "utf8"

    @contextmanager
    def progress(self, label: str, total: int | None = None) -> Iterator[Callable[[int], None]]:
        """Yield a function that is told how many more are done; shown on a terminal only."""
        with self.guessed_progress(label, total) as advance:
            yield lambda more: advance(more, None)

    @contextmanager
    def guessed_progress(self, label: str, total: int | None = None) -> Iterator[Callable[[int, int | None], None]]:
        """As `progress`; the function is also told how many there may be in all, None where that stays as it is."""
        if self.quiet or not self.err.isatty():
            yield lambda more, of: None
            return
        from rich.console import Console
        from rich.progress import MofNCompleteColumn, Progress

        columns = (*Progress.get_default_columns(), MofNCompleteColumn())
        with Progress(*columns, console=Console(file=self.err), transient=True) as bar:
            task = bar.add_task(self.speech.say(label), total=total)
            yield lambda more, of: bar.update(task, advance=more, total=of)

    @contextmanager
    def measured(self, label: str) -> Iterator[Callable[[int, int], None]]:
        """Yield a function that is told how many are done and how many there are; shown on a terminal only.

        Where nobody knows how many there are it is told 0.
        """
        if self.quiet or not self.err.isatty():
            yield lambda done, of: None
            return
        from rich.console import Console
        from rich.progress import Progress

        with Progress(console=Console(file=self.err), transient=True) as bar:
            task = bar.add_task(self.speech.say(label), total=None)
            yield lambda done, of: bar.update(task, completed=done, total=of or None)


def _least_width(rows: Sequence[Sequence[str]], columns: Sequence[Column], heads: Sequence[str]) -> int:
    """Return how many columns of a terminal a table needs: wrapping text may be squeezed, the rest may not."""
    from rich.cells import cell_len

    widths = [max(map(cell_len, texts)) for texts in zip(heads, *rows, strict=True)]
    kept = [min(width, _SQUEEZED) if column.wraps else width for width, column in zip(widths, columns, strict=True)]
    return sum(kept) + 2 * (len(columns) - 1)


# C0 and C1 control characters, and the marks that turn the direction of text around.
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def clean(text: str) -> str:
    """Return text that a terminal only shows: line breaks and tabs become spaces, other control characters a mark."""
    return _UNSAFE.sub(lambda match: " " if match[0] in "\r\n\t" else "\N{REPLACEMENT CHARACTER}", text)


_STYLES = {
    "held": "yellow",
    "backordered": "yellow",
    "cancelled": "dim",
    "released": "green",
    "allocated": "green",
    "shipped": "green",
    "completed": "green",
    "refused": "red",
    "dropped": "red",
    "dead": "red",
}


def style(status: str) -> str:
    """Return the colour of a status; the word itself always stands beside it."""
    return _STYLES.get(status, "")
