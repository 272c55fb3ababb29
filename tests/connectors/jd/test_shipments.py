"""Parcels over the sandbox: whole or in parts, told once, decided by reading back."""

from typing import Any

import pytest

from connectors.jd.mapping import CARRIERS
from erpsync.sdk.carriers import CARRIERS as OUR_CARRIERS
from erpsync.sdk.errors import ConnectorError, OutcomeUnknownError, RejectedError
from erpsync.sdk.sandbox import Fault
from erpsync.sdk.types import OrderState, Repeat, Shipment, ShipmentLine
from tests.connectors.jd.shop import Shop

READ = 1  # requests that precede the one that ships
WHOLE = "jingdong.pop.order.shipment"
PARTS = "jingdong.pop.order.partial.outship"


@pytest.fixture
def shop() -> Shop:
    shop = Shop()
    for code in ("A-1", "B-1"):
        shop.item(code)
    return shop


def parcel(
    shop: Shop, order_id: str, *units: tuple[str, int], tracking: str = "SF001", whole: bool = False
) -> Shipment:
    lines = tuple(
        ShipmentLine(external_id=shop.sandbox.find_ref(code), qty=qty, ordered_qty=2)
        for code, qty in units or (("A-1", 2),)
    )
    return Shipment(
        number=tracking, order_external_id=order_id, carrier="SF", tracking=tracking, lines=lines, whole=whole
    )


def whole(shop: Shop, order_id: str, tracking: str = "SF1234567890123") -> Shipment:
    return parcel(shop, order_id, tracking=tracking, whole=True)


def test_a_whole_order_is_shipped_by_one_plain_call(shop: Shop) -> None:
    order_id = shop.sandbox.place_order([("A-1", 2)], pay=True)
    shop.connector.push_shipment(whole(shop, order_id))

    assert [(p.carrier_id, p.number) for p in shop.sandbox.shipments()] == [("467", "SF1234567890123")]
    assert shop.sandbox.calls[-1].params["orderId"] == int(order_id)
    assert shop.order(order_id).state is OrderState.SHIPPED


def test_an_order_in_two_parcels_is_told_part_by_part(shop: Shop) -> None:
    order_id = shop.sandbox.place_order([("A-1", 2), ("B-1", 2)], pay=True)
    shop.connector.push_shipment(parcel(shop, order_id, ("A-1", 1), ("B-1", 2), tracking="SF001"))
    partly = shop.order(order_id)
    shop.connector.push_shipment(parcel(shop, order_id, ("A-1", 1), tracking="SF002"))

    a, b = shop.sandbox.find_ref("A-1"), shop.sandbox.find_ref("B-1")
    assert [dict(p.units) for p in shop.sandbox.shipments()] == [{a: 1, b: 2}, {a: 1}]
    assert (partly.state, [line.shipped_qty for line in partly.lines]) == (OrderState.PAID, [1, 2])
    assert shop.order(order_id).state is OrderState.SHIPPED
    assert shop.sandbox.counts[WHOLE] == 0


def test_a_part_is_found_by_its_own_number(shop: Shop) -> None:
    order_id = shop.sandbox.place_order([("A-1", 2), ("B-1", 2)], pay=True)
    first, second = (parcel(shop, order_id, ("A-1", 1), tracking=number) for number in ("SF001", "SF002"))
    shop.connector.push_shipment(first)

    assert shop.connector.find_shipment(first)
    assert not shop.connector.find_shipment(second)


def test_what_is_left_after_a_part_goes_as_a_part_even_when_it_is_called_whole(shop: Shop) -> None:
    order_id = shop.sandbox.place_order([("A-1", 2), ("B-1", 2)], pay=True)
    shop.connector.push_shipment(parcel(shop, order_id, ("A-1", 2), tracking="SF001"))
    shop.connector.push_shipment(parcel(shop, order_id, ("B-1", 2), tracking="SF002", whole=True))

    assert shop.order(order_id).state is OrderState.SHIPPED


def test_a_row_with_a_uuid_is_named_by_it(shop: Shop) -> None:
    order_id = shop.sandbox.place_order([("A-1", 2)], pay=True)
    (row,) = shop.sandbox.orders.records[order_id]["itemInfoList"]
    shop.sandbox.change_order_fields(order_id, itemInfoList=[{**row, "skuUuid": "u-1"}])
    shop.connector.push_shipment(parcel(shop, order_id, ("A-1", 1)))

    (data,) = shop.sandbox.calls[-1].params["request"]["data"]
    assert data["deliveryNumberDtoList"][0]["partialShipmentGoodsList"] == [
        {"skuId": int(row["skuId"]), "num": 1, "skuUuid": "u-1"}
    ]


def test_a_line_the_order_does_not_have_is_refused_before_it_is_told(shop: Shop) -> None:
    order_id = shop.sandbox.place_order([("A-1", 2)], pay=True)

    with pytest.raises(RejectedError, match="no line"):
        shop.connector.push_shipment(parcel(shop, order_id, ("B-1", 1)))
    assert shop.sandbox.parcel_attempts == []


