"""The database's clock: whose it is, and what the tables say of their instants for the day it is set back."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from annotated_types import Le
from sqlalchemy import select, text

from erpsync.core.tokens import CAP_S as TOKEN_CAP_S
from erpsync.flows import retry
from erpsync.flows.access import log_in, sessions
from erpsync.flows.api import event_webhooks, idempotency
from erpsync.flows.availability import push as stock_push
from erpsync.flows.channels import credentials
from erpsync.flows.followers import lease_s
from erpsync.flows.messages import tell
from erpsync.flows.shipments import push as shipment_push
from erpsync.flows.warehouses import push
from erpsync.sdk.clock import ManualClock, SystemClock
from erpsync.settings.models import Stock
from erpsync.store.db import clock
from erpsync.store.db.engine import make_engine
from erpsync.store.db.schema import migrate
from erpsync.store.db.store import Store
from erpsync.store.db.turns import NoTurnError
from erpsync.store.leases import take_lease
from erpsync.store.tables import base, lease, metadata
from tests.support.dialects import on_postgresql

HOUR, DAY = 3600, 86_400


def late_call_limit() -> int:
    """Return the longest time that `stock.late_call_s` takes."""
    return max(each.le for each in Stock.model_fields["late_call_s"].metadata if isinstance(each, Le))


def test_no_deadline_is_set_further_ahead_than_it_is_believed() -> None:
    leases = (stock_push.LEASE_S, shipment_push.LEASE_S, push.LEASE_S, credentials.LEASE_S)
    turns = [lease_s(call_s) for call_s in (event_webhooks.CALL_S, tell.CALL_S)]
    assert max(*leases, *turns) <= base.LONGEST_LEASE_S
    assert tell.LONGEST_WAIT_S <= base.LONGEST_ROUTE_WAIT_S
    assert retry.CAP_S <= base.LONGEST_BACK_OFF_S
    assert late_call_limit() <= base.LONGEST_LATE_CALL_S <= base.LONGEST_BACK_OFF_S
    assert TOKEN_CAP_S <= base.LONGEST_TOKEN_PAUSE_S
    assert log_in.LONGEST_WAIT_S <= base.LONGEST_LOCK_S
    assert sessions.LONGEST.total_seconds() <= base.LONGEST_SESSION_S
    assert idempotency.CLAIM.total_seconds() <= base.LONGEST_CLAIM_S


def test_a_long_history_is_settled_for_a_twentieth_of_the_time_and_once_more_when_nothing_old_can_come(
    migrated_sqlite: Path,
) -> None:
    """Every five seconds for two minutes, whatever it took, would leave the shop no time to write."""
    base_clock = ManualClock()
    engine = make_engine(f"sqlite:///{migrated_sqlite}")
    watch = clock.DatabaseClock(engine, base_clock)
    watch.kept(watch.jumps(), clock.Found(unconfirmed=timedelta(0), back=True, settled_from_s=None))
    settled_at_s: list[float] = []
    while watch.unsettled:
        if watch.settle_is_due():
            settled_at_s.append(began_s := base_clock.monotonic())
            base_clock.advance(seconds=3)  # so long a history takes
            watch.kept(watch.jumps(), clock.Found(unconfirmed=timedelta(0), back=False, settled_from_s=began_s))
        base_clock.advance(seconds=1)
    engine.dispose()

    assert settled_at_s == [0, 63, 126]


def test_whoever_is_waited_for_does_not_wait_until_a_long_history_is_settled(database_url: str) -> None:
    """A request from outside gets its answer within seconds, on either database."""
    store = Store.open(database_url, clock=ManualClock())
    border = store.at_border(0.1)
    with store._keeping, pytest.raises(NoTurnError), border.begin():
        pass
    with border.begin() as tx:
        assert tx.now
    store.close()


OF_OTHER_CLOCKS = {
    "backorder.due_at",
    "channel.token_expires_at",
    "cursor.since_at",
    "dead_letter.version_at",
    "late_order.due_at",
    "order_look.at",
    "orders.lowered_at",
    "orders.paid_at",
    "orders.placed_at",
    "orders.ready_at",
    "orders.ship_by_at",
    "orders.version_at",
    "refund.version_at",
    "seal_window.end_at",
    "seal_window.start_at",
    "token.warned_for_at",
    "track.delivered_at",
    "track.last_at",
    "track.returned_at",
    "track.scanned_at",
    "track.whole_at",
    "track_node.at",
}
FOR_PEOPLE = {
    "api_token.created_at",
    "api_token.revoked_at",
    "event.at",
    "order_hold.at",
    "route.created_at",
    "saved_view.saved_at",
    "subscription.created_at",
    "task.closed_at",
    "task.opened_at",
    "user_account.created_at",
    "user_account.disabled_at",
    "user_account.password_at",
}
BY_SETTINGS = {"hold.expires_at"}


def test_every_stored_instant_says_what_becomes_of_it_when_the_clock_is_set_back() -> None:
    """A new column has to be told apart: by our clock (`past`, `deadline`), by a platform's, or for people only."""
    instants = {
        f"{table.name}.{column.name}"
        for table in metadata.sorted_tables
        for column in table.columns
        if isinstance(column.type, base.Instant) and "within" not in column.info
    }
    assert instants == OF_OTHER_CLOCKS | FOR_PEOPLE | BY_SETTINGS


@on_postgresql
def test_the_clock_of_the_database_rules_and_is_followed_when_it_is_set(empty_database_url: str) -> None:
    """The machine's clock stays as it is; a `clock_timestamp()` of the test's own plays a database whose jumps."""
    engine = make_engine(empty_database_url)
    with engine.begin() as connection:
        name = connection.execute(text("SELECT current_database()")).scalar_one()
        connection.execute(text("CREATE TABLE off (s double precision)"))
        connection.execute(text("INSERT INTO off VALUES (0)"))
        connection.execute(
            text(
                "CREATE FUNCTION public.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS "
                "'SELECT pg_catalog.clock_timestamp() + s * interval ''1 second'' FROM public.off'"
            )
        )
        connection.execute(text(f'ALTER DATABASE "{name}" SET search_path = public, pg_catalog'))
    engine.dispose()
    migrate(engine)
    engine.dispose()
    store = Store.open(empty_database_url)
    store.clock = clock.DatabaseClock(store.engine, SystemClock(), every_s=0)

    def set_off(seconds: int) -> None:
        with store.engine.begin() as connection:
            connection.execute(text("UPDATE off SET s = :s"), {"s": seconds})

    before = datetime.now(UTC)
    took = take_lease(store, "pass")
    set_off(-2 * HOUR)
    assert take_lease(store, "another") is not None
    with store.begin() as tx:
        assert tx.now < before - timedelta(hours=1)
        assert tx.trusted_now == tx.now
        late = tx.execute(select(lease.c.until_at)).scalars().all()
        assert max(late) <= tx.now + timedelta(seconds=base.LONGEST_LEASE_S)
    assert took is not None
    set_off(2 * DAY)
    with store.begin() as tx:
        assert tx.now > before + timedelta(days=1)
        assert abs(tx.trusted_now - before) < timedelta(hours=3)
    store.close()
