"""Stock over the sandbox: absolute, by skuId, every line of the answer read; and the catalogue."""

from typing import Any

import pytest

from erpsync.sdk.errors import (
    AuthError,
    ConnectorError,
    NoOutcomeError,
    OutcomeUnknownError,
    RateLimitedError,
    RejectedError,
)
from erpsync.sdk.sandbox import Fault
from erpsync.sdk.types import Cursor, StockLevel
from tests.connectors.jd.shop import Shop

BATCH = "jingdong.ware.stock.sku.set"
SINGLE = "jingdong.stock.write.updateSkuStock"


def level(sku_id: str, qty: int, key: str = "") -> StockLevel:
    return StockLevel(key=key or sku_id, channel_sku="A-1", item_ref=sku_id, qty=qty)


@pytest.fixture(params=["batch", "single"])
def shop(request: pytest.FixtureRequest) -> Shop:
    return Shop(stock_method=request.param)


def test_numbers_are_set_as_they_are_whichever_method_is_configured(shop: Shop) -> None:
    wanted = {shop.item(f"S-{n}"): n for n in range(3)}

    assert shop.connector.push_stock([level(sku, qty) for sku, qty in wanted.items()]) == {}
    assert shop.sandbox.stock() == wanted


def test_one_refused_sku_does_not_keep_the_others_at_an_old_number(shop: Shop) -> None:
    first, bad, last = (shop.item(code) for code in ("A-1", "B-1", "C-1"))
    shop.sandbox.refused_listings.add(bad)
    errors = shop.connector.push_stock([level(sku, 9) for sku in (first, bad, last)])

    assert {key: type(error) for key, error in errors.items()} == {bad: RejectedError}
    assert "sku不可修改" in str(errors[bad])
    assert shop.sandbox.stock() == {first: 9, bad: 100, last: 9}


def test_a_reference_that_is_no_sku_id_is_an_error_of_its_own(shop: Shop) -> None:
    sku = shop.item()
    errors = shop.connector.push_stock([level("", 1, key="none"), level(sku, 8)])

    assert {key: type(error) for key, error in errors.items()} == {"none": RejectedError}
    assert shop.sandbox.stock() == {sku: 8}


def test_two_levels_of_one_sku_are_sent_one_after_the_other(shop: Shop) -> None:
    sku = shop.item()

    assert shop.connector.push_stock([level(sku, 4), level(sku, 5, key="again")]) == {}
    assert shop.sandbox.stock() == {sku: 5}


def test_a_limit_in_the_middle_is_told_for_what_was_not_sent() -> None:
    shop = Shop(stock_method="single")
    skus = [shop.item(code) for code in ("A-1", "B-1", "C-1")]
    shop.sandbox.faults.force(Fault.THROTTLE, after=1)
    errors = shop.connector.push_stock([level(sku, 2) for sku in skus])

    assert {key: type(error) for key, error in errors.items()} == dict.fromkeys(skus[1:], RateLimitedError)


def test_a_token_that_ended_is_raised_when_nothing_was_set(shop: Shop) -> None:
    sku = shop.item()
    shop.sandbox.access_token = "another"

    with pytest.raises(AuthError):
        shop.connector.push_stock([level(sku, 2)])


def test_a_lost_answer_leaves_the_number_unknown(shop: Shop) -> None:
    sku = shop.item()
    shop.sandbox.faults.force(Fault.TIMEOUT_AFTER)
    errors = shop.connector.push_stock([level(sku, 3)])

    assert {key: type(error) for key, error in errors.items()} == {sku: NoOutcomeError}


def test_twenty_skus_go_in_one_call_with_the_words_the_operator_may_change() -> None:
    shop = Shop(stock_update_model="2", stock_model="3", stock_store_id=7)
    skus = [shop.item(f"S-{n}") for n in range(20)]
    shop.connector.push_stock([level(sku, 1) for sku in skus])
    request = shop.sandbox.calls[-1].params["req"]

    assert shop.sandbox.counts[BATCH] == 1
    assert request["updateModel"] == "2"
    assert request["skuStocks"][0] == {"skuId": int(skus[0]), "storeId": 7, "stockModel": "3", "stockNum": 1}


