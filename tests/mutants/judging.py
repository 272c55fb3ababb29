"""Whether the tests of its room notice a mutant, each worker in a copy of the checkout.

Why copies: a run that is stopped half-way must leave nothing broken behind.
"""

import difflib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from queue import SimpleQueue
from typing import IO

from rich.console import Console
from rich.progress import Progress

from tests.mutants.making import Mutant, broken
from tests.mutants.rooms import Room
from tests.support.sources import ROOT, committed_files

SLACK = 4
LEAST_S = 20
"""A mutant may take so many times the CPU that its room's tests take without one, and at least so many seconds."""


class Word(StrEnum):
    """How a mutant ended."""

    NOTICED = "noticed"
    ENDLESS = "without end"
    SURVIVED = "survived"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the tests of its room said of a mutant; `diff` is how it differs."""

    mutant: Mutant
    word: Word
    diff: str


@dataclass(frozen=True, slots=True)
class Copy:
    """A copy of the checkout and the server that runs its tests."""

    folder: Path
    asks: IO[str]
    answers: IO[str]

    def run(self, tests: Sequence[str], *, within_s: int = 0) -> tuple[Word, float]:
        """Return how tests end, and how many seconds of CPU they took."""
        print(within_s, *tests, file=self.asks, flush=True)
        code, took_s = self.answers.readline().split()
        word = Word.SURVIVED if int(code) == 0 else Word.NOTICED if int(code) > 0 else Word.ENDLESS
        return word, float(took_s)


@contextmanager
def serving(folder: Path) -> Iterator[Copy]:
    """Serve a copy of the checkout."""
    command = [sys.executable, "-m", "tests.mutants.server"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=folder, stdin=pipe, stdout=pipe, text=True) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        yield Copy(folder, server.stdin, server.stdout)


@dataclass(frozen=True, slots=True)
class Judge:
    """Judges mutants in copies of the checkout below a folder."""

    rooms: Mapping[str, Room]
    scratch: Path
    console: Console

    def all(self, mutants: Sequence[Mutant], *, workers: int, minutes: float) -> Iterator[Verdict]:
        """Yield a verdict for each mutant whose turn came within so many minutes."""
        ends_s = time.monotonic() + 60 * minutes
        copies = SimpleQueue[Copy]()
        with ExitStack() as stack, Progress(console=self.console, transient=True) as progress:
            first = stack.enter_context(serving(copied(self.scratch / "0")))
            limits = {name: limit(first, self.rooms[name]) for name in sorted({mutant.room for mutant in mutants})}
            copies.put(first)
            for number in range(1, workers):
                folder = shutil.copytree(first.folder, self.scratch / str(number))
                copies.put(stack.enter_context(serving(folder)))
            task = progress.add_task("mutants", total=len(mutants))

            def one(mutant: Mutant) -> Verdict | None:
                if time.monotonic() > ends_s:
                    return None
                copy = copies.get()
                try:
                    return judge(copy, mutant, self.rooms[mutant.room], limits[mutant.room])
                finally:
                    copies.put(copy)
                    progress.advance(task)

            with ThreadPoolExecutor(workers) as pool:
                yield from (verdict for verdict in pool.map(one, mutants) if verdict is not None)


def limit(copy: Copy, room: Room) -> int:
    """Return how many seconds of CPU each part of a room's tests may take with a mutant."""
    word, took_s = copy.run((*room.quick, *room.rest))
    if word is not Word.SURVIVED:
        raise SystemExit(f"the tests of {room.name} fail without any mutant")
    return max(LEAST_S, int(SLACK * took_s))


def copied(folder: Path) -> Path:
    """Return a copy of what is, or is about to be, committed."""
    for path in committed_files():
        target = folder / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, target)
    return folder


def judge(copy: Copy, mutant: Mutant, room: Room, within_s: int) -> Verdict:
    """Break the copy, run the tests, mend it again."""
    path = copy.folder / mutant.file
    whole, times = path.read_text(encoding="utf-8"), path.stat()
    text = broken(whole, mutant)
    path.write_text(text, encoding="utf-8")
    try:
        word, _ = copy.run(nearest_first(copy.folder, room.quick, path.stem), within_s=within_s)
        if word is Word.SURVIVED and room.rest:
            word, _ = copy.run(room.rest, within_s=within_s)
    finally:
        path.write_text(whole, encoding="utf-8")
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))  # what was compiled of it counts again
    lines = list(difflib.unified_diff(whole.splitlines(), text.splitlines(), n=1, lineterm=""))
    return Verdict(mutant, word, "\n".join(lines[2:]))


def nearest_first(folder: Path, tests: Sequence[str], name: str) -> list[str]:
    """Return the files of tests, those named after a file first."""
    found = [file for test in tests for file in (sorted((folder / test).rglob("test_*.py")) or [folder / test])]
    return sorted((str(file.relative_to(folder)) for file in found), key=lambda file: name not in file)
