"""What couriers tell of parcels, asked for or pushed: kept once, summed up, and said once to each of their orders.

Why the sum is made of all nodes each time: they come twice, late and in any order, and a sum that is carried forward
would depend on which came first. Why what is told of a parcel that nobody here sent is given back: it is none of ours,
and only whoever received it can say what becomes of the message.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import structlog

from erpsync.core.tracks import WATCHED_S, Standing, stand
from erpsync.flows.context import Channel
from erpsync.sdk.text import storable
from erpsync.sdk.types import Payload, TrackNode, TrackPage
from erpsync.store.db.store import Tx
from erpsync.store.events import Event, write_events
from erpsync.store.orders import lock_order_ids
from erpsync.store.outbox.queue import SHIPMENT, free_waiting
from erpsync.store.tables import EPOCH
from erpsync.store.tasks import Task, close_tasks, open_tasks
from erpsync.store.tracks import (
    COMES_BACK,
    DELIVERED,
    RETURNED,
    SCANNED,
    Sent,
    StoredTrack,
    nodes_of,
    note_tracks,
    parcels_with,
    tracks_of,
    write_nodes,
    write_tracks,
)

UNSEEN = "scan_missing"
"""The task about a parcel of which a shop was told though no courier has scanned it."""

SCAN = "scan"
"""What an effect waits for until a courier has the parcel in hand."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a courier told of one parcel; `payload` as it said so, `read_to` when that was read to the end."""

    page: TrackPage
    payload: Payload
    read_to: datetime

    @property
    def number(self) -> str:
        """The parcel's number as it is kept."""
        return storable(self.page.number)

    @property
    def version(self) -> tuple[datetime, datetime]:
        """How new it is: by the last thing that happened, then by when it was read. Nothing happened after that."""
        return min(max((node.at for node in self.page.nodes), default=EPOCH), self.read_to), self.read_to


@dataclass(slots=True, kw_only=True)
class _News:
    """What is new of a parcel: its row as it was, and what is to be written.

    `replaced`: `nodes` are all that there are.
    """

    row: StoredTrack
    parcels: Sequence[Sent]
    nodes: dict[str, TrackNode] = field(default_factory=dict)
    replaced: bool = False
    whole: tuple[datetime, datetime] | None = None
    over: bool = False
    watched: bool = False

    @property
    def orders(self) -> list[int]:
        """The ids of its orders, each once."""
        return sorted({parcel.order_id for parcel in self.parcels})


def apply_tracks(tx: Tx, channel: Channel, told: Sequence[Told]) -> list[Told]:
    """Keep what an account tells of parcels and do what follows; return what is about no parcel of ours."""
    sent = parcels_with(tx, {each.number for each in told})
    numbers = _lock(tx, {parcel.order_id for parcels in sent.values() for parcel in parcels})
    known = _tracks(tx, channel, told, sent)
    of_rows: dict[int, list[Told]] = {}
    unknown = [each for each in told if each.number not in known]
    for each in told:
        row = known.get(each.number)
        if row is not None and row.erased_at is None:
            of_rows.setdefault(row.id, []).append(each)
    rows = {row.id: row for row in known.values()}
    news = [_news(rows[id], of_rows[id], sent) for id in sorted(of_rows)]
    replaced = [each.row.id for each in news if each.replaced]
    write_nodes(tx, {each.row.id: each.nodes.values() for each in news}, replaced=replaced)
    nodes = nodes_of(tx, of_rows)
    sums = [(each, stand(nodes.get(each.row.id, ()))) for each in news]
    _say(tx, channel, sums, numbers)
    write_tracks(tx, [_columns(tx, each, standing) for each, standing in sums])
    return unknown


def _lock(tx: Tx, order_ids: Iterable[int]) -> dict[int, str]:
    """Lock orders and return their numbers: a parcel that waits for its scan is judged under the same lock."""
    return {id: order.number for id, order in lock_order_ids(tx, order_ids).items()}


def _tracks(
    tx: Tx, channel: Channel, told: Sequence[Told], sent: Mapping[str, Sequence[Sent]]
) -> dict[str, StoredTrack]:
    """Return the parcels that are told of by number, locked; those that are known here are noted first."""
    carriers = {each.number: each.page.carrier for each in told}
    before: dict[str, set[str]] = {row.number: set() for row in tracks_of(tx, carriers)}
    missing = {
        (parcel.carrier, number)
        for number, parcels in sent.items()
        for parcel in parcels
        if number not in before and (parcel.shipment_id is not None or parcel.account_id == channel.id)
    }
    note_tracks(tx, channel.id, missing)
    found: dict[str, StoredTrack] = {}
    for row in tracks_of(tx, carriers):
        # A courier may find that another one carries the parcel: then it is the one that this account was asked about.
        if row.carrier == carriers[row.number] or (row.account_id == channel.id and row.number not in found):
            found[row.number] = row
    return found


