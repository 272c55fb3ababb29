"""Every alarm was made to fire and to mend once, on purpose, and is told once each way."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from erpsync.core.alarms import OF_ALL, OF_CHANNELS
from erpsync.core.arrivals import WEEK_H
from erpsync.core.policy import BrakePolicy, StockPolicy
from erpsync.flows.alarms.unwritable import Unwritable
from erpsync.flows.alarms.watch import watch, watch_disks
from erpsync.flows.inventory import counts
from erpsync.flows.inventory.listings import ListingMapping, import_listings
from erpsync.flows.operations.dead_letters import drop_letter
from erpsync.flows.operations.prune import ALARMS_KEPT, prune
from erpsync.sdk.errors import AuthError, TransientError
from erpsync.settings.config import StatusLimits
from erpsync.store.alarms import list_alarms
from erpsync.store.arrivals import keep_pattern
from erpsync.store.nodes import Refusal, beat
from erpsync.store.status.storage import Disk
from erpsync.store.tables import alarm, channel, micros, outbox
from erpsync.store.tasks import Task, close_tasks, open_tasks
from erpsync.store.tokens import note_expiry
from tests.support import looking, walk
from tests.support.shop import NOON, Town

MINUTE_S, HOUR_S = 60, 3600
LIMITS = StatusLimits(tasks=0, unknown_stock=0, queue_depth=0)
ROOMY, FULL = Disk(folder="/var", free_mb=9000, serves=("database",)), Disk(folder="/var", free_mb=3, serves=("drop",))
MakeTown = Callable[..., Town]
Step = Callable[[Town], object]


def nothing(town: Town) -> None:
    del town


def look(town: Town, times: int = 2, *, after: Step = nothing) -> None:
    for _ in range(times):
        town.advance(MINUTE_S)
        after(town)
        watch(town.ctx, LIMITS)


def told(town: Town, check: str) -> list[tuple[str, str]]:
    """Return (raised or ended, its text) of one rule, in the order in which it was told."""
    alarms = [(kind.removeprefix("alarm."), detail) for kind, detail in looking.events(town, "alarm.")]
    return [(way, detail["text"]) for way, detail in alarms if detail["check"] == check]


def ways(town: Town, check: str) -> list[str]:
    return [way for way, _ in told(town, check)]


def standing(town: Town) -> list[tuple[str, str]]:
    with town.store.read() as connection:
        return [(row.rule, row.subject) for row in list_alarms(connection, over=False, limit=0)]


def set_row(town: Town, **values: Any) -> None:
    with town.store.begin() as tx:
        tx.execute(update(channel).where(channel.c.name == "shop").values(**values))


# -- how each is broken, and mended again


def bury(town: Town) -> None:
    town.shop.place("bad", ("A", 1), broken=True)
    walk.read(town, "orders")


def give_up(town: Town) -> None:
    drop_letter(town.ctx, looking.rows(town, "SELECT min(id) FROM dead_letter WHERE state = 'open'")[0][0], actor="me")


def fail(error: Exception) -> Step:
    def step(town: Town) -> None:
        town.shop.trouble["orders"] = [error]  # type: ignore[list-item]
        walk.poll(town)

    return step


def zero(town: Town) -> None:
    for code in "AB":
        counts.set_stock(town.ctx, warehouse="SH", sku=code, on_hand=0, actor="me")
    walk.run(town)


def count_right(town: Town) -> None:
    for code in "AB":
        counts.set_stock(town.ctx, warehouse="SH", sku=code, on_hand=8, actor="me")
    walk.run(town)


def lose_promised(town: Town) -> None:
    town.shop.place("o1", ("A", 5))
    walk.read(town, "orders")
    counts.set_stock(town.ctx, warehouse="SH", sku="A", on_hand=1, actor="me")


def find_again(town: Town) -> None:
    counts.set_stock(town.ctx, warehouse="SH", sku="A", on_hand=9, actor="me")


def ask(kind: str) -> Step:
    def step(town: Town) -> None:
        task = Task(kind=kind, key="1", reason="A shows 9 and was told 3 (hand_edit)", channel_id=town.channel().id)
        town.store.retrying(lambda tx: open_tasks(tx, [task]))

    return step


def answer(kind: str) -> Step:
    return lambda town: town.store.retrying(lambda tx: close_tasks(tx, kind, ["1"], by="me"))


def waits(town: Town) -> None:
    counts.set_stock(town.ctx, warehouse="SH", sku="A", on_hand=3, actor="me")
    town.advance(5)
    walk.fan(town)
    town.advance(700)


def unanswered(town: Town) -> None:
    counts.set_stock(town.ctx, warehouse="SH", sku="A", on_hand=3, actor="me")
    town.advance(5)
    walk.fan(town)
    with town.store.begin() as tx:
        tx.execute(update(outbox).where(outbox.c.state == "pending").values(sent_at=tx.now))


def unlist(town: Town) -> None:
    import_listings(town.ctx, [ListingMapping(channel="shop", channel_sku="UNCOUNTED", sku="NEW")], actor="me")


def count_new(town: Town) -> None:
    counts.set_stock(town.ctx, warehouse="SH", sku="NEW", on_hand=4, actor="me")


def refuse(refusal: Refusal | None) -> Step:
    return lambda town: beat(town.store, version="1", refusal=refusal)


def go_silent(town: Town) -> None:
    """From the next hour on an arrival a minute is usual, and none comes for an hour and a half; orders are read."""
    town.shop.place("last", ("A", 1))
    walk.read(town, "orders")
    hour = micros(town.clock.now()) // 3_600_000_000 % WEEK_H
    rates = tuple(60.0 if slot in (hour + 1, hour + 2) else 0.0 for slot in range(WEEK_H))
    town.store.retrying(lambda tx: keep_pattern(tx, town.channel().id, rates))
    town.advance(5400)
    walk.poll(town)


def sell_again(town: Town) -> None:
    town.shop.place("next", ("A", 1))
    walk.read(town, "orders")


BREAKS: dict[str, tuple[Step, Step]] = {
    "auth": (fail(AuthError("session expired")), walk.poll),
    "brake": (zero, count_right),
    "clock": (lambda town: set_row(town, clock_ahead_s=900.0), lambda town: set_row(town, clock_ahead_s=0.0)),
    "cursor_lag": (lambda town: town.advance(4000), lambda town: walk.read(town, "orders", "refunds")),
    "dead_letters": (bury, give_up),
    "down": (fail(TransientError("timed out")), walk.poll),
    "drift": (ask("stock_drift"), answer("stock_drift")),
    "freshness": (lambda town: town.advance(1000), walk.poll),
    "not_stored": (
        lambda town: set_row(town, not_stored=2, not_stored_at=town.clock.now()),
        lambda town: town.advance(700),
    ),
    "nothing_arrived": (go_silent, sell_again),
    "oversell": (lose_promised, find_again),
    "queue_age": (waits, walk.push_due),
    "queue_depth": (waits, walk.push_due),
    "tasks": (ask("gate"), answer("gate")),
    "token": (
        lambda town: town.store.retrying(
            lambda tx: note_expiry(tx, town.channel().id, tx.now + timedelta(days=13))  # fourteen days, told early
        ),
        lambda town: town.store.retrying(lambda tx: note_expiry(tx, town.channel().id, tx.now + timedelta(days=90))),
    ),
    "unknown_outcomes": (unanswered, walk.push_due),
    "unknown_stock": (unlist, count_new),
    "reload": (refuse(Refusal(at=NOON, why="erpsync.yaml:3:1 is bad")), refuse(None)),
}


@pytest.fixture
def shop(make_town: MakeTown) -> Town:
    """A shop that sells A and B, of which nothing is wrong."""
    town = make_town(stock=StockPolicy(brake=BrakePolicy(zero_share=0.1, min_listings=2)))
    walk.settle_in(town)
    for code in "AB":
        walk.make_known(town, code, on_hand=9)
    walk.read(town, "orders", "refunds")
    beat(town.store, version="1")
    look(town)
    assert standing(town) == []
    return town


def test_every_rule_there_is_is_broken_here() -> None:
    assert BREAKS.keys() | {"disk", "database"} == {*OF_CHANNELS, *OF_ALL}


@pytest.mark.parametrize("check", sorted(BREAKS))
def test_an_alarm_is_told_once_when_it_breaks_and_once_when_it_mends(shop: Town, check: str) -> None:
    breaks, mends = BREAKS[check]
    breaks(shop)
    beats = check == "reload"  # a node tells of what it refused with every heartbeat
    look(shop, 4, after=breaks if beats else nothing)
    assert ways(shop, check) == ["raised"]
    assert check in {rule for rule, _ in standing(shop)}

    mends(shop)
    look(shop, 4, after=mends if beats else nothing)
    assert ways(shop, check) == ["raised", "ended"]
    assert check not in {rule for rule, _ in standing(shop)}


def test_what_flickers_at_its_limit_is_told_once(shop: Town) -> None:
    """Row 39."""
    for lead_s in (900.0, 0.0, 900.0, 900.0, 0.0, 900.0, 0.0, 900.0, 900.0, 0.0, 0.0, 0.0):
        set_row(shop, clock_ahead_s=lead_s)
        look(shop, 1)

    assert ways(shop, "clock") == ["raised", "ended"]


def test_a_token_is_told_of_at_fourteen_three_and_one_days_and_when_it_is_renewed(shop: Town) -> None:
    ends_at = shop.clock.now() + timedelta(days=15)
    shop.store.retrying(lambda tx: note_expiry(tx, shop.channel().id, ends_at))
    for left in (14.5, 14, 10, 3, 2, 1, 0.5):
        shop.advance((ends_at - timedelta(days=left) - shop.clock.now()).total_seconds())
        look(shop, 3)
    assert [text.rpartition(" in ")[2] for _, text in told(shop, "token")] == ["14 d", "3 d", "1 d"]

    shop.store.retrying(lambda tx: note_expiry(tx, shop.channel().id, ends_at + timedelta(days=30)))
    look(shop)
    assert ways(shop, "token") == ["raised"] * 3 + ["ended"]


def test_a_full_disk_is_told_once_by_the_node_that_has_it(shop: Town) -> None:
    for disk in (ROOMY, FULL, FULL, FULL, ROOMY, ROOMY, ROOMY):
        shop.advance(MINUTE_S)
        watch_disks(shop.ctx, [disk], LIMITS)
        watch(shop.ctx, LIMITS)

    assert ways(shop, "disk") == ["raised", "ended"]
    assert "3 MB free in /var, for drop (limit 500 MB)" in told(shop, "disk")[0][1]


def test_a_full_disk_of_a_machine_that_is_gone_is_told_to_be_over(shop: Town, make_town: MakeTown) -> None:
    other = make_town(town=shop)
    other.store.owner = "elsewhere:1:a"
    beat(other.store, version="1")
    for _ in range(3):
        shop.advance(MINUTE_S)
        watch_disks(other.ctx, [FULL], LIMITS)
    assert standing(shop) == [("disk", "elsewhere /var")]

    watch(shop.ctx, LIMITS)  # its heartbeat is minutes old

    assert (ways(shop, "disk"), standing(shop)) == (["raised", "ended"], [])


# -- a database that takes no writes


def test_a_database_that_took_no_writes_is_told_afterwards_with_the_instants_of_then(shop: Town) -> None:
    seen, began = Unwritable(), shop.clock.now()
    for _ in range(5):
        assert not seen.look(shop.ctx, "disk I/O error")
        shop.advance(MINUTE_S)
    assert ways(shop, "database") == []

    assert seen.look(shop.ctx, "")
    assert seen.look(shop.ctx, "")
    look(shop)

    assert ways(shop, "database") == ["raised", "ended"]
    with shop.store.read() as connection:
        row = connection.execute(select(alarm).where(alarm.c.rule == "database")).one()
    assert abs(row.seen_at - began) < timedelta(seconds=1)
    assert abs(row.raised_at - began - timedelta(minutes=1)) < timedelta(seconds=1)


def test_two_nodes_that_could_not_write_tell_of_it_once(shop: Town, make_town: MakeTown) -> None:
    other = make_town(town=shop)
    nodes = [(shop, Unwritable()), (other, Unwritable())]
    for _ in range(3):
        for town, seen in nodes:
            seen.look(town.ctx, "disk I/O error")
        shop.advance(MINUTE_S)

    nodes[0][1].look(shop.ctx, "")
    look(shop, 3)
    nodes[1][1].look(other.ctx, "")
    look(other, 3)

    assert ways(shop, "database") == ["raised", "ended"]


def test_a_write_that_fails_for_less_than_a_minute_is_not_told(shop: Town) -> None:
    seen = Unwritable()
    seen.look(shop.ctx, "database is locked")
    shop.advance(30)

    assert seen.look(shop.ctx, "")
    look(shop)
    assert ways(shop, "database") == []


# -- who looks


def test_two_nodes_that_look_in_turn_tell_it_once(shop: Town, make_town: MakeTown) -> None:
    other = make_town(town=shop)
    set_row(shop, clock_ahead_s=900.0)
    for _ in range(3):
        look(shop, 1)
        watch(other.ctx, LIMITS)
    set_row(shop, clock_ahead_s=0.0)
    for _ in range(3):
        look(shop, 1)
        watch(other.ctx, LIMITS)

    assert ways(shop, "clock") == ["raised", "ended"]


@pytest.mark.concurrent("threads")
def test_two_nodes_that_look_at_the_same_instant_tell_it_once(shop: Town, make_town: MakeTown) -> None:
    other = make_town(town=shop)
    for lead_s in (900.0, 0.0):
        set_row(shop, clock_ahead_s=lead_s)
        for _ in range(3):
            shop.advance(MINUTE_S)
            at_once = threading.Barrier(2)

            def one(town: Town, at_once: threading.Barrier = at_once) -> None:
                at_once.wait(60)
                watch(town.ctx, LIMITS)

            threads = [threading.Thread(target=one, args=(town,)) for town in (shop, other)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(60)

    assert ways(shop, "clock") == ["raised", "ended"]


@contextmanager
def dying(town: Town) -> Iterator[None]:
    """Let the process die before its next commit, once."""

    def die(tx: object) -> None:
        del tx
        raise KeyboardInterrupt

    stamped = town.store.stamped(die)
    yield_ctx = town.ctx
    town.ctx = replace(yield_ctx, store=stamped)
    try:
        with pytest.raises(KeyboardInterrupt):
            yield
    finally:
        town.ctx = yield_ctx


def test_a_daemon_that_dies_between_looks_or_in_one_tells_it_once(shop: Town, make_town: MakeTown) -> None:
    set_row(shop, clock_ahead_s=900.0)
    look(shop, 1)
    again = make_town(town=shop)
    again.advance(MINUTE_S)
    with dying(again):
        watch(again.ctx, LIMITS)
    assert ways(shop, "clock") == []

    once_more = make_town(town=shop)
    look(once_more)
    set_row(shop, clock_ahead_s=0.0)
    look(once_more, 3)

    assert ways(shop, "clock") == ["raised", "ended"]


def test_what_is_told_holds_nothing_of_who_bought(shop: Town) -> None:
    fail(TransientError("no answer for 13800001111"))(shop)
    look(shop)

    assert "13800001111" not in str(looking.rows(shop, "SELECT detail FROM event"))
    assert "13800001111" not in str(looking.rows(shop, "SELECT said FROM alarm"))


def test_alarms_that_are_over_for_half_a_year_are_forgotten(shop: Town) -> None:
    set_row(shop, clock_ahead_s=900.0)
    look(shop)
    set_row(shop, clock_ahead_s=0.0)
    look(shop, 3)
    shop.advance(ALARMS_KEPT.total_seconds() - HOUR_S)
    prune(shop.ctx, 10_000)
    assert looking.count(shop, "alarm") == 1

    shop.advance(2 * HOUR_S)
    prune(shop.ctx, 10_000)
    assert looking.count(shop, "alarm") == 0
