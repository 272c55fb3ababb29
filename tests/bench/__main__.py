"""`python -m tests.bench`: measures the product beside the bare driver and prints a table.

Product and floor take turns, so that whatever else the machine does hits both; the median of the rounds counts. Compare
ratios, not figures: on a busy machine all figures sink together.
"""

import argparse
import gc
import resource
import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import structlog

from erpsync.cli.run import spare_collector
from tests.bench.bookings import booked, called
from tests.bench.floor import postgres_floor, sale_to_push_floor, sqlite_floor, told_floor
from tests.bench.goods import sales
from tests.bench.papers import Bare, memory_mib, print_all, slips, warm
from tests.bench.parcels import packed, sorted_and_summed
from tests.bench.releases import released
from tests.bench.rules import comparisons, judged_again, judged_by, many, taken_in, told_again, twelve
from tests.bench.trader import PUSH_BATCH, Bench, bench, prepare
from tests.support import postgres

TEMPLATE = "bench_template"
WAVE = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A line of the table."""

    name: str
    unit: str
    product: float
    floor: float

    def cells(self) -> tuple[str, ...]:
        """Return the line as text."""
        ratio = f"{self.product / self.floor:.2f}" if self.floor else "-"
        return (self.name, _shown(self.product), _shown(self.floor), self.unit, ratio)


def _shown(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:,.2f}"


class Places:
    """Fresh databases for each round, copied from prepared ones."""

    def __init__(self, folder: Path, server: postgres.Server | None) -> None:
        self._folder = folder
        self._server = server
        self._made = 0
        self._template = folder / "template.db"
        prepare(f"sqlite:///{self._template}")
        if server is not None:
            prepare(server.create(TEMPLATE))

    @contextmanager
    def folder(self) -> Iterator[Path]:
        """Yield an empty folder on the disk that is measured."""
        with tempfile.TemporaryDirectory(dir=self._folder) as name:
            yield Path(name)

    @contextmanager
    def sqlite(self) -> Iterator[Bench]:
        """Yield a house on SQLite."""
        with self.folder() as folder:
            shutil.copy(self._template, folder / "erpsync.db")
            with bench(f"sqlite:///{folder / 'erpsync.db'}") as made:
                yield made

    @contextmanager
    def postgres(self, template: str) -> Iterator[str]:
        """Yield the address of a database of its own."""
        assert self._server is not None
        self._made += 1
        name = f"bench_{self._made}"
        yield self._server.create(name, template=template)
        self._server.drop(name)


def take_turns(rounds: int, *work: Callable[[], float]) -> list[float]:
    """Return the median of each piece of work, all run in turn `rounds` times."""
    found: list[list[float]] = [[] for _ in work]
    for _ in range(rounds):
        for results, each in zip(found, work, strict=True):
            gc.collect()
            results.append(each())
    return [statistics.median(results) for results in found]


def ingest_sqlite(places: Places, count: int, size: int, rounds: int) -> Row:
    """Measure orders a second on SQLite."""
    found = sales(count)

    def product() -> float:
        with places.sqlite() as made:
            return made.ingest(found, size)

    def floor() -> float:
        with places.folder() as folder:
            return sqlite_floor(folder, found, size)

    took, least = take_turns(rounds, product, floor)
    return Row(name=f"ingest, SQLite FULL, {size} a commit", unit="orders/s", product=count / took, floor=count / least)


def ingest_postgres(places: Places, count: int, size: int, rounds: int) -> Row:
    """Measure orders a second on PostgreSQL."""
    found = sales(count)

    def product() -> float:
        with places.postgres(TEMPLATE) as url, bench(url) as made:
            return made.ingest(found, size)

    def floor() -> float:
        with places.postgres("template0") as url:
            return postgres_floor(url.replace("+psycopg", ""), found, size)

    took, least = take_turns(rounds, product, floor)
    return Row(name=f"ingest, PostgreSQL, {size} a commit", unit="orders/s", product=count / took, floor=count / least)


def pushes(places: Places, count: int, rounds: int) -> Row:
    """Measure stock numbers told a second to a shop that answers at once; the floor leases and ends rows."""

    def product() -> float:
        with places.sqlite() as made:
            return made.push_all(count)

    def floor() -> float:
        with places.folder() as folder:
            return told_floor(folder, count, PUSH_BATCH)

    took, least = take_turns(rounds, product, floor)
    name = f"stock pushes, {PUSH_BATCH} a call"
    return Row(name=name, unit="numbers/s", product=count / took, floor=count / least)


def latency(places: Places, count: int) -> list[Row]:
    """Measure the time from a sale in one shop to the new number in another, in percentiles."""
    found = sales(count + 20)
    with places.sqlite() as made:
        product = [made.sell_and_tell(sale) for sale in found][20:]
    with places.folder() as folder:
        floor = sale_to_push_floor(folder, found)[20:]
    rows = []
    for percent in (50, 95, 99):
        took, least = (1000 * statistics.quantiles(all_, n=100)[percent - 1] for all_ in (product, floor))
        rows.append(Row(name=f"sale to number told, p{percent}", unit="ms", product=took, floor=least))
    return rows


def judging(orders: int, rounds: int) -> Iterator[Row]:
    """Measure how long an order is judged; the floor compares one amount as often as there are rules."""
    for count in (12, 200, 2000):
        took, least = take_turns(rounds, judged_by(count, orders), comparisons(count, orders))
        yield Row(name=f"judged by {count:,} rules", unit="orders/s", product=orders / took, floor=orders / least)


def ruled(places: Places, count: int, rounds: int) -> Iterator[Row]:
    """Measure bulk intake by rules, beside the same without; and judging anew, beside what is told again unchanged."""
    found, size = sales(count), 200
    books = {
        "12 rules": twelve(buyers=False),
        "12 rules, one about the buyer": twelve(buyers=True),
        "200 rules": many(200),
    }

    def on_a_place(work: Callable[[Bench], float]) -> Callable[[], float]:
        def measured() -> float:
            with places.sqlite() as made:
                return work(made)

        return measured

    works = [on_a_place(lambda made, book=book: taken_in(made, book, found, size)) for book in books.values()]  # type: ignore[misc]
    none, *took = take_turns(rounds, on_a_place(lambda made: made.ingest(found, size)), *works)
    for name, each in zip(books, took, strict=True):
        yield Row(name=f"bulk intake with {name}", unit="orders/s", product=count / each, floor=count / none)
    book = books["12 rules"]
    again, told = take_turns(
        rounds,
        on_a_place(lambda made: judged_again(made, book, found, size)),
        on_a_place(lambda made: told_again(made, found, size)),
    )
    yield Row(name="re-judging open orders after a reload", unit="orders/s", product=count / again, floor=count / told)


def packing(orders: int, rounds: int) -> Row:
    """Measure orders a second made into parcels with couriers; the floor sorts their units and sums what they weigh."""
    took, least = take_turns(rounds, packed(orders), sorted_and_summed(orders))
    name = f"parcels and couriers, {orders:,} orders"
    return Row(name=name, unit="orders/s", product=orders / took, floor=orders / least)


def releasing(places: Places, count: int, rounds: int) -> Row:
    """Measure orders a second made into releases at desks; the floor takes them in."""
    found, size = sales(count), 200

    def product() -> float:
        with places.sqlite() as made:
            return released(made, found, size)

    def floor() -> float:
        with places.sqlite() as made:
            return made.ingest(found, size)

    took, least = take_turns(rounds, product, floor)
    return Row(name=f"releases made, {size} a commit", unit="orders/s", product=count / took, floor=count / least)


def booking(places: Places, parcels: int, rounds: int) -> Row:
    """Measure bookings a second with one account; the floor waits for the courier's answers and does nothing else."""

    def product() -> float:
        with places.folder() as folder:
            return booked(folder, parcels)

    took, least = take_turns(rounds, product, called(parcels))
    return Row(name="bookings, 0.25 s an answer", unit="parcels/s", product=parcels / took, floor=parcels / least)


