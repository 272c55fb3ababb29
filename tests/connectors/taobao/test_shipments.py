"""Parcels over the sandbox: split or whole, told once."""

import pytest

from connectors.taobao.mapping import CARRIERS
from connectors.taobao.sandbox.logistics import COMPANIES
from erpsync.sdk.carriers import CARRIERS as OUR_CARRIERS
from erpsync.sdk.errors import ConnectorError, OutcomeUnknownError, RejectedError
from erpsync.sdk.sandbox import Fault
from erpsync.sdk.types import OrderState, Repeat, Shipment, ShipmentLine
from tests.connectors.taobao.shop import Shop

READ = 1  # requests that precede the one that ships


@pytest.fixture
def shop() -> Shop:
    shop = Shop()
    shop.item(code="A-1")
    shop.item(code="B-1")
    shop.item(code="C-1")
    return shop


def line(tid: str, number: int, qty: int = 2, *, ordered: int = 2, earlier: int = 0) -> ShipmentLine:
    return ShipmentLine(external_id=str(int(tid) + number), qty=qty, ordered_qty=ordered, earlier_qty=earlier)


def parcel(tid: str, *lines: ShipmentLine, tracking: str = "SF1234567890123", whole: bool = False) -> Shipment:
    return Shipment(number=tracking, order_external_id=tid, carrier="SF", tracking=tracking, lines=lines, whole=whole)


def whole(tid: str, tracking: str = "SF1234567890123") -> Shipment:
    return parcel(tid, line(tid, 0), tracking=tracking, whole=True)


def test_a_whole_order_is_shipped_by_one_plain_call(shop: Shop) -> None:
    tid = shop.sandbox.place_order([("A-1", 2)], pay=True)
    shop.connector.push_shipment(whole(tid))

    assert [(p.company_code, p.out_sid, p.units) for p in shop.sandbox.shipments()] == [
        ("SF", "SF1234567890123", {tid: 2})
    ]
    assert shop.order(tid).state is OrderState.SHIPPED


def test_a_split_order_names_its_lines_in_every_parcel(shop: Shop) -> None:
    tid = shop.sandbox.place_order([("A-1", 2), ("B-1", 2), ("C-1", 2)], pay=True)
    shop.connector.push_shipment(parcel(tid, line(tid, 1), line(tid, 2), tracking="SF001"))
    partly = shop.order(tid)
    shop.connector.push_shipment(parcel(tid, line(tid, 3), tracking="SF002"))

    assert [list(p.units) for p in shop.sandbox.shipments()] == [
        [str(int(tid) + 1), str(int(tid) + 2)],
        [str(int(tid) + 3)],
    ]
    assert (partly.state, [row.shipped_qty for row in partly.lines]) == (OrderState.PAID, [2, 2, 0])
    assert shop.order(tid).state is OrderState.SHIPPED


def test_what_is_left_of_an_order_that_staff_split_by_hand_is_sent_as_a_split(shop: Shop) -> None:
    tid = shop.sandbox.place_order([("A-1", 2), ("B-1", 2)], pay=True)
    shop.sandbox.ship_by_hand(tid, "YTO", "YT001", [str(int(tid) + 1)])
    shop.connector.push_shipment(parcel(tid, line(tid, 2), tracking="SF002", whole=True))

    assert shop.order(tid).state is OrderState.SHIPPED


def test_a_part_whose_rest_was_refunded_meanwhile_goes_as_a_whole(shop: Shop) -> None:
    """It waited while the buyer asked for money for the other line; a first split that leaves nothing is refused."""
    tid = shop.sandbox.place_order([("A-1", 2), ("B-1", 2)], pay=True)
    shop.sandbox.grant_refund(shop.sandbox.request_refund(tid))
    shop.connector.push_shipment(parcel(tid, line(tid, 2), tracking="SF002"))

    assert [dict(p.units) for p in shop.sandbox.shipments()] == [{str(int(tid) + 2): 2}]


def test_half_a_line_is_sent_with_the_method_that_can_say_so(shop: Shop) -> None:
    tid = shop.sandbox.place_order([("A-1", 2), ("B-1", 2)], pay=True)
    shop.connector.push_shipment(parcel(tid, line(tid, 1, 1), line(tid, 2), tracking="SF001"))
    partly = shop.order(tid)
    shop.connector.push_shipment(parcel(tid, line(tid, 1, 1, earlier=1), tracking="SF002"))

    assert [dict(p.units) for p in shop.sandbox.shipments()] == [
        {str(int(tid) + 1): 1, str(int(tid) + 2): 2},
        {str(int(tid) + 1): 1},
    ]
    assert partly.state is OrderState.PAID
    assert shop.order(tid).state is OrderState.SHIPPED


def test_cash_on_delivery_goes_by_the_online_method(shop: Shop) -> None:
    tid = shop.sandbox.place_order([("A-1", 2)], type="cod")
    shop.connector.push_shipment(whole(tid))

    assert shop.sandbox.counts["taobao.logistics.online.send"] == 1
    assert shop.order(tid).state is OrderState.SHIPPED


def test_a_parcel_that_is_there_already_is_not_sent_again(shop: Shop) -> None:
    tid = shop.sandbox.place_order([("A-1", 2)], pay=True)
    shop.sandbox.ship_by_hand(tid, "SF", "sf1234567890123")
    shop.connector.push_shipment(whole(tid))

    assert shop.sandbox.parcel_attempts == []


