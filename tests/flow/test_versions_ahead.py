"""A record that claims to have changed in the future counts as received when it first came, and freezes nothing."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, text, update
from structlog.testing import capture_logs

from erpsync.core.policy import PollPolicy, SealPolicy
from erpsync.flows.intake.webhooks import apply_inbox
from erpsync.flows.inventory import counts
from erpsync.flows.operations import dead_letters as dead
from erpsync.flows.reconcile.windows import seal_windows
from erpsync.sdk.types import Order, OrderState, Raw, RefundState
from erpsync.store import tables
from erpsync.store.db.engine import make_engine
from erpsync.store.db.schema import migrate, migrations_folder
from erpsync.store.tables import instant, micros
from tests.support.calling import CallingConnector, deliver, with_calls
from tests.support.facts import fact, later, order, refund, refund_fact, take_in
from tests.support.looking import letter_id, rows, status, tasks
from tests.support.shop import NOON, Town
from tests.support.walk import settle_in

FUTURE = datetime(2198, 1, 1, tzinfo=UTC)
PAID, CANCELLED = OrderState.PAID, OrderState.CANCELLED


@pytest.fixture
def stocked(town: Town) -> Town:
    """A town with ten units of tea, a day after noon."""
    counts.set_stock(town.ctx, warehouse="SH", sku="TEA", on_hand=10, actor="keeper")
    town.advance(86_400)
    return town


@contextmanager
def opened(url: str) -> Iterator[Engine]:
    engine = make_engine(url)
    yield engine
    engine.dispose()


def versions(town: Town, table: str = "orders") -> list[datetime]:
    found = rows(town, f"SELECT version_at FROM {table}")
    return [datetime.fromtimestamp(row[0] / 1_000_000, UTC) for row in found]


def test_the_cancel_of_an_order_from_the_future_counts(stocked: Town) -> None:
    """Else it is dropped in silence, and the order ships."""
    take_in(stocked, fact(order(version_at=FUTURE), read=(0, 1)))
    assert (status(stocked, "o1"), versions(stocked)) == (("allocated", None), [later(1)])

    take_in(stocked, fact(order(state=CANCELLED, version_at=later(60)), digest="b", read=(61, 62)))

    assert status(stocked, "o1") == ("cancelled", None)


def test_a_body_from_the_future_that_comes_again_is_not_newer_than_what_came_in_between(stocked: Town) -> None:
    paid = fact(order(version_at=FUTURE), read=(0, 1))
    take_in(stocked, paid)
    cancelled = order(state=CANCELLED, version_at=FUTURE - timedelta(days=2))
    take_in(stocked, fact(cancelled, digest="b", read=(61, 62)))

    take_in(stocked, replace(paid, raw=replace(paid.raw, read_from=later(100), read_to=later(101))))

    assert (status(stocked, "o1"), versions(stocked)) == (("cancelled", None), [later(62)])


def test_a_version_from_the_future_is_said_once_with_what_it_claims(stocked: Town) -> None:
    with capture_logs() as said:
        for second in (0, 50):
            take_in(stocked, fact(order(version_at=FUTURE), read=(second, second + 1)))

    assert [line["event"] for line in said if line["event"] == "version.ahead"] == ["version.ahead"]
    assert tasks(stocked) == ["version_ahead"]
    assert rows(stocked, "SELECT reason FROM task")[0][0].startswith(
        "shop says of order o1 that it changed at 2198-01-01T00:00:00Z, which lies in the future; "
        "it counts as received, at 2026-03-02T12:00:01Z"
    )
    assert "version.ahead" in " ".join(row[0] for row in rows(stocked, "SELECT kind FROM event WHERE order_id = 1"))


def test_a_clock_within_a_day_of_ours_is_believed(stocked: Town) -> None:
    tomorrow = later(1) + timedelta(days=1)

    take_in(stocked, fact(order(version_at=tomorrow), read=(0, 1)))

    assert (versions(stocked), tasks(stocked)) == ([tomorrow], [])


@pytest.mark.parametrize(("ahead_s", "counts"), [(90.0, FUTURE), (2.0, later(1))])
def test_nothing_is_judged_by_a_clock_that_is_known_to_be_off(stocked: Town, ahead_s: float, counts: datetime) -> None:
    """The channel's platform says that this machine is behind: its orders may well be of today."""
    with stocked.store.begin() as tx:
        tx.execute(update(tables.channel).values(clock_ahead_s=ahead_s))

    take_in(stocked, fact(order(version_at=FUTURE), read=(0, 1)))

    assert versions(stocked) == [counts]


def test_a_channel_that_tells_no_time_is_judged_by_what_others_say_of_the_clock(make_town: Callable[..., Town]) -> None:
    town = make_town(names=("shop", "jd"))
    town.advance(60)
    with town.store.begin() as tx:
        tx.execute(update(tables.channel).where(tables.channel.c.name == "jd").values(clock_ahead_s=90.0))

    take_in(town, fact(order(version_at=FUTURE), read=(0, 1)))

    assert versions(town) == [FUTURE]