def peak_mib() -> float:
    """Return the most memory this process ever had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def memory(places: Places, before_mib: float, count: int) -> Row:
    """Measure the peak of this process after taking in `count` orders, beside that of an idle one."""
    with places.sqlite() as made:
        for start in range(0, count, 1000):
            made.ingest(sales(1000, first=start), 100)
    return Row(name=f"memory, {count:,} orders taken in", unit="MiB", product=peak_mib(), floor=before_mib)


def measure(places: Places, args: argparse.Namespace, *, with_postgres: bool) -> Iterator[Row]:
    """Yield the lines of the table as they are measured; memory first, for a peak never sinks."""
    yield memory(places, peak_mib(), 5 * args.orders)
    for size in (100, 1000):
        yield ingest_sqlite(places, args.orders * (1 if size == 100 else 2), size, args.rounds)
    if with_postgres:
        for size in (100, 1000):
            yield ingest_postgres(places, args.orders * (1 if size == 100 else 2), size, args.rounds)
    yield pushes(places, args.orders, args.rounds)
    yield from latency(places, args.orders // 8)
    yield from judging(args.orders, args.rounds)
    yield from ruled(places, 2 * args.orders, args.rounds)
    yield packing(10 * args.orders, args.rounds)
    yield releasing(places, 2 * args.orders, args.rounds)
    yield booking(places, args.orders // 50, args.rounds)
    yield from papers(args.rounds)


def papers(rounds: int) -> Iterator[Row]:
    """Measure slips set in a file, one slip with the process warm, and that process's memory."""
    wave, single = slips(WAVE), slips(1)
    with warm() as made:
        bare = Bare()
        took, least = take_turns(rounds, lambda: print_all(made, wave), lambda: bare.print_all(wave))
        yield Row(name=f"papers, {WAVE:,} slips in a file", unit="slips/s", product=WAVE / took, floor=WAVE / least)
        print_all(made, single)
        took, least = take_turns(20 * rounds, lambda: print_all(made, single), lambda: bare.print_all(single))
        yield Row(name="papers, one slip", unit="ms", product=1000 * took, floor=1000 * least)
    most, before = memory_mib(WAVE)
    yield Row(name=f"papers, memory for {WAVE:,} slips", unit="MiB", product=most, floor=before)


