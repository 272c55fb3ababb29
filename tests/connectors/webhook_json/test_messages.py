"""What can and what cannot be read, and that nothing signed is refused."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.webhook_json.client.signing import signature_of
from erpsync.sdk.errors import PayloadError
from erpsync.sdk.types import Head, Order, OrderState, WebhookResult
from tests.connectors.webhook_json.shop import NOW, body, connector, line, order, raw, refund, request, settings


def read(message: Any, **more: Any) -> WebhookResult:
    return connector().read_webhook(request(message, **more))


def normal(message: Any) -> Order:
    return connector().normalise(read(message).records[0].raw)


def problem(message: Any) -> str:
    """Return what a message that cannot be read is told as."""
    (record,) = read(message).records
    with pytest.raises(PayloadError) as refused:
        (connector().normalise_refund if record.kind == "refund" else connector().normalise)(record.raw)
    return str(refused.value)


def test_the_head_of_an_order_carries_its_id_and_its_own_time_of_change() -> None:
    (record,) = read(order()).records

    assert (record.kind, record.raw.head.external_id) == ("order", "W1")
    assert record.raw.head.version_at.isoformat() == "2026-03-02T08:05:00+00:00"


def test_the_order_of_keys_makes_no_other_reading() -> None:
    turned = {"data": dict(reversed(order()["data"].items())), "type": "order", "sent_by": "retry"}

    assert read(order()).records[0].raw.head.digest == read(turned).records[0].raw.head.digest


@pytest.mark.parametrize(
    ("wrong", "path"),
    [
        ({"external_id": ""}, "$.data.external_id"),
        ({"external_id": "x" * 201}, "$.data.external_id"),
        ({"external_id": True}, "$.data.external_id"),
        ({"external_id": "a\x00b"}, "$.data.external_id"),
        ({"updated_at": "2026-03-02T08:00:00"}, "$.data.updated_at"),
        ({"updated_at": 1772438400}, "$.data.updated_at"),
        ({"updated_at": "0001-01-01T00:00:00Z"}, "$.data.updated_at"),
        ({"updated_at": None}, "$.data.updated_at"),
        ({"status": "lost"}, "$.data.status"),
        ({"placed_at": "today"}, "$.data.placed_at"),
        ({"currency": "yuan"}, "$.data.currency"),
        ({"total_minor": 12.5}, "$.data.total_minor"),
        ({"total_minor": "1250"}, "$.data.total_minor"),
        ({"total_minor": True}, "$.data.total_minor"),
        ({"total_minor": -1}, "$.data.total_minor"),
        ({"total_minor": 10**30}, "$.data.total_minor"),
        ({"recipient": "王小明"}, "$.data.recipient"),
        ({"lines": []}, "$.data.lines"),
        ({"lines": "A"}, "$.data.lines"),
        ({"lines": [line(qty=-1)]}, "$.data.lines[0].qty"),
        ({"lines": [line(qty=1.0)]}, "$.data.lines[0].qty"),
        ({"lines": [line(price_minor=None)]}, "$.data.lines[0].price_minor"),
        ({"lines": ["A"]}, "$.data.lines[0]"),
    ],
)
def test_an_order_that_cannot_be_read_names_the_field(wrong: dict[str, Any], path: str) -> None:
    assert problem(order(**wrong)).startswith(f"{path}: ")


@pytest.mark.parametrize(
    ("wrong", "path"),
    [
        ({"status": "asked"}, "$.data.status"),
        ({"amount_minor": "10.00"}, "$.data.amount_minor"),
        ({"order_external_id": None}, "$.data.order_external_id"),
        ({"lines": [{"external_id": "1", "qty": -1}]}, "$.data.lines[0].qty"),
    ],
)
def test_a_refund_that_cannot_be_read_names_the_field(wrong: dict[str, Any], path: str) -> None:
    assert problem(refund(**wrong)).startswith(f"{path}: ")


def test_no_error_quotes_what_may_be_personal() -> None:
    message = order(recipient={"name": ["王小明"], "phone": 13800138000, "address": {"x": "世纪大道1号"}})

    said = problem(message)

    assert [word for word in ("王小明", "13800138000", "世纪大道") if word in said] == []


JUNK = (
    b"", b"not json", b"[1]", b'"order"', b"\xff\xfe\x00", b'{"type": "order"', b'{"a": NaN}', b"[" * 100_000,
    b'{"a":' * 60 + b"1" + b"}" * 60, b'{"type": "order", "data": {"title": "\\ud83d"}}', b'{"a": 1' + b"0" * 5000,
)  # fmt: skip


@pytest.mark.parametrize("junk", JUNK, ids=lambda junk: repr(junk[:20]))
def test_a_signed_body_that_is_no_usable_json_is_kept_byte_by_byte(junk: bytes) -> None:
    (record,) = read(junk).records

    assert set(record.raw.payload) == {"body_base64"}
    assert problem(junk) == "$: the body is no JSON object that can be kept"
    json.dumps(dict(record.raw.payload), ensure_ascii=False).encode("utf-8")


@pytest.mark.parametrize("type", ["coupon", "Order", "ping", " order"])
def test_a_message_of_a_type_that_is_not_known_is_no_record(type: str) -> None:
    said = read({"type": type, "data": {}})

    assert (said.records, [each.type for each in said.unknown]) == ((), [type])


@pytest.mark.parametrize("type", ["", None, 7, ["order"], {"order": 1}])
def test_a_message_that_names_no_type_is_kept_as_one_that_cannot_be_read(type: Any) -> None:
    assert problem({"type": type, "data": {}}) == "$.type: expected the type order or refund"


@pytest.mark.parametrize("data", [None, [], "x", 1])
def test_a_message_without_an_object_in_data_cannot_be_read(data: Any) -> None:
    assert problem({"type": "order", "data": data}) == "$.data: expected an object"


def test_a_body_that_cannot_be_read_is_named_after_its_order_else_after_its_bytes() -> None:
    def head(message: Any) -> Head:
        return read(message).records[0].raw.head

    named = head(order(total_minor=-1))

    assert (named.external_id, named.order_external_id, named.dated) == ("W1", "W1", True)
    assert named.version_at == normal(order()).version_at
    assert not head(order(updated_at="soon")).dated
    assert head(refund(status="lost")).order_external_id == "W1"
    assert head(b"junk").external_id == head(b"junk").external_id != head(b"rubbish").external_id
    assert head(b"junk").external_id.startswith("body#")


@pytest.mark.parametrize("value", [-1, "ten", 1.5, True, 10**15])
@pytest.mark.parametrize("field", ["freight_minor", "discount_minor"])
def test_a_side_amount_that_makes_no_sense_is_left_out(field: str, value: object) -> None:
    assert getattr(normal(order(**{field: value})), field) is None


def test_a_status_that_is_not_known_is_told_as_one() -> None:
    with pytest.raises(PayloadError) as caught:
        normal(order(status="locked"))

    assert caught.value.unknown_status == "locked"


LEAVES = st.none() | st.booleans() | st.floats() | st.integers() | st.text()
KEYS = st.sampled_from(["type", "data", "external_id", "lines", "status"]) | st.text()


@given(st.recursive(LEAVES, lambda kids: st.lists(kids) | st.dictionaries(KEYS, kids), max_leaves=12))
def test_whatever_a_signed_body_holds_it_gives_one_record_or_one_unknown_message(message: Any) -> None:
    result = read(json.dumps(message).encode("utf-8"))

    payloads = [each.raw.payload for each in result.records] + [each.payload for each in result.unknown]
    assert len(payloads) == 1
    json.dumps(dict(payloads[0]), ensure_ascii=False).encode("utf-8")


def test_a_bad_line_is_told_and_the_rest_of_the_order_kept() -> None:
    got = normal(order(lines=[line(), line(external_id="2", qty="two"), line(external_id="1", qty=5)]))

    assert [(each.external_id, each.qty) for each in got.lines] == [("1", 1)]
    assert [(bad.key, str(bad.error)) for bad in got.bad_lines] == [
        ("W1@1", "$.data.lines[1].qty: input should be a valid integer"),
        ("W1@2", "$.data.lines[2].external_id: stands twice in one order"),
    ]
    assert [bad.row["line_id"] for bad in got.bad_lines] == ["2", "1"]


def test_a_time_with_nine_decimals_is_read() -> None:
    got = normal(order(updated_at="2026-03-02T08:00:00.123456789Z"))

    assert got.version_at.isoformat() == "2026-03-02T08:00:00.123456+00:00"


def test_an_order_without_a_recipient_says_nothing_about_one() -> None:
    assert normal(order(recipient=None)).recipient is None


def test_a_delivery_sent_again_has_the_same_key_and_another_body_under_its_id_has_not() -> None:
    """failures.md row 7: an id used twice by mistake must not swallow the second message."""
    again = read(order(), at=NOW + timedelta(seconds=60), received_at=NOW + timedelta(seconds=61))

    assert read(order()).key == again.key
    assert read(order()).key.startswith("msg_1.")
    assert read(order()).key != read(order(status="cancelled")).key


def test_without_ids_equal_bodies_are_one_delivery() -> None:
    form = {"signature": {"header": "X-Sign", "encoding": "hex"}, "secret": "s"}
    keys = set()
    for text in (body(order()), body(order()), body(order(status="cancelled"))):
        headers = signature_of(settings(**form)).headers(text, id="", at=NOW)
        keys.add(connector(**form).read_webhook(replace(request(text), headers=headers)).key)

    assert len(keys) == 2


def test_reading_changes_nothing_in_the_payload() -> None:
    message = order()
    kept = json.dumps(message)
    connector().normalise(raw(message))

    assert json.dumps(message) == kept
    assert connector().normalise(raw(message)).state is OrderState.PAID


@pytest.mark.parametrize(
    ("told", "asked"), [({}, None), ({"refund_status": "none"}, ""), ({"refund_status": "open"}, "a refund")]
)
def test_an_order_may_say_that_a_refund_is_asked_for(told: dict[str, str], asked: str | None) -> None:
    """failures.md row 6."""
    assert normal(order(**told)).refund_asked == asked
