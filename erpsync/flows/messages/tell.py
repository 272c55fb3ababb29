"""Telling departments: what is due of each route, message by message, and what becomes of one that is not accepted.

Why a message leaves a mark before it is sent (`pending`): when nobody knows whether it arrived, the same events are
told again as the same message with the same id, whatever has happened since.
Why a route's failures do not take its channel down: that would be an event, to be told through the same channel.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import structlog
from sqlalchemy import func, select, update

from erpsync.core.messages import MINUTE, RoutePolicy, Tell, Wait, Waiting, plan
from erpsync.flows.blame import is_of_database
from erpsync.flows.channels.health import may_call
from erpsync.flows.context import Channel, Context
from erpsync.flows.followers import TURN_S, due, recovered, turn
from erpsync.flows.messages.compose import message_of
from erpsync.flows.messages.facts import Happened, happened
from erpsync.flows.messages.levels import ALARMS
from erpsync.flows.messages.trouble import after_trouble
from erpsync.sdk.deadline import to_be_sent_within
from erpsync.sdk.errors import TooLateError
from erpsync.sdk.roles import MessageSink, playing
from erpsync.sdk.types import Message
from erpsync.store.db.store import Tx
from erpsync.store.feed import settled_id
from erpsync.store.leases import Lease, fence
from erpsync.store.routes import BROKEN
from erpsync.store.tables import instant, micros, route
from erpsync.store.tasks import close_tasks
from erpsync.store.views.feed import list_events

SCAN = 1000
"""Events that one look takes in, and so that one digest tells of at most."""

CALL_S = 60.0
PAUSED_S = 60.0
ALARM_LOOK_S = 15.0
LONGEST_WAIT_S = 900.0
"""So long a route is left alone at most, whatever it waits for: a clock that is set back must not silence it."""

SPREAD_S = 30
"""Seconds over which routes that wait for the same hour are spread: platforms throttle at full hours first."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """How far a route is, as this turn knows it."""

    id: int
    cursor: int
    pending: int
    attempts: int
    refusals: int
    failing_since_at: datetime | None
    sent: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Turn:
    """One route's turn: its policy, its row, the channel that sends."""

    ctx: Context
    policy: RoutePolicy
    row: _Row
    held: Lease
    channel: Channel
    sink: MessageSink

    def write(self, values: Callable[[Tx], dict[str, Any]]) -> None:
        """Change the row, unless somebody else has the lease or moved the cursor."""

        def change(tx: Tx) -> None:
            fence(tx, self.held)
            same = (route.c.id == self.row.id) & (route.c.cursor == self.row.cursor)
            tx.execute(update(route).where(same).values(**values(tx)))

        self.ctx.store.retrying(change)


def push_messages(ctx: Context, *, step: Callable[[], None] = lambda: None) -> float | None:
    """Tell every route that is due what it waits for; return in how many seconds there is more, None for not by itself.

    Args:
        step: called before each route's turn.
    """
    if not ctx.routes:
        return None
    policies = {policy.id: policy for policy in ctx.routes}
    rows = due(ctx, route, route.c.name.in_(sorted(policies)))
    more = False
    if rows:
        until = settled_id(ctx.store)
        for row in rows:
            step()
            if row.cursor < until or row.pending:
                more = _serve(ctx, policies[row.name], row, until) or more
    return 0.0 if more else _next_s(ctx, sorted(policies))


def _next_s(ctx: Context, names: Sequence[str]) -> float | None:
    now = ctx.store.clock.now()
    query = select(func.min(route.c.run_at)).where(route.c.name.in_(names), route.c.run_at > now)
    with ctx.store.read() as connection:
        at: datetime | None = connection.execute(query).scalar()
    return None if at is None else max(0.001, (at - now).total_seconds())


def _serve(ctx: Context, policy: RoutePolicy, row: Any, until: int) -> bool:
    """Give one route its turn; return whether it has more to tell at once."""
    with turn(ctx, f"route:{row.id}", call_s=CALL_S) as held:
        if held is None:
            return False
        found = _read(ctx, row.id)
        if found is None:
            return False
        channel = next((it for it in ctx.channels.values() if it.name == policy.to), None)
        sink = None if channel is None else playing(channel.connector, MessageSink)
        if channel is None or sink is None or not may_call(ctx, channel, probing=True):
            ctx.store.retrying(lambda tx: _rest(tx, row.id))
            return False
        return _tell(_Turn(ctx=ctx, policy=policy, row=found, held=held, channel=channel, sink=sink), until)


def _read(ctx: Context, row_id: int) -> _Row | None:
    with ctx.store.read() as connection:
        row = connection.execute(select(route).where(route.c.id == row_id)).first()
    return None if row is None else _Row(**{field.name: getattr(row, field.name) for field in fields(_Row)})


def _rest(tx: Tx, row_id: int) -> None:
    """Leave a route alone whose channel is paused or disabled; what it does not tell now waits."""
    tx.execute(update(route).where(route.c.id == row_id).values(run_at=tx.now + timedelta(seconds=PAUSED_S)))


def _tell(it: _Turn, until: int) -> bool:
    waiting, reached = _waiting(it, until)
    if it.row.pending:
        waiting = [one for one in waiting if one.id <= it.row.pending]
        reached = min(reached, it.row.pending)
    if not waiting:
        it.write(lambda tx: {"cursor": max(reached, it.row.cursor), "pending": 0, "run_at": tx.now})
        return reached < until
    now, zone = it.ctx.store.clock.now(), it.ctx.timezone
    sent = _sent(it.row, now)
    troubled = it.row.failing_since_at is not None or it.row.pending > 0
    decided = plan(
        it.policy,
        [Waiting(id=one.id, at=one.at, level=one.level) for one in waiting],
        sent=sent,
        now=now,
        zone=zone,
        troubled=troubled,
        alarm_behind=reached < until and _alarm_behind(it, reached, until),
    )
    if isinstance(decided, Wait):
        _wait(it, decided, now)
        return False
    return _send_all(it, decided, waiting, sent, reached=reached) and reached < until


