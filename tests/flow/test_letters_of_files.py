"""Dead letters of dropped files: which end when the mended file was read, and what helps those that stay."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from connectors.csv_drop.connector import CsvDropConnector
from connectors.csv_drop.settings import CsvDropSettings
from connectors.warehouse_file.connector import WarehouseFileConnector
from connectors.warehouse_file.settings import WarehouseFileSettings
from erpsync.core.policy import WarehousePolicy
from erpsync.flows.context import ChannelSpec, Context, open_context
from erpsync.flows.errors import Refused
from erpsync.flows.intake.poll import poll_stream
from erpsync.flows.operations.dead_letters import drop_letter, replay_letter
from erpsync.sdk.clock import ManualClock
from erpsync.sdk.http import HttpClient
from erpsync.store.db.store import Store
from erpsync.store.views import list_dead, list_orders
from tests.support.shop import NOON, SHANGHAI, VAULT

HEADER = "external_id,line_id,status,placed_at,paid_at,channel_sku,qty,price"
GOOD = "1001,a,paid,2026-03-02 12:01,2026-03-02 12:02,TEA,2,9.00"


@dataclass
class Folders:
    """A shop, its parcels and a warehouse, each a folder."""

    ctx: Context
    clock: ManualClock
    root: Path

    def drop(self, text: str, *, name: str = "orders.csv", channel: str = "shop") -> None:
        """Drop a file and read it."""
        file = self.root / channel / name
        file.write_text(text, encoding="utf-8")
        self.clock.advance(seconds=1)
        stream = {"shop": "orders", "parcels": "shipments", "depot": "warehouse"}[channel]
        report = poll_stream(self.ctx, self.ctx.channel(channel), stream)
        assert not report.failed, report.error

    def letters(self) -> list[tuple[str, str, str]]:
        """Return (kind, source, remedy) of the open letters."""
        with self.ctx.store.read() as connection:
            return [(each["kind"], each["source"], each["remedy"]) for each in list_dead(connection)]

    def ids(self) -> list[int]:
        with self.ctx.store.read() as connection:
            return [each["id"] for each in list_dead(connection)]

    def next(self) -> list[str]:
        with self.ctx.store.read() as connection:
            return [each["next"] for each in list_dead(connection)]

    def orders(self) -> set[str]:
        with self.ctx.store.read() as connection:
            return {order["external_id"] for order in list_orders(connection)}


def _spec(name: str, root: Path, clock: ManualClock) -> ChannelSpec:
    folder = root / name
    folder.mkdir()
    http = HttpClient(clock=clock)
    if name == "depot":
        made = WarehouseFileSettings(folder=folder, out_folder=root / "out", settle_s=0)
        return ChannelSpec(name=name, kind="warehouse_file", connector=WarehouseFileConnector(made, http, clock))
    reads = "orders" if name == "shop" else "shipments"
    settings = CsvDropSettings.model_validate({"folder": folder, "reads": reads, "settle_s": 0})
    return ChannelSpec(name=name, kind="csv_drop", connector=CsvDropConnector(settings, http, clock))


@pytest.fixture
def folders(database_url: str, tmp_path: Path) -> Iterator[Folders]:
    clock = ManualClock(NOON)
    store = Store.open(database_url, clock=clock, vault=VAULT)
    specs = [_spec(name, tmp_path, clock) for name in ("shop", "parcels", "depot")]
    place = WarehousePolicy(id="SH", channel="depot")
    yield Folders(open_context(store, warehouses=[place], channels_=specs, timezone=SHANGHAI), clock, tmp_path)
    store.close()


def test_the_letter_of_a_file_that_could_not_be_read_ends_with_the_mended_file(folders: Folders) -> None:
    folders.drop(f"{HEADER.replace('qty', 'pieces')}\n{GOOD}\n")
    assert folders.letters() == [("order", "orders.csv:1", "mend")]

    folders.drop(f"{HEADER}\n{GOOD}\n", name="other.csv")
    assert folders.letters() == [("order", "orders.csv:1", "mend")]  # another file mends nothing

    folders.drop(f"{HEADER}\n{GOOD}\n")
    assert (folders.letters(), folders.orders()) == ([], {"1001"})


def test_a_file_that_is_still_bad_stays_one_letter(folders: Folders) -> None:
    for _ in range(3):
        folders.drop(f"{HEADER.replace('qty', 'pieces')}\n{GOOD}\n")

    assert folders.letters() == [("order", "orders.csv:1", "mend")]


def test_a_row_without_an_order_ends_with_the_file_and_an_order_only_with_itself(folders: Folders) -> None:
    """A new day's file of the same name must not make yesterday's order look mended."""
    nameless = GOOD.replace("1001", "", 1)
    folders.drop(f"{HEADER}\n{nameless}\n{GOOD.replace('1001', '1002').replace(',2,', ',x,')}\n")
    assert {source for _, source, _ in folders.letters()} == {"orders.csv:2", "orders.csv:3"}

    folders.drop(f"{HEADER}\n{GOOD}\n")
    assert folders.letters() == [("order", "orders.csv:3", "replay")]

    folders.drop(f"{HEADER}\n{GOOD.replace('1001', '1002')}\n", name="a-later-one.csv")
    assert (folders.letters(), folders.orders()) == ([], {"1001", "1002"})


def test_what_ended_with_a_file_leaves_an_event(folders: Folders) -> None:
    folders.drop("no header of ours\n1\n")
    folders.drop(f"{HEADER}\n{GOOD}\n")

    with folders.ctx.store.read() as connection:
        told = connection.exec_driver_sql("SELECT detail FROM event WHERE kind = 'letter.superseded'").scalars().all()
    assert len(told) == 1
    assert '"file": "orders.csv"' in told[0]


@pytest.mark.parametrize(
    ("channel", "name", "bad", "good"),
    [
        ("parcels", "p.csv", "order,tracking\n1001,SF1\n", "order,carrier,tracking\n1001,SF,SF1\n"),
        ("parcels", "p.csv", "order,carrier,tracking\n1001,,SF1\n", "order,carrier,tracking\n1001,SF,SF1\n"),
        ("parcels", "p.csv", "order,carrier,tracking\n1009,SF,SF1\n", "order,carrier,tracking\n1001,SF,SF1\n"),
        ("depot", "stock-1.csv", "sku\nTEA\n", "sku,on_hand,as_of\nTEA,4,2026-03-02 12:00\n"),
        (
            "depot",
            "stock-1.csv",
            "sku,on_hand,as_of\nTEA,,2026-03-02\n",
            "sku,on_hand,as_of\nTEA,4,2026-03-02 12:00\n",
        ),
    ],
)
def test_reports_that_could_not_be_taken_end_with_their_mended_file(
    folders: Folders, channel: str, name: str, bad: str, good: str
) -> None:
    folders.drop(f"{HEADER}\n{GOOD}\n")
    folders.drop(bad, name=name, channel=channel)
    assert len(folders.letters()) == 1

    folders.drop(good, name=name, channel=channel)

    assert folders.letters() == []


@pytest.mark.parametrize(
    ("channel", "name", "text", "remedy"),
    [
        ("shop", "orders.csv", "no header of ours\n1\n", "mend"),
        ("shop", "orders.csv", f"{HEADER}\n{GOOD.replace('paid,', 'bezahlt,')}\n", "replay"),
        ("parcels", "p.csv", "order,carrier,tracking\n1001,,SF1\n", "mend"),
        ("parcels", "p.csv", "order,carrier,tracking\n1009,SF,SF1\n", "replay"),
        ("depot", "stock-1.csv", "sku\nTEA\n", "mend"),
    ],
)
def test_a_letter_says_what_helps_and_what_cannot_help_is_refused_in_one_line(
    folders: Folders, channel: str, name: str, text: str, remedy: str
) -> None:
    folders.drop(text, name=name, channel=channel)
    [(_, _, helps)], [said], [id] = folders.letters(), folders.next(), folders.ids()

    assert helps == remedy
    assert ("erpsync dead replay" in said) == (remedy == "replay")
    with pytest.raises(Refused) as refused:
        replay_letter(folders.ctx, id, actor="ana")
    assert ("cannot help" in str(refused.value)) == (remedy == "mend")
    assert "\n" not in str(refused.value)


def test_a_letter_of_a_shop_that_is_gone_can_only_be_dropped(folders: Folders) -> None:
    folders.drop(f"{HEADER}\n{GOOD.replace('paid,', 'bezahlt,')}\n")
    left = open_context(folders.ctx.store, warehouses=[WarehousePolicy(id="SH")], channels_=[], timezone=SHANGHAI)

    assert folders.letters() == [("order", "orders.csv:2", "drop")]
    assert folders.next() == [f"nothing is left to try again: `erpsync dead drop {folders.ids()[0]}`"]
    drop_letter(left, folders.ids()[0], actor="ana")
    assert folders.letters() == []
