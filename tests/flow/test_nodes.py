"""What the daemons of a database tell of themselves, and what is made of it."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select, update

from erpsync.sdk.clock import ManualClock
from erpsync.settings import Loaded, Problem
from erpsync.store.db.store import Store
from erpsync.store.leases import LEASE_S
from erpsync.store.nodes import (
    Refusal,
    beat,
    configuration_in_force,
    leave,
    living,
    read_nodes,
    take_configuration,
)
from erpsync.store.tables import in_force, node
from tests.support.dialects import on_postgresql, on_sqlite
from tests.support.scene import Scene, built_of, eventually, running


@pytest.fixture
def other(database_url: str, clock: ManualClock) -> Iterator[Store]:
    """Another node of the same database."""
    opened = Store.open(database_url, clock=clock)
    yield opened
    opened.close()


def alive(store: Store) -> list[str]:
    """Return who lives, by the condition and by the objects, which have to agree."""
    now = store.clock.now()
    with store.read() as connection:
        rows = connection.execute(select(node.c.id).where(living(now))).scalars().all()
        assert sorted(rows) == sorted(each.id for each in read_nodes(connection) if each.lives(now))
    return sorted(rows)


def in_force_now(store: Store) -> tuple[datetime, str] | None:
    with store.read() as connection:
        return configuration_in_force(connection, store.clock.now())


def text_in_force(store: Store) -> str | None:
    found = in_force_now(store)
    return None if found is None else found[1]


def test_a_node_lives_until_its_last_sign_is_too_old(store: Store, clock: ManualClock) -> None:
    beat(store, version="1")
    clock.advance(seconds=LEASE_S - 0.01)
    assert alive(store) == [store.owner]

    clock.advance(seconds=0.02)
    assert alive(store) == []


@pytest.mark.parametrize("ahead_h", [1, 48])
def test_a_sign_of_life_that_lies_in_the_future_is_none(store: Store, ahead_h: float) -> None:
    """Its clock was wrong; for hours nobody would see that it is dead."""
    beat(store, version="1")
    with store.begin() as tx:
        tx.execute(update(node).values(heartbeat_at=tx.now + timedelta(hours=ahead_h)))

    assert alive(store) == []
    with store.read() as connection:
        (dead,) = read_nodes(connection)
        now = store.clock.now()
        assert dead.since(now) == now


def test_a_node_that_leaves_is_remembered_as_one_that_left(store: Store, clock: ManualClock) -> None:
    beat(store, version="1")
    clock.advance(seconds=2)
    leave(store)
    assert alive(store) == []
    with store.read() as connection:
        (left,) = read_nodes(connection)
    assert left.left_at == left.heartbeat_at

    beat(store, version="1")
    assert alive(store) == [store.owner]


def test_a_refused_reload_is_told_with_the_heartbeat_until_another_one_is_taken(store: Store) -> None:
    refusal = Refusal(at=store.clock.now(), why="channels/shop.yaml:3:1: pol: unknown key")
    for said in (None, refusal, None):
        beat(store, version="1", refusal=said)
        with store.read() as connection:
            assert [each.refusal for each in read_nodes(connection)] == [said]


@on_sqlite
def test_on_sqlite_a_new_daemon_makes_its_predecessors_forgotten(store: Store, other: Store) -> None:
    beat(other, version="1")
    take_configuration(other, "old")
    beat(store, version="1")
    take_configuration(store, "new")

    with store.read() as connection:
        assert connection.execute(select(node.c.id)).scalars().all() == [store.owner]
        assert connection.execute(select(in_force.c.text)).scalars().all() == ["new"]


@on_postgresql
def test_of_several_configurations_that_of_the_newest_living_node_is_in_force(
    store: Store, other: Store, clock: ManualClock
) -> None:
    for each, text in ((store, "first"), (other, "second")):
        clock.advance(seconds=1)
        beat(each, version="1")
        take_configuration(each, text)
    assert text_in_force(store) == "second"

    leave(other)
    assert text_in_force(store) == "first"

    leave(store)
    assert text_in_force(store) == "second"


@on_postgresql
def test_nodes_that_die_over_and_over_leave_one_configuration_and_not_hundreds(
    database_url: str, clock: ManualClock, store: Store
) -> None:
    for number in range(5):
        crashing = Store.open(database_url, clock=clock)
        beat(crashing, version="1")
        take_configuration(crashing, f"number {number}")
        crashing.close()
        clock.advance(seconds=LEASE_S + 1)

    assert text_in_force(store) == "number 4"
    with store.read() as connection:
        assert connection.execute(select(func.count()).select_from(in_force)).scalar_one() == 1


def test_the_same_configuration_is_in_force_since_it_was_first_taken(store: Store, clock: ManualClock) -> None:
    beat(store, version="1")
    take_configuration(store, "same")
    first = in_force_now(store)
    clock.advance(seconds=60)
    take_configuration(store, "same")
    assert in_force_now(store) == first

    take_configuration(store, "other")
    assert text_in_force(store) == "other"


def test_without_a_daemon_there_is_no_configuration_in_force(store: Store) -> None:
    assert in_force_now(store) is None


@pytest.mark.concurrent("threads")
def test_a_daemon_tells_what_it_works_by_and_which_reload_it_did_not_take(store: Store) -> None:
    built = built_of(store, "jd")
    built.config = replace(built.config, kept="first")
    bad = Problem(file="channels/jd.yaml", line=3, column=1, path="pol", text="unknown key")

    def told() -> tuple[str | None, str | None]:
        with store.read() as connection:
            (node,) = read_nodes(connection)
        return text_in_force(store), node.refusal and node.refusal.why

    with running(built, Scene()) as daemon:
        assert told() == ("first", None)

        built.next = Loaded(config=None, problems=(bad, bad, bad))
        assert not daemon.reload().taken
        assert eventually(lambda: told() == ("first", "channels/jd.yaml:3:1: pol: unknown key (and 2 more)"))

        built.next = Loaded(config=replace(built.config, kept="second"))
        assert daemon.reload().taken
        assert eventually(lambda: told() == ("second", None))
