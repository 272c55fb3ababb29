"""An account with Kuaidi100 for tests: its sandbox, and connectors that talk to it."""

import random
from collections.abc import Callable
from typing import Any

from connectors.kuaidi100.connector import Kuaidi100Account, Kuaidi100Connector
from connectors.kuaidi100.sandbox import CUSTOMER, KEY, PARTNER, SALT, SECRET, Kuaidi100Sandbox
from connectors.kuaidi100.settings import Kuaidi100Settings
from erpsync.sdk.http import HttpClient
from erpsync.sdk.sandbox import SandboxRequest, SandboxResponse
from erpsync.sdk.types import BookingRequest
from tests.connectors.bookings import booking

SETTINGS: dict[str, Any] = {
    "key": KEY,
    "customer": CUSTOMER,
    "secret": SECRET,
    "carrier": "SF",
    "partner_id": PARTNER,
    "service": "标准快递",
    "template": "60f6c17c7c223700131d8bc3",
    "callback_url": "https://erp.example.com/hooks/kuaidi100",
    "salt": SALT,
    "query_url": "http://kd.invalid/poll/query.do",
    "subscribe_url": "http://kd.invalid/poll",
    "label_url": "http://kd.invalid/label/order",
}


def settings(**more: Any) -> Kuaidi100Settings:
    return Kuaidi100Settings.model_validate({**SETTINGS, **more})


def account(
    platform: Kuaidi100Sandbox, *, mount: Callable[[SandboxRequest], SandboxResponse] | None = None, **more: Any
) -> Kuaidi100Account:
    """Return a connector that books with the platform, or with whatever answers in its place."""
    http = HttpClient(clock=platform.clock, mount=mount or platform.handle, rng=random.Random(0))
    made = Kuaidi100Connector(settings(**more), http, platform.clock)
    assert isinstance(made, Kuaidi100Account)
    return made


def wish(key: str = "R20260302000001/1/1", **fields: Any) -> BookingRequest:
    return booking(key, **{"carrier": "SF", **fields})
