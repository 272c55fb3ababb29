"""`python -m tests.mutants`: breaks the code at random places, one at a time, and sees whether the tests notice.

Why a sample: all mutants of the core alone are some thousands. It is drawn by a seed, so that a run can be repeated;
another seed is another question.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.mutants.judging import Judge, Verdict, Word
from tests.mutants.making import Mutant, sample
from tests.mutants.rooms import DECISIONS, EFFECTS, Room
from tests.support import speed

GOAL = 0.85


def show(verdict: Verdict, console: Console) -> None:
    """Print a mutant that the tests did not notice by a failure."""
    if verdict.word is not Word.NOTICED:
        console.print(f"\n{verdict.word}: {verdict.mutant}", markup=False, highlight=False)
        console.print(verdict.diff, markup=False, highlight=False, soft_wrap=True)


def summary(verdicts: Sequence[Verdict]) -> Table:
    """Return a table by room."""
    table = Table("room", "mutants", *Word, "share")
    for name in (*sorted({verdict.mutant.room for verdict in verdicts}), "all"):
        words = [verdict.word for verdict in verdicts if name in ("all", verdict.mutant.room)]
        table.add_row(name, str(len(words)), *(str(words.count(word)) for word in Word), f"{share(words):.0%}")
    return table


def share(words: Sequence[Word]) -> float:
    """Return which share was noticed; what does not end is noticed by whoever waits for it."""
    return 1 - words.count(Word.SURVIVED) / max(1, len(words))


def arguments() -> argparse.Namespace:
    """Return what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seed", type=int, default=1, help="which sample is drawn (default 1)")
    parser.add_argument("--decisions", type=int, default=300, help="mutants of core, money and mapping (default 300)")
    parser.add_argument("--effects", type=int, default=100, help="of allocation, outbox and leases (default 100)")
    parser.add_argument("--rooms", default="", help="of these rooms only, by commas (default: all)")
    parser.add_argument("--quick", action="store_true", help="run only the quick tests of each room: fewer are noticed")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="at once (default: one per core)")
    parser.add_argument("--minutes", type=float, default=60, help="begin none after that (default 60)")
    return parser.parse_args()


def main() -> int:
    """Draw, judge and print; 1 when fewer were noticed than there should be, or some were not tried."""
    args = arguments()
    speed.keep_files_in_memory()
    console = Console()
    names = set(filter(None, args.rooms.split(",")))

    def drawn(rooms: Sequence[Room], most: int) -> list[Mutant]:
        return sample([room for room in rooms if not names or room.name in names], most, args.seed)

    rooms = {room.name: replace(room, rest=()) if args.quick else room for room in (*DECISIONS, *EFFECTS)}

    mutants = [*drawn(DECISIONS, args.decisions), *drawn(EFFECTS, args.effects)]
    verdicts: list[Verdict] = []
    with tempfile.TemporaryDirectory() as scratch:
        judge = Judge(rooms, Path(scratch), console)
        for verdict in judge.all(mutants, workers=args.workers, minutes=args.minutes):
            show(verdict, console)
            verdicts.append(verdict)
    console.print(summary(verdicts))
    left = len(mutants) - len(verdicts)
    console.print(f"seed {args.seed}" + (f"; {left} mutants were not tried" if left else ""))
    return int(left > 0 or share([verdict.word for verdict in verdicts]) < GOAL)


if __name__ == "__main__":
    sys.exit(main())
