"""The way of one effect that must happen once: looked for, admitted, called, and its outcome known.

    pending ─claim─▶ gate ─▶ call ─▶ done
                      │        └─ no answer ─▶ unknown: SAFE sends again, LOOK_FIRST looks, NEVER asks a person
                      ├─ waits for a condition, or dropped
                      └─ its order cannot be read ─▶ held; shortly before its last instant a person decides

Why a value per kind and one way for all: parcels and releases differ in what they say, not in what may go wrong.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import Enum, auto
from functools import partial
from typing import Generic, TypeVar

import structlog
from sqlalchemy import select

from erpsync.core.instants import stamp
from erpsync.core.orders import KnownOrder
from erpsync.flows.blame import is_of_record
from erpsync.flows.channels.claims import while_ours
from erpsync.flows.channels.health import mark_down, mark_up
from erpsync.flows.context import Channel, Context
from erpsync.flows.errors import error_text
from erpsync.flows.retry import Again, Dead, Rest, after
from erpsync.flows.shipments.gate import UnreadError
from erpsync.flows.shipments.held import hold
from erpsync.sdk.deadline import to_be_sent_within
from erpsync.sdk.errors import ConnectorError, OutcomeUnknownError
from erpsync.sdk.http import lane
from erpsync.sdk.types import Repeat
from erpsync.store.db.store import Tx
from erpsync.store.dead_letters import DeadLetter, add_dead_letters
from erpsync.store.events import Event, write_events
from erpsync.store.orders import lock_order_ids
from erpsync.store.outbox.held import PERSON
from erpsync.store.outbox.hurry import run_now
from erpsync.store.outbox.queue import Claimed, kill, park, retry, still_leased
from erpsync.store.tables import outbox
from erpsync.store.tasks import Task, open_tasks

SEND_WITHIN_S = 120.0
"""So long after the gate's reading began a call may begin. The lease ends a minute later at the earliest, and a call
takes half a minute, so nobody else can be at it by then."""
Load = TypeVar("Load")
Answer = TypeVar("Answer")
log = structlog.get_logger()


class Outcome(Enum):
    """What became of an effect that the channel was not, or not surely, told of."""

    ABSENT = auto()
    """The call ended, and the channel surely does not have it."""
    REFUSED = auto()
    """It is not tried again: a dead letter says why."""
    UNKNOWN = auto()
    """The channel may have it: a person looks."""


class NotYetError(Exception):
    """What is to be known is not known yet, or the row may not go yet: it is looked at again; no try is lost."""

    def __init__(self, why: str, *, wait_s: float) -> None:
        super().__init__(why)
        self.wait_s = wait_s


class AskPersonError(Exception):
    """It was looked for, and only a person can tell whether it is there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind(Generic[Load, Answer]):
    """Wherein the effects of one kind differ from others.

    Args:
        noun: what is sent, in events and for people.
        order_ids: the orders that it is about, by its row id.
        lane: of the channel's call budget.
        find: whether the channel has it already; asked for `Repeat.LOOK_FIRST` only. It may raise `NotYetError` and
            `AskPersonError`, so may `admit`.
        reread: learns outside of any transaction what the decision needs, and says whether the channel was called for
            it; left out when a person let it go unread.
        admit: what is to be sent, noted as sent in the same commit, so that nothing that is known by then can have been
            overlooked; None when it waits or is dropped.
        send: tells the channel and returns only when it has accepted.
        told: notes that the channel has it, and what `send` returned; None when it was found there.
        note: notes any other outcome.
        facts: what is sent and for whom, for a person who has to look for it.
        arrived: how that person says that it is there.
    """

    noun: str
    order_ids: Callable[[Tx, int], Sequence[int]]
    lane: str = "shipment"
    repeat: Repeat
    find: Callable[[Claimed], bool]
    reread: Callable[[Claimed], bool]
    admit: Callable[[Tx, Claimed], Load | None]
    send: Callable[[Load], Answer]
    told: Callable[[Tx, Claimed, Answer | None], None]
    note: Callable[[Tx, Claimed, Outcome], None]
    facts: Callable[[Tx, Claimed, Sequence[KnownOrder]], str]
    arrived: str = "`erpsync tasks done ID --arrived`"


