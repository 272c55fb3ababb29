"""What a dead letter holds, as people are shown it."""

import json
from collections.abc import Iterator

import pytest

from erpsync.flows.context import Context
from erpsync.flows.errors import Refused
from erpsync.flows.operations.letter_payload import MOST_CHARS, masked_payload
from erpsync.store import tables
from erpsync.store.db.store import Store
from erpsync.store.encrypted import dead_letter_row, inbox_row
from tests.support.waiting_shop import PERSON, PHONE, SHOP, VAULT, open_waiting_shop, payload, put_order_letter
from tests.support.web_shop import NOW, add

Shop = tuple[Store, Context]


@pytest.fixture
def shop(database_url: str) -> Iterator[Shop]:
    store, ctx = open_waiting_shop(database_url)
    yield store, ctx
    store.close()


def test_of_an_order_the_record_is_shown_without_our_notes_beside_it(shop: Shop) -> None:
    store, ctx = shop
    with store.begin() as tx:
        letter = put_order_letter(tx, ctx, "o1")
    shown = json.loads(masked_payload(ctx, letter))

    assert list(shown) == ["record"]
    assert (shown["record"]["id"], shown["record"]["total"]) == ("o1", "12,90")
    assert set(shown["record"]["receiver"].values()) == {"***"}


def test_of_a_webhook_that_was_given_up_its_records_are_shown(shop: Shop) -> None:
    store, ctx = shop
    channel_id = ctx.channel(SHOP).id
    body = {"hints": [], "records": [{"kind": "order", "payload": payload("o7")}]}
    delivery = {"channel_id": channel_id, "delivery_key": "d1", "received_at": NOW, "state": "dead", "run_at": NOW}
    letter = {"channel_id": channel_id, "kind": "inbox", "key": "d1", "at": NOW, "error": "bad", "state": "open"}
    with store.begin() as tx:
        sealed = VAULT.encrypt(body, row=inbox_row(channel_id, "d1"))
        add(tx, tables.inbox, delivery | {"attempts": 9, "lane": 1, "body": sealed})
        [id] = add(tx, tables.dead_letter, letter)
    shown = masked_payload(ctx, id)

    assert json.loads(shown)["records"][0]["record"]["id"] == "o7"
    assert PERSON not in shown
    assert PHONE not in shown


def test_of_a_row_of_a_file_its_columns_are_shown(shop: Shop) -> None:
    store, ctx = shop
    channel_id = ctx.channel(SHOP).id
    row = {"row": {"单号": "A1", "收件人": PERSON, "承运商": PHONE, "数量": "2"}}
    letter = {"channel_id": channel_id, "kind": "shipment_report", "key": "A1", "at": NOW, "error": "bad"}
    with store.begin() as tx:
        sealed = VAULT.encrypt(row, row=dead_letter_row(channel_id, "shipment_report", "A1"))
        [id] = add(tx, tables.dead_letter, letter | {"state": "open", "body": sealed})

    assert json.loads(masked_payload(ctx, id)) == {"row": {"单号": "A1", "收件人": "***", "承运商": "***", "数量": "2"}}


def test_without_the_keys_nothing_is_shown_and_it_says_why(shop: Shop) -> None:
    store, ctx = shop
    with store.begin() as tx:
        letter = put_order_letter(tx, ctx, "o1")
    store.vault = None

    with pytest.raises(Refused, match="runs without encryption keys"):
        masked_payload(ctx, letter)


def test_a_payload_without_end_is_cut_off(shop: Shop) -> None:
    store, ctx = shop
    channel_id = ctx.channel(SHOP).id
    sealed = VAULT.encrypt({"payload": {"x": ["y" * 50] * 5_000}}, row=dead_letter_row(channel_id, "order", "o1"))
    with store.begin() as tx:
        letter = put_order_letter(tx, ctx, "o1", body=sealed)

    assert len(masked_payload(ctx, letter)) == MOST_CHARS + 2
