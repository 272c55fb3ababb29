"""The gateway: parameters, signature, token, dispatch, envelope and the platform's own faults.

Why the token is checked after the signature: that is the order of the real gateway, and a wrong secret must not look
like an expired token.
"""

import hmac
import json
import re
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import partial
from typing import Any

from pydantic import SecretStr

from connectors.jd.client.answers import ENDINGS
from connectors.jd.client.signing import SIGN_METHODS, sign
from connectors.jd.client.transport import BUSINESS
from connectors.jd.mapping.values import parse_time
from connectors.jd.sandbox.errors import JdError, invalid
from connectors.jd.sandbox.logistics import Logistics
from erpsync.sdk.clock import Clock, SystemClock
from erpsync.sdk.errors import PayloadError
from erpsync.sdk.sandbox import Fault, FaultPlan, SandboxRequest, SandboxResponse

Params = Mapping[str, Any]
TIME_TOLERANCE = timedelta(minutes=6)
TOKEN_LIFE = timedelta(days=30)
LAST_HOURS = timedelta(hours=24)
KEPT_CALLS = 10_000
STAMP_TAIL = re.compile(r"\.[0-9]{3}\+0800$")
"""A stamp may carry milliseconds and the zone. Source: protocol note jd.md section 1."""
SOLD = ("SOLD-1", "SOLD-2", "SOLD-3")
SOLD_QTY = 100_000
"""What is on sale where nobody has put anything on sale."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call that reached the platform's logic, with its business parameters."""

    method: str
    params: Params


