"""Orders over the sandbox: changes, back-fill, details."""

import json
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors.taobao.mapping import format_time
from connectors.taobao.sandbox import TaobaoSandbox, TradeLine, trade_of
from erpsync.sdk.errors import AuthError, PayloadError, RejectedError, TransientError
from erpsync.sdk.sandbox import Fault
from erpsync.sdk.types import Cursor, OrderState, Recipient
from tests.connectors.taobao.shop import NOW, Shop, head

MINUTE = timedelta(minutes=1)


def trades(count: int, *, first: datetime, step: timedelta, status: str = "WAIT_SELLER_SEND_GOODS") -> list[Any]:
    line = TradeLine(num_iid=650000000001, num=1, price="10.00", outer_iid="A-1")
    at = [format_time(first + number * step) for number in range(count)]
    return [
        trade_of(tid=10**18 + n, lines=[line], created=text, pay_time=text, status=status) for n, text in enumerate(at)
    ]


def ids_of(sandbox: TaobaoSandbox) -> set[str]:
    return set(sandbox.trades.records)


def test_the_stream_begins_now_less_the_overlap() -> None:
    shop = Shop()
    shop.sandbox.load(trades(3, first=NOW - 10 * MINUTE, step=4 * MINUTE))

    assert shop.changed_ids(Cursor(overlap=timedelta(seconds=300))) == [str(10**18 + 2)]


def test_a_paid_order_comes_with_its_lines_and_receiver() -> None:
    shop = Shop()
    shop.item(code="A-1")
    tid = shop.sandbox.place_order([("A-1", 2)], pay=True, post_fee="8.00", message="周末送货")
    got = shop.order(tid)

    assert got.state is OrderState.PAID
    assert (got.total_minor, got.paid_minor, got.freight_minor) == (2800, 2800, 800)
    assert [(line.channel_sku, line.qty) for line in got.lines] == [("A-1", 2)]
    assert got.buyer_note == "周末送货"
    assert got.recipient is not None
    assert got.recipient.name == "张**"
    assert got.recipient.ciphertext != ""
    assert got.recipient.complete


def test_what_people_wrote_comes_with_the_detail_and_a_memo_that_was_taken_back_comes_empty() -> None:
    shop = Shop()
    shop.item(code="A-1")
    tid = shop.sandbox.place_order([("A-1", 2)], pay=True, seller_memo="发顺丰", seller_flag=3)
    before = shop.order(tid)
    shop.sandbox.change_trade_fields(tid, seller_memo="", seller_flag=0)
    after = shop.order(tid)

    assert (before.seller_note, before.seller_flag, before.buyer_note) == ("发顺丰", 3, "")
    assert (after.seller_note, after.seller_flag) == ("", 0)


def test_a_new_address_gives_a_new_oaid() -> None:
    shop = Shop()
    shop.item()
    tid = shop.sandbox.place_order([("A-1", 1)], pay=True)
    before = shop.order(tid).recipient
    shop.sandbox.change_address(tid, receiver_address="莫干山路1号")
    after = shop.order(tid).recipient

    assert before is not None
    assert after is not None
    assert before.ciphertext != after.ciphertext


def test_one_receiver_is_known_by_the_oaid_for_a_week_of_chinas_clock() -> None:
    connector, hidden = Shop().connector, Recipient(ciphertext="1exampleOaid")
    sunday = datetime(2026, 3, 8, 15, 59, 59, tzinfo=UTC)

    same = connector.same_recipient(hidden, sunday)

    assert same == connector.same_recipient(hidden, sunday - timedelta(days=6))
    assert same != connector.same_recipient(hidden, sunday + timedelta(seconds=1))
    assert same != connector.same_recipient(Recipient(ciphertext="2exampleOaid"), sunday)


def test_a_list_row_alone_is_a_whole_order_when_its_detail_is_refused() -> None:
    shop = Shop()
    shop.item()
    tid = shop.sandbox.place_order([("A-1", 1)], pay=True)
    (page,) = shop.connector.pull_orders(Cursor())
    del shop.sandbox.trades.records[tid]
    (raw,) = shop.connector.complete(page.heads)

    assert shop.connector.normalise(raw).total_minor == 1000


