"""The gateway: parameters, signature, session, dispatch, envelope and the platform's own faults.

Why the session is checked after the signature: that is the order of the real gateway, and a wrong secret must not look
like an expired session.
"""

from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import format_datetime
from typing import Any

from pydantic import SecretStr

from connectors.taobao.sandbox.errors import TopError
from connectors.taobao.sandbox.queue import Queue
from connectors.taobao.sandbox.resends import Resends
from erpsync.sdk.clock import Clock, SystemClock
from erpsync.sdk.sandbox import Fault, FaultPlan, SandboxRequest, SandboxResponse
from erpsync.sdk.sandbox.top import PUBLIC, check_app, check_session, response_of, too_many, wrapped

KEPT_CALLS = 10_000
SOLD = ("SOLD-1", "SOLD-2", "SOLD-3")
SOLD_QTY = 100_000
"""What is on sale where nobody has put anything on sale."""

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
                document = wrapped(params["method"], body, request_id)
            except TopError as error:
                document = error.document(request_id)
                if error.code == 31:
                    headers["date"] = format_datetime(self.now(), usegmt=True)
        if params.get("simplify") == "true":
            document = _simplified(document)
        return response_of(document, headers)

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
        return too_many()

    def time_get(self, params: Mapping[str, str]) -> dict[str, Any]:
        """Answer taobao.time.get."""
        del params
        return {"time": self.now_text()}

    def _settle(self) -> None:
        now = self.now_text()
        self.trades.settle(now)
        self.refunds.settle(now)

    def _call(self, params: Mapping[str, str]) -> dict[str, Any]:
        methods = (*WITH_SESSION, *WITHOUT_SESSION)
        check_app(params, app_key=self.app_key, app_secret=self.app_secret, now=self.now(), methods=methods)
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

    def _with_session(self, params: Mapping[str, str]) -> str:
        check_session(params, self.session, expired=self.faults.strikes(Fault.EXPIRED_TOKEN))
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
