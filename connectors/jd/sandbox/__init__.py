"""JD's side, in memory: what the platform does, and what buyers, JD and the seller's staff do to a shop."""

from connectors.jd.sandbox.builder import OrderItem, order_info
from connectors.jd.sandbox.logistics import Parcel
from connectors.jd.sandbox.platform import Call, JdSandbox
from erpsync.sdk.sandbox.shop import SoldOut

__all__ = ["Call", "JdSandbox", "OrderItem", "Parcel", "SoldOut", "order_info"]
