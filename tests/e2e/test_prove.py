"""`erpsync prove`: what a real platform's lists held back comes in all the same, and the certificate says so.

Failures rows 2 (lost between two windows) and 11 (silent stop).
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.jd.sandbox import JdSandbox
from connectors.taobao.sandbox import TaobaoSandbox
from erpsync.cli.build import Built, open_built
from erpsync.runtime.daemon import run_once
from erpsync.sdk.clock import ManualClock
from erpsync.settings import installed, load
from tests.e2e.command_desk import Desk

MAIN = """
database: sqlite:///var/erpsync.db
web: {listen: 127.0.0.1:0}
warehouses: [{id: SH}]
reconcile: {seal_after_s: 600}
defaults:
  poll: {orders_s: 30, overlap_s: 60, backfill_days: 0}
"""
CHANNELS = {
    "tmall": """
id: tmall
connector: taobao
settings: {gateway: http://gateway.invalid/router/rest, app_key: "12345678", app_secret: sandbox-secret,
  session: 6100000sandbox-session}
""",
    "jd": """
id: jd
connector: jd
settings: {gateway: http://gateway.invalid/routerjson, app_key: 0A1B2C3D4E5F6071, app_secret: sandbox-secret,
  access_token: sandbox-access-token}
""",
    "files": """
id: files
connector: csv_drop
settings: {folder: files/in, profile: generic}
""",
}
ALWAYS = 10_000
SHOPS = ("tmall", "jd")


class Shops:
    """Two shops with sandboxes and a drop folder, yesterday morning on, and the operator's command line."""

    def __init__(self, folder: Path) -> None:
        self.clock = ManualClock(_yesterday())
        self.desk = Desk(folder)
        self.desk.write("erpsync.yaml", MAIN)
        for name, text in CHANNELS.items():
            self.desk.write(f"channels/{name}.yaml", text)
        (folder / "files" / "in").mkdir(parents=True)
        self.boxes: dict[str, Any] = {"tmall": TaobaoSandbox(clock=self.clock), "jd": JdSandbox(clock=self.clock)}
        self.boxes["tmall"].add_item(qty=100, outer_id="TEA")
        self.boxes["jd"].add_item(code="TEA", qty=100)
        registry = installed()
        loaded = load(folder, registry=registry, environ={}, secrets=True)
        self.built: Built = open_built(
            loaded.require(),
            registry=registry,
            load=lambda: loaded,
            mounts={name: box.handle for name, box in self.boxes.items()},
            clock=self.clock,
        )

    def sell(self, shop: str) -> str:
        """Let a buyer order and pay; return the order's id."""
        self.clock.advance(seconds=60)
        return str(self.boxes[shop].place_order([("TEA", 1)], pay=True))

    def work(self, minutes: int) -> None:
        """Let the daemon run once each ten minutes."""
        for _ in range(minutes // 10):
            self.clock.advance(seconds=601)
            assert run_once(self.built) == 0

    def certificate(self, shop: str) -> dict[str, Any]:
        ran = self.desk.run("prove", "--channel", shop, "--json")
        assert ran.err == ""
        (found,) = ran.json["channels"]
        assert ran.code == (1 if found["state"] == "open" else 0)
        return dict(found)


def _yesterday() -> datetime:
    """Return a whole hour about a day ago, a minute before it."""
    return datetime.now(UTC).replace(minute=59, second=0, microsecond=0) - timedelta(hours=26)


@pytest.fixture
def shops(tmp_path: Path) -> Iterator[Shops]:
    made = Shops(tmp_path)
    assert run_once(made.built) == 0
    made.clock.advance(seconds=60)
    yield made
    made.built.close()


@pytest.mark.parametrize("shop", SHOPS)
def test_an_hour_that_two_scans_agree_on_is_certified(shops: Shops, shop: str) -> None:
    shops.sell(shop)
    shops.sell(shop)
    shops.work(90)

    found = shops.certificate(shop)

    assert (found["state"], found["windows"], found["sealed"], found["orders"]) == ("sealed", 1, 1, 2)
    assert (found["found_late"], found["unsealed"]) == (0, [])
    assert len(found["hash"]) == 32


@pytest.mark.parametrize("shop", SHOPS)
def test_an_order_that_the_platform_hid_from_polls_and_the_first_scan_is_found(shops: Shops, shop: str) -> None:
    shops.sell(shop)
    hidden = shops.sell(shop)
    shops.boxes[shop].hide(hidden, times=ALWAYS)
    shops.work(70)
    assert [row["external_id"] for row in shops.desk.json("orders", "list")] != []
    assert hidden not in [row["external_id"] for row in shops.desk.json("orders", "list")]

    shops.boxes[shop].hide(hidden, times=0)
    shops.work(40)

    assert hidden in [row["external_id"] for row in shops.desk.json("orders", "list")]
    found = shops.certificate(shop)
    assert (found["state"], found["orders"], found["found_late"], found["late"]) == ("sealed", 2, 1, [hidden])


@pytest.mark.parametrize("shop", SHOPS)
def test_an_order_that_comes_after_the_seal_opens_its_hour_and_the_command_fails(shops: Shops, shop: str) -> None:
    shops.sell(shop)
    hidden = shops.sell(shop)
    shops.boxes[shop].hide(hidden, times=ALWAYS)
    shops.work(90)
    assert shops.certificate(shop)["state"] == "sealed"

    shops.boxes[shop].hide(hidden, times=0)
    shops.clock.advance(seconds=86_401)
    for _ in range(6):  # the day that has passed comes first
        run_once(shops.built)

    found = shops.certificate(shop)
    assert (found["state"], found["late"]) == ("open", [hidden])
    assert hidden in found["unsealed"][0]["late"]


def test_a_drop_folder_is_unprovable_and_that_is_no_failure(shops: Shops) -> None:
    ran = shops.desk.run("prove", "--channel", "files", "--json")

    assert (ran.code, ran.json["channels"][0]["state"]) == (0, "unprovable")


def test_what_was_asked_for_beyond_the_last_window_is_not_sealed(shops: Shops) -> None:
    shops.sell("tmall")
    shops.work(90)

    asked = shops.desk.run("prove", "--channel", "tmall", "--to", "2999-01-01", "--json")

    assert asked.code == 1
    assert asked.json["channels"][0]["unsealed"][-1]["why"] == "too young to be scanned"


def test_people_get_a_table_and_every_window_on_demand(shops: Shops) -> None:
    shops.sell("tmall")
    shops.work(90)

    ran = shops.desk.run("prove", "--windows")

    assert "unprovable" in ran.out
    assert "1/1" in ran.out
    assert sum(line.startswith("tmall  ") and "sealed" in line for line in ran.out.splitlines()) >= 1


def test_a_channel_that_nobody_knows_is_wrong_usage(shops: Shops) -> None:
    assert shops.desk.run("prove", "--channel", "nobody").code == 2