@dataclass(slots=True)
class _Way:
    """How far a row has come; `sent`: the call that takes effect was about to be made."""

    row: Claimed
    sent: bool = False


def push_once(ctx: Context, channel: Channel, row: Claimed, kind: Kind[Load, Answer]) -> None:
    """Go the whole way with one claimed row; whatever happens leaves a state behind."""
    way = _Way(row)
    try:
        with lane(kind.lane):
            called = _go(ctx, channel, way, kind)
    except UnreadError as unread:
        ours = _if_ours(ctx, way.row, partial(_hold, ctx=ctx, row=way.row, kind=kind, unread=unread))
        if unread.tells_of_channel and ours:
            mark_down(ctx, unread.shop, unread.cause)
    except Exception as error:  # noqa: BLE001 the one place that runs every effect; a state stays behind
        ours = _if_ours(ctx, way.row, partial(_fail, channel=channel, way=way, kind=kind, error=error))
        if isinstance(error, ConnectorError) and not is_of_record(error) and ours:
            mark_down(ctx, channel, error)
    else:
        if called:
            mark_up(ctx, channel)


def _orders(tx: Tx, row: Claimed, kind: Kind[Load, Answer]) -> list[KnownOrder]:
    """Return the orders that a row is about, locked."""
    return list(lock_order_ids(tx, kind.order_ids(tx, row.ref_id)).values())


def _if_ours(ctx: Context, row: Claimed, write: Callable[[Tx], None]) -> bool:
    """Run `write` unless the row has passed to another node while this one slept; whether it is ours."""

    def guarded(tx: Tx) -> bool:
        ours = still_leased(tx, row)
        if ours:
            write(tx)
        return ours

    return ctx.store.retrying(guarded)


def _go(ctx: Context, channel: Channel, way: _Way, kind: Kind[Load, Answer]) -> bool:
    """Look whether it is there already, if that is in doubt; else ask the gate and send; whether a call was made."""
    called = False
    if way.row.unknown and kind.repeat is Repeat.NEVER:
        why = "an earlier try may have reached the channel"
        ctx.store.retrying(partial(_ask_person, channel=channel, row=way.row, kind=kind, why=why))
        return False
    if way.row.unknown and kind.repeat is Repeat.LOOK_FIRST:
        called = True
        if kind.find(way.row):
            _end(ctx, channel, way.row, kind, None)
            return True
        way.row = replace(way.row, unknown=False)
    with to_be_sent_within(ctx.store.clock, SEND_WITHIN_S):
        if not way.row.unread_ok:
            called |= kind.reread(way.row)
        load = ctx.store.retrying(lambda tx: kind.admit(tx, way.row))
        if load is None:
            return called
        way.sent = True
        with while_ours(ctx, [way.row]):
            answer = kind.send(load)
    _end(ctx, channel, way.row, kind, answer)
    return True


def _end(ctx: Context, channel: Channel, row: Claimed, kind: Kind[Load, Answer], answer: Answer | None) -> None:
    """End the row; one that had failed and is taken now lets the others of its kind be tried at once."""

    def end_row(tx: Tx) -> None:
        kind.told(tx, row, answer)
        if row.attempts:
            run_now(tx, row.destination_id, kinds=[row.kind])

    ctx.store.retrying(end_row)
    log.info("push.done", channel=channel.name, kind=row.kind, key=row.key, attempt=row.attempts + 1)


def _hold(tx: Tx, *, ctx: Context, row: Claimed, kind: Kind[Load, Answer], unread: UnreadError) -> None:
    """Hold what could not be judged; it costs no attempt, and near its last instant a person decides."""
    orders = _orders(tx, row, kind)
    hold(tx, ctx, row, orders, unread, facts=kind.facts(tx, row, orders))