def test_an_order_that_is_gone_cannot_be_read_again() -> None:
    shop = Shop()

    with pytest.raises(RejectedError, match="trade does not exist"):
        shop.connector.complete([head("123")])


def test_a_row_without_an_id_becomes_a_head_that_normalising_refuses() -> None:
    shop = Shop()
    (bad,) = trades(1, first=NOW - MINUTE, step=MINUTE)
    shop.sandbox.trades.load([{**bad, "tid": "?", "tid_str": "?"}])
    (page,) = shop.connector.pull_orders(Cursor())
    (raw,) = shop.connector.complete(page.heads)

    with pytest.raises(Exception, match=r"\$\.trade\.tid"):
        shop.connector.normalise(raw)


def test_more_orders_in_one_second_than_a_page_holds_all_arrive() -> None:
    shop = Shop(page_size=10)
    shop.sandbox.load(trades(57, first=NOW - MINUTE, step=timedelta(0)))

    assert set(shop.changed_ids(Cursor())) == ids_of(shop.sandbox)


def test_orders_that_move_while_paging_are_not_lost() -> None:
    shop = Shop(page_size=10)
    shop.sandbox.load(trades(100, first=NOW - 4 * MINUTE, step=timedelta(seconds=2)))
    cursor, seen, to_touch = Cursor(), {}, sorted(ids_of(shop.sandbox))
    calm = False
    while not calm:
        calm = not to_touch
        for page in shop.connector.pull_orders(cursor):
            seen |= {head.external_id: head.version_at for head in page.heads}
            cursor = Cursor(mark=page.mark)
            shop.clock.advance(seconds=1)
            for _ in range(min(3, len(to_touch))):
                shop.sandbox.touch(to_touch.pop(), shop.clock.now())

    assert {key: format_time(at) for key, at in seen.items()} == {
        key: trade["modified"] for key, trade in shop.sandbox.trades.records.items()
    }


def test_a_pass_that_dies_between_two_pages_goes_on_after_a_restart() -> None:
    shop = Shop(page_size=10)
    shop.sandbox.load(trades(60, first=NOW - 4 * MINUTE, step=timedelta(seconds=3)))
    with closing(shop.connector.pull_orders(Cursor())) as pages:
        first = next(pages)
    rest = [head for page in shop.another().pull_orders(Cursor(mark=first.mark)) for head in page.heads]

    assert {head.external_id for head in (*first.heads, *rest)} == ids_of(shop.sandbox)


def test_an_order_that_lists_show_late_is_found_by_the_overlap() -> None:
    shop = Shop()
    shop.item()
    shop.sandbox.faults.force(Fault.LATE)
    tid = shop.sandbox.place_order([("A-1", 1)])
    (page,) = shop.connector.pull_orders(Cursor())
    shop.clock.advance(seconds=30)

    assert page.heads == ()
    assert shop.changed_ids(Cursor(mark=page.mark)) == [tid]


def test_days_of_changes_are_read_in_windows_of_a_day() -> None:
    shop = Shop()
    shop.sandbox.load(trades(5, first=NOW - timedelta(days=4), step=timedelta(hours=20)))
    (page,) = list(Shop().connector.pull_orders(Cursor()))[-1:]
    old = page.mark.replace("2026-11-20", "2026-11-15")

    assert set(shop.changed_ids(Cursor(mark=old))) == ids_of(shop.sandbox)


def test_after_a_year_of_sleep_the_stream_begins_where_the_platform_still_lists() -> None:
    shop = Shop()
    shop.sandbox.load(trades(1, first=NOW - timedelta(days=89), step=MINUTE))
    (page,) = list(shop.connector.pull_orders(Cursor()))[-1:]
    old = page.mark.replace("2026-11-20", "2025-11-20")

    assert set(shop.changed_ids(Cursor(mark=old))) == {str(10**18)}
    assert shop.sandbox.counts["taobao.trades.sold.increment.get"] < 95


def test_the_window_never_reaches_beyond_the_platforms_clock() -> None:
    shop = Shop()
    shop.sandbox.ahead = timedelta(seconds=-90)
    list(shop.connector.pull_orders(Cursor()))

    assert shop.sandbox.calls[-1].params["end_modified"] == format_time(NOW - timedelta(seconds=90))


