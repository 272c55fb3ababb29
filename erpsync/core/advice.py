"""What a person is to do about everything that waits: one table for commands, console, API and documentation.

Why here and not beside each page: whoever reads two of them at night must not be told two things.
"""

from collections.abc import Mapping

from erpsync.core.order_holds import ORDER_HOLDS

HOLDS: Mapping[str, str] = {reason: hold.advice for reason, hold in ORDER_HOLDS.items()}
"""By reason for which an order is held. `{order}` is its number."""

WAITS: Mapping[str, str] = {
    "gate": "end the refund or the hold on the channel; it goes on by itself",
    "person": "do what its open task says (`erpsync tasks list`)",
    "refunds": "wait: it goes on when the channel's refunds were read to the end",
    "brake": "look at the stock; `erpsync stock confirm {channel}` lets the zeros go, a right count makes them void",
    "fresh": "wait: it goes out when the channel's orders were read once more",
    "restored": "do what the open task about {channel} says (`erpsync tasks list`): look there what it got meanwhile",
    "scan": "wait: {channel} is told at the courier's first scan, or `orders.latest_h` before it wants to know",
}
"""By what an effect waits for. `{channel}` is the shop's name."""

CHANNELS: Mapping[str, str] = {
    "disabled": "nothing, or set `enabled: true` in its file and reload",
    "paused": "`erpsync channels resume {channel}` ends the pause",
    "auth_failed": "renew its credentials where they come from, then `erpsync channels resume {channel}`",
    "down": "nothing: it is tried until it answers, and nothing is lost",
    "new": "wait: its orders are being read for the first time",
}
"""By state of a channel that is not up."""

STOCK: Mapping[str, str] = {
    "backordered": "`erpsync stock add` or `stock import` what arrives: the oldest paid order is served first, at once",
    "unknown": "count it and `erpsync stock import FILE`: unknown is not zero, so channels are told nothing",
    "refused": "mend the listing {channel_sku} on {channel}: it refuses the number",
}
"""By what is wrong with a SKU."""

TASKS: Mapping[str, str] = {
    "auth": "renew the credentials, then `erpsync channels resume {channel}`",
    "token": "authorise the app again and put its token into the configuration",
    "brake": WAITS["brake"],
    "gate": "look on the channel; `erpsync tasks done {id}` when it may go or is settled",
    "unknown": "look for it there: `erpsync tasks done {id} --arrived` if it is there, else `erpsync tasks done {id}`",
    "recall": "have the warehouse stop it or get the parcel back, then `erpsync tasks done {id}`",
    "warehouse_refused": "ask the warehouses why, then release its order: it is planned anew, and this ends by itself",
    "paper": "name a font that has it in documents.font, or mend the text; this ends when the paper is printed",
    "order_edited": "compare it with what left and settle that with the buyer, then `erpsync tasks done {id}`",
    "refund_late": "settle it with the buyer, or get the parcel back, then `erpsync tasks done {id}`",
    "refund_unnamed": "name the units on the channel or cancel the order; was it for none, `erpsync tasks done {id}`",
    "tracking_changed": "correct the number on the channel, then `erpsync tasks done {id}`",
    "mapping_changed": "see whether the right goods left or leave, then `erpsync tasks done {id}`",
    "currency_changed": "compare its amounts with the channel, then `erpsync tasks done {id}`",
    "shipment_missing": "look for the parcel on the channel and enter it there, then `erpsync tasks done {id}`",
    "stock_short": "count the stock and `erpsync stock import FILE`, then `erpsync tasks done {id}`",
    "count_rose": "`erpsync tasks done {id}` takes the count; `erpsync stock set` sets a right one and ends this",
    "count_fell": "if it is wrong, `erpsync stock set` the right one; then `erpsync tasks done {id}`",
    "sku_unknown": "`erpsync tasks done {id}` takes them in, or have the warehouse mend its codes",
    "stock_drift": "find out who changes the number on the channel, then `erpsync tasks done {id}`",
    "clock": "set the clock right (NTP); when it is right, `erpsync tasks done {id}` confirms it",
    "version_ahead": "have the channel's clock or its time of change set right, then `erpsync tasks done {id}`",
    "unknown_status": (
        "put the status into `status_map`, or install a version that knows it; then `erpsync dead replay` its letters: "
        "this ends with the last of them"
    ),
    "same_version": "look there which view is right, enter what differs by hand, then `erpsync tasks done {id}`",
    "unknown_message": "have the shop leave it out or install a version that knows it; `erpsync tasks done {id}`",
    "restored": "do what it says; whatever was lost with the database comes back by no other way",
    "no_courier": "mend what it says (rates, zones, accounts), or send the parcel by a courier of your own choice",
    "no_waybill": "mend what it says, then `erpsync waybills book RELEASE` tries again",
    "no_bom": "`erpsync bom import FILE` what it is made of and `erpsync bom activate` it; this ends by itself then",
    "work_excess": "let it be finished, or `erpsync work close` it; this ends when nothing of it is under way",
    "waybill_stale": "send their parcels, or `erpsync waybills cancel NUMBER`; this ends with the last of them",
    "waybill_cancel": "see there what became of it and get the parcel back if it left, then `erpsync tasks done {id}`",
    "parcel_back": "look at what arrives, `erpsync stock add` what is good, then `erpsync tasks done {id}`",
    "scan_missing": "find out whether it left, then `erpsync tasks done {id}`; a scan of it ends this",
    "route_broken": (
        "mend what `erpsync routes list` says; it is tried on and this ends when a message gets through, "
        "`erpsync routes retry ROUTE` tries at once"
    ),
    "events_not_taken": "mend the address, or end the subscription through the API, then `erpsync tasks done {id}`",
}
"""By kind of task. `{id}` is its number."""

