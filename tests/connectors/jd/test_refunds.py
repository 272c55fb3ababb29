"""Refunds over the sandbox: asked for, decided, withdrawn."""

from datetime import timedelta

import pytest

from erpsync.sdk.types import Cursor, OrderState, RefundState
from tests.connectors.jd.shop import NOW, Shop

LIST = "jingdong.pop.afs.soa.refundapply.queryPageList"


@pytest.fixture
def shop() -> Shop:
    shop = Shop()
    shop.item("A-1")
    return shop


def asked(shop: Shop, **more: str) -> tuple[str, str]:
    order_id = shop.sandbox.place_order([("A-1", 2)], pay=True)
    return order_id, shop.sandbox.request_refund(order_id, **more)


def test_a_refund_is_seen_open_with_its_amount_in_fen(shop: Shop) -> None:
    order_id, refund_id = asked(shop, amount="12.34")
    refund = shop.refunds()[0][refund_id]

    assert (refund.order_external_id, refund.state, refund.amount_minor) == (order_id, RefundState.OPEN, 1234)
    assert refund.lines == ()


def test_a_decision_is_seen_by_its_check_time_long_after_the_refund_was_asked_for(shop: Shop) -> None:
    _, granted = asked(shop)
    _, refused = asked(shop)
    _, mark = shop.refunds()
    shop.clock.advance(seconds=7 * 3600)
    shop.refunds(mark)
    shop.sandbox.grant_refund(granted)
    shop.sandbox.close_refund(refused)
    found, _ = shop.refunds(mark)

    assert {found[granted].state, found[refused].state} == {RefundState.GRANTED, RefundState.CLOSED}


def test_a_decision_is_not_hidden_by_others_that_were_all_made_in_one_second(shop: Shop) -> None:
    """The list is sorted by when refunds were asked for, also where it is cut by when they were checked."""
    few = Shop(page_size=2, refund_sweep_minutes=1440)
    few.item("A-1")
    asked_at = [asked(few)[1] for _ in range(3) if few.clock.advance(seconds=60) is None]
    _, mark = few.refunds()
    few.clock.advance(seconds=7 * 3600)
    _, mark = few.refunds(mark)
    few.clock.advance(seconds=60)
    for refund_id, late_s in zip(asked_at, (10, 0, 0), strict=True):
        few.sandbox.stamp_refund(refund_id, few.clock.now() + timedelta(seconds=late_s), status=2)
    few.clock.advance(seconds=60)
    found, _ = few.refunds(mark)

    assert {refund_id: refund.state for refund_id, refund in found.items()} == dict.fromkeys(
        asked_at, RefundState.CLOSED
    )


def test_a_granted_refund_of_all_the_money_cancels_the_order_on_the_channel(shop: Shop) -> None:
    order_id, refund_id = asked(shop)
    shop.sandbox.grant_refund(refund_id)

    assert shop.order(order_id).state is OrderState.CANCELLED


def test_a_withdrawn_refund_without_a_check_time_is_found_by_the_sweep(shop: Shop) -> None:
    _, refund_id = asked(shop)
    found, mark = shop.refunds()
    shop.clock.advance(seconds=600)
    _, mark = shop.refunds(mark)
    shop.sandbox.withdraw_refund(refund_id)
    shop.clock.advance(seconds=600)
    before, mark = shop.refunds(mark)
    shop.clock.advance(seconds=600)
    after, _ = shop.refunds(mark)

    assert found[refund_id].state is RefundState.OPEN
    assert refund_id not in before
    assert after[refund_id].state is RefundState.CLOSED


def test_a_sweep_is_made_once_in_its_interval_however_often_refunds_are_read(shop: Shop) -> None:
    _, mark = shop.refunds()
    before = shop.sandbox.counts[LIST]
    for _ in range(61):
        shop.clock.advance(seconds=60)
        _, mark = shop.refunds(mark)

    assert shop.sandbox.counts[LIST] - before == 2 * 61 + 2 * 31


def test_a_sweep_that_was_broken_off_goes_on_where_it_was(shop: Shop) -> None:
    for _ in range(3):
        asked(shop)
    _, mark = shop.refunds()
    shop.clock.advance(seconds=1800)
    for page in shop.connector.pull_refunds(Cursor(mark=mark)):
        mark = page.mark
        if "sweep" in mark:
            break
    shop.clock.advance(seconds=10)
    found, mark = shop.refunds(mark)

    assert len(found) == 3
    assert "sweep" not in mark


def test_the_first_pass_reaches_back_to_where_it_is_told(shop: Shop) -> None:
    _, old = asked(shop)
    shop.sandbox.refunds.put({**shop.sandbox.refunds.records[old], "applyTime": "2026-10-01 12:00:00"})
    pages = shop.connector.pull_refunds(Cursor(since=NOW - timedelta(days=60)))

    assert [head.external_id for page in pages for head in page.heads] == [old]