def _fail(tx: Tx, *, channel: Channel, way: _Way, kind: Kind[Load, Answer], error: Exception) -> None:
    """Leave a state behind; a definite answer to the call that takes effect ends every earlier doubt."""
    if isinstance(error, NotYetError):
        run_at = tx.now + timedelta(seconds=error.wait_s)
        retry(tx, way.row, run_at=run_at, error=str(error), counts=False, unknown=way.row.unknown)
        return
    if isinstance(error, AskPersonError):
        _ask_person(tx, channel=channel, row=way.row, kind=kind, why=str(error))
        return
    row, definite = way.row, isinstance(error, ConnectorError) and not isinstance(error, OutcomeUnknownError)
    unknown = not definite if way.sent and kind.repeat is not Repeat.SAFE else row.unknown
    if way.sent and definite:
        kind.note(tx, row, Outcome.ABSENT)
    if way.sent and unknown and kind.repeat is Repeat.NEVER:
        _ask_person(tx, channel=channel, row=row, kind=kind, why=error_text(error))
        return
    put_back = partial(retry, tx, row, error=error_text(error), unknown=unknown)
    match after(error, attempts=row.attempts, row_id=row.id, auth_retry_s=channel.poll.auth_retry_s):
        case Rest(wait_s):
            put_back(run_at=tx.now + timedelta(seconds=wait_s), counts=False)
        case Again(wait_s, counts):
            put_back(run_at=tx.now + timedelta(seconds=wait_s), counts=counts)
            kept = {"channel": channel.name, "kind": row.kind, "key": row.key, "attempt": row.attempts + 1}
            if unknown:
                log.warning("push.unknown", **kept)
            else:
                log.warning("push.retried", **kept)
        case Dead() if unknown:  # what may be there is no refusal, whatever a look at it said
            _ask_person(tx, channel=channel, row=row, kind=kind, why=error_text(error))
        case Dead():
            _bury(tx, channel, row, kind, error_text(error))


def _ask_person(tx: Tx, *, channel: Channel, row: Claimed, kind: Kind[Load, Answer], why: str) -> None:
    """Give what must not be sent twice, and may be there, to a person, with the facts beside it."""
    sent_at = tx.execute(select(outbox.c.sent_at).where(outbox.c.id == row.id)).scalar()
    if not park(tx, row, waiting_for=PERSON, error=why, unknown=True):
        return
    kind.note(tx, row, Outcome.UNKNOWN)
    orders = _orders(tx, row, kind)
    when = "" if sent_at is None else f" at {stamp(sent_at)}"
    reason = (
        f"{kind.facts(tx, row, orders)} was sent to {channel.name}{when} and no answer came ({why}); "
        f"look for it there: if it is there, {kind.arrived}, if it is not, "
        f"`erpsync tasks done ID` sends it again"
    )
    open_tasks(tx, [Task(kind="unknown", key=row.key, reason=reason, channel_id=channel.id, order_id=orders[0].id)])
    _tell(tx, channel, row, kind, "unknown", why, [order.id for order in orders])
    log.error("push.unknown", channel=channel.name, kind=row.kind, key=row.key, action="look on the channel")


def _bury(tx: Tx, channel: Channel, row: Claimed, kind: Kind[Load, Answer], why: str) -> None:
    if not kill(tx, row, error=why):
        return
    kind.note(tx, row, Outcome.REFUSED)
    order_ids = kind.order_ids(tx, row.ref_id)
    letter = DeadLetter(
        channel_id=channel.id, kind=row.kind, key=row.key, error=why, order_id=order_ids[0], outbox_id=row.id
    )
    add_dead_letters(tx, [letter])
    _tell(tx, channel, row, kind, "refused", why, order_ids)
    log.error("push.buried", channel=channel.name, kind=row.kind, key=row.key, error=why)


def _tell(
    tx: Tx, channel: Channel, row: Claimed, kind: Kind[Load, Answer], what: str, why: str, order_ids: Sequence[int]
) -> None:
    """Write into the story of each order what became of the row."""
    detail = {kind.noun: row.key, "error": why}
    told = partial(Event, kind=f"{kind.noun}.{what}", channel_id=channel.id, detail=detail)
    write_events(tx, [told(order_id=order_id) for order_id in order_ids])
