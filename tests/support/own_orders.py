"""Orders that no channel knows, as tests make them."""

from typing import Any

from erpsync.flows.own_orders.create import Created, create_order
from erpsync.flows.own_orders.form import OwnOrder
from tests.support.shop import Town

HOME = {"name": "王小明", "phone": "13800001111", "city": "杭州市", "address": "解放路 1 号"}
ELSEWHERE = {"name": "李四", "phone": "13900002222", "address": "中山路 2 号"}
TEA = {"sku": "TEA", "qty": 2, "price_minor": 1000}


def form(**said: Any) -> OwnOrder:
    """Return a phone order of two TEA for 10.00 each, unless told otherwise."""
    return OwnOrder.read({"currency": "CNY", "recipient": HOME, "lines": [TEA]} | said)


def make(town: Town, **said: Any) -> Created:
    """Make an order of those lines, unless told otherwise."""
    return create_order(town.ctx, form(**said), actor="me")
