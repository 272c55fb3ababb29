"""Another program holds the database's lock: everybody who waits for an answer gets one, and it says so."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import requests
from sqlalchemy import text

from erpsync.flows.operations.write_probe import write_problem
from erpsync.store.db.privacy import Vault
from erpsync.store.db.sequence import take_numbers
from erpsync.store.db.store import Store, Tx
from erpsync.web.site import receive
from tests.e2e.command_desk import set_up
from tests.support.dialects import on_postgresql
from tests.support.scene import eventually
from tests.support.visitor import visitor
from tests.support.web_shop import open_shop, serve

SOON_S = 0.2
GOOD = {"x-signature": "right"}
LOCKED = "another program holds the database's lock"


class Shop:
    """A daemon's web server with little patience, and the daemon's own store behind it."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.store, ctx = open_shop(f"sqlite:///{file}", vault=Vault([b"k" * 32], b"i" * 32))
        self.border = self.store.at_border(SOON_S)
        self.browser = visitor(self.store)
        self.server, self.site = serve(
            self.border, replace(ctx, store=self.border), receive=receive, keep_s=0, probe_s=0, wait_s=SOON_S
        )

    def get(self, path: str) -> requests.Response:
        return self.browser.get(f"{self.server.url}{path}", timeout=60)

    def send(self) -> requests.Response:
        return requests.post(f"{self.server.url}hooks/jd-main", data=b"{}", headers=GOOD, timeout=60)

    def close(self) -> None:
        self.server.stop(2)
        self.border.close()
        self.store.close()


@pytest.fixture
def shop(sqlite_file: Path) -> Iterator[Shop]:
    opened = Shop(sqlite_file)
    yield opened
    opened.close()


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """Hold the lock of an SQLite file as any other program would."""
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield


def test_a_webhook_is_refused_and_comes_again_and_the_probe_and_the_pages_say_why(shop: Shop) -> None:
    with locked(shop.file):
        refused, ready = shop.send(), shop.get("readyz")
        status, page = shop.get("status.json").json(), shop.get("")

    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "5")
    assert (ready.status_code, ready.json()["ready"]) == (503, False)
    assert LOCKED in ready.json()["problem"]
    assert (status["ok"], status["storage"]["writable"]) == (False, False)
    assert [LOCKED in problem["text"] for problem in status["problems"] if problem["check"] == "database"] == [True]
    assert "another program holds" in page.text
    assert eventually(lambda: shop.send().status_code == 200)
    assert eventually(lambda: shop.get("readyz").json() == {"ready": True, "problem": ""})


@pytest.mark.concurrent("threads")
def test_work_of_the_daemon_that_waits_for_the_lock_holds_up_nobody_outside(shop: Shop) -> None:
    workers = [threading.Thread(target=lambda: shop.store.retrying(count)) for _ in range(8)]
    with locked(shop.file):
        for worker in workers:
            worker.start()
        assert eventually(lambda: shop.store._turns.waiting >= len(workers) - 1)  # type: ignore[union-attr]
        assert (shop.send().status_code, shop.get("readyz").status_code) == (503, 503)
        assert LOCKED in shop.get("readyz").json()["problem"]

    for worker in workers:
        worker.join()
    assert eventually(lambda: shop.send().status_code == 200)


def count(tx: Tx) -> None:
    take_numbers(tx, "work", 1)


def test_a_long_transaction_of_the_daemon_itself_is_not_called_another_programs(shop: Shop) -> None:
    with shop.store.begin():
        problem = shop.get("readyz").json()["problem"]

    assert problem.endswith(f"other work of this daemon takes longer than {SOON_S:g} s")


@pytest.mark.concurrent("threads")
def test_more_webhooks_than_threads_are_all_answered(shop: Shop) -> None:
    answers: list[int] = []
    senders = [threading.Thread(target=lambda: answers.append(shop.send().status_code)) for _ in range(100)]
    with locked(shop.file):
        for sender in senders:
            sender.start()
        for sender in senders:
            sender.join()

    assert answers == [503] * 100


def test_status_says_that_another_program_holds_the_lock_and_ends(tmp_path: Path) -> None:
    desk = set_up(tmp_path, channels=())
    assert desk.run("migrate").code == 0

    with locked(tmp_path / "var" / "erpsync.db"):
        ran = desk.run("status")

    assert ran.code == 1
    assert LOCKED in ran.out
    assert desk.run("status", "--no-daemon").code == 0


def test_status_ends_also_where_the_database_cannot_even_be_read(tmp_path: Path) -> None:
    desk = set_up(tmp_path, channels=())
    assert desk.run("migrate").code == 0

    with closing(sqlite3.connect(tmp_path / "var" / "erpsync.db", isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode=EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        ran = desk.run("status")

    assert (ran.code, ran.err) == (1, f"erpsync: the database cannot be used: {LOCKED}\n")


@on_postgresql
def test_a_lock_in_postgresql_is_waited_for_as_long(database_url: str) -> None:
    store = Store.open(database_url)
    border = store.at_border(SOON_S)
    with store.engine.begin() as other:
        other.execute(text("LOCK TABLE counter IN ACCESS EXCLUSIVE MODE"))
        problem = write_problem(border)

    assert problem == "the database cannot be written to: another program holds a lock in the database"
    assert write_problem(border) == ""
    border.close()
    store.close()
