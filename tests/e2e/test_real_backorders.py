"""A day of a real British shop: orders of up to hundreds of lines, and stock for three units in five."""

import csv
import io
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from erpsync.core.sourcing import Sourcing
from erpsync.flows.context import Context
from erpsync.flows.operations.counters import verify_counters
from erpsync.store.db.store import Store
from tests.e2e.command_desk import Desk
from tests.support.real_data import retail_file

pytestmark = pytest.mark.concurrent("processes")

CONFIG = """
database: sqlite:///var/erpsync.db
timezone: Europe/London
warehouses:
  - {id: LON}
"""
CHANNEL = """
id: retail
connector: csv_drop
settings:
  folder: in
  settle_s: 0
  timezone: Europe/London
  datetime_formats: ["%m/%d/%Y %H:%M"]
  columns:
    external_id: InvoiceNo
    channel_sku: StockCode
    title: Description
    qty: Quantity
    placed_at: InvoiceDate
    price: UnitPrice
  constants: {status: paid, currency: GBP}
"""
BAD_ROWS = """\
536365,GONE-1,taken out of the order,0,12/1/2010 8:26,1.00,17850,United Kingdom
536390,BAD-2,units that came back,-3,12/1/2010 10:19,1.00,17511,United Kingdom
536370,BAD-3,units in words,a dozen,12/1/2010 8:45,1.00,12583,United Kingdom
999001,BAD-4,the only line of its order,0,12/1/2010 11:50,1.00,17920,United Kingdom
"""
SPOILT = {"536390", "536370"}
Units = dict[str, int]


def real_rows() -> list[dict[str, str]]:
    """Return the lines of the file, all of them good."""
    return list(csv.DictReader(io.StringIO(retail_file().read_text(encoding="utf-8-sig"))))


def ordered() -> Units:
    """Return the units ordered of each SKU."""
    units: Units = defaultdict(int)
    for row in real_rows():
        units[row["StockCode"]] += int(row["Quantity"])
    return units


def placed_at(row: Mapping[str, str]) -> datetime:
    """Return when an invoice was written, in UTC."""
    naive = datetime.strptime(row["InvoiceDate"], "%m/%d/%Y %H:%M")
    return naive.replace(tzinfo=ZoneInfo("Europe/London")).astimezone(UTC)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A shop that has read the file with its bad rows, and has three fifths of the units."""
    rows = retail_file().read_text(encoding="utf-8-sig").rstrip("\n")
    desk = Desk(tmp_path)
    desk.write("erpsync.yaml", CONFIG)
    desk.write("channels/retail.yaml", CHANNEL)
    assert desk.run("migrate").code == 0
    import_stock(desk, {sku: units * 3 // 5 for sku, units in ordered().items()})
    desk.write("in/december.csv", f"{rows}\n{BAD_ROWS}")
    run_once(desk)
    return desk


def import_stock(desk: Desk, units: Units) -> None:
    """Count the warehouse anew."""
    rows = "".join(f"LON,{sku},{qty}\n" for sku, qty in units.items())
    ran = desk.run("stock", "import", desk.write("counts.csv", f"warehouse,sku,on_hand\n{rows}"))
    assert ran.code == 0, ran.err


def run_once(desk: Desk) -> None:
    ran = desk.apart("run", "--once")
    assert ran.code == 0, ran.err


def listed(desk: Desk) -> dict[str, dict[str, Any]]:
    """Return all orders by invoice."""
    return {order["external_id"]: order for order in desk.json("orders", "list", "--limit", "0")}


def allocated(orders: Iterable[dict[str, Any]]) -> dict[tuple[str, str], int]:
    """Return the units held by (invoice, SKU)."""
    held: dict[tuple[str, str], int] = defaultdict(int)
    for order in orders:
        for line in order["lines"]:
            for part in line["allocations"]:
                held[order["external_id"], part["sku"]] += part["qty"]
    return held


def queue(orders: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return orders in the turn in which they are to be served."""
    return sorted(orders, key=lambda order: (order["placed_at"], order["number"]))


