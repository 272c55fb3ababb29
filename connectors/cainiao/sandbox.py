"""Cainiao's side, in memory, behind the gateway of the Taobao Open Platform.

Why it gives a new number each time: that one package gets one number is not certain, and a connector that relies on it
has to be found out here.
"""

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar

from pydantic import SecretStr

from erpsync.sdk.clock import Clock, SystemClock
from erpsync.sdk.sandbox import Fault, FaultPlan, Sandbox, SandboxRequest, SandboxResponse
from erpsync.sdk.sandbox.top import (
    TopError,
    check_app,
    check_session,
    invalid,
    missing,
    response_of,
    too_many,
    wrapped,
)
from erpsync.sdk.top import format_time

FIRST_NUMBER = 3_000_000_000_001
BARRED = "爆竹"
"""Something that no courier carries."""

NO_PRINT_DATA = ("<html>busy</html>", "[]")
TIME = "taobao.time.get"


@dataclass(slots=True, kw_only=True)
class CainiaoWaybill:
    """A number that was given, or is still owed (empty)."""

    key: str
    number: str
    trades: tuple[str, ...]
    state: str = "booked"

    def print_data(self) -> str:
        """Return what the print component prints, encrypted."""
        return json.dumps({"encryptedData": f"AES:{self.key}", "signature": "MD:sandbox", "ver": "waybill_print_v1"})