DONE = "do what it says, then `erpsync tasks done {id}`"
"""Of a task of a kind that an older version opened."""

_RECORD = (
    "mend it at its source, this ends when that is read; were settings or connector wrong, `erpsync dead replay {id}`"
)
_FILE = "mend the file and drop it again under its name: this ends when it is read"

REPLAYS: Mapping[str, str] = {
    "order": _RECORD,
    "refund": _RECORD,
    "line": _RECORD,
    "inbox": "mend settings or connector and `erpsync dead replay {id}`, or have the shop send it right and drop this",
    "shipment_report": "make what it names known (order, line, courier), then `erpsync dead replay {id}`",
    "stock": "mend the listing on the channel, then `erpsync dead replay {id}`; a newer number that it takes ends this",
    "shipment": "mend what the channel refuses, then `erpsync dead replay {id}`",
    "message": "mend what the channel refuses, then `erpsync dead replay {id}` sends it; old news may be dropped",
    "correction": "mend what the channel refuses, then `erpsync dead replay {id}`; a newer correction ends this",
    "release": "mend what the warehouse refuses, then `erpsync dead replay {id}`",
    "waybill": "mend what the courier refuses, then `erpsync dead replay {id}`",
    "waybill_cancel": "void it by hand, or `erpsync dead replay {id}` asks the courier again",
    "release_cancel": "stop it by hand, or `erpsync dead replay {id}` asks the warehouse again",
}
"""By kind of a dead letter that trying again can help."""

MENDS: Mapping[str, str] = {
    "order": _FILE,
    "line": _FILE,
    "shipment_report": _FILE,
    "warehouse_report": "have the warehouse report it right (a file under the same name): this ends when that is read",
    "waybill_report": "have the courier tell it right (a file under the same name): this ends when that is read",
    "listing": "mend the listing on the channel: this ends when the catalogue is read again",
}
"""By kind of a dead letter that ends by itself once its source is mended, and that trying again cannot help."""

DROP = "nothing is left to try again: `erpsync dead drop {id}`"
"""Of a dead letter of which nothing is left but the entry."""


def letter(kind: str, remedy: str) -> str:
    """Return what to do about a dead letter; `remedy` is `replay`, `mend` or `drop`."""
    if remedy == "replay":
        return REPLAYS.get(kind, "`erpsync dead replay {id}`")
    return MENDS.get(kind, _FILE) if remedy == "mend" else DROP


def fill(advice: str, **names: object) -> str:
    """Return the advice with names in their places; what is not known is a word in capitals."""
    unfilled = {"order": "ORDER", "channel": "CHANNEL", "channel_sku": "CODE", "id": "ID"}
    return advice.format(**unfilled | {name: value for name, value in names.items() if value})
