"""One file that may not be read goes to `failed` with a dead letter; it is not the folder that refuses us."""

import json
import subprocess
import sys
from typing import Any

import pytest

from tests.support.sources import ROOT

READ = """
import json, os, shutil, sys, tempfile
from pathlib import Path
%s
def made():
    folder = Path(tempfile.mkdtemp(dir="/tmp"))
    fill(folder)
    return folder
warm, folder = made(), made()
read(warm)  # whatever is imported late is imported now: a user without rights may not find it
(folder / names[0]).chmod(0)
if os.geteuid() == 0:
    for each in (folder, *folder.iterdir()):
        os.chown(each, 65534, 65534)
    os.setegid(65534)
    os.seteuid(65534)
found = read(folder)
filed = {name: sorted(each.name for each in (folder / name).iterdir()) for name in ("done", "failed")}
print(json.dumps([found, filed, (folder / "failed" / f"{names[0]}.error.txt").read_text()]))
if os.getuid() == 0:
    os.seteuid(0)
for each in (warm, folder):
    shutil.rmtree(each)
"""

ORDERS = """
from tests.connectors.csv_drop.builders import HEADER, drop, order_drop, row
from tests.connectors.csv_drop.builders import read as read_orders
names = ("a.csv", "b.csv")
def fill(folder):
    for name in names:
        drop(folder, name, [HEADER, row()])
def read(folder):
    orders, refused = read_orders(order_drop(folder))
    return [sorted(orders), [str(each) for each in refused]]
"""

COUNTS = """
from erpsync.sdk.clock import ManualClock
from erpsync.sdk.http import HttpClient
from erpsync.sdk.types import Cursor
from connectors.warehouse_file.connector import WarehouseFileConnector
from tests.support.shop import NOON
names = ("stock-a.csv", "stock-b.csv")
def fill(folder):
    for name in names:
        (folder / name).write_text("sku,on_hand,as_of\\nTEA,1,2026-03-01 08:00:00\\n")
def read(folder):
    settings = WarehouseFileConnector.Settings(folder=folder, out_folder=folder / "out")
    clock = ManualClock(NOON)
    clock.advance(seconds=10**9)
    connector = WarehouseFileConnector(settings, HttpClient(clock=clock), clock)
    pages = list(connector.pull_warehouse(Cursor()))
    counts = [count.sku for page in pages for count in page.counts]
    return [counts, [str(bad.error) for page in pages for bad in page.bad]]
"""


def read_as_nobody(how: str) -> Any:
    """Return what a user without rights reads, where the files lie then, and the reason beside the failed one."""
    command = [sys.executable, "-c", READ % how]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.concurrent("processes")
@pytest.mark.parametrize(
    ("how", "read", "name"),
    [(ORDERS, ["1001"], "a.csv"), (COUNTS, ["TEA"], "stock-a.csv")],
    ids=["csv_drop", "warehouse_file"],
)
def test_a_file_that_may_not_be_read_goes_to_failed_and_the_next_one_is_read(
    how: str, read: list[str], name: str
) -> None:
    found, filed, reason = read_as_nobody(how)

    assert found == [read, ["file: this user may not read the file"]]
    assert filed == {"done": [name.replace("a.csv", "b.csv")], "failed": [name, f"{name}.error.txt"]}
    assert reason.startswith(f"{name}: ")
