"""A JD shop's token in the context: renewed in its last 24 hours, both tokens kept, through the real connector."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from erpsync.flows.channels.credentials import load_tokens, watch_tokens
from erpsync.flows.context import ChannelSpec, Context, open_context
from erpsync.flows.intake.poll import poll_stream
from erpsync.store.db.store import Store
from tests.connectors.jd.shop import Shop
from tests.support.shop import SHANGHAI, VAULT


@pytest.fixture
def jd() -> Shop:
    """A shop whose token ends in 23 hours."""
    end = Shop().clock.now() + timedelta(hours=23)
    shop = Shop(token_expires_at=end.isoformat())
    shop.sandbox.expires_at = end
    return shop


@pytest.fixture
def store(database_url: str, jd: Shop) -> Iterator[Store]:
    opened = Store.open(database_url, clock=jd.clock, vault=VAULT)
    yield opened
    opened.close()


def start(store: Store, jd: Shop) -> Context:
    spec = ChannelSpec(name="shop", kind="jd", connector=jd.connector)
    ctx = open_context(store, warehouses=[], channels_=[spec], timezone=SHANGHAI)
    load_tokens(ctx)
    return ctx


def test_the_token_is_renewed_in_time_and_serves_after_a_restart(store: Store, jd: Shop) -> None:
    assert watch_tokens(start(store, jd)) == 1
    jd.connector.tokens.replace(jd.connector.tokens.configured)  # as a new process begins

    ctx = start(store, jd)
    assert jd.connector.tokens.current().access_token.get_secret_value() == jd.sandbox.access_token
    jd.clock.advance(seconds=24 * 3600)
    assert not poll_stream(ctx, ctx.channel("shop"), "orders").failed


def test_a_token_that_was_renewed_has_its_new_end_in_the_database(store: Store, jd: Shop) -> None:
    watch_tokens(start(store, jd))

    assert jd.connector.token_expires_at() == jd.clock.now() + timedelta(days=30)
