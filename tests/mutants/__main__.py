"""`python -m tests.mutants`: breaks the code at random places, one at a time, and sees whether the tests notice.

Why a sample: all mutants of the core alone are some ten thousand. It is drawn by a seed, so that a run can be repeated;
another seed is another question.
"""

import argparse
import difflib
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator, operator_names
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from tests.mutants.rooms import DECISIONS, EFFECTS, Room
from tests.support.sources import ROOT

SLACK = 4.0
"""So many times as long as the whole tests of a room may a mutant take; one that does not end is noticed."""

LEAST_S = 30.0
GOAL = 0.85
DULL = ("VariableReplacer", "VariableInserter", "NoOp", "RemoveDecorator", "BinaryOperator_BitOr", "ExceptionReplacer")
"""Operators whose mutants break no decision: a dataclass without its decorator, a type `A | B` with another sign."""


@dataclass(frozen=True, slots=True, order=True)
class Mutant:
    """One way to break one file."""

    room: str
    file: str
    operator: str
    occurrence: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the tests of its room said of a mutant; `diff` is how it differs."""

    mutant: Mutant
    noticed: bool
    diff: str


def mutants_of(room: Room) -> Iterator[Mutant]:
    """Yield every mutant of a room's files."""
    names = [name for name in operator_names() if not any(dull in name for dull in DULL)]
    for pattern in room.files:
        for path in sorted(ROOT.glob(pattern)):
            nodes = list(ast_nodes(get_ast(path.read_text(encoding="utf-8"))))
            for name in names:
                operator = get_operator(name)()
                places = (node for node in nodes for _ in operator.mutation_positions(node))
                for occurrence, node in enumerate(places):
                    if not is_of_signature(node):
                        yield Mutant(room.name, str(path.relative_to(ROOT)), name, occurrence)


def is_of_signature(node: Any) -> bool:
    """Whether a node is part of a parameter list or a type: the `*` before keywords is no product."""
    while node is not None:
        if node.type in ("parameters", "annassign", "import_from", "decorator"):
            return True
        node = node.parent
    return False


def sample(rooms: Sequence[Room], most: int, seed: int) -> list[Mutant]:
    """Return so many mutants of these rooms, drawn by the seed."""
    found = sorted(mutant for room in rooms for mutant in mutants_of(room))
    return random.Random(seed).sample(found, min(most, len(found)))


def copied(folder: Path) -> Path:
    """Return a copy of the checkout, as git knows it."""
    names = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in names.splitlines():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, target)
    return folder


def run(folder: Path, tests: Sequence[str], *, within_s: float | None) -> bool:
    """Return whether the tests pass there, in time."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-n0", "--dialect", "sqlite", "-p", "no:cacheprovider"]
    environment = os.environ | {"PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run(
            [*command, *tests], cwd=folder, env=environment, capture_output=True, timeout=within_s, check=False
        )
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def judge(folder: Path, mutant: Mutant, tests: Sequence[str], within_s: float) -> Verdict:
    """Break the copy, run the tests, mend it again."""
    path = folder / mutant.file
    whole = path.read_text(encoding="utf-8")
    broken = mutate_code(whole, get_operator(mutant.operator)(), mutant.occurrence)
    if broken is None:
        raise AssertionError(f"no such mutant: {mutant}")
    path.write_text(broken, encoding="utf-8")
    try:
        noticed = not run(folder, tests, within_s=within_s)
    finally:
        path.write_text(whole, encoding="utf-8")
    lines = difflib.unified_diff(whole.splitlines(), broken.splitlines(), mutant.file, mutant.file, n=1, lineterm="")
    return Verdict(mutant, noticed, "\n".join(list(lines)[2:]))


def judge_all(rooms: Sequence[Room], mutants: Sequence[Mutant], workers: int, console: Console) -> list[Verdict]:
    """Return a verdict for each mutant; every worker has a copy of its own."""
    tests = {room.name: room.tests for room in rooms}
    with tempfile.TemporaryDirectory() as scratch, Progress(console=console, transient=True) as progress:
        copies = SimpleQueue[Path]()
        for number in range(workers):
            copies.put(copied(Path(scratch) / str(number)))
        limits = {}
        for room in {mutant.room for mutant in mutants}:
            began_s = time.monotonic()
            folder = copies.get()
            if not run(folder, tests[room], within_s=None):
                raise SystemExit(f"the tests of {room} fail without any mutant")
            copies.put(folder)
            limits[room] = max(LEAST_S, SLACK * (time.monotonic() - began_s))
        task = progress.add_task("mutants", total=len(mutants))

        def one(mutant: Mutant) -> Verdict:
            folder = copies.get()
            try:
                return judge(folder, mutant, tests[mutant.room], limits[mutant.room])
            finally:
                copies.put(folder)
                progress.advance(task)

        with ThreadPoolExecutor(workers) as pool:
            return list(pool.map(one, mutants))


def show(verdicts: Sequence[Verdict], console: Console) -> float:
    """Print the survivors and a table; return which share was noticed."""
    for verdict in verdicts:
        if not verdict.noticed:
            console.print(f"\n{verdict.mutant.file} ({verdict.mutant.operator.removeprefix('core/')})", highlight=False)
            console.print(verdict.diff, markup=False, highlight=False)
    table = Table("room", "mutants", "noticed", "share")
    for room in sorted({verdict.mutant.room for verdict in verdicts}):
        mine = [verdict.noticed for verdict in verdicts if verdict.mutant.room == room]
        table.add_row(room, str(len(mine)), str(sum(mine)), f"{sum(mine) / len(mine):.0%}")
    share = sum(verdict.noticed for verdict in verdicts) / len(verdicts)
    table.add_row("all", str(len(verdicts)), str(sum(verdict.noticed for verdict in verdicts)), f"{share:.0%}")
    console.print(table)
    return share


def main() -> int:
    """Draw, judge and print; 1 when fewer were noticed than there should be."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__.partition("\n")[0])
    parser.add_argument("--seed", type=int, default=1, help="which sample is drawn (default 1)")
    parser.add_argument("--decisions", type=int, default=300, help="mutants of core, money and mapping (default 300)")
    parser.add_argument("--effects", type=int, default=100, help="of allocation, outbox and leases (default 100)")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="at once (default: one per core)")
    args = parser.parse_args()
    console = Console()
    mutants = [*sample(DECISIONS, args.decisions, args.seed), *sample(EFFECTS, args.effects, args.seed)]
    verdicts = judge_all((*DECISIONS, *EFFECTS), mutants, args.workers, console)
    return int(show(verdicts, console) < GOAL)


if __name__ == "__main__":
    sys.exit(main())