class CainiaoSandbox(Sandbox):
    """An account with one courier.

    Args:
        clock: the platform's clock; `ahead` shifts it.
        app_key, app_secret, session, cp_code: what calls must carry.
        faults: what goes wrong. Besides the wire's faults it plays expired sessions, `isp` errors before and after the
            effect, bookings without a number, late and broken print data.

    Attributes:
        names_requests: whether a question shows for which request a waybill was made, or repeats its own name.
        attempts: the keys of all that was asked to be booked.
        left: numbers that are left.
    """

    addresses: ClassVar[Mapping[str, str]] = {"gateway": "/router/rest"}
    """Settings that hold an address of this sandbox, with its path."""

    def __init__(
        self,
        *,
        clock: Clock | None = None,
        app_key: str = "12345678",
        app_secret: str = "sandbox-secret",  # noqa: S107 - the sandbox's own
        session: str = "6100000sandbox-session",
        cp_code: str = "STO",
        faults: FaultPlan | None = None,
    ) -> None:
        super().__init__(faults=faults)
        self.clock = clock or SystemClock()
        self.ahead = timedelta(0)
        self.app_key, self.app_secret, self.session = app_key, SecretStr(app_secret), session
        self.cp_code = cp_code
        self.names_requests = True
        self.waybills: list[CainiaoWaybill] = []
        self.attempts: list[str] = []
        self.left = 1000
        self._given = 0
        self._bad_labels = 0
        self._requests = 0
        self._lock = threading.RLock()
        self._methods: Mapping[str, Callable[[Mapping[str, str]], dict[str, Any]]] = {
            TIME: self._time,
            "cainiao.waybill.ii.get": self._get,
            "cainiao.waybill.ii.cancel": self._cancel,
            "cainiao.waybill.ii.search": self._search,
            "cainiao.waybill.ii.query.by.tradecode": self._by_trade,
            "cainiao.waybill.ii.query.by.waybillcode": self._by_number,
        }

    # ---- what couriers do

    def pick_up(self, key: str) -> None:
        """Fetch a parcel: its number cannot be voided any more."""
        with self._lock:
            next(each for each in self.waybills if each.key == key).state = "used"

    def give_numbers(self) -> None:
        """Give numbers to what was taken without one."""
        with self._lock:
            for waybill in self.waybills:
                waybill.number = waybill.number or self._number()

    # ---- the gateway

    def throttled(self, request: SandboxRequest) -> SandboxResponse:
        """Say "too many calls" as the platform does."""
        del request
        return too_many()

    def answer(self, request: SandboxRequest) -> SandboxResponse:
        """Return what the gateway says; always status 200, errors are in the body."""
        params = {**request.query, **request.form()}
        with self._lock:
            self._requests += 1
            request_id = f"16sandbox{self._requests}"
            try:
                return response_of(wrapped(params["method"], self._call(params), request_id))
            except TopError as error:
                return response_of(error.document(request_id))

    def _call(self, params: Mapping[str, str]) -> dict[str, Any]:
        now = self.clock.now() + self.ahead
        check_app(params, app_key=self.app_key, app_secret=self.app_secret, now=now, methods=self._methods)
        method = params["method"]
        if method != TIME:
            check_session(params, self.session, expired=self.faults.strikes(Fault.EXPIRED_TOKEN))
        fails = self.faults.strikes(Fault.PLATFORM_ERROR)
        if fails and self.faults.choose((0, 1)):
            raise TopError(15, "isp.top-remote-service-unavailable", "service unavailable")
        body = self._methods[method](params)
        if fails:
            raise TopError(15, "isp.remote-service-timeout", "remote service timeout")
        return body

    # ---- methods

    def _time(self, params: Mapping[str, str]) -> dict[str, Any]:
        del params
        return {"time": format_time(self.clock.now() + self.ahead)}

    def _get(self, params: Mapping[str, str]) -> dict[str, Any]:
        wish = self._read(params, "param_waybill_cloud_print_apply_new_request")
        if wish.get("cp_code") != self.cp_code:
            raise invalid("cp_code")
        made = [self._book(order) for order in wish["trade_order_info_dtos"]]
        return {"modules": {"waybill_cloud_print_response": [self._shown(each, each.key) for each in made]}}

    def _book(self, order: Mapping[str, Any]) -> CainiaoWaybill:
        key, person = order["object_id"], order["recipient"]
        self.attempts.append(key)
        phone = person.get("mobile") or person.get("phone") or ""
        if not person.get("oaid") and not (person.get("name") and phone and person["address"].get("detail")):
            raise TopError(15, "isv.waybill-recipient-error", "收件人信息不完整")
        if any(BARRED in item["name"] for item in order["package_info"]["items"]):
            raise TopError(15, "isv.waybill-apply-error", f"收件人{person.get('name')}{phone}: 物品禁寄")
        if not self.left:
            raise TopError(15, "isv.waybill-quantity-not-enough", "电子面单余额不足")
        self.left -= 1
        number = "" if self.faults.strikes(Fault.NO_NUMBER) else self._number()
        waybill = CainiaoWaybill(key=key, number=number, trades=tuple(order["order_info"]["trade_order_list"]))
        self.waybills.append(waybill)
        return waybill

    def _cancel(self, params: Mapping[str, str]) -> dict[str, Any]:
        number = params.get("waybill_code")
        waybill = next((each for each in self.waybills if number and each.number == number), None)
        if params.get("cp_code") != self.cp_code or waybill is None:
            raise TopError(15, "isv.waybill-not-exist", "面单号不存在")
        if waybill.state == "used":
            raise TopError(15, "isv.waybill-cancel-error", "面单已揽收，不能取消")
        waybill.state = "cancelled"
        return {"cancel_result": True}

    def _search(self, params: Mapping[str, str]) -> dict[str, Any]:
        if params.get("cp_code") not in ("", None, self.cp_code):
            return {"waybill_apply_subscription_cols": {}}
        address = {"province": "浙江省", "city": "杭州市", "district": "余杭区", "detail": "文一西路1号"}
        branch = {"branch_code": "571001", "quantity": self.left, "shipp_address_cols": {"address_dto": [address]}}
        row = {"cp_code": self.cp_code, "cp_type": 2, "branch_account_cols": {"waybill_branch_account": [branch]}}
        return {"waybill_apply_subscription_cols": {"waybill_apply_subscription_info": [row]}}

    def _by_trade(self, params: Mapping[str, str]) -> dict[str, Any]:
        return self._results(params, lambda waybill, ask: ask["biz_sub_code"] in waybill.trades)

    def _by_number(self, params: Mapping[str, str]) -> dict[str, Any]:
        return self._results(params, lambda waybill, ask: ask["waybill_code"] == waybill.number)

    def _results(
        self, params: Mapping[str, str], fits: Callable[[CainiaoWaybill, Mapping[str, str]], bool]
    ) -> dict[str, Any]:
        rows: list[dict[str, Any]] = []
        for ask in self._read(params, "param_list"):
            name = ask["object_id"]
            found = [each for each in self.waybills if each.state != "cancelled" and fits(each, ask)]
            rows += [
                {
                    "object_id": name,
                    "success": True,
                    "waybill_cloud_print_response": self._shown(each, each.key if self.names_requests else name),
                }
                for each in found
            ]
            if not found:
                rows.append({"object_id": name, "success": False, "error_code": "S03", "error_message": "无面单信息"})
        return {"modules": {"waybill_cloud_print_with_result_desc_response": rows}}

    # ---- what they share

    def _shown(self, waybill: CainiaoWaybill, object_id: str) -> dict[str, Any]:
        data = waybill.print_data()
        if self.faults.strikes(Fault.LATE_LABEL):
            data = ""
        if self.faults.strikes(Fault.BAD_LABEL):
            self._bad_labels += 1
            data = NO_PRINT_DATA[self._bad_labels % len(NO_PRINT_DATA)]
        return {"object_id": object_id, "waybill_code": waybill.number, "print_data": data}

    def _read(self, params: Mapping[str, str], name: str) -> Any:
        if not params.get(name):
            raise missing(name)
        try:
            return json.loads(params[name])
        except ValueError:
            raise invalid(name) from None

    def _number(self) -> str:
        self._given += 1
        return f"77{FIRST_NUMBER + self._given - 1}"