def test_more_units_than_are_left_are_refused_with_the_platforms_own_words(shop: Shop) -> None:
    order_id = shop.sandbox.place_order([("A-1", 2)], pay=True)

    with pytest.raises(RejectedError, match=r"超过可出库数量 \(w06199\)"):
        shop.connector.push_shipment(parcel(shop, order_id, ("A-1", 3)))


def test_a_parcel_that_is_there_already_is_not_sent_again(shop: Shop) -> None:
    order_id = shop.sandbox.place_order([("A-1", 2)], pay=True)
    shop.sandbox.ship_by_hand(order_id, "467", "YT1,sf1234567890123")
    shop.connector.push_shipment(whole(shop, order_id))

    assert shop.sandbox.parcel_attempts == []


def test_already_shipped_is_a_success_when_the_number_read_back_is_ours(shop: Shop) -> None:
    order_id = shop.sandbox.place_order([("A-1", 2)], pay=True)

    def someone_ships(method: str) -> None:
        if method == WHOLE:
            shop.sandbox.on_call = None
            shop.sandbox.ship_by_hand(order_id, "467", "SF1234567890123")

    shop.sandbox.on_call = someone_ships
    shop.connector.push_shipment(whole(shop, order_id))

    assert len(shop.sandbox.shipments()) == 1
    assert shop.sandbox.parcel_attempts == ["SF1234567890123"]


def test_already_shipped_with_another_number_needs_a_person(shop: Shop) -> None:
    order_id = shop.sandbox.place_order([("A-1", 2)], pay=True)
    shop.sandbox.ship_by_hand(order_id, "463", "YT9999999999999")

    with pytest.raises(RejectedError, match="w06105"):
        shop.connector.push_shipment(whole(shop, order_id))


@pytest.mark.parametrize("fault", [Fault.TIMEOUT_AFTER, Fault.ERROR_5XX_AFTER, Fault.CUT_BODY, Fault.HTML_200])
def test_a_lost_answer_is_an_unknown_outcome_and_the_parcel_is_found(shop: Shop, fault: Fault) -> None:
    order_id = shop.sandbox.place_order([("A-1", 2)], pay=True)
    shop.sandbox.faults.force(fault, after=READ)

    with pytest.raises(OutcomeUnknownError):
        shop.connector.push_shipment(whole(shop, order_id))

    assert shop.connector.repeat is Repeat.LOOK_FIRST
    assert shop.connector.find_shipment(whole(shop, order_id))
    assert shop.sandbox.parcel_attempts == ["SF1234567890123"]


def test_a_failure_of_the_platform_inside_the_result_is_an_unknown_outcome(shop: Shop) -> None:
    """The note wants the order read back before it is tried again."""
    order_id = shop.sandbox.place_order([("A-1", 2)], pay=True)
    failed = {"success": False, "errorCode": "999999", "chineseErrCode": "平台异常"}
    shop.sandbox.canned[WHOLE] = {"sopjosshipment_result": failed}

    with pytest.raises(OutcomeUnknownError, match="999999"):
        shop.connector.push_shipment(whole(shop, order_id))


def test_an_answer_that_does_not_speak_of_the_order_leaves_the_part_unknown(shop: Shop) -> None:
    order_id = shop.sandbox.place_order([("A-1", 2)], pay=True)
    data: dict[str, Any] = {"successList": [], "failList": []}
    shop.sandbox.canned[PARTS] = {"response": {"code": 0, "msg": "", "data": data}}

    with pytest.raises(OutcomeUnknownError):
        shop.connector.push_shipment(parcel(shop, order_id, ("A-1", 1)))


def test_an_order_of_jds_own_warehouse_is_not_told_as_ours(shop: Shop) -> None:
    order_id = shop.sandbox.place_order([("A-1", 2)], pay=True, storeOrder="京仓订单")

    with pytest.raises(RejectedError, match="own warehouse"):
        shop.connector.push_shipment(whole(shop, order_id))
    assert shop.sandbox.parcel_attempts == []


def test_a_locked_order_is_refused_with_the_platforms_own_code(shop: Shop) -> None:
    order_id = shop.sandbox.place_order([("A-1", 2)], pay=True)
    shop.sandbox.change_order_fields(order_id, orderState="LOCKED")

    with pytest.raises(RejectedError) as caught:
        shop.connector.push_shipment(whole(shop, order_id))
    assert caught.value.code == "w06104"


def test_a_carrier_the_platform_cannot_be_told_is_refused_before_any_call(shop: Shop) -> None:
    order_id = shop.sandbox.place_order([("A-1", 2)], pay=True)
    unknown = Shipment(number="1", order_external_id=order_id, carrier="JT", tracking="JT1", lines=())

    with pytest.raises(ConnectorError):
        shop.connector.push_shipment(unknown)
    assert sum(shop.sandbox.counts.values()) == 0


def test_an_id_that_the_operator_set_goes_before_the_table() -> None:
    shop = Shop(carrier_ids={"SF": "463"})
    shop.item("A-1")
    order_id = shop.sandbox.place_order([("A-1", 2)], pay=True)
    shop.connector.push_shipment(whole(shop, order_id))

    assert [p.carrier_id for p in shop.sandbox.shipments()] == ["463"]


def test_every_carrier_in_the_table_is_one_of_ours() -> None:
    assert set(CARRIERS) <= set(OUR_CARRIERS)
