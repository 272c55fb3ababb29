"""Shipping: the rules by which the platform takes or refuses a parcel.

Source: protocol note jd.md section 4; refusals use the older codes, the present ones are uncertain.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from connectors.jd.mapping.carriers import CARRIERS
from connectors.jd.sandbox.buyers import SHIPPED, WAITING
from connectors.jd.sandbox.errors import invalid
from connectors.jd.sandbox.lists import Lists
from erpsync.sdk.sandbox.shop import Record

Params = Mapping[str, Any]
NO_NUMBER_NEEDED = "1274"
NO_SUCH_ORDER, NOT_WAITING, SHIPPED_BEFORE, BAD_PARCEL = "w06102", "w06104", "w06105", "w06199"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """What the platform was told: units by skuId."""

    order_id: str
    carrier_id: str
    number: str
    units: Mapping[str, int]
    at: str


class Refused(Exception):
    """A business refusal: its code, its text."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


class Logistics(Lists):
    """The shop's parcels. `parcels` holds the accepted ones, `parcel_attempts` the numbers of all calls."""

    parcels: list[Parcel]
    parcel_attempts: list[str]

    def shipments(self) -> list[Parcel]:
        """Return the parcels the platform has accepted, oldest first."""
        with self.lock:
            return list(self.parcels)

    def ship_by_hand(self, order_id: str, carrier_id: str, number: str) -> None:
        """Let the seller's staff ship the whole order in the platform's own back office."""
        with self.lock:
            order = self.orders.records[order_id]
            self._ship(order, _left(order), carrier_id, number, part=False)

    # ---- calls -----------------------------------------------------------------------------------------------------

    def ship_order(self, params: Params) -> dict[str, Any]:
        """Answer jingdong.pop.order.shipment."""
        order_id, carrier = str(params.get("orderId") or ""), str(params.get("logiCoprId") or "")
        number = str(params.get("logiNo") or "")
        self.parcel_attempts.append(number)
        if not order_id or not carrier:
            raise invalid("orderId")
        try:
            order = self._sendable(order_id, carrier, number)
            self._ship(order, _left(order), carrier, number, part=False)
        except Refused as refusal:
            failed = {"success": False, "errorCode": refusal.code, "chineseErrCode": refusal.text, "englishErrCode": ""}
            return {"sopjosshipment_result": failed}
        done = {"success": "true", "errorCode": "", "chineseErrCode": "", "englishErrCode": ""}
        return {"sopjosshipment_result": done}

    def ship_part(self, params: Params) -> dict[str, Any]:
        """Answer jingdong.pop.order.partial.outship."""
        request = params.get("request")
        if not isinstance(request, dict) or not isinstance(request.get("data"), list):
            raise invalid("request")
        taken: list[str] = []
        failed: list[dict[str, Any]] = []
        for data in request["data"]:
            for order_id in (str(item) for item in data["orderIds"]):
                try:
                    self._ship_packages(order_id, data["deliveryNumberDtoList"])
                    taken.append(order_id)
                except Refused as refusal:
                    failed.append({"orderId": order_id, "code": refusal.code, "failReason": refusal.text})
        return {"response": {"code": 0, "msg": "", "data": {"successList": taken, "failList": failed}}}

    def _ship_packages(self, order_id: str, packages: list[dict[str, Any]]) -> None:
        for package in packages:
            number, carrier = ",".join(package["deliveryNums"]), str(package["deliveryId"])
            self.parcel_attempts.append(number)
            order = self._sendable(order_id, carrier, number)
            units: dict[str, int] = {}
            for good in package["partialShipmentGoodsList"]:
                units[str(good["skuId"])] = units.get(str(good["skuId"]), 0) + int(good["num"])
            left = _left(order)
            if any(not 1 <= qty <= left.get(sku, 0) for sku, qty in units.items()):
                raise Refused(BAD_PARCEL, "超过可出库数量")
            self._ship(order, units, carrier, number, part=True)

    def _sendable(self, order_id: str, carrier: str, number: str) -> Record:
        """Return the order, if it can be shipped at all."""
        order = self.orders.records.get(order_id)
        if order is None:
            raise Refused(NO_SUCH_ORDER, "订单不存在")
        if order["orderState"] in SHIPPED:
            raise Refused(SHIPPED_BEFORE, "订单已出库")
        if order["orderState"] != WAITING or order["storeOrder"]:
            raise Refused(NOT_WAITING, "订单不是等待出库状态")
        if carrier not in CARRIERS.values() or not (number or carrier == NO_NUMBER_NEEDED):
            raise Refused(BAD_PARCEL, "物流公司或运单号错误")
        return order

    def _ship(self, order: Record, units: Mapping[str, int], carrier: str, number: str, *, part: bool) -> None:
        """Write a parcel into the order."""
        now = self.now_text()
        parts = [*order.get("partialLogisticsInfoModel", ())]
        skus = [{"skuId": sku, "num": str(qty), "skuUuid": ""} for sku, qty in units.items()]
        if part:
            parts.append({"shipmentId": str(len(parts) + 1), "logicId": carrier, "waybillId": number, "skus": skus})
        whole = all(qty == units.get(sku, 0) for sku, qty in _left(order).items())
        changes: dict[str, Any] = {"partialLogisticsInfoModel": parts} if parts else {}
        if whole:
            changes |= {"orderState": "WAIT_GOODS_RECEIVE_CONFIRM", "waybill": number, "logisticsId": carrier}
        self.change_order(order, **changes)
        parcel = Parcel(order_id=str(order["orderId"]), carrier_id=carrier, number=number, units=dict(units), at=now)
        self.parcels.append(parcel)


def _left(order: Record) -> dict[str, int]:
    """Return the units that have not left, by skuId."""
    left: dict[str, int] = {}
    for row in order["itemInfoList"]:
        left[row["skuId"]] = left.get(row["skuId"], 0) + int(row["itemTotal"])
    for parcel in order.get("partialLogisticsInfoModel", ()):
        for sku in parcel["skus"]:
            left[sku["skuId"]] -= int(sku["num"])
    return {sku: qty for sku, qty in left.items() if qty}
