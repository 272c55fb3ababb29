"""A Karrio server: HTTP and a list of shipments around Karrio's own generic courier, which does what couriers do.

The calls are those of Karrio's server (`/v1/shipments`, `/v1/rates`); prices, refusals, numbers and labels are made by
the packages `karrio` and `karrio-generic`.
"""

import threading
from collections.abc import Mapping
from itertools import count
from typing import Any, ClassVar

import karrio.sdk as karrio
from karrio.core.models import RateRequest, ShipmentRequest
from karrio.core.utils import DP

from erpsync.sdk.sandbox import Fault, FaultPlan, Sandbox, SandboxRequest, SandboxResponse

TOKEN = "key_0123456789abcdef"
SERVICE = "standard"
SERVICES = [
    {
        "service_name": "Standard",
        "service_code": SERVICE,
        "currency": "CNY",
        "max_weight": 30.0,
        "weight_unit": "KG",
        "zones": [
            {"label": "East", "rate": 12.5, "cities": ["上海市", "杭州市"]},
            {"label": "North", "rate": 18.0, "cities": ["北京市"]},
        ],
    }
]


class KarrioSandbox(Sandbox):
    """One account. `shipments` by id, `attempts` the reference of every call that asked for one."""

    addresses: ClassVar[Mapping[str, str]] = {"url": ""}
    """Settings that hold an address of this sandbox, with its path."""

    def __init__(self, *, token: str = TOKEN, service: str = SERVICE, faults: FaultPlan | None = None) -> None:
        super().__init__(faults=faults)
        self.token, self.service = token, service
        self.shipments: dict[str, dict[str, Any]] = {}
        self.attempts: list[str] = []
        self.picked_up: set[str] = set()
        self._ids = count(1)
        self._lock = threading.RLock()
        account = {"carrier_id": "courier", "account_country_code": "CN", "services": SERVICES}
        names = {"display_name": "A courier", "custom_carrier_name": "courier"}
        self._courier = karrio.gateway["generic"].create({**names, **account})

    def buy(self, id: str) -> None:
        """Buy the label of a draft."""
        with self._lock:
            shipment = self.shipments[id]
            wanted = ShipmentRequest(**shipment["wanted"])
            bought, _ = karrio.Shipment.create(wanted).from_(self._courier).parse()
            shipment.update(DP.to_dict(bought), id=id, status="purchased")

    def answer(self, request: SandboxRequest) -> SandboxResponse:
        """Carry out one call."""
        with self._lock:
            if (
                self.faults.strikes(Fault.EXPIRED_TOKEN)
                or request.headers.get("authorization") != f"Token {self.token}"
            ):
                return _refused(401, "Invalid token")
            match request.method, request.path.strip("/").split("/"):
                case "POST", ["v1", "shipments"]:
                    return self._create(request.json())
                case "POST", ["v1", "rates"]:
                    rates, _ = self._rates(request.json())
                    return SandboxResponse.of_json({"rates": rates})
                case "POST", ["v1", "shipments", id, "cancel"]:
                    return self._cancel(id)
                case "GET", ["v1", "shipments"]:
                    wanted = request.query.get("reference", "")
                    found = [row for row in self.shipments.values() if wanted in row["reference"]]
                    return SandboxResponse.of_json({"results": found if wanted else []})
                case "GET", ["v1", "shipments", id] if id in self.shipments:
                    return SandboxResponse.of_json(self._shown(self.shipments[id]))
            return _refused(404, "Not found")

    def _create(self, wanted: dict[str, Any]) -> SandboxResponse:
        self.attempts.append(wanted["reference"])
        rates, said = self._rates({**wanted, "services": [wanted["service"]]})
        if not rates:
            return _refused(400, said or "no rate is available for this service and destination")
        id = f"shp_{next(self._ids):08}"
        kept = {"id": id, "reference": wanted["reference"], "selected_rate": rates[0], "wanted": wanted}
        self.shipments[id] = {**kept, "status": "draft"}
        if not self.faults.strikes(Fault.NO_NUMBER):
            self.buy(id)
        return SandboxResponse.of_json(self._shown(self.shipments[id]), status=201)

    def _rates(self, wanted: Mapping[str, Any]) -> tuple[list[dict[str, Any]], str]:
        asked = {name: wanted[name] for name in ("shipper", "recipient", "parcels", "services")}
        rates, messages = karrio.Rating.fetch(RateRequest(**asked)).from_(self._courier).parse()
        return [DP.to_dict(rate) for rate in rates], messages[0].message if messages else ""

    def _cancel(self, id: str) -> SandboxResponse:
        shipment = self.shipments.get(id)
        if shipment is None:
            return _refused(404, "Not found")
        if id in self.picked_up:
            return _refused(409, "The shipment is in transit")
        shipment["status"] = "cancelled"
        return SandboxResponse.of_json(shipment)

    def _shown(self, shipment: Mapping[str, Any]) -> dict[str, Any]:
        """Return a shipment with its label, or without, or with something else in its place."""
        shown = {name: value for name, value in shipment.items() if name != "wanted"}
        if self.faults.strikes(Fault.LATE_LABEL):
            shown.pop("docs", None)
        elif self.faults.strikes(Fault.BAD_LABEL):
            shown["docs"] = {"label": "PGh0bWw+"}
        return shown


def _refused(status: int, text: str) -> SandboxResponse:
    return SandboxResponse.of_json({"errors": [{"message": text}]}, status=status)
