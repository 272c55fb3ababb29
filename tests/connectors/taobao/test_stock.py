"""Stock over the sandbox: absolute, grouped, one refusal blocks nobody."""

from erpsync.sdk.errors import (
    AuthError,
    NoOutcomeError,
    OutcomeUnknownError,
    RateLimitedError,
    RejectedError,
    TransientError,
)
from erpsync.sdk.sandbox import Fault
from erpsync.sdk.types import StockLevel
from tests.connectors.taobao.shop import Shop


def level(ref: str, qty: int, *, code: str = "") -> StockLevel:
    return StockLevel(key=ref or code, channel_sku=code, item_ref=ref, qty=qty)


def refs(shop: Shop) -> list[str]:
    return sorted(shop.sandbox.stock())


def test_skus_of_one_item_go_in_one_call() -> None:
    shop = Shop()
    shop.sandbox.add_item(skus={f"S-{n}": 1 for n in range(20)})
    wanted = {ref: number for number, ref in enumerate(refs(shop))}

    assert shop.connector.push_stock([level(ref, qty) for ref, qty in wanted.items()]) == {}
    assert shop.sandbox.stock() == wanted
    assert shop.sandbox.counts["taobao.skus.quantity.update"] == 1


def test_more_skus_than_a_call_takes_go_in_two() -> None:
    shop = Shop()
    shop.sandbox.add_item(skus={f"S-{n}": 1 for n in range(25)})

    assert shop.connector.push_stock([level(ref, 7) for ref in refs(shop)]) == {}
    assert set(shop.sandbox.stock().values()) == {7}
    assert shop.sandbox.counts["taobao.skus.quantity.update"] == 2


def test_an_item_without_skus_has_its_own_call() -> None:
    shop = Shop()
    num_iid = shop.item(qty=5)

    assert shop.connector.push_stock([level(num_iid, 0)]) == {}
    assert shop.sandbox.stock() == {num_iid: 0}


def test_one_refused_sku_does_not_keep_the_others_at_an_old_number() -> None:
    shop = Shop()
    shop.sandbox.add_item(skus={"S-1": 1, "S-2": 1, "S-3": 1})
    bad = refs(shop)[1]
    shop.sandbox.refused_listings.add(bad)
    errors = shop.connector.push_stock([level(ref, 9) for ref in refs(shop)])

    assert set(errors) == {bad}
    assert isinstance(errors[bad], RejectedError)
    assert sorted(shop.sandbox.stock().values()) == [1, 9, 9]


def test_a_deleted_item_does_not_keep_other_items_at_an_old_number() -> None:
    shop = Shop()
    gone, there = shop.item(code="A-1"), shop.item(code="B-1")
    shop.sandbox.remove_item(gone)
    errors = shop.connector.push_stock([level(gone, 3), level(there, 4)])

    assert set(errors) == {gone}
    assert shop.sandbox.stock() == {there: 4}


def test_a_seller_code_without_ids_is_set_on_everything_that_carries_it() -> None:
    shop = Shop()
    shop.sandbox.add_item(skus={"DUP": 1, "S-2": 1})
    shop.sandbox.add_item(skus={"DUP": 1})

    assert shop.connector.push_stock([level("", 6, code="DUP")]) == {}
    assert sorted(shop.sandbox.stock().values()) == [1, 6, 6]


def test_a_seller_code_of_an_item_is_found_too() -> None:
    shop = Shop()
    num_iid = shop.item(code="A-1")

    assert shop.connector.push_stock([level("", 6, code="A-1")]) == {}
    assert shop.sandbox.stock() == {num_iid: 6}


def test_a_code_and_a_reference_the_platform_does_not_know_are_errors_of_their_own() -> None:
    shop = Shop()
    num_iid = shop.item(code="A-1")
    errors = shop.connector.push_stock([level("", 1, code="NONE"), level("not-a-ref", 1), level(num_iid, 8)])

    assert set(errors) == {"NONE", "not-a-ref"}
    assert shop.sandbox.stock() == {num_iid: 8}


def test_a_lost_answer_leaves_only_its_own_group_unknown() -> None:
    shop = Shop()
    first, second = shop.item(code="A-1"), shop.item(code="B-1")
    shop.sandbox.faults.force(Fault.TIMEOUT_AFTER)
    errors = shop.connector.push_stock([level(first, 3), level(second, 4)])

    assert {key: type(error) for key, error in errors.items()} == {first: NoOutcomeError}
    assert shop.sandbox.stock() == {first: 3, second: 4}


def test_a_ban_in_the_middle_is_told_for_what_was_not_sent() -> None:
    shop = Shop()
    items = [shop.item(code=code) for code in ("A-1", "B-1", "C-1")]
    shop.sandbox.faults.force(Fault.THROTTLE, after=1)
    errors = shop.connector.push_stock([level(ref, 2) for ref in items])

    assert {key: type(error) for key, error in errors.items()} == dict.fromkeys(items[1:], RateLimitedError)
    assert shop.sandbox.stock() == {items[0]: 2, items[1]: 100, items[2]: 100}


def test_a_session_that_ended_is_raised_when_nothing_was_set() -> None:
    shop = Shop()
    num_iid = shop.item()
    shop.sandbox.session = "another"
    try:
        shop.connector.push_stock([level(num_iid, 2)])
    except AuthError as error:
        assert error.code == "invalid-sessionkey"
    else:
        raise AssertionError("no error")


def test_a_fault_of_the_platform_before_the_effect_is_worth_another_try() -> None:
    shop = Shop()
    num_iid = shop.item()
    shop.sandbox.faults.force(Fault.ERROR_5XX_BEFORE)
    (error,) = shop.connector.push_stock([level(num_iid, 2)]).values()

    assert isinstance(error, TransientError | OutcomeUnknownError)


def test_two_levels_of_one_sku_are_sent_one_after_the_other() -> None:
    shop = Shop()
    shop.sandbox.add_item(skus={"S-1": 1})
    (ref,) = refs(shop)
    twice = [level(ref, 4), StockLevel(key="again", channel_sku="", item_ref=ref, qty=5)]

    assert shop.connector.push_stock(twice) == {}
    assert shop.sandbox.stock() == {ref: 5}