class JdSandbox(Logistics):
    """A shop on the JD Open Platform, kept in memory.

    Args:
        clock: the platform's clock; `ahead` shifts it.
        app_key, app_secret, access_token, refresh_token: what calls must carry.
        faults: what goes wrong. Besides the wire's faults it plays late lists, doubled rows, expired tokens and
            back-end errors before and after the effect.
        ending: of the root key of answers, see protocol note jd.md section 3.1.

    `calls` are the last calls, `counts` how many there were by method. `on_call` is given the method's name before each
    call, for tests that let things happen between two pages. `canned` holds answers by method that are given instead of
    doing the call. `expires_at` is the end of the access token.
    """

    def __init__(
        self,
        *,
        clock: Clock | None = None,
        app_key: str = "0A1B2C3D4E5F6071",
        app_secret: str = "sandbox-secret",  # noqa: S107 - the sandbox's own
        access_token: str = "sandbox-access-token",  # noqa: S107
        refresh_token: str = "sandbox-refresh-token",  # noqa: S107
        faults: FaultPlan | None = None,
        ending: str = ENDINGS[0],
    ) -> None:
        super().__init__(clock=clock or SystemClock(), faults=faults)
        self.app_key = app_key
        self.app_secret = SecretStr(app_secret)
        self.access_token = access_token
        self.refresh_token = refresh_token
        self.ending = ending
        self.right_end_inside = True
        self.cloud = False
        self.expires_at: datetime = self.now() + TOKEN_LIFE
        self.refused_listings = set()
        self.parcels = []
        self.parcel_attempts = []
        self.calls: deque[Call] = deque(maxlen=KEPT_CALLS)
        self.counts: Counter[str] = Counter()
        self.on_call: Callable[[str], None] | None = None
        self.canned: dict[str, dict[str, Any]] = {}
        self._requests = 0
        self._methods = self._table()

    def answer(self, request: SandboxRequest) -> SandboxResponse:
        """Return what the gateway says; always status 200, errors are in the body."""
        params = {**request.query, **request.form()}
        if request.path.endswith("/refresh_token"):
            with self.lock:
                return self._dated(self._refresh(params))
        if self.on_call is not None:
            self.on_call(params.get("method", ""))
        with self.lock:
            self._requests += 1
            request_id = f"sandbox{self._requests}"
            now = self.now_text()
            self.orders.settle(now)
            self.refunds.settle(now)
            try:
                key = params.get("method", "").replace(".", "_") + self.ending
                document = {key: {"code": "0", "request_id": request_id, **self._call(params)}}
            except JdError as error:
                document = error.document(request_id)
            return self._dated(document)

    def sell(self) -> str | None:
        """Let a buyer pay for one of the things on sale, each in its turn; return the order's id, None if sold out."""
        if not self.stock():
            for code in SOLD:
                self.add_item(code=code, qty=SOLD_QTY)
        with self.lock:
            shown = [ref for ref, units in self.stock().items() if units > 0]
            if not shown:
                return None
            return self.place_order([(shown[len(self.orders.records) % len(shown)], 1)], pay=True)

    def throttled(self, request: SandboxRequest) -> SandboxResponse:
        """Say "too many calls" as the platform does: status 200, code 2."""
        del request
        return self._dated(JdError("2").document("sandbox-throttled"))

    def vender_info(self, params: Params) -> dict[str, Any]:
        """Answer jingdong.seller.vender.info.get."""
        del params
        return {"vender_info_result": {"vender_id": 10001, "shop_id": 20001, "shop_name": "示例旗舰店", "col_type": 0}}

    def _table(self) -> Mapping[str, Callable[[Params], dict[str, Any]]]:
        return {
            "jingdong.seller.vender.info.get": self.vender_info,
            "jingdong.pop.order.enSearch": partial(self.search_orders, encrypted=True),
            "jingdong.pop.order.search": partial(self.search_orders, encrypted=False),
            "jingdong.pop.order.enGet": partial(self.get_order, encrypted=True),
            "jingdong.pop.order.get": partial(self.get_order, encrypted=False),
            "jingdong.pop.afs.soa.refundapply.queryPageList": self.list_refunds,
            "jingdong.sku.read.searchSkuList": self.search_skus,
            "jingdong.stock.write.updateSkuStock": self.update_sku_stock,
            "jingdong.ware.stock.sku.set": self.set_ware_stock,
            "jingdong.pop.order.shipment": self.ship_order,
            "jingdong.pop.order.partial.outship": self.ship_part,
        }

    def _dated(self, document: Mapping[str, Any]) -> SandboxResponse:
        text = json.dumps(document, ensure_ascii=False).encode("utf-8")
        date = format_datetime(self.now().astimezone(UTC), usegmt=True)
        return SandboxResponse(headers={"content-type": "application/json;charset=UTF-8", "date": date}, body=text)

    def _call(self, params: Mapping[str, str]) -> dict[str, Any]:
        self._check(params)
        try:
            business = json.loads(params.get(BUSINESS) or "{}")
        except ValueError:
            raise invalid(BUSINESS) from None
        method = params["method"]
        self.counts[method] += 1
        self.calls.append(Call(method=method, params=business))
        if method in self.canned:
            return self.canned[method]
        strikes = self.faults.strikes(Fault.PLATFORM_ERROR)
        if strikes and self.faults.choose((0, 1)):
            raise JdError("65")
        body = self._methods[method](business)
        if strikes:
            raise JdError("67")
        return body

    def _check(self, params: Mapping[str, str]) -> None:
        """Check public parameters, signature, time, token. Source: protocol note jd.md sections 1 and 8."""
        for name, code in (("method", "14"), ("app_key", "20"), ("timestamp", "7"), ("sign", "11")):
            if not params.get(name):
                raise JdError(code)
        if params["method"] not in self._methods:
            raise JdError("15")
        if params["app_key"] != self.app_key:
            raise JdError("21")
        method = params.get("sign_method", "md5")
        expected = sign(params, self.app_secret, method) if method in SIGN_METHODS else ""
        if not hmac.compare_digest(expected, params["sign"].encode("ascii", "replace").decode("ascii")):
            raise JdError("12")
        try:
            at = parse_time(STAMP_TAIL.sub("", params["timestamp"]), path="timestamp")
        except PayloadError:
            raise JdError("8") from None
        if abs(at - self.now()) > TIME_TOLERANCE:
            raise JdError("8")
        self._check_token(params)

    def _check_token(self, params: Mapping[str, str]) -> None:
        if not params.get("access_token"):
            raise JdError("18")
        expired = self.faults.strikes(Fault.EXPIRED_TOKEN) or self.now() >= self.expires_at
        if expired or params["access_token"] != self.access_token:
            raise JdError("19")

    def _refresh(self, params: Mapping[str, str]) -> dict[str, Any]:
        """Answer a token refresh: only in the last 24 hours, and both tokens change. Source: section 2."""
        if params.get("app_key") != self.app_key or params.get("app_secret") != self.app_secret.get_secret_value():
            return {"code": 302, "msg": "app_key or app_secret is wrong", "requestId": "sandbox"}
        if params.get("refresh_token") != self.refresh_token:
            return {"code": 203, "msg": "refresh_token is wrong", "requestId": "sandbox"}
        if not self.expires_at - LAST_HOURS <= self.now() < self.expires_at:
            return {"code": 205, "msg": "not in the last 24 hours", "requestId": "sandbox"}
        number = self.next_number()
        self.access_token, self.refresh_token = f"sandbox-access-{number}", f"sandbox-refresh-{number}"
        self.expires_at = self.now() + TOKEN_LIFE
        life_s = int(TOKEN_LIFE.total_seconds())
        tokens = {"access_token": self.access_token, "refresh_token": self.refresh_token, "expires_in": life_s}
        return {**tokens, "scope": "snsapi_base", "open_id": "exampleOpenId", "xid": "exampleXid"}
