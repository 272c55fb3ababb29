"""Probes, metrics, status and what every answer carries, over real HTTP."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import pytest
import requests
from sqlalchemy import text

from erpsync.settings.config import Config, StatusLimits
from erpsync.store import tables
from erpsync.web.metrics import METRICS
from erpsync.web.server import WebServer
from tests.support.visitor import visitor
from tests.support.web_shop import NOW, AppServer, add, effect_row, fill, open_shop, serve


@dataclass
class Shop:
    """A running server and the switches of its daemon."""

    path: Path
    server: AppServer | None = None
    draining: bool = False
    alive: bool = True
    ctx: object = None
    store: object = None
    samples: list = field(default_factory=list)
    browser: requests.Session = field(default_factory=requests.Session)

    def get(self, path: str) -> requests.Response:
        assert self.server
        return self.browser.get(self.server.url + path.lstrip("/"), timeout=60, allow_redirects=False)


@pytest.fixture
def shop(sqlite_file: Path) -> Iterator[Shop]:
    shop = Shop(path=sqlite_file)
    store, ctx = open_shop(f"sqlite:///{shop.path}")
    shop.store, shop.ctx, shop.browser = store, ctx, visitor(store)
    shop.server, _ = serve(
        store, ctx, draining=lambda: shop.draining, alive=lambda: shop.alive, meters=lambda: shop.samples, keep_s=0
    )
    yield shop
    assert shop.server.stop(2)
    store.close()


def test_a_daemon_that_lives_and_can_store_is_live_and_ready(shop: Shop) -> None:
    assert (shop.get("/livez").status_code, shop.get("/livez").json()) == (200, {"alive": True})
    assert (shop.get("/readyz").status_code, shop.get("/readyz").json()) == (200, {"ready": True, "problem": ""})


def test_a_loop_that_stands_still_is_not_live(shop: Shop) -> None:
    shop.alive = False

    assert shop.get("/livez").status_code == 503


def test_a_daemon_that_stops_is_not_ready(shop: Shop) -> None:
    shop.draining = True

    assert shop.get("/readyz").status_code == 503
    assert shop.get("/readyz").json()["problem"] == "stopping"


@pytest.mark.parametrize(("version", "advice"), [("0001", "erpsync migrate"), ("9999", "erpsync status")])
def test_a_database_of_another_version_is_not_ready(shop: Shop, version: str, advice: str) -> None:
    with shop.store.begin() as tx:
        tx.execute(text(f"UPDATE alembic_version SET version_num = '{version}'"))

    assert f"`{advice}`" in shop.get("/readyz").json()["problem"]


def test_a_database_that_cannot_be_written_to_is_not_ready(shop: Shop) -> None:
    with shop.store.begin() as tx:
        tx.execute(text("CREATE TRIGGER full BEFORE INSERT ON counter BEGIN SELECT RAISE(ABORT, 'disk'); END"))

    assert shop.get("/readyz").status_code == 503
    assert shop.get("/readyz").json()["problem"] == "the database cannot be written to: disk"
    assert shop.get("/status.json").json()["storage"]["writable"] is False
    assert "erpsync_status_ok 0.0" in shop.get("/metrics").text
    assert "cannot be written to" in shop.get("/").text


def test_a_channel_that_is_down_leaves_the_daemon_ready(shop: Shop) -> None:
    with shop.store.begin() as tx:
        tx.execute(tables.channel.update().values(down_since_at=NOW, down_error="no route"))

    assert shop.get("/readyz").status_code == 200
    assert shop.get("/status.json").json()["ok"] is False


def test_status_json_is_what_the_command_prints(shop: Shop) -> None:
    fill(shop.store, shop.ctx)

    found = shop.get("/status.json").json()

    assert set(found) == {"ok", "at", "problems", "daemons", "channels", "totals", "storage", "alarms"}
    assert [channel["name"] for channel in found["channels"]] == ["jd-main", "tmall-flagship", "拼多多-dropfolder"]
    assert found["totals"]["orders_24h"] == 60


def families(body: str) -> dict[str, str]:
    """Return metric kinds by name."""
    return dict(re.findall(r"^# TYPE (\S+) (\S+)$", body, re.MULTILINE))


def test_every_metric_that_is_documented_is_exported_and_no_other_of_ours(shop: Shop) -> None:
    fill(shop.store, shop.ctx)

    found = families(shop.get("/metrics").text)

    ours = {name for name in found if name.startswith("erpsync_") and not name.endswith("_created")}
    assert ours == {metric.name for metric in METRICS}
    assert "process_resident_memory_bytes" in found


def test_metrics_tell_the_figures_by_channel(shop: Shop) -> None:
    fill(shop.store, shop.ctx)

    lines = shop.get("/metrics").text.splitlines()

    assert 'erpsync_orders_freshness_seconds{channel="jd-main"} 1260.0' in lines
    assert 'erpsync_outbox_rows{channel="tmall-flagship",kind="stock",state="pending"} 5.0' in lines
    assert 'erpsync_dead_letters{channel="拼多多-dropfolder"} 1.0' in lines
    assert "erpsync_status_ok 0.0" in lines


def test_metrics_never_name_orders(shop: Shop) -> None:
    fill(shop.store, shop.ctx)

    assert "S2026" not in shop.get("/metrics").text


@dataclass(frozen=True)
class Sample:
    name: str
    kind: str
    help: str
    labels: dict
    value: float


def test_what_the_process_counts_about_itself_is_exported_too(shop: Shop) -> None:
    labels = {"channel": "jd-main"}
    shop.samples = [
        Sample("erpsync_polls_total", "counter", "Passes.", labels, 7),
        Sample("erpsync_polls_total", "counter", "Passes.", {"channel": "tmall-flagship"}, 2),
        Sample("erpsync_channels_isolated", "gauge", "Slow ones.", {}, 1),
    ]

    body = shop.get("/metrics").text

    assert 'erpsync_polls_total{channel="jd-main"} 7.0' in body
    assert 'erpsync_polls_total{channel="tmall-flagship"} 2.0' in body
    assert "erpsync_channels_isolated 1.0" in body


def test_figures_are_counted_once_for_all_who_look_within_two_seconds(shop: Shop) -> None:
    server, site = serve(shop.store, shop.ctx)
    try:
        before = requests.get(f"{server.url}status.json", timeout=60).json()
        with shop.store.begin() as tx:
            add(tx, tables.outbox, effect_row(shop.ctx.channel("jd-main").id, "due"))
        same = requests.get(f"{server.url}status.json", timeout=60).json()
        site.store.clock.sleep(3)
        after = requests.get(f"{server.url}status.json", timeout=60).json()
    finally:
        server.stop(2)

    assert before == same
    assert after["totals"]["queue_due"] == before["totals"]["queue_due"] + 1


@pytest.mark.parametrize("path", ["/", "/orders", "/orders/none", "/nowhere", "/status.json", "/static/console.css"])
def test_every_answer_keeps_browsers_from_being_turned_against_it(shop: Shop, path: str) -> None:
    headers = shop.get(path).headers

    assert headers["content-security-policy"].startswith("default-src 'self';")
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cache-control"] == "no-store"
    assert "server" not in headers


def test_static_files_of_a_version_are_fetched_once(shop: Shop) -> None:
    [address] = re.findall(r'href="(/static/console\.css\?v=[0-9a-f]{12})"', shop.get("/").text)

    assert shop.get(address).headers["cache-control"] == "public, max-age=31536000, immutable"


def test_a_port_that_is_taken_is_an_error_for_the_one_who_starts(shop: Shop) -> None:
    second = AppServer(lambda scope, receive, send: None, port=shop.server.port)

    with pytest.raises(OSError, match="in use"):
        second.start()


def test_a_daemon_is_served_at_the_address_of_its_configuration(shop: Shop) -> None:
    config = Config(
        folder=shop.path.parent,
        database=f"sqlite:///{shop.path}",
        web_port=0,
        web_hosts=("erp.example",),
        status=StatusLimits(freshness_s=1),
    )
    face = SimpleNamespace(
        ctx=lambda: shop.ctx,
        config=lambda: config,
        meters=SimpleNamespace(samples=lambda: [Sample("erpsync_polls_total", "counter", "Passes.", {}, 3)]),
        alive=lambda: True,
        draining=lambda: False,
    )
    server = WebServer(face, notice="Faults are <played>.")
    server.start()
    try:
        assert requests.get(f"{server.url}readyz", timeout=60).json()["ready"]
        assert [_status(server, host) for host in ("erp.example", "evil.example")] == [200, 421]
        assert "Faults are &lt;played&gt;." in shop.browser.get(server.url, timeout=60).text
        assert "erpsync_polls_total 3.0" in requests.get(f"{server.url}metrics", timeout=60).text
    finally:
        server.stop(2)


def _status(server: WebServer, host: str) -> int:
    return requests.get(f"{server.url}status.json", headers={"Host": host}, timeout=60).status_code


def test_a_server_that_was_stopped_answers_no_more_and_may_be_stopped_again(shop: Shop) -> None:
    server, _ = serve(shop.store, shop.ctx)

    assert server.stop(2)
    assert server.stop(2)
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{server.url}livez", timeout=60)
