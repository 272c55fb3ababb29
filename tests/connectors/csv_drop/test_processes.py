"""Several readers of one folder, and readers that are killed: the kernel's locks say who reads what."""

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from tests.connectors.csv_drop.builders import HEADER, NOON, drop, heads, names, order_drop, row

ROOT = Path(__file__).parents[3]
READER = """
import sys
from pathlib import Path
from erpsync.sdk.types import Cursor
from tests.connectors.csv_drop.builders import order_drop
pages = order_drop(Path(sys.argv[1])).pull_orders(Cursor())
print(next(pages).heads[0].version_at.isoformat(), flush=True)
sys.stdin.read()
"""


@pytest.mark.concurrent("processes")
def test_a_file_held_by_a_living_process_is_left_to_it_and_taken_over_when_it_is_killed(tmp_path: Path) -> None:
    drop(tmp_path, "orders.csv", [HEADER, row()])
    command = [sys.executable, "-c", READER, str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as reader:
        version = reader.stdout.readline().strip()
        while_it_lives = heads(order_drop(tmp_path))
        os.kill(reader.pid, signal.SIGKILL)

    (after_it_died,) = heads(order_drop(tmp_path))

    assert while_it_lives == []
    assert after_it_died.version_at.isoformat() == version
    assert names(tmp_path / "done") == ["orders.csv"]


@pytest.mark.concurrent("threads")
def test_four_readers_of_one_folder_read_every_file_once(tmp_path: Path) -> None:
    for number in range(60):
        drop(tmp_path, f"{number:03}.csv", [HEADER, row(str(number))], at=NOON + timedelta(seconds=number / 10))

    with ThreadPoolExecutor(4) as pool:
        found = [head for result in pool.map(heads, [order_drop(tmp_path) for _ in range(4)]) for head in result]

    assert sorted(int(head.external_id) for head in found) == list(range(60))
    assert len({head.version_at for head in found}) == 60
    assert len(names(tmp_path / "done")) == 60
