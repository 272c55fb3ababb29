"""The way of one effect that must happen once: looked for, admitted, called, and its outcome known.

    pending ─claim─▶ gate ─▶ call ─▶ done
                      │        └─ no answer ─▶ unknown: SAFE sends again, LOOK_FIRST looks, NEVER asks a person
                      ├─ waits for a condition, or dropped
                      └─ its order cannot be read ─▶ held; shortly before its last instant a person decides

Why a class per kind and one way for all: parcels and releases differ in what they say, not in what may go wrong.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import ClassVar, Generic, TypeVar

import structlog
from sqlalchemy import select

from erpsync.core.instants import stamp
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
log = structlog.get_logger()


class PushOnce(ABC, Generic[Load]):
    """One claimed effect on its way.

    Attributes:
        noun: what is sent, in events and for people.
        lane: of the channel's call budget.
        at: the channel that is being called, to which an error is put down.
        sent: whether the call that takes effect was about to be made; `called`: whether any call ended.
    """

    noun: ClassVar[str]
    lane: ClassVar[str] = "shipment"

    def __init__(self, ctx: Context, channel: Channel, row: Claimed, *, repeat: Repeat) -> None:
        self.ctx, self.channel, self.row, self.repeat = ctx, channel, row, repeat
        self.at = channel
        self.sent = self.called = False

    # -- what kinds differ in

    @abstractmethod
    def look(self) -> bool:
        """Return whether the channel has it already; asked for `Repeat.LOOK_FIRST` only."""

    def prepare(self) -> None:
        """Learn what the decision needs, outside of any transaction; left out when a person let it go unread."""

    @abstractmethod
    def admit(self, tx: Tx) -> Load | None:
        """Return what is to be sent, noted as sent in the same commit; None when it waits or is dropped.

        One commit for both, so that nothing that is known by then can have been overlooked.
        """

    @abstractmethod
    def call(self, load: Load) -> None:
        """Tell the channel; returns only when it has accepted."""

    @abstractmethod
    def done(self, tx: Tx) -> None:
        """Note that the channel has it."""

    @abstractmethod
    def note_state(self, tx: Tx, state: str) -> None:
        """Note what became of it: `waiting` on a person who knows the outcome, or `refused`."""

    def note_absent(self, tx: Tx) -> None:
        """Note that the call ended and the channel surely does not have it."""

    @abstractmethod
    def order_id(self, tx: Tx) -> int:
        """Return the order it is about."""

    def facts(self, tx: Tx) -> str:
        """Return what is sent and for whom, for a person who has to look for it."""
        del tx
        return f"{self.noun} {self.row.key}"

    # -- the way

    def run(self) -> None:
        """Go the whole way; whatever happens leaves a state behind."""
        try:
            with lane(self.lane):
                self._go()
        except UnreadError as unread:
            ours = self.ctx.store.retrying(partial(self._if_ours, work=partial(self._hold, unread=unread)))
            if unread.tells_of_channel and ours:
                mark_down(self.ctx, self.at, unread.cause)
        except Exception as error:  # noqa: BLE001 the one place that runs every errand; a state stays behind
            ours = self.ctx.store.retrying(partial(self._if_ours, work=partial(self._fail, error=error)))
            if isinstance(error, ConnectorError) and not is_of_record(error) and ours:
                mark_down(self.ctx, self.at, error)
        else:
            if self.called:
                mark_up(self.ctx, self.channel)

    def _if_ours(self, tx: Tx, *, work: Callable[[Tx], None]) -> bool:
        """Do `work` unless the row has passed to another node while this one slept; whether it is ours."""
        ours = still_leased(tx, self.row)
        if ours:
            work(tx)
        return ours

    def _go(self) -> None:
        """Look whether it is there already, if that is in doubt; else ask the gate and send."""
        if self.row.unknown and self._is_settled():
            return
        with to_be_sent_within(self.ctx.store.clock, SEND_WITHIN_S):
            if not self.row.unread_ok:
                self.prepare()
            load = self.ctx.store.retrying(self.admit)
            if load is None:
                return
            self.sent = True
            with while_ours(self.ctx, [self.row]):
                self.call(load)
        self.called = True
        self._end()

    def _is_settled(self) -> bool:
        """Whether the question is settled: the channel has it, or nobody may find out but a person."""
        if self.repeat is Repeat.NEVER:
            error = OutcomeUnknownError("an earlier try may have reached the channel")
            self.ctx.store.retrying(partial(self._ask_person, error=error))
            return True
        if self.repeat is Repeat.SAFE:
            return False
        found = self.look()
        self.called = True
        if found:
            self._end()
        self.row = replace(self.row, unknown=False)
        return found

    def _end(self) -> None:
        self.ctx.store.retrying(self._done)
        row = self.row
        log.info("push.done", channel=self.channel.name, kind=row.kind, key=row.key, attempt=row.attempts + 1)

    def _done(self, tx: Tx) -> None:
        """End the row; one that had failed and is taken now lets the others of its kind be tried at once."""
        self.done(tx)
        if self.row.attempts:
            run_now(tx, self.row.destination_id, kinds=[self.row.kind])

    def _hold(self, tx: Tx, *, unread: UnreadError) -> None:
        """Hold what could not be judged; it costs no attempt, and near its last instant a person decides."""
        order = lock_order_ids(tx, [self.order_id(tx)])[self.order_id(tx)]
        hold(tx, self.at, self.row, order, unread, facts=self.facts(tx))

    def _fail(self, tx: Tx, *, error: Exception) -> None:
        """Leave a state behind; a definite answer to the call that takes effect ends every earlier doubt."""
        row, definite = self.row, isinstance(error, ConnectorError) and not isinstance(error, OutcomeUnknownError)
        unknown = not definite if self.sent and self.repeat is not Repeat.SAFE else row.unknown
        if self.sent and definite and still_leased(tx, row):
            self.note_absent(tx)
        if self.sent and unknown and self.repeat is Repeat.NEVER:
            self._ask_person(tx, error=error)
            return
        put_back = partial(retry, tx, row, error=error_text(error), unknown=unknown)
        match after(error, attempts=row.attempts, row_id=row.id, auth_retry_s=self.at.poll.auth_retry_s):
            case Rest(wait_s):
                put_back(run_at=tx.now + timedelta(seconds=wait_s), counts=False)
            case Again(wait_s, counts):
                put_back(run_at=tx.now + timedelta(seconds=wait_s), counts=counts)
                kept = {"channel": self.channel.name, "kind": row.kind, "key": row.key, "attempt": row.attempts + 1}
                if unknown:
                    log.warning("push.unknown", **kept)
                else:
                    log.warning("push.retried", **kept)
            case Dead() if unknown:
                self._ask_person(tx, error=error)  # what may be there is no refusal, whatever a look at it said
            case Dead():
                self._bury(tx, error)

    def _ask_person(self, tx: Tx, *, error: Exception) -> None:
        """Give what must not be sent twice, and may be there, to a person, with the facts beside it."""
        row, channel = self.row, self.channel
        sent_at = tx.execute(select(outbox.c.sent_at).where(outbox.c.id == row.id)).scalar()
        if not park(tx, row, waiting_for=PERSON, error=error_text(error), unknown=True):
            return
        self.note_state(tx, "waiting")
        order_id = self.order_id(tx)
        when = "" if sent_at is None else f" at {stamp(sent_at)}"
        reason = (
            f"{self.facts(tx)} was sent to {channel.name}{when} and no answer came ({error_text(error)}); "
            f"look for it there: if it is there, `erpsync tasks done ID --arrived`, if it is not, "
            f"`erpsync tasks done ID` sends it again"
        )
        open_tasks(tx, [Task(kind="unknown", key=row.key, reason=reason, channel_id=channel.id, order_id=order_id)])
        detail = {self.noun: row.key, "error": error_text(error)}
        write_events(tx, [Event(kind=f"{self.noun}.unknown", order_id=order_id, channel_id=channel.id, detail=detail)])
        log.error("push.unknown", channel=channel.name, kind=row.kind, key=row.key, action="look on the channel")

    def _bury(self, tx: Tx, error: Exception) -> None:
        row, channel = self.row, self.channel
        if not kill(tx, row, error=error_text(error)):
            return
        self.note_state(tx, "refused")
        order_id = self.order_id(tx)
        letter = DeadLetter(
            channel_id=channel.id,
            kind=row.kind,
            key=row.key,
            error=error_text(error),
            order_id=order_id,
            outbox_id=row.id,
        )
        add_dead_letters(tx, [letter])
        detail = {self.noun: row.key, "error": error_text(error)}
        event = Event(kind=f"{self.noun}.refused", order_id=order_id, channel_id=channel.id, detail=detail)
        write_events(tx, [event])
        log.error("push.buried", channel=channel.name, kind=row.kind, key=row.key, error=error_text(error))
