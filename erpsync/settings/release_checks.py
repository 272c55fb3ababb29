"""What no single value can tell about releases and couriers: names of nothing, keys that do nothing.

Why most of it is a note: a shop that packs by hand today and is told tomorrow how is not wrong today.
"""

from collections.abc import Mapping

from erpsync.settings.checks import ReadChannel, ReadFile, ReadMain
from erpsync.settings.hints import did_you_mean, one_of
from erpsync.settings.order_keys import Orders
from erpsync.settings.problems import Path

_NO_LEAST = "does nothing without partial: ready, as an order waits until all of it is there"
_NO_SCANS = "no account tells where parcels are, so each is told at the last instant: latest_h before its time to ship"
_NO_SENDER = "a desk without sender: papers name nobody to send goods back to, and no courier can be booked"


def check_releases(main: ReadMain, channels: Mapping[str, ReadChannel]) -> None:
    """Note what is wrong between erpsync.yaml and the channels about parcels, papers and couriers.

    Args:
        channels: by id.
    """
    if main.model is not None:
        _check_across(main, main.model.releases.across, channels)
        for n, warehouse in enumerate(main.model.warehouses):
            if warehouse.desk and warehouse.sender is None:
                main.add(("warehouses", n, "desk"), _NO_SENDER, "note")
    above = main.model.defaults.orders if main.model is not None else Orders()
    _check_orders(main, ("defaults", "orders"), (above,))
    _check_tell(main, ("defaults", "orders", "tell"), above, channels)
    for channel in channels.values():
        if channel.model is not None:
            _check_orders(channel, ("orders",), (channel.model.orders, above))
            _check_tell(channel, ("orders", "tell"), channel.model.orders, channels)
            if channel.books is False and channel.tracks is False and "courier" in channel.model.model_fields_set:
                channel.add(("courier",), "does nothing: its connector books with no courier", "note")


def _works(channel: ReadChannel) -> bool:
    return channel.model is None or channel.model.enabled


def _check_across(main: ReadMain, groups: list[list[str]], channels: Mapping[str, ReadChannel]) -> None:
    seen: dict[str, int] = {}
    for n, group in enumerate(groups):
        for m, id in enumerate(group):
            path: Path = ("releases", "across", n, m)
            if id not in channels:
                hint = did_you_mean(id, channels) or (f"; known are {one_of(channels)}" if channels else "")
                main.add(path, f"no channel '{id}' in channels/{hint}")
            elif id in seen:
                here = f"channel '{id}' stands in this list already"
                main.add(path, here if seen[id] == n else f"channel '{id}' stands in another list already")
            seen.setdefault(id, n)


def _check_orders(file: ReadFile, at: tuple[str, ...], layers: tuple[Orders, ...]) -> None:
    """Note keys of a file that do nothing, as it says itself or, further up, the defaults do."""
    own = layers[0].model_fields_set
    partial = next((layer.partial for layer in layers if "partial" in layer.model_fields_set), "whole")
    if "partial_min" in own and layers[0].partial_min and partial != "ready":
        file.add((*at, "partial_min"), _NO_LEAST, "note")


def _check_tell(file: ReadFile, at: Path, orders: Orders, channels: Mapping[str, ReadChannel]) -> None:
    """Note that a shop waits for scans that nobody tells."""
    told = any(_works(channel) and channel.tracks is not False for channel in channels.values())
    if orders.tell == "scan" and "tell" in orders.model_fields_set and not told:
        file.add(at, _NO_SCANS, "note")
