"""Rows brought together by a key on disk, so that a million lines cost no more memory than a thousand.

Why SQLite: the rows of an order may stand anywhere in a file, and a sorted index is cheaper than any merge written
here. The database file has no name in the folder: it is unlinked while open, so a killed process leaves nothing.
"""

import os
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

PAGE_GROUPS = 500
PAGE_ROWS = 5_000


@dataclass(frozen=True, slots=True)
class Group:
    """Rows of one key as (line, text), in the order of the file; `count` may exceed the rows if there are too many."""

    key: str
    count: int
    rows: list[tuple[int, str]]

    @property
    def first(self) -> int:
        """The line of the first row; groups are served in this order."""
        return self.rows[0][0]


class Groups:
    """A private table of rows that lives as long as the object; of each key at most `max_rows` are served."""

    def __init__(self, folder: Path, max_rows: int) -> None:
        self._max_rows = max_rows
        handle, name = tempfile.mkstemp(prefix=".rows-", dir=folder)
        os.close(handle)
        try:
            self._db = sqlite3.connect(name, isolation_level=None, check_same_thread=False)
            for pragma in ("journal_mode=OFF", "synchronous=OFF", "locking_mode=EXCLUSIVE", "cache_size=-16000"):
                self._db.execute(f"PRAGMA {pragma}").fetchall()
            self._db.execute("CREATE TABLE rows (key TEXT NOT NULL, line INTEGER NOT NULL, text TEXT NOT NULL)")
        finally:
            Path(name).unlink()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()

    def fill(self, rows: Iterable[tuple[str, int, str]]) -> None:
        """Take rows as (key, line, text); lines are unique."""
        self._db.execute("BEGIN")
        self._db.executemany("INSERT INTO rows VALUES (?, ?, ?)", rows)
        self._db.execute("CREATE INDEX by_key ON rows (key, line)")
        self._db.execute("CREATE TABLE groups (first INTEGER PRIMARY KEY, key TEXT NOT NULL, size INTEGER NOT NULL)")
        self._db.execute("INSERT INTO groups SELECT min(line), key, count(*) FROM rows GROUP BY key ORDER BY 1")
        self._db.execute("COMMIT")

    def pages(self, after: int) -> Iterator[list[Group]]:
        """Yield groups whose first row stands behind line `after`, at most 500 groups or some 5,000 rows at a time."""
        while page := self._page(after):
            yield page
            after = page[-1].first

    def _page(self, after: int) -> list[Group]:
        sizes = self._db.execute(
            "SELECT key, size FROM groups WHERE first > ? ORDER BY first LIMIT ?", (after, PAGE_GROUPS)
        ).fetchall()
        page: list[Group] = []
        rows = 0
        for key, size in sizes:
            if page and rows + size > PAGE_ROWS:
                break
            page.append(Group(key, size, self._rows(key)))
            rows += size
        return page

    def _rows(self, key: str) -> list[tuple[int, str]]:
        return self._db.execute(
            "SELECT line, text FROM rows WHERE key = ? ORDER BY line LIMIT ?", (key, self._max_rows)
        ).fetchall()
