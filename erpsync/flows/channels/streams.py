"""The streams that a channel may have: the one table that everything else is made from.

Why one: a stream that is missing in a second list is one that a command takes and the API refuses.
"""

from dataclasses import dataclass
from typing import Any, Literal

from erpsync.flows.context import Channel
from erpsync.sdk.roles import ListingSource, OrderSource, RefundSource, ShipmentSource, WarehouseSource, WaybillSource


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """One stream.

    Args:
        role: what a connector has to be, to be read by it.
        lane: streams of one lane are read one after the other; `pool`: the threads of the daemon that do so.
        every: the setting under `poll` that says how often it is read.
        asked: whether it is among those read when somebody asks for a pass and names none.
    """

    name: str
    role: type[Any]
    lane: str
    pool: Literal["poll", "fast", "bulk"]
    every: Literal["orders_s", "refunds_s", "listings_s"] = "orders_s"
    asked: bool = True


TABLE = (
    Stream(name="orders", role=OrderSource, lane="orders", pool="poll"),
    Stream(name="backfill", role=OrderSource, lane="backfill", pool="bulk", asked=False),
    Stream(name="refunds", role=RefundSource, lane="refunds", pool="fast", every="refunds_s"),
    Stream(name="listings", role=ListingSource, lane="listings", pool="bulk", every="listings_s"),
    Stream(name="shipments", role=ShipmentSource, lane="orders", pool="poll"),
    Stream(name="warehouse", role=WarehouseSource, lane="orders", pool="poll"),
    Stream(name="waybills", role=WaybillSource, lane="orders", pool="poll"),
)
"""In the order in which they are read."""

BY_NAME = {stream.name: stream for stream in TABLE}
STREAMS = tuple(BY_NAME)
ASKED = tuple(stream.name for stream in TABLE if stream.asked)


def streams_of(channel: Channel) -> list[str]:
    """Return the streams a channel's connector can be read by."""
    return [stream.name for stream in TABLE if channel.plays(stream.role)]
