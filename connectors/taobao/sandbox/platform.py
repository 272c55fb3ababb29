"""The gateway: parameters, signature, session, dispatch, envelope and the platform's own faults.

Why the session is checked after the signature: that is the order of the real gateway, and a wrong secret must not look
like an expired session.
"""

import hmac
import json
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from email.utils import format_datetime
from typing import Any

from pydantic import SecretStr

from connectors.taobao.client.answers import root_key
from connectors.taobao.client.signing import SIGN_METHODS, sign
from connectors.taobao.mapping.values import parse_time
from connectors.taobao.sandbox.errors import TopError
from connectors.taobao.sandbox.queue import Queue
from connectors.taobao.sandbox.resends import Resends
from erpsync.sdk.clock import Clock, SystemClock
from erpsync.sdk.errors import PayloadError
from erpsync.sdk.sandbox import Fault, FaultPlan, SandboxRequest, SandboxResponse

TIME_TOLERANCE = timedelta(minutes=10)
KEPT_CALLS = 10_000
BAN_S = 1
SOLD = ("SOLD-1", "SOLD-2", "SOLD-3")
SOLD_QTY = 100_000
"""What is on sale where nobody has put anything on sale."""
PUBLIC = frozenset({"method", "app_key", "session", "timestamp", "v", "sign_method", "sign", "format", "simplify"})

