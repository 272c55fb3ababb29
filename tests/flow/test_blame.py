"""Whose fault an error is: a database that is away, busy or locked buries no record, and no mark moves past one."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any, TypeVar

import pytest
from psycopg import errors
from sqlalchemy import text
from sqlalchemy.exc import (
    DataError,
    DBAPIError,
    IntegrityError,
    InterfaceError,
    InternalError,
    OperationalError,
    StatementError,
    TimeoutError,
)

from erpsync.flows.blame import is_of_record
from erpsync.flows.intake.webhooks import apply_inbox
from erpsync.flows.inventory import counts
from erpsync.flows.operations import dead_letters as dead
from erpsync.flows.shipments.record import ship
from erpsync.sdk.errors import AuthError, PayloadError, RejectedError, TransientError
from erpsync.store.db.engine import StoreError
from erpsync.store.db.store import Store, Tx
from erpsync.store.db.turns import NoTurnError
from erpsync.store.leases import LeaseLostError
from tests.support import looking, walk
from tests.support.calling import deliver, with_calls
from tests.support.shop import VAULT, Town

T = TypeVar("T")
CONNECTIONS = 8  # of a store with a waiting time of its own


class BusyStore(Store):
    """A database of which all connections, or a table, are in use while one piece of work wants to write."""

    tries_until = -1
    locks = ""

    def be_busy(self, *, after: int = 0, lock: str = "") -> None:
        """Be busy for the next piece of work, or the one after so many."""
        self.tries_until, self.locks = after, lock

    def retrying(self, work: Callable[[Tx], T], *, tries: int = 5) -> T:
        self.tries_until -= 1
        if self.tries_until != -1:
            return super().retrying(work, tries=tries)
        with self._in_use():
            return super().retrying(work, tries=tries)

    @contextmanager
    def _in_use(self) -> Iterator[None]:
        with ExitStack() as used:
            if self.locks:
                rival = used.enter_context(self.engine.connect())
                rival.execute(text(f"LOCK TABLE {self.locks} IN ACCESS EXCLUSIVE MODE"))
            else:
                for _ in range(CONNECTIONS):
                    used.enter_context(self.engine.connect())
            yield


@pytest.fixture
def busy(town: Town, database_url: str) -> Iterator[Town]:
    """The town on a database that can be made busy."""
    store = BusyStore.open(database_url, clock=town.clock, vault=VAULT, wait_s=0.05)
    yield replace(town, store=store, ctx=replace(town.ctx, store=store))
    store.close()


def make_busy(town: Town, **how: Any) -> None:
    assert isinstance(town.store, BusyStore)
    town.store.be_busy(**how)


@pytest.mark.postgresql
@pytest.mark.parametrize("dialect", ["postgresql"])
@pytest.mark.parametrize("lock", ["", "orders"])
def test_a_polled_order_that_meets_a_busy_database_is_read_again_and_never_buried(busy: Town, lock: str) -> None:
    counts.set_stock(busy.ctx, warehouse="SH", sku="TEA", on_hand=10, actor="keeper")
    walk.settle_in(busy)
    before = looking.mark(busy, "orders")
    busy.shop.place("o1", ("TEA", 1))
    make_busy(busy, lock=lock)

    report = walk.poll(busy)

    assert (report.failed, looking.letters(busy), looking.mark(busy, "orders")) == (True, [], before)
    assert not walk.poll(busy).failed
    assert looking.status(busy, "o1") == ("allocated", None)


@pytest.mark.postgresql
@pytest.mark.parametrize("dialect", ["postgresql"])
def test_a_parcel_that_meets_a_busy_database_is_sent_a_moment_later(busy: Town) -> None:
    counts.set_stock(busy.ctx, warehouse="SH", sku="TEA", on_hand=10, actor="keeper")
    busy.shop.place("o1", ("TEA", 1))
    walk.settle_in(busy)
    ship(busy.ctx, order="o1", carrier="SF", tracking="SF1")
    busy.shop.trouble["ship before"] = [TimeoutError("QueuePool limit of size 4")]  # type: ignore[list-item]

    walk.push_due(busy)
    busy.advance(60)
    walk.push_due(busy)

    assert [parcel.tracking for parcel in busy.shop.parcels] == ["SF1"]
    assert looking.letters(busy) == []


@pytest.mark.postgresql
@pytest.mark.parametrize("dialect", ["postgresql"])
def test_a_parcel_outlives_a_database_that_is_busy_for_longer_than_a_channel_is_tried(busy: Town) -> None:
    counts.set_stock(busy.ctx, warehouse="SH", sku="TEA", on_hand=10, actor="keeper")
    busy.shop.place("o1", ("TEA", 1))
    walk.settle_in(busy)
    ship(busy.ctx, order="o1", carrier="SF", tracking="SF1")
    busy.shop.trouble["ship before"] = [TimeoutError("QueuePool") for _ in range(70)]  # type: ignore[list-item]

    for _ in range(80):
        walk.push_due(busy)
        busy.advance(400)

    assert [parcel.tracking for parcel in busy.shop.parcels] == ["SF1"]
    assert looking.letters(busy) == []


@pytest.mark.postgresql
@pytest.mark.parametrize("dialect", ["postgresql"])
@pytest.mark.parametrize("lock", ["", "orders"])
def test_a_webhook_that_meets_a_busy_database_is_applied_later(busy: Town, lock: str) -> None:
    town = with_calls(busy)
    counts.set_stock(town.ctx, warehouse="SH", sku="TEA", on_hand=10, actor="keeper")
    deliver(town, town.shop.place("o1", ("TEA", 1)), id="d1")
    make_busy(town, lock=lock)
    apply_inbox(town.ctx)
    town.advance(60)
    apply_inbox(town.ctx)

    assert (looking.status(town, "o1"), looking.letters(town)) == (("allocated", None), [])


@pytest.mark.parametrize("lock", ["", "orders"])
@pytest.mark.postgresql
@pytest.mark.parametrize("dialect", ["postgresql"])
def test_a_replay_that_meets_a_busy_database_says_that_and_not_that_the_record_is_bad(busy: Town, lock: str) -> None:
    walk.settle_in(busy)
    busy.shop.hidden.add("o1")
    busy.shop.place("o1", ("TEA", 1))
    walk.poll(busy)
    busy.shop.hidden.clear()
    key = looking.letter_id(busy, "o1")
    make_busy(busy, lock=lock)

    with pytest.raises((TimeoutError, OperationalError)):
        dead.replay_letter(busy.ctx, key, actor="me")


def of_server(kind: type[DBAPIError], cause: Exception) -> DBAPIError:
    return kind("select", {}, cause)


@pytest.mark.parametrize(
    "error",
    [
        TimeoutError("QueuePool limit of size 20 overflow 12 reached"),
        NoTurnError("other work takes longer"),
        StoreError("the database is not there"),
        LeaseLostError("orders"),
        of_server(OperationalError, errors.LockNotAvailable("canceling statement due to lock timeout")),
        of_server(OperationalError, errors.QueryCanceled("canceling statement due to statement timeout")),
        of_server(OperationalError, sqlite3.OperationalError("database is locked")),
        of_server(InterfaceError, errors.AdminShutdown("terminating connection")),
        of_server(InternalError, errors.InFailedSqlTransaction("current transaction is aborted")),
        OSError(28, "No space left on device"),
        TransientError("503"),
        AuthError("no"),
    ],
    ids=repr,
)
def test_what_passes_buries_nothing(error: Exception) -> None:
    assert not is_of_record(error)


@pytest.mark.parametrize(
    "error",
    [
        of_server(DataError, errors.NumericValueOutOfRange("integer out of range")),
        of_server(IntegrityError, errors.CheckViolation("qty >= 0")),
        of_server(OperationalError, errors.ProgramLimitExceeded("index row size 4000 exceeds maximum")),
        StatementError("a naive instant", "insert", {}, ValueError("naive")),
        PayloadError("expected an amount", path="$.total"),
        RejectedError("no such order"),
        KeyError("name"),
        OverflowError("Python int too large to convert to SQLite INTEGER"),
    ],
    ids=repr,
)
def test_what_a_record_itself_is_to_blame_for_is_given_to_a_person(error: Exception) -> None:
    assert is_of_record(error)