def answering(result: Any) -> tuple[Shop, dict[str, type[ConnectorError]]]:
    shop = Shop()
    skus = [shop.item("A-1"), shop.item("B-1")]
    shop.sandbox.canned[BATCH] = {"returnType": result(skus)}
    errors = shop.connector.push_stock([level(sku, 1) for sku in skus])
    return shop, {"AB"[skus.index(key)]: type(error) for key, error in errors.items()}


def line(sku: str, success: object) -> dict[str, Any]:
    return {"data": sku, "success": success, "storeId": 0, "message": "why"}


def test_success_of_the_call_is_not_success_of_every_line() -> None:
    _, errors = answering(
        lambda skus: {"success": True, "obj": {"updateStockResult": [line(skus[0], "true"), line(skus[1], "false")]}}
    )

    assert errors == {"B": RejectedError}


def test_failure_of_the_call_is_not_failure_of_every_line() -> None:
    _, errors = answering(
        lambda skus: {"success": False, "obj": {"updateStockResult": [line(skus[0], True), line(skus[1], False)]}}
    )

    assert errors == {"B": RejectedError}


def test_a_line_the_answer_does_not_speak_of_is_unknown() -> None:
    _, errors = answering(lambda skus: {"success": True, "obj": {"updateStockResult": [line(skus[0], True)]}})

    assert errors == {"B": OutcomeUnknownError}


def test_success_without_any_line_is_unknown() -> None:
    assert answering(lambda _: {"success": True})[1] == {"A": OutcomeUnknownError, "B": OutcomeUnknownError}


def test_a_call_refused_as_a_whole_is_sent_again_one_by_one() -> None:
    shop, errors = answering(lambda _: {"success": False, "code": "4001", "message": "why"})

    assert errors == {"A": RejectedError, "B": RejectedError}
    assert shop.sandbox.counts[BATCH] == 3


# ---- catalogue -------------------------------------------------------------------------------------------------------


def rows(shop: Shop) -> dict[str, tuple[str, int | None]]:
    pages = shop.connector.pull_listings(Cursor())
    return {row.item_ref: (row.channel_sku, row.shown_qty) for page in pages for row in page.rows}


def test_the_catalogue_names_each_sku_by_seller_code_else_by_its_id() -> None:
    shop = Shop(page_size=2)
    coded, bare, gone = shop.item("A-1", 3), shop.item("", 4), shop.item("C-1")
    shop.sandbox.remove_item(gone)

    assert rows(shop) == {coded: ("A-1", 3), bare: (bare, 4)}


def test_a_sku_that_cannot_be_read_keeps_no_other_from_being_known(shop: Shop) -> None:
    """failures.md row 14."""
    good, below_zero, odd = shop.item("A-1", qty=3), shop.item("B-1"), shop.item("C-1")
    shop.sandbox.skus[below_zero] = {**shop.sandbox.skus[below_zero], "stockNum": "-2"}
    shop.sandbox.skus[odd] = {**shop.sandbox.skus[odd], "outerId": ["C-1"]}
    pages = list(shop.connector.pull_listings(Cursor()))

    rows = {row.item_ref: row.shown_qty for page in pages for row in page.rows}
    bad = [(each.key, each.error.path.rpartition(".")[2]) for page in pages for each in page.bad]
    assert (rows[good], rows[below_zero]) == (3, None)
    assert bad == [(odd, "outerId")]


def test_a_sku_deleted_while_the_catalogue_is_read_hides_no_other() -> None:
    shop = Shop(page_size=2)
    skus = [shop.item(f"S-{n}") for n in range(7)]
    pages = shop.connector.pull_listings(Cursor())
    seen = {row.item_ref for row in next(pages).rows}
    shop.sandbox.remove_item(skus[0])
    seen |= {row.item_ref for page in pages for row in page.rows}

    assert seen >= set(skus[1:])


def test_a_shop_without_skus_has_an_empty_catalogue() -> None:
    assert rows(Shop()) == {}
