"""The gateway and its services: digest, envelope, bookings, routes, labels, and the platform's own faults.

Why the digest is checked before anything is read: that is the order of the real gateway, and a wrong check word must
not look like an unknown customer.
"""

import hmac
import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from connectors.sf.client.signing import digest
from connectors.sf.mapping.tracks import BEIJING
from connectors.sf.sandbox.errors import GATEWAY_TEXTS, GatewayRefusal, ServiceRefusal
from connectors.sf.sandbox.orders import FIRST_NUMBER, SfOrder, demand_order, goes_to, route
from erpsync.sdk.sandbox import Fault, FaultPlan, Sandbox, SandboxRequest, SandboxResponse

ASKED_AT_ONCE = 10
LABELS = "/label/"
PDF = b"%%PDF-1.4\n1 0 obj\n<</Type/Catalog/Numbers(%s)>>\nendobj\ntrailer\n<</Root 1 0 R>>\n%%%%EOF\n"
NO_LABELS = (b"", b"<html><body>System busy</body></html>")
PUSHED = ("id", "mailno", "orderid", "acceptTime", "acceptAddress", "remark", "opCode", "reasonCode", "reasonName")


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    """A label that was made; `token` opens it."""

    token: str
    body: bytes


class SfSandbox(Sandbox):
    """SF's open platform with one account.

    Args:
        partner_id, checkword, monthly_card: what calls must carry.
        method: how they are signed.
        faults: what goes wrong. Besides the wire's faults it plays errors of the gateway before and after the effect,
            refused digests, bookings without a number, late and broken labels, and rows listed twice.

    `attempts` are the keys of all that was asked to be booked.
    """

    addresses: ClassVar[Mapping[str, str]] = {"gateway": "/std/service"}
    """Settings that hold an address of this sandbox, with its path."""

    def __init__(
        self,
        *,
        partner_id: str = "SANDBOX",
        checkword: str = "sandbox-checkword",
        monthly_card: str = "7551234567",
        method: str = "md5",
        faults: FaultPlan | None = None,
    ) -> None:
        super().__init__(faults=faults)
        self.partner_id, self.checkword, self.monthly_card = partner_id, checkword, monthly_card
        self.method = method
        self.orders: dict[str, SfOrder] = {}
        self.attempts: list[str] = []
        self._known: set[str] = set()
        self._files: dict[str, _File] = {}
        self._given = 0
        self._lock = threading.RLock()
        self._services: Mapping[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
            "EXP_RECE_CREATE_ORDER": self._create,
            "EXP_RECE_SEARCH_ORDER_RESP": self._search,
            "EXP_RECE_UPDATE_ORDER": self._update,
            "EXP_RECE_SEARCH_ROUTES": self._routes,
            "COM_RECE_CLOUD_PRINT_WAYBILLS": self._print,
        }

    # ---- what couriers do

    def pick_up(self, key: str) -> None:
        """Fetch a parcel: the booking is confirmed by that."""
        with self._lock:
            self.orders[key].state = "confirmed"

    def give_numbers(self) -> None:
        """Give numbers to what was taken without one."""
        with self._lock:
            for order in self.orders.values():
                if order.served and not order.numbers:
                    order.numbers = self._numbers(order.parcels)

    def scan(self, number: str, at: datetime, code: str, *, first_status: str = "", text: str = "快件") -> None:
        """Let something happen to a parcel."""
        with self._lock:
            self._by_number(number).routes.append(route(at.astimezone(BEIJING), code, first_status, text))

    def push_of(self, number: str) -> bytes:
        """Return the push about what happened to a parcel last."""
        with self._lock:
            order = self._by_number(number)
            last = order.routes[-1]
            row = {"id": f"{number}{len(order.routes):04}", "mailno": number, "orderid": order.key}
            row |= {"reasonCode": "", "reasonName": ""} | {name: last[name] for name in last if name in PUSHED}
            return json.dumps({"Body": {"WaybillRoute": [row]}}, ensure_ascii=False).encode()

    # ---- the gateway

    def throttled(self, request: SandboxRequest) -> SandboxResponse:
        """Return SF's words for too many calls."""
        del request
        return _refused("A1005")

    def answer(self, request: SandboxRequest) -> SandboxResponse:
        """Return what the gateway says; always status 200, or a label."""
        with self._lock:
            if request.path.startswith(LABELS):
                return self._file(request)
            try:
                result = self._call(request.form())
            except GatewayRefusal as refusal:
                return _refused(refusal.code)
            except ServiceRefusal as refusal:
                result = {"success": False, "errorCode": refusal.code, "errorMsg": refusal.text, "msgData": None}
        return _envelope("A1000", json.dumps(result, ensure_ascii=False))

    def _call(self, form: Mapping[str, str]) -> dict[str, Any]:
        self._admit(form)
        service = self._services.get(form["serviceCode"])
        if service is None:
            raise GatewayRefusal("A1004")
        fails = self.faults.strikes(Fault.PLATFORM_ERROR)
        if fails and self.faults.choose((0, 1)):
            raise GatewayRefusal("A1099")
        result = service(json.loads(form["msgData"]))
        if fails:
            raise GatewayRefusal("A1099")
        return result

    def _admit(self, form: Mapping[str, str]) -> None:
        names = ("partnerID", "requestID", "serviceCode", "timestamp", "msgDigest", "msgData")
        if not all(form.get(name) for name in names):
            raise GatewayRefusal("A1001")
        wanted = digest(form["msgData"], form["timestamp"], self.checkword, self.method)
        right = hmac.compare_digest(wanted.encode(), form["msgDigest"].encode())
        if not right or self.faults.strikes(Fault.EXPIRED_TOKEN):
            raise GatewayRefusal("A1006")
        if form["partnerID"] != self.partner_id:
            raise GatewayRefusal("A1004")
        if form["requestID"] in self._known:
            raise GatewayRefusal("A1007")
        self._known.add(form["requestID"])

    # ---- services

    def _create(self, data: Mapping[str, Any]) -> dict[str, Any]:
        key = data["orderId"]
        self.attempts.append(key)
        if key in self.orders:
            raise ServiceRefusal("8016", "重复下单")
        demand_order(data, self.monthly_card)
        order = SfOrder(key=key, parcels=int(data.get("parcelQty", 1)), served=goes_to(data))
        if order.served and not self.faults.strikes(Fault.NO_NUMBER):
            order.numbers = self._numbers(order.parcels)
        self.orders[key] = order
        return _done(order.answer())

    def _search(self, data: Mapping[str, Any]) -> dict[str, Any]:
        order = self._order(data)
        if order.state == "cancelled":
            raise ServiceRefusal("8037", "已消单")
        return _done(order.answer())

    def _update(self, data: Mapping[str, Any]) -> dict[str, Any]:
        order = self._order(data)
        named = {row["waybillNo"] for row in data.get("waybillNoInfoList") or []}
        if named - set(order.numbers):
            return _done({"orderId": order.key, "resStatus": 1})
        if order.state == "cancelled":
            raise ServiceRefusal("8037", "已消单")
        if order.state == "confirmed":
            raise ServiceRefusal("8252", "订单已确认")
        order.state = "cancelled"
        return _done({"orderId": order.key, "waybillNoInfoList": [], "resStatus": 2})

    def _routes(self, data: Mapping[str, Any]) -> dict[str, Any]:
        numbers = data["trackingNumber"]
        if len(numbers) > ASKED_AT_ONCE:
            raise ServiceRefusal("8003", "查询单号不能大于10")
        known = {number: order for order in self.orders.values() for number in order.numbers}
        rows = [{"mailNo": n, "routes": list(known[n].routes) if n in known else []} for n in numbers]
        if self.faults.strikes(Fault.DUPLICATE):
            rows = [{**row, "routes": [*row["routes"], *row["routes"]]} for row in rows]
        return _done({"routeResps": rows})

    def _print(self, data: Mapping[str, Any]) -> dict[str, Any]:
        numbers = [row.get("branchWaybillNo") or row["masterWaybillNo"] for row in data["documents"]]
        known = {number for order in self.orders.values() for number in order.numbers}
        if set(numbers) - known:
            raise ServiceRefusal("8247", "运单号有误")
        if self.faults.strikes(Fault.LATE_LABEL):
            return {"success": True, "obj": {"templateCode": data["templateCode"], "files": []}}
        name = f"{len(self._files) + 1}.pdf"
        body = PDF % " ".join(numbers).encode()
        if self.faults.strikes(Fault.BAD_LABEL):
            body = NO_LABELS[len(self._files) % len(NO_LABELS)]
        self._files[name] = _File(token=f"token-{name}", body=body)
        file = {"url": f"..{LABELS}{name}", "token": f"token-{name}", "waybillNo": numbers[0], "pageNo": 1}
        return {"success": True, "obj": {"templateCode": data["templateCode"], "files": [file]}}

    def _file(self, request: SandboxRequest) -> SandboxResponse:
        file = self._files.get(request.path.removeprefix(LABELS))
        if file is None or request.headers.get("x-auth-token") != file.token:
            return SandboxResponse(status=403, body=b"no such file for you")
        return SandboxResponse(headers={"content-type": "application/pdf"}, body=file.body)

    # ---- what they share

    def _order(self, data: Mapping[str, Any]) -> SfOrder:
        order = self.orders.get(data.get("orderId", ""))
        if order is None:
            raise ServiceRefusal("8018", "未获取到订单信息")
        return order

    def _by_number(self, number: str) -> SfOrder:
        return next(order for order in self.orders.values() if number in order.numbers)

    def _numbers(self, count: int) -> list[str]:
        self._given += count
        return [f"SF{FIRST_NUMBER + self._given - count + place}" for place in range(count)]


def _done(data: Mapping[str, Any]) -> dict[str, Any]:
    return {"success": True, "errorCode": "S0000", "errorMsg": None, "msgData": data}


def _refused(code: str) -> SandboxResponse:
    return _envelope(code, "")


def _envelope(code: str, result: str) -> SandboxResponse:
    return SandboxResponse.of_json(
        {
            "apiErrorMsg": GATEWAY_TEXTS.get(code, ""),
            "apiResponseID": "0001",
            "apiResultCode": code,
            "apiResultData": result,
        }
    )