WITHOUT_SESSION: Mapping[str, str] = {
    "taobao.time.get": "time_get",
    "taobao.logistics.companies.get": "logistics_companies_get",
    "taobao.tmc.messages.consume": "tmc_messages_consume",
    "taobao.tmc.messages.confirm": "tmc_messages_confirm",
}
WITH_SESSION: Mapping[str, str] = {
    "taobao.trades.sold.get": "trades_sold_get",
    "taobao.trades.sold.increment.get": "trades_sold_increment_get",
    "taobao.trade.fullinfo.get": "trade_fullinfo_get",
    "taobao.refunds.receive.get": "refunds_receive_get",
    "taobao.items.onsale.get": "items_onsale_get",
    "taobao.items.inventory.get": "items_inventory_get",
    "taobao.item.skus.get": "item_skus_get",
    "taobao.skus.custom.get": "skus_custom_get",
    "taobao.items.custom.get": "items_custom_get",
    "taobao.item.quantity.update": "item_quantity_update",
    "taobao.skus.quantity.update": "skus_quantity_update",
    "taobao.logistics.offline.send": "logistics_offline_send",
    "taobao.logistics.online.send": "logistics_online_send",
    "taobao.logistics.consign.resend": "logistics_consign_resend",
    "alibaba.ascp.logistics.offline.send": "ascp_offline_send",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call that reached the platform's logic: its business parameters, and the sub_code of the refusal if any."""

    method: str
    params: Mapping[str, str]
    refused: str = ""


class TaobaoSandbox(Resends, Queue):
    """A shop on the Taobao Open Platform, kept in memory.

    Args:
        clock: the platform's clock; `ahead` shifts it.
        app_key, app_secret, session: what calls must carry.
        faults: what goes wrong. Besides the wire's faults it plays late lists, doubled rows, expired sessions and
            `isp` errors before and after the effect.

    `calls` are the last calls, `counts` how many there were by method. `on_call` is given the method's name
    before each call, for tests that let things happen between two pages.
    """

    def __init__(
        self,
        *,
        clock: Clock | None = None,
        app_key: str = "12345678",
        app_secret: str = "sandbox-secret",  # noqa: S107 - the sandbox's own
        session: str = "6100000sandbox-session",
        faults: FaultPlan | None = None,
    ) -> None:
        super().__init__(clock=clock or SystemClock(), faults=faults)
        self.app_key = app_key
        self.app_secret = SecretStr(app_secret)
        self.session = session
        self.refused_listings = set()
        self.groups = set()
        self.parcels = []
        self.parcel_attempts = []
        self.corrections = []
        self.calls: deque[Call] = deque(maxlen=KEPT_CALLS)
        self.counts: Counter[str] = Counter()
        self.on_call: Callable[[str], None] | None = None
        self._requests = 0

    def answer(self, request: SandboxRequest) -> SandboxResponse:
        """Return what the gateway says; always status 200, errors are in the body."""
        params = {**request.query, **request.form()}
        if self.on_call is not None:
            self.on_call(params.get("method", ""))
        headers: dict[str, str] = {}
        with self.lock:
            self._requests += 1
            request_id = f"16sandbox{self._requests}"
            self._settle()
            try:
                body = self._call(params)
                document: dict[str, Any] = {root_key(params["method"]): {**body, "request_id": request_id}}
            except TopError as error:
                document = error.document(request_id)
                if error.code == 31:
                    headers["date"] = format_datetime(self.now(), usegmt=True)
        if params.get("simplify") == "true":
            document = _simplified(document)
        text = json.dumps(document, ensure_ascii=False).encode("utf-8")
        return SandboxResponse(headers={"content-type": "application/json;charset=UTF-8", **headers}, body=text)

    def sell(self) -> str | None:
        """Let a buyer pay for one of the things on sale, each in its turn; return the order's id, None if sold out."""
        if not self.stock():
            for code in SOLD:
                self.add_item(outer_id=code, qty=SOLD_QTY)
        with self.lock:
            shown = [ref for ref, units in self.stock().items() if units > 0]
            if not shown:
                return None
            return self.place_order([(shown[len(self.trades.records) % len(shown)], 1)], pay=True)

    def throttled(self, request: SandboxRequest) -> SandboxResponse:
        """Say "too many calls" as the platform does: status 200, error 7, the seconds in the text."""
        del request
        error = TopError(7, "accesscontrol.limited-by-api-access-count", f"This ban will last for {BAN_S} more seconds")
        return SandboxResponse.of_json(error.document("16sandbox-throttled"))

    def time_get(self, params: Mapping[str, str]) -> dict[str, Any]:
        """Answer taobao.time.get."""
        del params
        return {"time": self.now_text()}

    def _settle(self) -> None:
        now = self.now_text()
        self.trades.settle(now)
        self.refunds.settle(now)

    def _call(self, params: Mapping[str, str]) -> dict[str, Any]:
        self._check_app(params)
        method = params["method"]
        name = WITHOUT_SESSION.get(method) or self._with_session(params)
        business = {key: value for key, value in params.items() if key not in PUBLIC}
        self.counts[method] += 1
        strikes = self.faults.strikes(Fault.PLATFORM_ERROR)
        if strikes and self.faults.choose((0, 1)):
            raise TopError(15, "isp.top-remote-service-unavailable", "service unavailable")
        handler: Callable[[Mapping[str, str]], dict[str, Any]] = getattr(self, name)
        try:
            body = handler(business)
        except TopError as error:
            self.calls.append(Call(method=method, params=business, refused=error.sub_code or str(error.code)))
            raise
        self.calls.append(Call(method=method, params=business))
        if strikes:
            raise TopError(15, "isp.remote-service-timeout", "remote service timeout")
        return body

    def _check_app(self, params: Mapping[str, str]) -> None:
        """Check everything but the session. Source: protocol note taobao.md sections 1 and 8."""
        if not params.get("method"):
            raise TopError(21)
        if params["method"] not in WITH_SESSION and params["method"] not in WITHOUT_SESSION:
            raise TopError(22)
        if params.get("format", "xml") != "json":
            raise TopError(23, sub_msg="the sandbox speaks JSON only")
        for name, code in (("sign", 24), ("app_key", 28), ("timestamp", 30)):
            if not params.get(name):
                raise TopError(code)
        if params["app_key"] != self.app_key:
            raise TopError(29)
        method = params.get("sign_method", "md5")
        if method not in SIGN_METHODS:
            raise TopError(25)
        expected = sign(params, self.app_secret, method)
        if not hmac.compare_digest(expected, params["sign"].encode("ascii", "replace").decode("ascii")):
            raise TopError(25)
        try:
            at = parse_time(params["timestamp"], path="timestamp")
        except PayloadError:
            raise TopError(31) from None
        if abs(at - self.now()) > TIME_TOLERANCE:
            raise TopError(31)

    def _with_session(self, params: Mapping[str, str]) -> str:
        if not params.get("session"):
            raise TopError(26)
        expired = self.faults.strikes(Fault.EXPIRED_TOKEN)
        if expired or params["session"] != self.session:
            raise TopError(27, "invalid-sessionkey", "SessionKey非法")
        return WITH_SESSION[params["method"]]


def _simplified(value: Any, *, root: bool = True) -> Any:
    """Return an answer as `simplify=true` gives it: no root key, lists without their wrapper."""
    if root:
        (inner,) = value.values()
        return _simplified(inner, root=False)
    if isinstance(value, dict):
        if len(value) == 1 and isinstance(next(iter(value.values())), list):
            return [_simplified(item, root=False) for item in next(iter(value.values()))]
        return {key: _simplified(item, root=False) for key, item in value.items()}
    return value
