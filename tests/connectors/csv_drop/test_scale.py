"""A million lines cost no more memory than ten thousand; the suite reads a hundredth, `make soak` all of them."""

import os
import random
import tracemalloc
from pathlib import Path

from erpsync.sdk.types import Cursor
from tests.connectors.csv_drop.builders import HEADER, drop, order_drop, row

LINES = 1_000_000 if os.environ.get("ERPSYNC_SOAK") else 10_000
PEAK_BYTES = 24 << 20


def scattered_file(folder: Path, lines: int) -> None:
    """Write orders of four lines each whose lines stand anywhere in the file."""
    numbers = list(range(lines))
    random.Random(1).shuffle(numbers)
    with drop(folder, "orders.csv", "").open("w") as handle:
        handle.write(f"{HEADER}\n")
        handle.writelines(f"{row(f'{10**17 + number // 4}', f'SKU-{number % 4}')}\n" for number in numbers)
    os.utime(folder / "orders.csv", (0, 0))


def test_memory_stays_flat_however_long_the_file_is(tmp_path: Path) -> None:
    scattered_file(tmp_path, LINES)
    source = order_drop(tmp_path)
    tracemalloc.start()
    orders = lines = 0
    try:
        for page in source.pull_orders(Cursor()):
            orders += len(page.heads)
            lines += sum(len(source.normalise(raw).lines) for raw in source.complete(page.heads))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert (orders, lines) == (LINES // 4, LINES)
    assert peak < PEAK_BYTES
