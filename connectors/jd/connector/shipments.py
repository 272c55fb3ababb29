"""Parcels: the platform is told once, and asked before it is told again.

Why the order is read before every send: a parcel that is there already must not be sent twice (a repeat fails, it is
not idempotent), an order of JD's own warehouse is not ours to ship, and part shipments name rows by ids that only the
order holds. Why a refusal is decided by reading back: the code for "already shipped" differs between the platform's
tables.

Source: protocol note jd.md section 4.
"""

import re
from collections.abc import Mapping
from typing import Any

from connectors.jd.client import SERVICES, Answer, error_of, first, result_of
from connectors.jd.client.answers import CODE_NAMES, TEXT_NAMES
from connectors.jd.connector.orders import JdOrders
from connectors.jd.mapping import Fields, carrier_id, carrier_name, do_not_ship, items_of
from erpsync.sdk.errors import OutcomeUnknownError, RejectedError
from erpsync.sdk.roles import ShipmentSink
from erpsync.sdk.types import Repeat, Shipment

WHOLE = "jingdong.pop.order.shipment"
PARTS = "jingdong.pop.order.partial.outship"
BELONG_TYPE = 200
DELIVERY_TYPE = 5
"""Values seen in a relay's example, their meaning is uncertain. Source: section 4 [JDSDK]."""


class JdShipments(JdOrders, ShipmentSink):
    """Tells the shop's buyers that their parcels left."""

    repeat = Repeat.LOOK_FIRST

    def push_shipment(self, shipment: Shipment) -> None:
        """Report one parcel; returns when the platform has accepted it or already has it."""
        carrier = carrier_id(shipment.carrier, self.settings.carrier_ids)
        order = self._order(shipment)
        if _has_parcel(order, shipment):
            return
        if order.raw("storeOrder") is not None and (reason := do_not_ship(order)):
            raise RejectedError(reason, code="storeOrder")
        try:
            if shipment.whole and not order.raw("partialLogisticsInfoModel"):
                self._send_whole(shipment, carrier)
            else:
                self._send_part(shipment, carrier, order)
        except RejectedError:
            if not self.find_shipment(shipment):
                raise

    def find_shipment(self, shipment: Shipment) -> bool:
        """Return whether the order already carries the parcel's tracking number."""
        return _has_parcel(self._order(shipment), shipment)

    def _order(self, shipment: Shipment) -> Fields:
        info, _ = self.order_info(shipment.order_external_id)
        return Fields(info, "$.orderInfo")

    def _send_whole(self, shipment: Shipment, carrier: str) -> None:
        params = {
            "orderId": int(shipment.order_external_id),
            "logiCoprId": carrier,
            "logiNo": shipment.tracking,
        }
        answer = self.client.call(WHOLE, params, repeatable=False)
        result_of(answer, "sopjosshipment_result", repeatable=False)

    def _send_part(self, shipment: Shipment, carrier: str, order: Fields) -> None:
        parcel = {
            "deliveryId": int(carrier) if carrier.isdigit() else carrier,
            "deliveryName": carrier_name(shipment.carrier),
            "deliveryNums": [shipment.tracking],
            "partialShipmentGoodsList": _goods(shipment, order),
        }
        data = {
            "orderIds": [int(shipment.order_external_id)],
            "deliveryType": DELIVERY_TYPE,
            "deliveryNumberDtoList": [parcel],
        }
        answer = self.client.call(PARTS, {"request": {"belongType": BELONG_TYPE, "data": [data]}}, repeatable=False)
        _demand_taken(answer, shipment.order_external_id)


def _goods(shipment: Shipment, order: Fields) -> list[dict[str, Any]]:
    """Return the parcel's rows as the platform names them. Raises `RejectedError` for a line that is not there."""
    rows = {item.line_id: item.fields for item in items_of(order)}
    goods: list[dict[str, Any]] = []
    for line in shipment.lines:
        if line.external_id not in rows:
            raise RejectedError(f"the order has no line {line.external_id}", code="line")
        row = rows[line.external_id]
        uuid = row.text_or_none("skuUuid")
        goods.append({"skuId": int(row.id("skuId")), "num": line.qty, **({"skuUuid": uuid} if uuid else {})})
    return goods


def _has_parcel(order: Fields, shipment: Shipment) -> bool:
    """Return whether the tracking number stands on the order or on one of its part shipments."""
    wanted = shipment.tracking.strip().upper()
    texts = [str(order.raw("waybill") or "")]
    texts += [str(part.raw("waybillId") or "") for part in order.parts("partialLogisticsInfoModel")]
    return wanted in {number.strip().upper() for text in texts for number in re.split(r"[,|]", text)}


def _demand_taken(answer: Answer, order_id: str) -> None:
    """Raise unless the answer's list of successes holds the order."""
    said = answer.body.get("response")
    data: Mapping[str, Any] = said.get("data") or {} if isinstance(said, dict) else {}
    taken = data.get("successList") if isinstance(data, dict) else None
    if isinstance(taken, list) and order_id in {str(item) for item in taken}:
        return
    failed = data.get("failList") if isinstance(data, dict) else None
    for row in failed if isinstance(failed, list) else ():
        if isinstance(row, dict) and str(row.get("orderId")) == order_id:
            raise error_of(first(row, CODE_NAMES), first(row, TEXT_NAMES), repeatable=False, table=SERVICES)
    raise OutcomeUnknownError("the answer to a part shipment does not speak of the order")