def served(orders: Iterable[dict[str, Any]], free: Units) -> dict[tuple[str, str], int]:
    """Return what each open line gets of the free units, oldest order first: what a patient clerk would do."""
    left, gets = dict(free), defaultdict(int)
    for order in queue(orders):
        held = allocated([order])
        wants: Counter[str] = Counter()
        for line in order["lines"]:
            wants[line["sku"]] += line["qty"] - line["cancelled_qty"]
        for sku, qty in wants.items():
            taken = min(qty - held.get((order["external_id"], sku), 0), left.get(sku, 0))
            if taken:
                left[sku] -= taken
                gets[order["external_id"], sku] += taken
    return gets


def wrong_counters(desk: Desk) -> list[str]:
    """Return where a counter differs from its ledger or its holds."""
    store = Store.open(f"sqlite:///{desk.folder / 'var' / 'erpsync.db'}")
    try:
        nowhere = Sourcing(by_channel={})
        return verify_counters(
            Context(store=store, timezone=ZoneInfo("UTC"), channels={}, warehouses={}, sourcing=nowhere)
        )
    finally:
        store.close()


@pytest.mark.slow
def test_nothing_is_promised_twice_and_the_oldest_orders_are_served_first(desk: Desk) -> None:
    found = listed(desk)
    stock = {place["sku"]: place for place in desk.json("stock", "list", "--warehouse", "LON")}
    wanted = ordered()

    assert len(found) == 115
    assert {sku: place["on_hand"] for sku, place in stock.items()} == {sku: qty * 3 // 5 for sku, qty in wanted.items()}
    assert all(place["reserved"] == min(place["on_hand"], wanted[sku]) for sku, place in stock.items())
    bare = [{**order, "lines": [{**line, "allocations": []} for line in order["lines"]]} for order in found.values()]
    assert allocated(found.values()) == served(bare, {sku: place["on_hand"] for sku, place in stock.items()})
    short = sum(line["backordered_qty"] for order in found.values() for line in order["lines"])
    assert short == sum(wanted.values()) - sum(place["reserved"] for place in stock.values())
    assert wrong_counters(desk) == []


@pytest.mark.slow
def test_every_invoice_keeps_all_its_lines_and_its_sum(desk: Desk) -> None:
    lines, sums = Counter(row["InvoiceNo"] for row in real_rows()), Counter[str]()
    for row in real_rows():
        sums[row["InvoiceNo"]] += int(row["Quantity"]) * round(float(row["UnitPrice"]) * 100)
    written = {row["InvoiceNo"]: placed_at(row) for row in real_rows()}

    found = listed(desk)

    assert {number: len(order["lines"]) for number, order in found.items()} == lines
    assert {number: order["total_minor"] for number, order in found.items()} == sums
    assert {number: datetime.fromisoformat(order["placed_at"]) for number, order in found.items()} == written


@pytest.mark.slow
def test_units_that_arrive_go_to_the_backorders_that_wait_longest(desk: Desk) -> None:
    before = listed(desk)
    waiting = [order for order in before.values() if order["status"] != "held"]
    more = {sku: units * 4 // 5 - units * 3 // 5 for sku, units in ordered().items()}
    expected = defaultdict(int, allocated(before.values()))
    for place, qty in served(waiting, more).items():
        expected[place] += qty

    import_stock(desk, {sku: units * 4 // 5 for sku, units in ordered().items()})

    assert allocated(listed(desk).values()) == expected
    assert wrong_counters(desk) == []

    import_stock(desk, ordered())

    assert {order["status"] for order in listed(desk).values() if order["status"] != "held"} == {"allocated"}
    assert wrong_counters(desk) == []


@pytest.mark.slow
def test_a_row_without_a_usable_quantity_is_a_dead_letter_and_the_rest_goes_on(desk: Desk) -> None:
    first_bad = len(real_rows()) + 2
    letters = {letter["source"]: letter for letter in desk.json("dead", "list")}

    assert letters.keys() == {f"december.csv:{first_bad + n}" for n in (1, 2, 3)}
    errors = [letters[f"december.csv:{first_bad + n}"]["error"] for n in (1, 2, 3)]
    assert errors == [
        "qty: must be 0 or more, is -3",
        "qty: is not a whole number",
        "lines: no line has a quantity of 1 or more",
    ]
    found = listed(desk)
    assert {number for number, order in found.items() if order["hold_reason"] == "bad_line"} == SPOILT
    assert "999001" not in found
