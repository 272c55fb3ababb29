"""The real process: ended, killed, stopped and reloaded, looked at from outside."""

import random
import re
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from queue import SimpleQueue

import pytest
from sqlalchemy import func, select, update

from erpsync.store.db.store import Store
from erpsync.store.outbox.queue import LANE_REST, SHIPMENT, STOCK, Effect, claim, enqueue
from erpsync.store.tables import channel, outbox
from tests.crash.process import LONG_S, Daemon, Shop, eventually

pytestmark = pytest.mark.concurrent("processes")

ANSWERS_NOTHING = """\
id: stuck
connector: taobao
poll: {{orders_s: 1}}
settings: {{gateway: "http://127.0.0.1:{port}/router/rest", app_key: "12345", app_secret: secret, session: session}}
"""


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path / "shop")


def test_told_to_end_it_ends_at_once_with_zero_and_says_so(shop: Shop) -> None:
    shop.drop("first", ["A1", "A2"])
    with Daemon(shop) as daemon:
        daemon.wait("poll.done", lambda record: record["records"] == 2)
        daemon.signal(signal.SIGTERM)

        assert daemon.ended() == 0
        (stopped,) = daemon.all("daemon.stopped")

    assert (stopped["signal"], stopped["clean"]) == ("SIGTERM", True)
    assert shop.orders() == ["A1", "A2"]


def test_a_second_daemon_on_the_same_file_is_refused_in_one_line(shop: Shop) -> None:
    with Daemon(shop) as daemon:
        daemon.wait("daemon.started")

        for arguments in (["run"], ["run", "--once"]):
            second = shop.erpsync(*arguments)

            assert second.code == 1
            (line,) = [line for line in second.err.splitlines() if line.startswith("erpsync: ")]
            assert f"process {daemon.process.pid}" in line
            assert str(shop.database) in line


@pytest.mark.slow
def test_killed_again_and_again_it_loses_no_order_and_doubles_none(shop: Shop) -> None:
    """Rows 3, 8 and 15: killed at a random instant while files come in, then started again."""
    rng = random.Random(20260302)
    dropped: list[str] = []
    pause = threading.Event()
    for round_ in range(6):
        with Daemon(shop) as daemon:
            daemon.wait("daemon.started")
            for file in range(4):
                orders = [f"{round_}-{file}-{number}" for number in range(40)]
                shop.drop(f"file-{round_}-{file}", orders)
                dropped += orders
                pause.wait(rng.uniform(0, 0.3))
            daemon.signal(signal.SIGKILL)
            assert daemon.ended() == -signal.SIGKILL

    done = shop.erpsync("run", "--once")

    assert done.code == 0, done.err
    assert shop.orders() == sorted(dropped)


def test_a_daemon_that_was_stopped_goes_on_where_it_was(shop: Shop) -> None:
    with Daemon(shop) as daemon:
        daemon.wait("poll.done")
        daemon.signal(signal.SIGSTOP)
        shop.drop("first", ["A1"])
        daemon.signal(signal.SIGCONT)
        daemon.wait("poll.done", lambda record: record["records"] == 1)

    assert shop.orders() == ["A1"]


def test_a_daemon_that_starts_takes_over_at_once_what_a_killed_one_had_leased(shop: Shop) -> None:
    """Row 15: the lease would have run for another hour."""
    assert shop.erpsync("run", "--once").code == 0
    store = Store.open(f"sqlite:///{shop.database}")
    with store.begin() as tx:
        one = {"destination_id": 1, "kind": STOCK, "ref_id": 1, "lane": LANE_REST}
        enqueue(tx, [Effect(key="1", serial_key="listing:1", run_at=tx.now, marked_at=tx.now, **one)])
        assert len(claim(tx, "killed", 1, STOCK, limit=1, lease_s=3600)) == 1

    def leased() -> int:
        with store.read() as connection:
            return connection.execute(select(func.count()).where(outbox.c.state == "leased")).scalar_one()

    with Daemon(shop) as daemon:
        daemon.wait("daemon.started")

        assert leased() == 0
    store.close()


