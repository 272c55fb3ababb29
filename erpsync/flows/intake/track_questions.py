"""Asking couriers where parcels are, each no more often than its courier allows, and ever more rarely.

Why a question is put off before it is asked, and not leased: to ask is harmless, to ask too often gets an account
locked. Whoever dies with a question leaves it to the parcel's next turn, and two nodes never have the same one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

import structlog

from erpsync.core.tracks import ask_again_s
from erpsync.flows.blame import is_of_record
from erpsync.flows.channels.health import mark_down, mark_up, may_call
from erpsync.flows.context import Channel, Context
from erpsync.flows.errors import error_repr
from erpsync.flows.shipments.tracks import Told, apply_tracks
from erpsync.sdk.errors import ConnectorError, PayloadError
from erpsync.sdk.roles import CourierSink, TrackSource, WaybillSource, playing
from erpsync.sdk.types import Raw, TrackedParcel
from erpsync.store.db.store import Tx
from erpsync.store.events import Event, write_events
from erpsync.store.tracks import (
    GIVEN_UP,
    StoredTrack,
    booked_with,
    due_tracks,
    note_watched,
    origins_of,
    parcels_with,
    phones_of,
    put_off,
    unassigned,
    write_tracks,
)

ASSIGNED_AT_ONCE = 500
MOST_WATCHES = 3
"""So often pushes about one parcel are asked for: some platforms take that a few times only."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Question:
    """A parcel that is asked about now. `watch`: pushes about it are to be asked for as well."""

    id: int
    parcel: TrackedParcel
    watch: bool


def ask_tracks(ctx: Context, channel: Channel) -> bool:
    """Ask an account about the parcels that are due, as many as one call takes; False when nothing was asked."""
    source = playing(channel.connector, TrackSource)
    if source is None or channel.courier.tracks == "none" or not may_call(ctx, channel, probing=True):
        return False
    ctx.store.retrying(partial(_assign, ctx=ctx))
    questions = ctx.store.retrying(partial(_claim, ctx=ctx, channel=channel, source=source))
    if not questions:
        return False
    try:
        _watch(ctx, source, questions)
        raws = _asked(channel, source, questions)
    except ConnectorError as error:
        _put_back(ctx, channel, source, questions, error)
        return False
    mark_up(ctx, channel)
    told = _read(channel, source, raws)
    ctx.store.retrying(partial(apply_tracks, channel=channel, told=told))
    return True


def _assign(tx: Tx, *, ctx: Context) -> None:
    """Find the account that is asked about each parcel that has none yet; where there is none, nobody is asked."""
    waiting = unassigned(tx, most=ASSIGNED_AT_ONCE)
    if not waiting:
        return
    booked = booked_with(tx, [row.number for row in waiting])
    asked = sorted(
        (c for c in ctx.channels.values() if c.enabled and c.plays(TrackSource) and c.courier.tracks != "none"),
        key=lambda account: (account.courier.priority, account.name),
    )
    accounts = {row.id: _account(row, booked, asked) for row in waiting}
    write_tracks(
        tx,
        [{"id": row.id, "account_id": accounts[row.id], "ask_at": row.ask_at} for row in waiting if accounts[row.id]],
    )
    write_tracks(tx, [{"id": row.id, "ask_at": None} for row in waiting if accounts[row.id] is None])


def _account(row: StoredTrack, booked: Mapping[str, Sequence[int]], asked: Sequence[Channel]) -> int | None:
    """Return the account that a parcel was booked with, else the first that knows its courier and tracks others'."""
    own = [account.id for account in asked if account.id in booked.get(row.number, ())]
    others = (account.id for account in asked if _tracks_others(account, row.carrier))
    return next(iter(own), None) or next(others, None)


def _tracks_others(account: Channel, carrier: str) -> bool:
    source = playing(account.connector, TrackSource)
    books = account.plays(CourierSink) or account.plays(WaybillSource)
    return source is not None and (account.courier.tracks == "all" or not books) and source.tracks(carrier)


