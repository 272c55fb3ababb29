"""A clock that jumps: nothing freezes, nothing goes out on stale data, and nothing is ended or erased by mistake.

Every story is told for six jumps, while the daemon runs and across a restart. The platform's clock is right all along.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from erpsync.core.policy import OrderPolicy, PollPolicy, SealPolicy, WarehousePolicy
from erpsync.flows import retry
from erpsync.flows.availability import push
from erpsync.flows.channels.health import mark_down, may_call
from erpsync.flows.intake import poll
from erpsync.flows.intake.schedule import due_streams
from erpsync.flows.inventory import counts
from erpsync.flows.inventory.listings import ListingMapping, import_listings
from erpsync.flows.operations import prune, reservations, upkeep
from erpsync.flows.reconcile.windows import seal_windows
from erpsync.flows.shipments.gate import reread
from erpsync.sdk.clock import ManualClock
from erpsync.sdk.errors import RateLimitedError, TransientError
from erpsync.store.db import clock
from erpsync.store.db.store import Store
from erpsync.store.leases import take_lease
from erpsync.store.orders import lock_orders
from erpsync.store.outbox.queue import claim
from erpsync.store.tables import base, hold, outbox, seal_window
from tests.support import looking, walk
from tests.support.shop import NOON, VAULT, Town, build_town

MINUTE, HOUR, DAY = 60, 3600, 86_400
JUMPS = (-2 * DAY, -2 * HOUR, -15 * MINUTE, 15 * MINUTE, 2 * HOUR, 2 * DAY)


@dataclass
class Stage:
    """A town whose shop keeps the right time, whatever ours does."""

    url: str
    town: Town
    platform: ManualClock

    def pass_time(self, seconds: float) -> None:
        self.town.advance(seconds)
        self.platform.advance(seconds=seconds)

    def jump(self, by_s: float, *, restarts: bool = False) -> None:
        self.town.clock.jump(seconds=by_s)
        if restarts:
            self.town.store.close()
            self.town = _open(self.url, self.platform, town=self.town)

    def beat(self) -> None:
        """As the daemon does every few seconds."""
        with self.town.store.begin():
            pass

    def confirm(self) -> None:
        with self.town.store.begin() as tx:
            clock.confirm(tx)
        self.pass_time(clock.KEEP_S + 1)
        self.beat()


def _open(url: str, platform: ManualClock, *, town: Town | None = None) -> Town:
    made = build_town(
        url,
        town=town,
        poll=PollPolicy(backfill_days=0),
        orders=OrderPolicy(reserve="placement", reserve_minutes=30),
        sealing=SealPolicy(after_s=HOUR),
        warehouses=[WarehousePolicy(id="SH")],
    )
    made.shop.clock = platform
    connector = made.channel().connector
    assert connector is not None
    connector.clock = platform
    return made


@pytest.fixture
def stage(database_url: str) -> Iterator[Stage]:
    """A shop that shows its ten units."""
    platform = ManualClock(NOON)
    made = Stage(database_url, _open(database_url, platform), platform)
    counts.set_stock(made.town.ctx, warehouse="SH", sku="A", on_hand=10, actor="me")
    import_listings(made.town.ctx, [ListingMapping(channel="shop", channel_sku="A", sku="A")], actor="me")
    _let_run(made)
    assert made.town.shop.shown == {"A": 10}
    yield made
    made.town.store.close()


def _let_run(stage: Stage, *, rounds: int = 6) -> None:
    """Let a few seconds go by, and the daemon's stages do what is due."""
    for _ in range(rounds):
        for stream in due_streams(stage.town.ctx, stage.town.channel()):
            poll.poll_stream(stage.town.ctx, stage.town.channel(), stream)
        walk.push_due(stage.town)
        stage.pass_time(1)


# -- what is stored when the clock jumps: each story stops once, there the clock jumps

Story = Iterator[None]


def the_next_pass_comes_in_its_time(stage: Stage, by_s: int) -> Story:
    """began_at."""
    poll.poll_stream(stage.town.ctx, stage.town.channel(), "orders")
    yield
    stage.pass_time(31)
    assert "orders" in due_streams(stage.town.ctx, stage.town.channel())
    stage.town.shop.place("o1", ("A", 3))
    _let_run(stage)
    assert looking.promised(stage.town) == {"o1": 3}


def a_failed_call_is_tried_again_within_the_longest_back_off(stage: Stage, by_s: int) -> Story:
    """run_at."""
    stage.town.shop.trouble["stock before"] = [TransientError("down")]
    counts.set_stock(stage.town.ctx, warehouse="SH", sku="A", on_hand=4, actor="me")
    _let_run(stage, rounds=3)
    yield
    stage.pass_time(retry.CAP_S + 31)
    _let_run(stage)
    assert stage.town.shop.shown == {"A": 4}


