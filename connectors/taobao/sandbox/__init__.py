"""Taobao's side, in memory: what the platform does, and what buyers and the seller's staff do to a shop."""

from connectors.taobao.sandbox.builder import TradeLine, trade_of
from connectors.taobao.sandbox.logistics import Parcel
from connectors.taobao.sandbox.platform import Call, TaobaoSandbox
from erpsync.sdk.sandbox.shop import SoldOut

__all__ = ["Call", "Parcel", "SoldOut", "TaobaoSandbox", "TradeLine", "trade_of"]