def test_a_reload_is_taken_whole_or_not_at_all(shop: Shop) -> None:
    with Daemon(shop) as daemon:
        daemon.wait("daemon.started")
        good = (shop.folder / "channels" / "drop.yaml").read_text(encoding="utf-8")
        shop.write("channels/drop.yaml", good.replace("orders_s: 1", "orders_s: 0\n  order_s: 3"))
        shop.add_drop("more")
        daemon.signal(signal.SIGHUP)
        daemon.wait("config.refused")
        assert daemon.all("config.reloaded") == []
        assert all("channels/drop.yaml:" in record["problem"] for record in daemon.all("config.refused"))

        shop.drop("first", ["A1"])
        daemon.wait("poll.done", lambda record: record["records"] == 1)

        shop.write("channels/drop.yaml", good)
        daemon.signal(signal.SIGHUP)
        daemon.wait("config.reloaded", lambda record: record["added"] == "more")
        daemon.wait("poll.done", lambda record: record["channel"] == "more")


def test_commands_beside_the_daemon_wake_it(shop: Shop) -> None:
    drop = (shop.folder / "channels" / "drop.yaml").read_text(encoding="utf-8")
    shop.write("channels/drop.yaml", drop.replace("orders_s: 1", "orders_s: 3600"))
    with Daemon(shop) as daemon:
        daemon.wait("poll.done")
        shop.drop("first", ["A1"])

        assert shop.erpsync("channels", "poll", "drop").code == 0

        daemon.wait("poll.done", lambda record: record["records"] == 1)


@contextmanager
def silent_platform(shop: Shop) -> Iterator[Callable[[], object]]:
    """Add a channel whose calls are taken and never answered; yields what waits until one hangs."""
    with socket.create_server(("127.0.0.1", 0)) as listening, ExitStack() as calls:
        listening.settimeout(LONG_S)
        shop.write("channels/stuck.yaml", ANSWERS_NOTHING.format(port=listening.getsockname()[1]))
        yield lambda: calls.enter_context(listening.accept()[0])


@contextmanager
def service_manager(path: Path) -> Iterator[Callable[[str], None]]:
    """A socket for signs of life, read all the time: what finds it full is lost. Yields what waits for a word."""
    heard: SimpleQueue[str] = SimpleQueue()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(path))

        def listen() -> None:
            while message := manager.recv(4096):
                heard.put(message.decode())

        def hear(word: str) -> None:
            while word not in heard.get(timeout=LONG_S):
                pass

        listener = threading.Thread(target=listen)
        listener.start()
        try:
            yield hear
        finally:
            manager.shutdown(socket.SHUT_RD)
            listener.join()


def test_a_call_that_hangs_keeps_nobody_from_ending(shop: Shop) -> None:
    shop.write("erpsync.yaml", (shop.folder / "erpsync.yaml").read_text().replace("stop_s: 100", "stop_s: 0.5"))
    with silent_platform(shop) as until_a_call_hangs, Daemon(shop) as daemon:
        until_a_call_hangs()
        daemon.wait("poll.done", lambda record: record["channel"] == "drop", times=3)
        daemon.signal(signal.SIGTERM)

        assert daemon.ended() == 0
        assert any("stuck" in record["call"] for record in daemon.all("call.abandoned"))
        assert daemon.all("daemon.stopped")[0]["clean"] is False


def test_a_second_signal_ends_it_at_once(shop: Shop, tmp_path: Path) -> None:
    path = tmp_path / "notify"
    with (
        silent_platform(shop) as until_a_call_hangs,
        service_manager(path) as hear,
        Daemon(shop, NOTIFY_SOCKET=str(path)) as daemon,
    ):
        until_a_call_hangs()
        daemon.signal(signal.SIGTERM)
        hear("STOPPING=1")
        daemon.signal(signal.SIGTERM)

        assert daemon.ended() == 128 + signal.SIGTERM
        assert daemon.all("daemon.stopped") == []


def test_the_service_manager_hears_ready_signs_of_life_reload_and_end(shop: Shop, tmp_path: Path) -> None:
    path = tmp_path / "notify"
    with service_manager(path) as hear, Daemon(shop, NOTIFY_SOCKET=str(path), WATCHDOG_USEC="300000000") as daemon:
        hear("READY=1")
        hear("WATCHDOG=1")
        daemon.signal(signal.SIGHUP)
        hear("RELOADING=1")
        hear("READY=1")
        daemon.signal(signal.SIGTERM)
        hear("STOPPING=1")
        assert daemon.ended() == 0