def test_the_back_fill_reads_what_waits_to_be_shipped_however_old_and_the_rest_since_a_day() -> None:
    shop = Shop()
    old = trades(2, first=NOW - timedelta(days=60), step=MINUTE)
    old[1]["status"] = "TRADE_FINISHED"
    recent = trades(2, first=NOW - timedelta(days=2), step=MINUTE, status="TRADE_FINISHED")
    shop.sandbox.load([*old, *[{**trade, "tid": trade["tid"] + 500} for trade in recent]])
    cursor = Cursor(since=NOW - timedelta(days=7))
    found = {head.external_id for page in shop.connector.backfill_orders(cursor) for head in page.heads}

    assert found == {str(10**18), str(10**18 + 500), str(10**18 + 501)}


def test_a_back_fill_broken_off_after_every_page_still_reads_everything() -> None:
    shop = Shop(page_size=5)
    shop.sandbox.load(trades(40, first=NOW - timedelta(days=3), step=timedelta(minutes=7)))
    cursor, found = Cursor(since=NOW - timedelta(days=7)), set()
    while True:
        with closing(shop.another().backfill_orders(cursor)) as pages:
            page = next(pages, None)
        if page is None:
            break
        found |= {head.external_id for head in page.heads}
        cursor = Cursor(mark=page.mark, since=cursor.since)
        shop.clock.advance(seconds=5)

    assert found == ids_of(shop.sandbox)
    assert json.loads(str(cursor.mark))["until"] == format_time(NOW)


def test_orders_shipped_during_the_back_fill_do_not_hide_others_that_wait() -> None:
    shop = Shop(page_size=5)
    shop.sandbox.load(trades(40, first=NOW - timedelta(days=30), step=timedelta(minutes=7)))
    found: set[str] = set()
    for page in shop.connector.backfill_orders(Cursor(since=NOW)):
        found |= {head.external_id for head in page.heads}
        for external_id in sorted(found)[:2]:
            if shop.sandbox.trades.records[external_id]["status"] == "WAIT_SELLER_SEND_GOODS":
                shop.sandbox.ship_by_hand(external_id, "SF", "SF1234567890123")

    assert found == ids_of(shop.sandbox)


def test_types_that_the_platform_does_not_return_by_itself_are_named() -> None:
    shop = Shop()
    shop.item()
    tid = shop.sandbox.place_order([("A-1", 1)], type="eticket")

    assert shop.changed_ids(Cursor()) == [tid]


@pytest.mark.parametrize("mark", ["", "x", "{}", "[]", '{"step":"mars"}', '{"start":1}'])
def test_a_mark_of_another_connector_is_refused_and_not_read_as_the_beginning(mark: str) -> None:
    shop = Shop()

    for pull in (shop.connector.pull_orders, shop.connector.backfill_orders, shop.connector.pull_refunds):
        with pytest.raises(PayloadError):
            list(pull(Cursor(mark=mark)))


def test_a_session_that_ended_is_the_operators_business() -> None:
    shop = Shop()
    shop.sandbox.session = "6100000another"

    with pytest.raises(AuthError):
        shop.changed_ids(Cursor())


def test_a_page_without_rows_that_promises_more_is_not_taken_for_the_end() -> None:
    shop = Shop()
    answered = shop.sandbox.trades_sold_increment_get
    shop.sandbox.trades_sold_increment_get = lambda params: {**answered(params), "has_next": True}  # type: ignore[method-assign]

    with pytest.raises(TransientError):
        shop.changed_ids(Cursor())


@pytest.mark.parametrize(
    ("type_", "payments", "state"),
    [
        ("fixed", 0, OrderState.UNPAID),
        ("fixed", 1, OrderState.PAID),
        ("step", 1, OrderState.UNPAID),
        ("step", 2, OrderState.PAID),
        ("cod", 0, OrderState.PAID),
    ],
)
def test_an_order_is_ready_when_its_kind_of_trade_says_so(type_: str, payments: int, state: OrderState) -> None:
    shop = Shop()
    shop.item()
    tid = shop.sandbox.place_order([("A-1", 1)], type=type_)
    for _ in range(payments):
        shop.sandbox.pay(tid)
    got = shop.order(tid)

    assert got.state is state
    assert (got.ready_at is not None) is (state is OrderState.PAID)
    assert got.placed_at == NOW.astimezone(UTC)
