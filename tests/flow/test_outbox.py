"""The protocol by which effects are claimed and ended, on each database."""

import threading
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Executable, select, text, update
from sqlalchemy.exc import IntegrityError

from erpsync.store.db.store import Tx
from erpsync.store.outbox.queue import (
    LANE_REST,
    LANE_URGENT,
    SHIPMENT,
    Claimed,
    Effect,
    ack,
    ack_many,
    claim,
    enqueue,
    free_waiting,
    kill,
    mark_sent,
    park,
    reclaim,
    retry,
)
from erpsync.store.tables import outbox
from tests.support import looking
from tests.support.dialects import on_postgresql
from tests.support.shop import NOON, Town


def effect(key: str = "1", *, serial: str = "", lane: int = LANE_REST, run_at: datetime = NOON) -> Effect:
    return Effect(
        destination_id=1,
        kind=SHIPMENT,
        key=key,
        ref_id=1,
        serial_key=serial or f"order:{key}",
        lane=lane,
        run_at=run_at,
        marked_at=NOON,
    )


def put(town: Town, *effects: Effect) -> None:
    with town.store.begin() as tx:
        enqueue(tx, effects)


def take(town: Town, limit: int = 10, *, owner: str = "me") -> list[Claimed]:
    return town.store.retrying(lambda tx: claim(tx, owner, 1, SHIPMENT, limit=limit, lease_s=60))


def keys(rows: Iterable[Claimed]) -> list[str]:
    return [row.key for row in rows]


def states(town: Town) -> list[tuple[str, str, str]]:
    query = select(outbox.c.key, outbox.c.state, outbox.c.error).order_by(outbox.c.id)
    return [(key, state, error) for key, state, error in looking.rows(town, query)]


def test_an_open_effect_is_never_doubled_and_only_brought_forward(town: Town) -> None:
    put(town, effect(run_at=NOON + timedelta(seconds=9)))
    put(town, effect(run_at=NOON + timedelta(seconds=5), lane=LANE_URGENT))
    put(town, effect(run_at=NOON + timedelta(seconds=8)))

    query = select(outbox.c.run_at, outbox.c.lane)
    assert looking.rows(town, query) == [(NOON + timedelta(seconds=5), LANE_URGENT)]


def test_urgent_effects_are_claimed_first(town: Town) -> None:
    put(town, effect("1"), effect("2", lane=LANE_URGENT))
    assert keys(take(town, 1)) == ["2"]


def test_there_are_never_two_calls_about_one_order_at_once(town: Town) -> None:
    put(town, effect("1", serial="order:7"), effect("2", serial="order:7"), effect("3"))

    first = take(town)
    assert keys(first) == ["1", "3"]
    assert take(town) == []

    with town.store.begin() as tx:
        ack(tx, first[0])
    assert keys(take(town)) == ["2"]


@pytest.mark.concurrent("threads")
def test_many_workers_that_claim_at_once_take_each_effect_once(town: Town) -> None:
    """failures.md row 15."""
    put(town, *(effect(str(n), serial=f"order:{n % 7}") for n in range(60)))
    gate = threading.Barrier(8)
    taken: list[str] = []

    def work(number: int) -> None:
        gate.wait()
        idle = 0
        while idle < 40:
            rows = take(town, 3, owner=f"w{number}")
            idle = 0 if rows else idle + 1
            for row in rows:
                taken.append(row.key)
                with town.store.begin() as tx:
                    assert ack(tx, row)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))

    assert sorted(taken, key=int) == [str(n) for n in range(60)]


@on_postgresql
def test_a_claim_waits_for_no_rival_and_leaves_it_the_orders_it_is_claiming(town: Town) -> None:
    """Each held one order and waited for the other's: PostgreSQL ended one of them, and three times running."""
    put(town, *(effect(str(n), serial=f"order:{order}") for n, order in enumerate((7, 8, 7, 8, 9), 1)))
    with town.store.begin() as mine:
        first = claim(mine, "me", 1, SHIPMENT, limit=2, lease_s=60)
        with town.store.begin() as theirs:
            theirs.execute(text("SET LOCAL lock_timeout = '1s'"))
            second = claim(theirs, "they", 1, SHIPMENT, limit=9, lease_s=60)

    assert (keys(first), keys(second)) == (["1", "2"], ["5"])
    assert take(town) == []


@on_postgresql
def test_a_rival_that_has_just_committed_keeps_what_it_leased(town: Town) -> None:
    put(town, effect("1", serial="order:7"), effect("2", serial="order:7"))
    with town.store.begin() as late:
        seen_before = late.all(select(outbox).order_by(outbox.c.id.desc()))
        assert keys(take(town, 1)) == ["1"]
        taken = claim(_Saw(late, seen_before), "late", 1, SHIPMENT, limit=1, lease_s=60)

    assert taken == []


class _Saw(Tx):
    """A transaction whose first query was answered before its rival committed."""

    def __init__(self, tx: Tx, answer: Sequence[Any]) -> None:
        super().__init__(tx.connection, tx.now, None)
        self._answer = answer

    def all(self, statement: Executable) -> Sequence[Any]:
        """Return what was seen then."""
        del statement
        return self._answer[:1]