def what_a_dead_worker_had_leased_passes_on(stage: Stage, by_s: int) -> Story:
    """lease_until_at."""
    counts.set_stock(stage.town.ctx, warehouse="SH", sku="A", on_hand=4, actor="me")
    walk.fan(stage.town)
    stage.pass_time(3)
    with stage.town.store.begin() as tx:
        assert len(claim(tx, "dead", stage.town.channel().id, "stock", limit=9, lease_s=push.LEASE_S)) == 1
    yield
    stage.pass_time(push.LEASE_S + 1)
    assert upkeep.reclaim_leases(stage.town.ctx) == 1


def a_lease_is_kept_for_its_length_and_no_longer(stage: Stage, by_s: int) -> Story:
    """until_at."""
    other = Store.open(stage.url, clock=stage.town.clock, vault=VAULT)
    assert take_lease(stage.town.store, "pass", ttl_s=180) is not None
    yield
    if by_s < 0:
        assert take_lease(other, "pass") is None
    stage.pass_time(base.LONGEST_LEASE_S + 1)
    assert take_lease(other, "pass") is not None
    other.close()


def a_channel_that_asked_for_rest_is_called_again_within_a_day(stage: Stage, by_s: int) -> Story:
    """blocked_until_at."""
    mark_down(stage.town.ctx, stage.town.channel(), RateLimitedError("enough", retry_after_s=600))
    yield
    stage.pass_time(DAY + 1)
    assert may_call(stage.town.ctx, stage.town.channel())


def a_number_waits_for_a_pass_and_not_for_the_clock(stage: Stage, by_s: int) -> Story:
    """marked_at, fresh_after_at, complete_began_at: what is sold meanwhile is never sold again."""
    poll.poll_stream(stage.town.ctx, stage.town.channel(), "orders")
    stage.pass_time(1)
    stage.town.shop.place("o1", ("A", 8))
    stage.town.shop.shown["A"] -= 8
    counts.add_stock(stage.town.ctx, warehouse="SH", sku="A", qty=1, reason="arrival", actor="me")
    yield
    stage.pass_time(3)
    walk.push_due(stage.town)
    assert stage.town.shop.shown == {"A": 2}
    stage.pass_time(1)
    _let_run(stage)
    assert stage.town.shop.shown == {"A": 3}


def a_reservation_ends_in_its_time_and_not_before(stage: Stage, by_s: int) -> Story:
    """expires_at."""
    stage.town.shop.place("o1", ("A", 2), paid=False)
    stage.pass_time(31)
    _let_run(stage)
    yield
    reservations.expire_reservations(stage.town.ctx)
    assert looking.promised(stage.town) == {"o1": 2}
    stage.pass_time(30 * MINUTE + 1)
    reservations.expire_reservations(stage.town.ctx)
    assert looking.promised(stage.town) == {}


def what_is_kept_for_a_week_is_kept_for_a_week(stage: Stage, by_s: int) -> Story:
    """Retention: done_at, at."""
    stage.pass_time(5 * DAY + HOUR)
    stage.beat()
    yield
    prune.prune(stage.town.ctx, 30)
    assert _done(stage.town) == 1
    stage.pass_time(7 * DAY)
    prune.prune(stage.town.ctx, 30)
    assert _done(stage.town) == 0


def an_hour_is_sealed_by_scans_that_lie_an_hour_apart(stage: Stage, by_s: int) -> Story:
    """Seals: scanned_at, since_at."""
    stage.pass_time(2 * HOUR + 400)
    _let_run(stage)
    seal_windows(stage.town.ctx, stage.town.channel(), most=9)
    assert _sealed(stage.town) == (1, 0)
    yield
    seal_windows(stage.town.ctx, stage.town.channel(), most=9)
    assert _sealed(stage.town)[1] == 0
    stage.confirm()
    stage.pass_time(HOUR + 1)
    _let_run(stage)
    seal_windows(stage.town.ctx, stage.town.channel(), most=9)
    assert _sealed(stage.town)[1] == 1


def _done(town: Town) -> int:
    return int(looking.rows(town, select(func.count()).where(outbox.c.state == "done"))[0][0])


def _sealed(town: Town) -> tuple[int, int]:
    first = seal_window.c.start_at == select(func.min(seal_window.c.start_at)).scalar_subquery()
    found = looking.rows(town, select(func.count(), func.count(seal_window.c.sealed_at)).where(first))
    return found[0][0], found[0][1]