def _claim(tx: Tx, *, ctx: Context, channel: Channel, source: TrackSource) -> list[_Question]:
    """Return the parcels that are asked about now, their next turn noted; those that are too old are given up."""
    due = due_tracks(tx, channel.id, most=source.track_batch)
    last = timedelta(days=ctx.couriers.track_days)
    ages = {row.id: tx.now - (row.left_at or tx.now) for row in due}
    _give_up(tx, channel, [row for row in due if ages[row.id] >= last])
    asked = [row for row in due if ages[row.id] < last]
    watches = {row.id for row in asked if not row.watched and row.watches < MOST_WATCHES}
    turns = [
        {
            "id": row.id,
            "asked_at": tx.now,
            "ask_at": tx.now
            + timedelta(seconds=ask_again_s(ages[row.id], least_s=source.ask_every_s, watched=row.watched)),
            "watches": row.watches + (row.id in watches),
        }
        for row in asked
    ]
    write_tracks(tx, turns)
    phones = _phones(tx, ctx, [row.number for row in asked])
    return [
        _Question(
            id=row.id,
            parcel=TrackedParcel(carrier=row.carrier, number=row.number, phone=phones.get(row.number, "")),
            watch=row.id in watches,
        )
        for row in asked
    ]


def _give_up(tx: Tx, channel: Channel, rows: Sequence[StoredTrack]) -> None:
    """Ask no more about parcels of which too long nobody said that they arrived, and say so to their orders."""
    write_tracks(tx, [{"id": row.id, "ask_at": None, "said": row.said | GIVEN_UP} for row in rows])
    sent = parcels_with(tx, [row.number for row in rows])
    told = [
        Event(
            kind="parcel.given_up",
            order_id=order_id,
            channel_id=channel.id,
            detail={"carrier": row.carrier, "tracking": row.number},
        )
        for row in rows
        for order_id in sorted({each.order_id for each in sent.get(row.number, ()) if each.carrier == row.carrier})
    ]
    write_events(tx, told)


def _phones(tx: Tx, ctx: Context, numbers: Sequence[str]) -> dict[str, str]:
    """Return a phone by number where one is known: the sender's, which is nobody's secret, else the recipient's."""
    senders = {number: ctx.warehouses.get(place) for number, place in origins_of(tx, numbers).items()}
    phones = {number: place.sender.phone for number, place in senders.items() if place and place.sender}
    return phones_of(tx, [number for number in numbers if number not in phones]) | phones


def _watch(ctx: Context, source: TrackSource, questions: Sequence[_Question]) -> None:
    """Ask for pushes about parcels that are new to the account; one that it refuses is asked about all the same."""
    for question in questions:
        if question.watch and _is_watched(source, question):
            ctx.store.retrying(partial(note_watched, ids=[question.id]))


def _is_watched(source: TrackSource, question: _Question) -> bool:
    try:
        return source.watch_track(question.parcel)
    except ConnectorError as error:
        if not is_of_record(error):
            raise
        log.warning("track.not_watched", key=question.parcel.number, error=error_repr(error))
        return False


def _asked(channel: Channel, source: TrackSource, questions: Sequence[_Question]) -> list[Raw]:
    """Return what the courier says; where it refuses several at once, each is asked about by itself."""
    try:
        return list(source.pull_tracks([question.parcel for question in questions]))
    except ConnectorError as error:
        if not is_of_record(error):
            raise
        if len(questions) > 1:
            return [raw for question in questions for raw in _asked(channel, source, [question])]
        parcel = questions[0].parcel
        log.warning("track.refused", channel=channel.name, key=parcel.number, error=error_repr(error))
        return []


def _put_back(
    ctx: Context, channel: Channel, source: TrackSource, questions: Sequence[_Question], error: ConnectorError
) -> None:
    """Ask again as soon as the courier allows, and note that it does not answer."""
    soon = ctx.store.clock.now() + timedelta(seconds=source.ask_every_s)
    ctx.store.retrying(partial(put_off, ids=[question.id for question in questions], until_at=soon))
    log.warning("track.not_asked", channel=channel.name, error=error_repr(error))
    mark_down(ctx, channel, error)


def _read(channel: Channel, source: TrackSource, raws: Sequence[Raw]) -> list[Told]:
    """Return what can be read of the answers; the rest is asked for again, and told where it is pushed."""
    told: list[Told] = []
    for raw in raws:
        try:
            page = source.normalise_track(raw)
        except PayloadError as error:
            log.warning("track.unread", channel=channel.name, key=raw.head.external_id, error=error_repr(error))
            continue
        told.append(Told(page=page, payload=raw.payload, read_to=raw.read_to))
        for bad in page.bad:
            log.warning("track.unread", channel=channel.name, key=bad.key, error=error_repr(bad.error))
    return told
