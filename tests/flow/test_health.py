"""A channel is said to be down once and up once, whatever its other streams do meanwhile."""

from sqlalchemy import select

from erpsync.flows.intake.poll import poll_stream
from erpsync.flows.intake.schedule import due_streams
from erpsync.runtime.once import drain
from erpsync.sdk.errors import AuthError, TransientError
from erpsync.store.tables import channel
from tests.support.shop import Town


def is_down(town: Town) -> bool:
    with town.store.read() as connection:
        return connection.execute(select(channel.c.down_since_at)).scalar() is not None


def test_refunds_that_can_be_read_do_not_hide_orders_that_cannot(town: Town) -> None:
    drain(town.ctx)
    town.shop.trouble["orders"] = [TransientError("timed out")]
    poll_stream(town.ctx, town.channel(), "orders")

    poll_stream(town.ctx, town.channel(), "refunds")
    assert is_down(town)

    poll_stream(town.ctx, town.channel(), "orders")
    assert not is_down(town)


def test_a_catalogue_that_failed_for_refused_credentials_is_read_as_soon_as_they_work(town: Town) -> None:
    """Found by the demonstration: it waited a whole `listings_s`, so nothing was told for an hour."""
    drain(town.ctx)
    town.shop.trouble["catalogue"] = [AuthError("session expired")]
    poll_stream(town.ctx, town.channel(), "listings")

    poll_stream(town.ctx, town.channel(), "orders")

    assert "listings" in due_streams(town.ctx, town.channel())