STORIES: tuple[Callable[[Stage, int], Story], ...] = (
    the_next_pass_comes_in_its_time,
    a_failed_call_is_tried_again_within_the_longest_back_off,
    what_a_dead_worker_had_leased_passes_on,
    a_lease_is_kept_for_its_length_and_no_longer,
    a_channel_that_asked_for_rest_is_called_again_within_a_day,
    a_number_waits_for_a_pass_and_not_for_the_clock,
    a_reservation_ends_in_its_time_and_not_before,
    what_is_kept_for_a_week_is_kept_for_a_week,
    an_hour_is_sealed_by_scans_that_lie_an_hour_apart,
)


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
@pytest.mark.parametrize("restarts", [False, True], ids=["running", "restart"])
@pytest.mark.parametrize("by_s", JUMPS, ids=lambda by_s: f"{by_s / HOUR:+g}h")
def test_whatever_the_clock_does(stage: Stage, by_s: int, restarts: bool, story: Callable[[Stage, int], Story]) -> None:
    acts = story(stage, by_s)
    next(acts)
    stage.jump(by_s, restarts=restarts)
    stage.beat()
    assert next(acts, "the end") == "the end"


# -- in the middle of things


@pytest.mark.parametrize("by_s", JUMPS, ids=lambda by_s: f"{by_s / HOUR:+g}h")
def test_a_pass_during_which_the_clock_jumped_lets_nothing_out_that_changed_after_it_began(
    stage: Stage, by_s: int
) -> None:
    """Its beginning lies later than the change on a clock that was set back, and still it was before it."""
    town = stage.town
    town.shop.place("o0", ("A", 1))
    stage.pass_time(31)

    def jump_sell_and_arrive() -> None:
        stage.jump(by_s)
        town.shop.place("o1", ("A", 8))
        town.shop.shown["A"] = 1
        counts.add_stock(town.ctx, warehouse="SH", sku="A", qty=5, reason="arrival", actor="me")

    town.shop.at_page = jump_sell_and_arrive
    poll.poll_stream(town.ctx, town.channel(), "orders")
    stage.pass_time(3)
    walk.push_due(town)
    assert town.shop.shown == {"A": 1}

    _let_run(stage)
    assert town.shop.shown == {"A": 6}


def test_a_parcel_is_not_taken_for_checked_because_its_order_was_read_in_the_future(stage: Stage) -> None:
    """Failures row 6: an order that was read by the old clock is read again before it goes."""
    town = stage.town
    town.shop.place("o1", ("A", 1))
    stage.pass_time(31)
    _let_run(stage)
    town.clock.jump(seconds=2 * HOUR)
    read = len(town.shop.reads)
    stage.jump(-4 * HOUR)
    stage.beat()
    stage.pass_time(HOUR)
    known = town.ctx.store.retrying(lambda tx: lock_orders(tx, town.channel().id, ["o1"]))["o1"]
    assert reread(town.ctx, town.channel(), known)
    assert len(town.shop.reads) == read + 1


def test_a_clock_that_is_set_back_shortens_no_hold_but_a_reservation(stage: Stage) -> None:
    stage.town.shop.place("o1", ("A", 2))
    stage.pass_time(31)
    _let_run(stage)
    ends_at = stage.town.clock.now() + timedelta(days=30)
    with stage.town.store.begin() as tx:
        tx.execute(update(hold).values(owner_kind="work", expires_at=ends_at))
    stage.jump(-HOUR)
    stage.beat()

    reservations.expire_reservations(stage.town.ctx)

    assert looking.rows(stage.town, select(hold.c.expires_at)) == [(ends_at,)]


# -- a leap ahead


def test_a_person_confirms_a_leap_ahead_and_then_what_is_over_ends(stage: Stage) -> None:
    stage.town.shop.place("o1", ("A", 2), paid=False)
    stage.pass_time(31)
    _let_run(stage)
    stage.jump(2 * DAY, restarts=True)
    assert reservations.expire_reservations(stage.town.ctx) == 0

    stage.confirm()

    assert reservations.expire_reservations(stage.town.ctx) == 1


def test_a_leap_ahead_that_is_taken_back_leaves_nothing_to_confirm(stage: Stage) -> None:
    stage.jump(2 * DAY)
    with stage.town.store.begin() as tx:
        assert timedelta(days=2) - (tx.now - tx.trusted_now) < timedelta(seconds=1)
    stage.pass_time(60)
    stage.jump(-2 * DAY)
    with stage.town.store.begin() as tx:
        assert tx.trusted_now == tx.now


def test_a_step_back_of_less_than_a_second_keeps_the_order_of_decisions(stage: Stage) -> None:
    with stage.town.store.begin() as tx:
        first = tx.now
    stage.jump(-0.5)
    with stage.town.store.begin() as tx:
        assert first < tx.now
    stage.pass_time(1)
    with stage.town.store.begin() as tx:
        assert tx.now == stage.town.clock.now()