def test_already_shipped_is_a_success_when_the_number_is_ours(shop: Shop) -> None:
    tid = shop.sandbox.place_order([("A-1", 2)], pay=True)

    def someone_ships(method: str) -> None:
        if method == "taobao.logistics.offline.send":
            shop.sandbox.on_call = None
            shop.sandbox.ship_by_hand(tid, "SF", "SF1234567890123")

    shop.sandbox.on_call = someone_ships
    shop.connector.push_shipment(whole(tid))

    assert shop.sandbox.calls[-2].refused.endswith(":B04")
    assert len(shop.sandbox.shipments()) == 1


def test_already_shipped_with_another_number_needs_a_person(shop: Shop) -> None:
    tid = shop.sandbox.place_order([("A-1", 2)], pay=True)
    shop.sandbox.ship_by_hand(tid, "YTO", "YT9999999999999")

    with pytest.raises(RejectedError, match="B04"):
        shop.connector.push_shipment(whole(tid))


@pytest.mark.parametrize("fault", [Fault.TIMEOUT_AFTER, Fault.ERROR_5XX_AFTER, Fault.CUT_BODY, Fault.HTML_200])
def test_a_lost_answer_is_an_unknown_outcome_and_the_parcel_is_found(shop: Shop, fault: Fault) -> None:
    tid = shop.sandbox.place_order([("A-1", 2)], pay=True)
    shop.sandbox.faults.force(fault, after=READ)

    with pytest.raises(OutcomeUnknownError):
        shop.connector.push_shipment(whole(tid))

    assert shop.connector.repeat is Repeat.LOOK_FIRST
    assert shop.connector.find_shipment(whole(tid))
    assert shop.sandbox.parcel_attempts == ["SF1234567890123"]


def test_a_request_that_never_arrived_leaves_nothing_to_find(shop: Shop) -> None:
    tid = shop.sandbox.place_order([("A-1", 2)], pay=True)
    shop.sandbox.faults.force(Fault.TIMEOUT_BEFORE, after=READ)

    with pytest.raises(OutcomeUnknownError):
        shop.connector.push_shipment(whole(tid))

    assert not shop.connector.find_shipment(whole(tid))


def test_an_order_on_hold_is_refused_with_the_platforms_own_code(shop: Shop) -> None:
    tid = shop.sandbox.place_order([("A-1", 2)], pay=True)
    shop.sandbox.change_trade_fields(tid, top_hold=1)

    with pytest.raises(RejectedError) as caught:
        shop.connector.push_shipment(whole(tid))

    assert caught.value.code == "isv.logistics-offline-service-error:B02"
    assert shop.order(tid).do_not_ship == "the platform forbids shipping: top_hold"


def test_a_carrier_the_platform_cannot_be_told_is_refused_before_any_call(shop: Shop) -> None:
    tid = shop.sandbox.place_order([("A-1", 2)], pay=True)
    unknown = Shipment(number="1", order_external_id=tid, carrier="NOPE", tracking="X1234", lines=(line(tid, 0),))

    with pytest.raises(ConnectorError):
        shop.connector.push_shipment(unknown)

    assert sum(shop.sandbox.counts.values()) == 0


def test_a_code_that_the_operator_set_goes_before_the_table() -> None:
    shop = Shop(company_codes={"SF": "ZJS"})
    shop.item(code="A-1")
    tid = shop.sandbox.place_order([("A-1", 2)], pay=True)
    shop.connector.push_shipment(whole(tid))

    assert [parcel.company_code for parcel in shop.sandbox.shipments()] == ["ZJS"]


def test_every_carrier_of_ours_that_taobao_knows_has_a_code_there() -> None:
    assert set(CARRIERS) <= set(OUR_CARRIERS)
    assert set(CARRIERS.values()) <= set(COMPANIES)


def test_a_wrong_number_is_corrected_and_once_is_enough(shop: Shop) -> None:
    tid = shop.sandbox.place_order([("A-1", 2)], pay=True)
    shop.connector.push_shipment(whole(tid, "SF0000001"))
    right = whole(tid, "SF0000002")

    shop.connector.correct_shipment(right)
    shop.connector.correct_shipment(right)

    assert [p.out_sid for p in shop.sandbox.shipments()] == ["SF0000002"]
    assert (shop.sandbox.corrections, shop.connector.find_shipment(right)) == ([(tid, "SF0000002")], True)


def test_of_a_split_order_only_the_parcel_that_is_meant_gets_another_number(shop: Shop) -> None:
    tid = shop.sandbox.place_order([("A-1", 2), ("B-1", 2)], pay=True)
    shop.connector.push_shipment(parcel(tid, line(tid, 1), tracking="SF001"))
    shop.connector.push_shipment(parcel(tid, line(tid, 2), tracking="SF002"))

    shop.connector.correct_shipment(parcel(tid, line(tid, 2), tracking="SF003"))

    assert [p.out_sid for p in shop.sandbox.shipments()] == ["SF001", "SF003"]


def test_what_was_not_shipped_yet_cannot_be_corrected(shop: Shop) -> None:
    tid = shop.sandbox.place_order([("A-1", 2)], pay=True)

    with pytest.raises(RejectedError, match="not shipped yet"):
        shop.connector.correct_shipment(whole(tid))