def test_an_ack_after_the_lease_was_lost_counts_for_nothing(town: Town) -> None:
    """failures.md row 15."""
    put(town, effect())
    (ghost,) = take(town, owner="ghost")
    town.advance(61)
    with town.store.begin() as tx:
        assert len(reclaim(tx)) == 1
    (mine,) = take(town)

    with town.store.begin() as tx:
        assert not ack(tx, ghost)
        assert ack_many(tx, [ghost]) == set()
        assert not retry(tx, ghost, run_at=NOON, error="late")
        assert not park(tx, ghost, waiting_for="person")
        assert not kill(tx, ghost, error="late")
        assert not mark_sent(tx, [ghost])
    with town.store.begin() as tx:
        assert ack(tx, mine)


def test_a_lost_row_was_never_tried_unless_it_says_it_was_sent(town: Town) -> None:
    """failures.md row 26."""
    put(town, effect("1"), effect("2"))
    first, second = take(town)
    with town.store.begin() as tx:
        assert mark_sent(tx, [second])
    town.advance(61)
    with town.store.begin() as tx:
        reclaim(tx)

    assert [(row.key, row.unknown, row.attempts) for row in take(town)] == [("1", False, 0), ("2", True, 1)]
    assert first.fence == 1


def test_a_lease_that_still_runs_is_left_alone_unless_its_owner_is_known_to_be_gone(town: Town) -> None:
    put(town, effect())
    take(town)
    with town.store.begin() as tx:
        assert reclaim(tx) == []
        assert len(reclaim(tx, owner_gone=True)) == 1


@pytest.mark.parametrize("end", ["again", "wait", "reclaim"])
def test_a_failed_effect_whose_key_is_open_again_ends_as_superseded(town: Town, end: str) -> None:
    put(town, effect())
    (row,) = take(town)
    put(town, effect())

    with town.store.begin() as tx:
        if end == "again":
            retry(tx, row, run_at=NOON, error="busy")
        elif end == "wait":
            park(tx, row, waiting_for="gate")
        else:
            reclaim(tx, owner_gone=True)

    assert states(town) == [("1", "done", "superseded"), ("1", "pending", "")]


def test_new_marks_of_a_busy_sku_do_not_hammer_a_shop_that_fails(town: Town) -> None:
    """failures.md row 16."""
    put(town, effect())
    (row,) = take(town)
    put(town, effect())
    with town.store.begin() as tx:
        retry(tx, row, run_at=tx.now + timedelta(seconds=60), error="busy")

    put(town, effect())
    assert take(town) == []
    town.advance(61)
    assert [row.attempts for row in take(town)] == [1]


def test_a_definite_answer_ends_every_doubt(town: Town) -> None:
    put(town, effect())
    (row,) = take(town)
    with town.store.begin() as tx:
        mark_sent(tx, [row])
    with town.store.begin() as tx:
        retry(tx, row, run_at=NOON, error="busy")

    assert [row.unknown for row in take(town)] == [False]


def test_an_effect_in_back_off_is_not_hurried_by_a_newer_mark(town: Town) -> None:
    """failures.md row 16."""
    put(town, effect())
    (row,) = take(town)
    later = town.clock.now() + timedelta(seconds=100)
    with town.store.begin() as tx:
        retry(tx, row, run_at=later, error="busy")
    put(town, effect())

    assert looking.rows(town, select(outbox.c.run_at)) == [(later,)]


def test_what_waits_for_a_person_is_not_woken_by_a_newer_mark(town: Town) -> None:
    put(town, effect("1"), effect("2"))
    first, second = take(town)
    with town.store.begin() as tx:
        park(tx, first, waiting_for="person")
        park(tx, second, waiting_for="fresh")
    put(town, effect("1"), effect("2"))

    assert keys(take(town)) == ["2"]
    with town.store.begin() as tx:
        assert free_waiting(tx, "person", destination_id=1, kind=SHIPMENT, refs=[1]) == 1
    assert keys(take(town)) == ["1"]


def test_a_dead_effect_does_not_stand_in_the_way_of_a_new_one(town: Town) -> None:
    put(town, effect())
    (row,) = take(town)
    with town.store.begin() as tx:
        kill(tx, row, error="refused")
    put(town, effect())

    assert [state for _, state, _ in states(town)] == ["dead", "pending"]


@pytest.mark.parametrize(
    "values",
    [
        {"state": "leased"},
        {"lease_owner": "me"},
        {"state": "waiting"},
        {"waiting_for": "fresh"},
        {"state": "done"},
        {"state": "resting"},
    ],
    ids=str,
)
def test_the_database_refuses_a_state_that_does_not_fit_its_lease(town: Town, values: dict[str, str]) -> None:
    put(town, effect())
    statement = update(outbox).values(**values)
    with pytest.raises(IntegrityError), town.store.begin() as tx:
        tx.execute(statement)
