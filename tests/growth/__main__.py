"""`python -m tests.growth`: measures the product on seeded databases of several sizes and prints a table per engine.

The databases are made once and kept. Each run measures a copy: what reads first, then what writes, what deletes last.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import structlog
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from erpsync.cli.run import spare_collector
from tests.growth import chores, commands, pages, trade
from tests.growth.cache import PostgresCache, SQLiteCache, caches
from tests.growth.ground import Ground, ground
from tests.growth.table import NOTE, Figure, head, line
from tests.growth.timing import Measure
from tests.support.postgres import PostgresUnavailableError

SIZES = "500,200000,1000000"
ENGINES = "sqlite,postgresql"


def main() -> int:
    """Measure and print."""
    about = "Measures erpsync as its history grows: one seeded database per size and engine, made once and kept."
    parser = argparse.ArgumentParser(prog="python -m tests.growth", description=about)
    parser.add_argument("--sizes", type=_sizes, default=_sizes(SIZES), help=f"stored orders (default {SIZES})")
    parser.add_argument("--engines", type=_engines, default=_engines(ENGINES), help=f"databases (default {ENGINES})")
    only = "only parts or measures whose name holds this; may be repeated"
    parser.add_argument("--only", action="append", metavar="TEXT", help=only)
    parser.add_argument("--cache", type=Path, default=Path(".cache/growth"), help="where they are kept")
    args = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    spare_collector()  # as the daemon does
    try:
        with caches(args.cache, args.engines) as found, _progress() as progress:
            for cache in found:
                _measure(cache, args.sizes, args.only or [""], progress)
    except PostgresUnavailableError as error:
        print(f"{error} (--engines sqlite measures that alone)", file=sys.stderr)
        return 1
    print(NOTE)
    return 0


def _sizes(text: str) -> list[int]:
    return sorted(int(each.replace("_", "")) for each in text.split(","))


def _engines(text: str) -> list[str]:
    found = text.split(",")
    if unknown := set(found) - set(ENGINES.split(",")):
        raise argparse.ArgumentTypeError(f"there are {ENGINES}, not {', '.join(sorted(unknown))}")
    return found


def _progress() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=Console(stderr=True), transient=True, redirect_stdout=False)


def _measure(cache: SQLiteCache | PostgresCache, sizes: list[int], only: list[str], progress: Progress) -> None:
    """Measure one size after the other; the lines of the table are printed as the largest is measured."""
    before = [dict(_figures(cache, size, only, progress)) for size in sizes[:-1]]
    print(head(cache.engine, sizes), flush=True)
    for name, figure in _figures(cache, sizes[-1], only, progress):
        print(line(name, [*(found[name] for found in before if name in found), figure]), flush=True)


def _figures(
    cache: SQLiteCache | PostgresCache, size: int, only: list[str], progress: Progress
) -> Iterator[tuple[str, Figure]]:
    """Yield the figures of one size with their names."""
    task = progress.add_task(f"{cache.engine}, {size:,} orders: seed", total=size)
    with cache.copy(size, lambda done: progress.advance(task, done)) as url, ground(url, size) as over:
        progress.update(task, total=None)
        for part, measure in _measures(over):
            if any(text in f"{part} {measure.name}" for text in only):
                progress.update(task, description=f"{cache.engine}, {size:,} orders: {measure.name[:60]}")
                yield measure.name, Figure.of(measure)
    progress.remove_task(task)


def _measures(over: Ground) -> Iterator[tuple[str, Measure]]:
    """Yield all there is to measure with the name of its part; the next is asked for when the last was measured."""
    visitor = pages.Visitor(over)
    yield from (("commands", each) for each in commands.measures(over))
    yield from (("pages", each) for each in pages.measures(over, visitor))
    yield from (("trade", each) for each in trade.measures(over, visitor))
    yield from (("chores", each) for each in chores.measures(over))
    visitor.close()


if __name__ == "__main__":
    sys.exit(main())
