"""A JD shop as a channel. One module per role; `JdConnector` plays all of them."""

from connectors.jd.connector.shop import JdConnector

__all__ = ["JdConnector"]
