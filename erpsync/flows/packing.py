"""How orders leave, made of what the settings say of a channel's orders."""

from dataclasses import replace
from functools import lru_cache

from erpsync.core.parcels import ChannelPacking
from erpsync.core.policy import OrderPolicy
from erpsync.sdk.money import CURRENCIES, minor


def leaving_as(orders: OrderPolicy, leaving: OrderPolicy) -> OrderPolicy:
    """Return a policy whose orders leave as another's do; numbers, reserving and checks stay its own."""
    return replace(
        orders,
        partial=leaving.partial,
        partial_min=leaving.partial_min,
        merge=leaving.merge,
        parcel=leaving.parcel,
        couriers=leaving.couriers,
    )


@lru_cache(maxsize=256)
def channel_packing(orders: OrderPolicy) -> ChannelPacking:
    """Return how a channel's orders leave; the least that is worth a parcel by currency, in minor units."""
    least = orders.partial_min
    return ChannelPacking(
        partial=orders.partial,
        partial_min_minor={code: minor(least, code) for code in CURRENCIES} if least else {},
        max_weight_g=orders.parcel.max_weight_g,
        max_units=orders.parcel.max_units,
        merge_orders=orders.merge.orders,
        merge_weight_g=orders.merge.weight_g,
    )