def test_under_the_journal_every_line_has_its_priority(shop: Shop) -> None:
    with Daemon(shop, JOURNAL_STREAM="8:1") as daemon:
        assert eventually(lambda: any(record.get("text", "").startswith("<6>{") for record in daemon.records))
        daemon.signal(signal.SIGINT)
        assert daemon.ended() == 0


def test_what_an_unknown_outcome_left_behind_is_known_after_the_kill(shop: Shop) -> None:
    """A row whose call had begun stays marked as sent: the next holder must know that it may have happened."""
    assert shop.erpsync("run", "--once").code == 0
    store = Store.open(f"sqlite:///{shop.database}")
    with store.begin() as tx:
        one = {"destination_id": 1, "kind": SHIPMENT, "ref_id": 1, "lane": LANE_REST}
        later = {"run_at": tx.now, "marked_at": tx.now}
        enqueue(tx, [Effect(key="1", serial_key="order:1", **later, **one)])
        claim(tx, "killed", 1, SHIPMENT, limit=1, lease_s=3600)
        tx.execute(update(outbox).values(sent_at=tx.now))
        tx.execute(update(channel).values(paused=True))  # so that what is looked at stays as it was found

    with Daemon(shop) as daemon:
        daemon.wait("daemon.started")
        with store.read() as connection:
            row = connection.execute(select(outbox.c.state, outbox.c.sent_at)).one()

    store.close()
    assert row.state in {"pending", "waiting"}
    assert row.sent_at is not None


def test_a_daemon_that_was_killed_is_missed_at_once_and_one_that_ended_in_order_too(shop: Shop) -> None:
    assert shop.erpsync("migrate").code == 0
    assert "no daemon has run yet" in shop.erpsync("status").out
    with Daemon(shop) as daemon:
        daemon.wait("poll.done", lambda record: record["stream"] == "orders")
        assert shop.erpsync("status").code == 0
        daemon.process.kill()
        daemon.process.wait()
        missed = shop.erpsync("status")
    with Daemon(shop) as daemon:
        daemon.wait("daemon.started")
        daemon.signal(signal.SIGTERM)
        assert daemon.ended() == 0
    stopped = shop.erpsync("status")

    assert missed.code == stopped.code == 1
    assert re.search(r"^no daemon runs since 20\S+ \S+: it did not end in order$", missed.out, re.MULTILINE)
    assert re.search(r"^no daemon runs since 20\S+ \S+: it was stopped$", stopped.out, re.MULTILINE)
    assert shop.erpsync("status", "--no-daemon").code == 0


def test_a_refused_reload_is_seen_by_the_service_manager_and_by_status_until_one_is_taken(
    shop: Shop, tmp_path: Path
) -> None:
    path = tmp_path / "notify"
    good = (shop.folder / "channels" / "drop.yaml").read_text()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(path))
        manager.settimeout(60)

        def hear(until: str, *, but_not: str = "") -> str:
            while until not in (message := manager.recv(4096).decode()) or (but_not and but_not in message):
                pass
            return message

        with Daemon(shop, NOTIFY_SOCKET=str(path)) as daemon:
            daemon.wait("poll.done", lambda record: record["stream"] == "orders")
            shop.write("channels/drop.yaml", good + "pol: {}\n")
            daemon.signal(signal.SIGHUP)
            hear("RELOADING=1")
            assert "channels/drop.yaml" in hear("RELOAD REFUSED at ")
            assert eventually(lambda: "the reload at " in shop.erpsync("status").out)
            assert "channels/drop.yaml" in hear("STATUS=1 channels, RELOAD REFUSED at ")

            shop.write("channels/drop.yaml", good)
            daemon.signal(signal.SIGHUP)
            hear("RELOADING=1")
            hear("STATUS=1 channels", but_not="REFUSED")
            assert eventually(lambda: shop.erpsync("status").code == 0)
