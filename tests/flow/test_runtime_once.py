"""`run --once`: everything once, in an order that the same state always gives, until nothing is due."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import update

from erpsync.core.policy import StockPolicy, WarehousePolicy
from erpsync.flows.context import ChannelSpec, Context, open_context
from erpsync.runtime.once import Drained, drain
from erpsync.runtime.parts import Stages
from erpsync.sdk.clock import ManualClock
from erpsync.sdk.roles import OrderSource
from erpsync.sdk.types import Cursor, Order, OrderPage, Raw
from erpsync.store import tables
from erpsync.store.cursors import set_cursor, want_pass
from erpsync.store.db.store import Store
from tests.support.scene import Pass, Silent

BACKFILLED = {"backfill"}


class Shop(Silent, OrderSource):
    """A channel with orders; the stages decide what they are."""

    def pull_orders(self, cursor: Cursor) -> Iterator[OrderPage]:
        return iter(())

    def normalise(self, raw: Raw) -> Order:
        raise AssertionError("nothing is read here")


@dataclass
class Script:
    """Stages that follow a script and note what was called."""

    next_run_s: list[float | None] = field(default_factory=list)
    pushes: list[int] = field(default_factory=list)
    inbox: list[int] = field(default_factory=list)
    fan: list[bool] = field(default_factory=list)
    failing: set[str] = field(default_factory=set)
    diary: list[str] = field(default_factory=list)

    def note(self, what: str, answer: Any) -> Any:
        self.diary.append(what)
        return answer

    def stages(self) -> Stages:
        streams = ["orders", "backfill", "refunds", "listings", "shipments"]
        return Stages(
            streams_of=lambda channel: streams,
            due_streams=lambda ctx, channel: streams,
            outlooks=lambda ctx, channels: {},
            poll_stream=self.poll,
            pull_hints=lambda ctx, channel: False,
            ask_tracks=lambda ctx, channel: False,
            apply_inbox=lambda ctx: self.note("inbox", self.inbox.pop(0) if self.inbox else 0),
            fan_out=lambda ctx: self.note("fan_out", self.fan.pop(0) if self.fan else False),
            push_stock=lambda ctx, channel, urgent_only=False: self.note(
                f"push {channel.name}", self.pushes.pop(0) if self.pushes else 0
            ),
            push_shipments=lambda ctx, channel: 0,
            release_ready=lambda ctx: 0,
            push_releases=lambda ctx, channel: 0,
            push_waybills=lambda ctx, channel: 0,
            push_events=lambda ctx: 0,
            next_run_s=lambda ctx: self.next_run_s.pop(0) if self.next_run_s else None,
            mark_untold=lambda ctx: None,
            replan_changed=lambda ctx: 0,
            expire_reservations=lambda ctx: 0,
            reclaim_leases=lambda ctx, owner_gone=False: 0,
            free_fresh=lambda ctx: 0,
            relook=lambda ctx: 0,
            prune=lambda ctx, retention_days: 0,
            complete_own=lambda ctx: 0,
            drop_refused=lambda ctx: 0,
            make_due_waves=lambda ctx: 0,
            make_due=lambda ctx: 0,
            judge_due=lambda ctx: 0,
            next_look_s=lambda ctx: None,
            verify_counters=lambda ctx: [],
            watch_tokens=lambda ctx: 0,
            learn_arrivals=lambda ctx: 0,
            tell_late=lambda ctx: 0,
            tell_stale=lambda ctx: 0,
            watch_alarms=lambda ctx, limits: 0,
            watch_disks=lambda ctx, disks, limits: 0,
        )

    def poll(self, ctx: Context, channel: Any, stream: str, **rest: Any) -> Pass:
        self.diary.append(f"{channel.name} {stream}")
        with ctx.store.begin() as tx:
            ended = {"complete_ended_at": tx.now} if stream not in self.failing else {}
            set_cursor(tx, channel.id, stream, began_at=tx.now, **ended)
        return Pass(failed=stream in self.failing)

    def polled(self) -> list[str]:
        return [entry for entry in self.diary if " " in entry and not entry.startswith("push")]


def context_of(store: Store, *names: str, settle_s: float = 2) -> Context:
    specs = [
        ChannelSpec(name=name, kind="shop", connector=Shop(), stock=StockPolicy(settle_s=settle_s)) for name in names
    ]
    return open_context(
        store, warehouses=[WarehousePolicy(id="SH")], channels_=specs, timezone=ZoneInfo("Asia/Shanghai")
    )


def test_every_stream_of_every_shop_is_read_once(store: Store) -> None:
    script = Script()

    done = drain(context_of(store, "jd", "tmall"), stages=script.stages())

    assert script.polled() == [
        *("jd orders", "jd backfill", "jd refunds", "jd listings", "jd shipments"),
        *("tmall orders", "tmall backfill", "tmall refunds", "tmall listings", "tmall shipments"),
    ]
    assert (done.polls, done.failed) == (10, 0)


def test_a_back_fill_that_is_done_is_not_read_again(store: Store) -> None:
    ctx = context_of(store, "jd")
    drain(ctx, stages=Script().stages())
    script = Script()

    drain(ctx, stages=script.stages())

    assert script.polled() == ["jd orders", "jd refunds", "jd listings", "jd shipments"]


def test_refunds_wait_until_the_back_fill_was_read(store: Store) -> None:
    script = Script(failing={"backfill"})

    done = drain(context_of(store, "jd"), stages=script.stages())

    assert script.polled() == ["jd orders", "jd backfill", "jd listings", "jd shipments"]
    assert done.failed == 1


def test_a_stream_that_was_read_at_the_second_try_was_read(store: Store) -> None:
    ctx, script = context_of(store, "jd"), Script(failing={"orders"})
    done = drain(ctx, stages=script.stages())
    assert done.unread == ["jd (orders)"]

    script.failing.clear()
    with store.begin() as tx:
        want_pass(tx, ctx.channel("jd").id, ["orders"])
    done.last |= drain(ctx, stages=script.stages(), poll=False).last

    assert done.unread == []


def test_a_paused_shop_is_left_alone(store: Store) -> None:
    ctx, script = context_of(store, "jd", "tmall"), Script()
    with store.begin() as tx:
        tx.execute(update(tables.channel).where(tables.channel.c.name == "jd").values(paused=True))

    drain(ctx, stages=script.stages())

    assert {entry.split()[0] for entry in script.polled()} == {"tmall"}


def test_everything_is_drained_before_it_ends(store: Store) -> None:
    script = Script(inbox=[2, 1], fan=[True, False], pushes=[5, 3])

    done = drain(context_of(store, "jd"), stages=script.stages(), poll=False)

    assert (done.applied, done.pushed) == (3, 8)
    assert script.diary == [
        *("inbox", "inbox", "inbox", "fan_out", "fan_out", "push jd", "push jd", "push jd"),
        *("inbox", "fan_out", "push jd"),
    ]


def test_rows_that_still_settle_are_waited_for_and_those_in_back_off_are_not(store: Store, clock: ManualClock) -> None:
    script = Script(next_run_s=[1.5, 60.0], pushes=[0, 4])
    began = clock.now()

    done = drain(context_of(store, "jd", settle_s=2), stages=script.stages(), poll=False)

    assert done.pushed == 4
    assert clock.now() - began == timedelta(seconds=1.501)  # a little past the row's instant


def test_rows_that_wait_for_a_fresh_reading_get_their_pass(store: Store) -> None:
    ctx, script = context_of(store, "jd"), Script()
    with store.begin() as tx:
        want_pass(tx, ctx.channel("jd").id, ["orders"])

    done = drain(ctx, stages=script.stages(), poll=False)

    assert (script.polled(), done.polls) == (["jd orders"], 1)


def test_one_round_alone_does_not_wait(store: Store, clock: ManualClock) -> None:
    script = Script(next_run_s=[1.0], pushes=[2])
    began = clock.now()

    done = drain(context_of(store, "jd"), stages=script.stages(), poll=False, until_idle=False)

    assert (done.pushed, clock.now()) == (2, began)


def test_told_to_stop_it_begins_nothing_more(store: Store) -> None:
    script = Script(inbox=[1])

    done = drain(context_of(store, "jd"), stages=script.stages(), stopping=lambda: True)

    assert (done, script.diary) == (Drained(), [])