def _waiting(it: _Turn, until: int) -> tuple[list[Happened], int]:
    """Return what the route tells of the next events, and how far they were looked at."""
    with it.ctx.store.read() as connection:
        events = list_events(connection, after=it.row.cursor, until=until, kinds=it.policy.when.kinds, limit=SCAN)
        found = happened(connection, events, asks=it.policy.when.asks)
    reached = events[-1]["id"] if len(events) == SCAN else until
    return [one for one in found if it.policy.when.holds(one.facts) and not _own(it.policy, one)], reached


def _own(policy: RoutePolicy, one: Happened) -> bool:
    """Whether an event tells of trouble of this very route, or of a message: told, it might be made anew without end.

    Two routes that are both refused would tell each other's refusals for ever; their tasks tell people.
    """
    return one.about_route in (policy.id, "*") or one.of_message


def _alarm_behind(it: _Turn, reached: int, until: int) -> bool:
    """Whether an alarm waits behind so much else that it is not among what is told next."""
    if it.policy.quiet_lets != "alarm":
        return False
    with it.ctx.store.read() as connection:
        events = list_events(connection, after=reached, until=until, kinds=sorted(ALARMS), limit=50)
        return any(it.policy.when.holds(one.facts) for one in happened(connection, events, asks=it.policy.when.asks))


def _wait(it: _Turn, decided: Wait, now: datetime) -> None:
    spread_s = it.row.id * 7 % SPREAD_S if decided.until - now > MINUTE else 0
    longest_s = ALARM_LOOK_S if it.policy.quiet_lets == "alarm" else LONGEST_WAIT_S
    until = min(decided.until + timedelta(seconds=spread_s), now + timedelta(seconds=longest_s))
    it.write(lambda _: {"run_at": until})


def _sent(row: _Row, now: datetime) -> list[datetime]:
    """Return when messages were sent within the last minute; what the clock has not reached was never sent."""
    return [at for at in map(instant, json.loads(row.sent)) if now - MINUTE < at <= now]


def _send_all(it: _Turn, decided: Tell, waiting: Sequence[Happened], sent: list[datetime], *, reached: int) -> bool:
    """Send the messages one by one; return whether another turn may follow at once.

    Args:
        reached: the last event that was looked at; what lies behind the last message is passed over.
    """
    by_id = {one.id: one for one in waiting}
    clock = it.ctx.store.clock
    ends_s = clock.monotonic() + TURN_S
    with to_be_sent_within(clock, TURN_S):
        for group in decided.groups:
            if clock.monotonic() >= ends_s:
                return _again(it)
            events = [by_id[id] for id in group]
            message = message_of(it.policy, events, zone=it.ctx.timezone, console_url=it.ctx.console_url)
            now = clock.now()
            sent = [at for at in sent if at > now - MINUTE]
            it.write(partial(_begun, last=group[-1], sent=[*sent, now]))
            try:
                if not _send(it, message, group[-1], sent):
                    return False
            except TooLateError:
                return _again(it)
            sent.append(clock.now())
            it = replace(it, row=_told(it.row, group[-1]))
    if it.row.cursor < reached:
        it.write(lambda _: {"cursor": reached})
    return True


def _again(it: _Turn) -> bool:
    """Let a route go on at its next turn, which comes soon: its time was up before it had told everything."""
    it.write(lambda tx: {"run_at": tx.now + timedelta(seconds=1)})
    return False


def _begun(tx: Tx, *, last: int, sent: Sequence[datetime]) -> dict[str, Any]:
    del tx
    return {"pending": last, "sent": _kept(sent)}


def _kept(sent: Sequence[datetime]) -> str:
    return json.dumps([micros(at) for at in sent])


def _told(row: _Row, last: int) -> _Row:
    return replace(row, cursor=last, pending=0, attempts=0, refusals=0, failing_since_at=None)


def _send(it: _Turn, message: Message, last: int, before: Sequence[datetime]) -> bool:
    """Send one message and note what became of it; return whether it was accepted.

    Why it counts from its answer on: a group counts when a message arrives, which is no later than that.

    Args:
        before: when others were sent within the last minute.
    """
    try:
        it.sink.push_message(message)
    except TooLateError:
        raise
    except Exception as error:
        if is_of_database(error):
            raise
        trouble = error
    else:
        counted = {"sent": _kept([*before, it.ctx.store.clock.now()])}
        it.write(lambda tx: _accepted(tx, it, last) | counted)
        log.info("message.told", route=it.policy.id, channel=it.channel.name, key=message.id, level=message.level.value)
        return True
    counted = {"sent": _kept([*before, it.ctx.store.clock.now()])}
    it.write(lambda tx: after_trouble(tx, it.row, it.policy, it.channel, message, trouble, last) | counted)
    return False


def _accepted(tx: Tx, it: _Turn, last: int) -> dict[str, Any]:
    if it.row.failing_since_at is not None:
        close_tasks(tx, BROKEN, [it.policy.id], by="erpsync")
    return recovered(tx) | {"cursor": last, "pending": 0, "refusals": 0, "run_at": tx.now}
