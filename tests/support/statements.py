"""Every distinct statement the suite runs, with parameters that it ran with, one file per worker.

`make plans` asks both databases how they would carry these out on a shop with a long history. Statements of the tests
themselves are left out: they look at whole tables on purpose.
"""

import json
import re
import shutil
import sys
from pathlib import Path
from types import FrameType
from typing import Any

from sqlalchemy import Engine, event

from tests.support.sources import ROOT

FOLDER = ROOT / ".cache" / "statements"
PRODUCT = (str(ROOT / "erpsync"), str(ROOT / "connectors"))
# What only passes a statement on: whoever calls it has made it.
PASSED_ON = tuple(str(ROOT / "erpsync" / "store" / "db" / name) for name in ("store.py", "bulk.py"))
_LIST = re.compile(r"\((?:\s*(?:\?|%\(\w+\)s(?:::[\w ]+)?)\s*,?)+\)")


def begin_anew() -> None:
    """Forget what an earlier run has kept."""
    shutil.rmtree(FOLDER, ignore_errors=True)


def shape_of(statement: str) -> str:
    """Return a statement with lists of parameters of any length made alike."""
    return _LIST.sub("(?)", statement)


class Recorder:
    """Appends what it has not seen yet to a file of its own."""

    def __init__(self, worker: str) -> None:
        self._path = FOLDER / f"{worker}.jsonl"
        self._seen: set[tuple[str, str]] = set()
        self._shapes: set[tuple[str, str]] = set()

    def listen(self) -> None:
        """Look at every statement of every engine from now on."""
        event.listen(Engine, "before_cursor_execute", self._before)

    def _before(self, _: Any, __: Any, statement: str, parameters: Any, context: Any, many: bool) -> None:
        dialect = context.dialect.name
        if (dialect, statement) in self._seen:
            return
        self._seen.add((dialect, statement))
        shape = (dialect, shape_of(statement))
        if shape in self._shapes:
            return
        callers = _callers(sys._getframe(1))
        if not callers:
            return
        self._shapes.add(shape)
        sample = parameters[0] if many and parameters else parameters
        row = {"dialect": dialect, "statement": statement, "parameters": _plain(sample), "callers": callers}
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")


def _callers(frame: FrameType | None) -> list[list[Any]]:
    """Return (file, first line of the function) of the product's functions that led here; none if a test asks."""
    found: list[list[Any]] = []
    while frame is not None:
        name = frame.f_code.co_filename
        if name.startswith(PRODUCT):
            if not name.startswith(PASSED_ON):
                found.append([str(Path(name).relative_to(ROOT)), frame.f_code.co_firstlineno])
        elif not found and name.startswith(str(ROOT / "tests")):
            return []
        frame = frame.f_back
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    value = getattr(value, "obj", value)  # what psycopg wraps bytes in
    return {"hex": bytes(value).hex()} if isinstance(value, bytes | memoryview) else value