def show(rows: Iterator[Row]) -> None:
    """Print lines as they come."""
    form = "{:<40} {:>10} {:>10}  {:<10} {:>7}"
    print(form.format("", "erpsync", "floor", "", "ratio"))
    for row in rows:
        print(form.format(*row.cells()), flush=True)


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Measures erpsync beside a bare driver.")
    parser.add_argument("--orders", type=int, default=1000, help="orders a round at 100 a commit")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of which the median counts")
    parser.add_argument("--no-postgres", action="store_true", help="measure SQLite alone")
    args = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    spare_collector()  # as the daemon does
    with tempfile.TemporaryDirectory(prefix="erpsync-bench-") as name:
        try:
            if not args.no_postgres:
                postgres.find_binaries()
            serving = nullcontext(None) if args.no_postgres else postgres.serve()
        except postgres.PostgresUnavailableError as error:
            print(f"without PostgreSQL: {error}", file=sys.stderr)
            serving = nullcontext(None)
        with serving as server:
            show(measure(Places(Path(name), server), args, with_postgres=server is not None))
    print("floor: the bare driver writing prepared rows, no reading, no deciding; for memory: this process before;")
    print("for rules: the same orders without rules, or told again as they were; for releases: taking the orders in;")
    print("for bookings: the courier's answers, one after the other;")
    print("for papers: typst alone over the same template.")
    print("PostgreSQL runs without fsync. Look at ratios: other load moves all figures alike.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