def test_a_refund_from_the_future_can_still_be_closed(stocked: Town) -> None:
    take_in(stocked, fact(order()))
    asked = replace(refund(state=RefundState.OPEN, L1=1), version_at=FUTURE)
    take_in(stocked, refunds=[refund_fact(asked, read=(0, 1))])
    assert status(stocked, "o1") == ("held", "refund_open")

    closed = replace(asked, state=RefundState.CLOSED, version_at=later(60))
    take_in(stocked, refunds=[refund_fact(closed, digest="b", read=(61, 62))])

    assert (status(stocked, "o1"), versions(stocked, "refund")) == (("allocated", None), [later(60)])
    assert tasks(stocked) == ["version_ahead"]


class Mended(CallingConnector):
    """Reads what it could not read before."""

    def normalise(self, raw: Raw) -> Order:
        return super().normalise(replace(raw, payload={**raw.payload, "strange": False}))


def test_a_replay_counts_as_received_when_the_body_first_came(town: Town) -> None:
    """A shop's order from the future could not be read, and came twice before the connector was mended."""
    town = with_calls(town)
    town.shop.place("o1", ("TEA", 1), strange=True)
    town.shop.orders["o1"]["changed_at"] = FUTURE
    came_at = town.clock.now()
    for number in range(2):
        deliver(town, town.shop.orders["o1"], id=f"d{number}")
        apply_inbox(town.ctx)
        town.advance(60)
    channel = replace(town.channel(), connector=Mended(town.shop, town.clock))
    mended = replace(town.ctx, channels={channel.id: channel})

    dead.replay_letter(mended, letter_id(town, "o1"), actor="me")

    (counts_at,) = versions(town)
    assert timedelta(0) <= counts_at - came_at < timedelta(seconds=1)
    assert tasks(town) == ["version_ahead"]


def test_an_order_from_the_future_is_read_in_detail_once_and_its_hour_is_sealed(make_town: Callable[..., Town]) -> None:
    town = make_town(poll=PollPolicy(backfill_days=0), sealing=SealPolicy(after_s=3600))
    town.advance(3599)
    settle_in(town)
    town.advance(1)
    town.shop.place("o1", ("TEA", 1))
    town.shop.orders["o1"]["changed_at"] = FUTURE  # in no list of changes, only in the scan of its hour
    scans = []
    for _ in range(2):
        town.advance(3901)
        settle_in(town)
        scans.append(seal_windows(town.ctx, town.channel()).sealed)

    assert town.shop.reads == ["o1"]
    assert scans[-1] == 1


def test_a_stored_version_in_the_future_is_lowered_to_its_receipt_by_the_migration(empty_database_url: str) -> None:
    """Unless the channel's platform says that this machine's clock is off."""
    with opened(empty_database_url) as engine:
        config = Config()
        config.set_main_option("script_location", str(migrations_folder()))
        before = ScriptDirectory.from_config(config).get_revision("0013").down_revision
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, str(before))
            for channel_id, ahead_s in ((1, 0.5), (2, 90.0)):
                connection.execute(text(CHANNEL), {"id": channel_id, "name": f"shop{channel_id}", "ahead_s": ahead_s})
                for order_id, version_at in ((1, FUTURE), (2, later(80_000))):
                    values = {"id": channel_id * 10 + order_id, "channel": channel_id, "version": micros(version_at)}
                    values["name"] = f"o{channel_id}{order_id}"
                    connection.execute(text(ORDER), values | {"noon": micros(NOON)})
                    connection.execute(text(REFUND), values | {"noon": micros(NOON)})

        migrate(engine)

        with engine.connect() as connection:
            for table in ("orders", "refund"):
                found = connection.execute(text(f"SELECT version_at FROM {table} ORDER BY id")).scalars()
                assert [instant(at) for at in found] == [NOON, later(80_000), FUTURE, later(80_000)]


CHANNEL = "INSERT INTO channel (id, name, clock_ahead_s) VALUES (:id, :name, :ahead_s)"
ORDER = (
    "INSERT INTO orders (id, channel_id, external_id, number, phase, state, version_at, read_from_at, read_to_at,"
    " placed_at, imported_at, currency, total_minor) VALUES (:id, :channel, :name, :name, 'ready', 'paid', :version,"
    " :noon, :noon, :noon, :noon, 'CNY', 100)"
)
REFUND = (
    "INSERT INTO refund (id, channel_id, external_id, order_external_id, state, version_at, read_from_at, read_to_at,"
    " amount_minor, currency) VALUES (:id, :channel, :name, 'o', 'open', :version, :noon, :noon, 1, 'CNY')"
)
