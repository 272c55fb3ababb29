"""A Taobao or Tmall shop as a channel. One module per role; `TaobaoConnector` plays all of them."""

from connectors.taobao.connector.shop import TaobaoConnector

__all__ = ["TaobaoConnector"]