def _news(row: StoredTrack, told: Sequence[Told], sent: Mapping[str, Sequence[Sent]]) -> _News:
    """Return what is new of a parcel. A whole list that is older than the last one says nothing any more."""
    parcels = [parcel for parcel in sent.get(row.number, ()) if parcel.carrier == row.carrier]
    whole = (row.whole_at, row.read_at) if row.whole_at and row.read_at else None
    news = _News(row=row, parcels=parcels, whole=whole, over=row.over, watched=row.watched)
    for each in sorted(told, key=lambda each: each.version):
        news.over |= each.page.over
        news.watched &= not each.page.watch_again
        if each.page.whole and news.whole is not None and each.version < news.whole:
            continue
        if each.page.whole:
            news.nodes, news.replaced, news.whole = {}, True, each.version
        for node in each.page.nodes:
            news.nodes.setdefault(node.key, node)
    return news


def _columns(tx: Tx, news: _News, standing: Standing) -> dict[str, Any]:
    """Return what is written of a parcel: the sum of its nodes, what was said of it, and when it is asked about."""
    row = news.row
    whole_at, read_at = news.whole or (None, None)
    said = row.said | (_bits(standing) if news.orders else 0)
    ask_at = row.ask_at
    if standing.ended or news.over:
        ask_at = None
    elif ask_at is None and row.left_at is not None and row.state in ("delivered", "returned"):
        ask_at = tx.now + timedelta(seconds=WATCHED_S)  # the courier took it back
    return {
        "id": row.id,
        "state": standing.state.value if standing.state else "",
        "place": storable(standing.place),
        "last_at": standing.last_at,
        "scanned_at": standing.scanned_at,
        "delivered_at": standing.delivered_at,
        "returned_at": standing.returned_at,
        "said": said,
        "over": news.over,
        "watched": news.watched,
        "whole_at": whole_at,
        "read_at": read_at,
        "ask_at": ask_at,
    }


def _bits(standing: Standing) -> int:
    """Return what there is to be said of a parcel, as bits of `said`."""
    return (
        (SCANNED if standing.scanned_at else 0)
        | (DELIVERED if standing.delivered_at else 0)
        | (RETURNED if standing.returned_at else 0)
        | (COMES_BACK if standing.comes_back else 0)
    )


def _say(tx: Tx, channel: Channel, sums: Sequence[tuple[_News, Standing]], numbers: Mapping[int, str]) -> None:
    """Say what is new of parcels to each of their orders, ask about those that come back, free those that were scanned.

    Nothing is put back into stock: what comes back has to be looked at first.
    """
    events: list[Event] = []
    tasks: list[Task] = []
    scanned: list[Sent] = []
    for news, standing in sums:
        fresh = _bits(standing) & ~news.row.said
        events += _events(channel, news, standing, fresh)
        if fresh & COMES_BACK and news.orders:
            tasks.append(_task(channel, news, numbers))
        if standing.scanned_at is not None:
            scanned += [parcel for parcel in news.parcels if parcel.shipment_id is not None]
    write_events(tx, events)
    open_tasks(tx, tasks)
    if scanned:
        free_waiting(tx, SCAN, kind=SHIPMENT, refs=[parcel.shipment_id or 0 for parcel in scanned])
        close_tasks(tx, UNSEEN, [parcel.shipment for parcel in scanned], by="erpsync")
    for event in events:
        log.info("parcel.told", channel=channel.name, order=numbers.get(event.order_id or 0), kind=event.kind)


def _events(channel: Channel, news: _News, standing: Standing, fresh: int) -> list[Event]:
    kinds = (
        (SCANNED, "parcel.scanned", standing.scanned_at),
        (DELIVERED, "parcel.delivered", standing.delivered_at),
        (RETURNED, "parcel.returned", standing.returned_at),
    )
    of_parcel = {"carrier": news.row.carrier, "tracking": news.row.number}
    return [
        Event(kind=kind, order_id=order_id, channel_id=channel.id, detail={**of_parcel, "at": at.isoformat()})
        for bit, kind, at in kinds
        if fresh & bit and at is not None
        for order_id in news.orders
    ]


def _task(channel: Channel, news: _News, numbers: Mapping[int, str]) -> Task:
    carrier, number = news.row.carrier, news.row.number
    named = ", ".join(numbers[order_id] for order_id in news.orders)
    text = (
        f"parcel {carrier} {number} of {named} comes back, says {channel.name}; see what arrives, put it into stock "
        f"or not, settle it with the buyer, then `erpsync tasks done ID`"
    )
    return Task(
        kind="parcel_back", key=f"{carrier} {number}", reason=text, channel_id=channel.id, order_id=news.orders[0]
    )
