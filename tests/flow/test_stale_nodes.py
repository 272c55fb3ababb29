"""A node that slept for longer than its lease writes nothing, says nothing of the channel and sends nothing."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextvars import Context

import pytest
from sqlalchemy import create_engine, select

from erpsync.core.policy import OrderPolicy, SealPolicy, WarehousePolicy
from erpsync.flows.availability import push
from erpsync.flows.channels.credentials import renew
from erpsync.flows.context import ChannelSpec, open_context
from erpsync.flows.intake import poll
from erpsync.flows.inventory import counts
from erpsync.flows.inventory.listings import ListingMapping, import_listings
from erpsync.flows.operations import reservations, upkeep
from erpsync.flows.reconcile.compare import reconcile
from erpsync.sdk.clock import SystemClock
from erpsync.sdk.errors import ConnectorError, RejectedError, TransientError
from erpsync.sdk.types import Cursor, OrderPage, StockLevel
from erpsync.store.cursors import CursorRow, read_cursor
from erpsync.store.db.clock import DatabaseClock
from erpsync.store.db.store import Store
from erpsync.store.leases import Lease, LeaseLostError, take_lease, under
from erpsync.store.tables import channel, dead_letter, seal_window
from tests.support import looking, walk
from tests.support.dialects import on_postgresql
from tests.support.shop import NOON, SHANGHAI, ShopConnector, Town, days
from tests.support.tokens import Desk, pair_of, with_tokens


@pytest.fixture
def other(town: Town, make_town: Callable[..., Town]) -> Town:
    return make_town(town=town)


def held(town: Town) -> Lease:
    lease = take_lease(town.store, "work")
    assert lease is not None
    return lease


def slept(town: Town, other: Town) -> None:
    town.advance(20)
    assert take_lease(other.store, "work") is not None


def progress(town: Town) -> CursorRow:
    with town.store.read() as connection:
        return read_cursor(connection, town.channel().id, "orders")


def down(town: Town) -> bool:
    return looking.rows(town, select(channel.c.down_since_at)) != [(None,)]


def test_a_pass_that_ends_after_its_lease_is_no_whole_pass(town: Town, other: Town) -> None:
    """Its mark would go back behind what the other node has read since."""
    lease = held(town)
    after: list[CursorRow] = []

    def behind_the_first_page() -> bool:
        if not after:
            slept(town, other)
            walk.read(other, "orders")
            after.append(progress(other))
        return False

    report = poll.poll_stream(town.ctx, town.channel(), "orders", lease=lease, stopping=behind_the_first_page)

    assert report.failed
    assert [progress(town)] == after


def test_a_pass_that_fails_after_its_lease_says_nothing_of_the_channel(town: Town, other: Town) -> None:
    walk.read(town)
    lease, before = held(town), progress(town)
    town.shop.trouble["orders page 1"] = [TransientError("the connection was reset")]
    town.shop.place("o1", ("A", 1))
    began: list[CursorRow] = []

    class Slept(ShopConnector):
        def pull_orders(self, cursor: Cursor) -> Iterator[OrderPage]:
            slept(town, other)
            began.append(progress(town))
            return super().pull_orders(cursor)

    spec = ChannelSpec(name="shop", kind="shop", connector=Slept(town.shop, town.clock))
    ctx = open_context(town.store, warehouses=[WarehousePolicy(id="SH")], channels_=[spec], timezone=SHANGHAI)
    report = poll.poll_stream(ctx, ctx.channel("shop"), "orders", lease=lease)

    assert (report.failed, down(town)) == (True, False)
    assert progress(town) == began[0]
    assert progress(town).complete_began_at == before.complete_began_at


def test_a_comparison_that_wakes_up_late_writes_nothing(make_town: Callable[..., Town]) -> None:
    town = make_town(sealing=SealPolicy(after_s=0))
    other = make_town(town=town)
    walk.read(town)
    town.advance(days(1).total_seconds())
    walk.read(town)
    lease = held(town)
    town.shop.at_scan = lambda: slept(town, other)

    with pytest.raises(LeaseLostError), under(lease):
        reconcile(town.ctx, town.channel())

    assert looking.rows(town, select(seal_window.c.start_at).where(seal_window.c.scanned_at.is_not(None))) == []


def test_upkeep_that_wakes_up_late_ends_no_reservation(make_town: Callable[..., Town]) -> None:
    town = make_town(orders=OrderPolicy(reserve="placement", reserve_minutes=1))
    other = make_town(town=town)
    counts.set_stock(town.ctx, warehouse="SH", sku="A", on_hand=5, actor="me")
    import_listings(town.ctx, [ListingMapping(channel="shop", channel_sku="A", sku="A")], actor="me")
    town.shop.place("o1", ("A", 2), paid=False)
    walk.read(town)
    lease = held(town)
    town.advance(120)
    slept(town, other)

    with pytest.raises(LeaseLostError), under(lease):
        reservations.expire_reservations(town.ctx)

    assert looking.promised(town) == {"o1": 2}


def test_a_token_that_was_renewed_is_kept_whoever_reads_the_channel_meanwhile(town: Town, other: Town) -> None:
    """The platform has taken the old one back: a pair that is not stored is lost."""
    desk = Desk()
    shop = with_tokens(town, desk, pair_of("access-1", "refresh-1", NOON + days(1)))
    lease = held(town)
    slept(town, other)
    with under(lease):
        assert renew(town.ctx, town.channel())

    assert with_tokens(other, desk, pair_of("access-1", "refresh-1", NOON + days(1))).tokens.current() == (
        shop.tokens.current()
    )


# -- numbers


def counted(town: Town, codes: Sequence[str] = "A") -> None:
    for code in codes:
        counts.set_stock(town.ctx, warehouse="SH", sku=code, on_hand=5, actor="me")
    rows = [ListingMapping(channel="shop", channel_sku=code, sku=code) for code in codes]
    import_listings(town.ctx, rows, actor="me")
    walk.read(town)
    town.advance(10)
    walk.read(town)
    walk.fan(town)


class Slow(ShopConnector):
    """Refuses every call whole, long after it was made."""

    calls = 0

    def push_stock(self, levels: Sequence[StockLevel]) -> Mapping[str, ConnectorError]:
        self.calls += 1
        self.shop.clock.advance(seconds=push.LEASE_S / 2 + 1)
        raise RejectedError("one of the items is gone")


def test_a_refused_call_is_halved_no_longer_than_its_lease_lasts(town: Town) -> None:
    """Seven calls would be made to find the one at fault, the last of them long after others told newer numbers."""
    slow = Slow(town.shop, town.clock)
    spec = ChannelSpec(name="shop", kind="shop", connector=slow)
    town.ctx = open_context(town.store, warehouses=[WarehousePolicy(id="SH")], channels_=[spec], timezone=SHANGHAI)
    counted(town, "ABCD")

    assert push.push_stock(town.ctx, town.channel()) == 4

    assert slow.calls == 2
    assert {state for state, _, _ in looking.effects(town)} == {"pending"}


@pytest.mark.parametrize("error", [TransientError("reset"), RejectedError("gone")])
def test_a_number_that_fails_behind_its_lease_is_for_whoever_took_it_over(
    town: Town, other: Town, error: ConnectorError
) -> None:
    counted(town)

    def taken_over() -> None:
        town.advance(push.LEASE_S + 1)
        upkeep.reclaim_leases(other.ctx)
        Context().run(walk.run, other)  # another process has time of its own
        town.shop.trouble["stock after"] = [error]

    town.shop.during = taken_over
    push.push_stock(town.ctx, town.channel())

    assert not down(town)
    assert looking.rows(town, select(dead_letter.c.id)) == []


# -- the database's clock


@on_postgresql
def test_the_databases_clock_is_looked_at_by_the_connection_at_hand(database_url: str) -> None:
    """Threads that held a connection each waited for one that wanted a second, under the clock's lock."""
    engine = create_engine(database_url, pool_size=1, max_overflow=0, pool_timeout=1)
    store = Store(engine)
    store.clock = DatabaseClock(engine, SystemClock(), every_s=0)
    with store.begin() as tx:
        before = store.clock.now()
        assert before > tx.now
    with store.read():
        assert store.clock.now() > before
    store.close()
