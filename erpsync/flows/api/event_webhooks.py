"""Telling subscribers of events: signed calls in the order of the events, each at least once.

Why one cursor per subscription and no queue rows: the event table is the queue already, and a cursor that moves only
behind what was taken keeps every order's events in order. One subscriber that cannot be reached stops itself alone.
An event is called again when the process dies between the answer and the commit of the cursor; its `webhook-id` is the
same then.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

import structlog
from sqlalchemy import select, update

from erpsync.flows.api.subscriptions import TASK
from erpsync.flows.context import Context
from erpsync.flows.followers import ASKS_AFTER, TURN_S, due, failed, recovered, turn
from erpsync.flows.retry import asked_s
from erpsync.sdk.deadline import to_be_sent_within
from erpsync.sdk.errors import ConnectorError, TooLateError
from erpsync.sdk.http import HttpClient
from erpsync.sdk.signing import decode_key, signed_headers
from erpsync.store.db.privacy import PrivacyError
from erpsync.store.db.store import Tx
from erpsync.store.encrypted import subscription_row
from erpsync.store.events import Event, write_events
from erpsync.store.feed import settled_id
from erpsync.store.leases import Lease, fence
from erpsync.store.tables import subscription
from erpsync.store.tasks import Task, close_tasks, open_tasks
from erpsync.store.views.feed import list_events
from erpsync.store.views.values import Json

AT_ONCE = 50
"""Events per commit of a cursor: so many may be told twice after a crash."""

PASSED_OVER = 1000
"""Events of other kinds after which a cursor is moved although nothing was told."""

CALL_S = 10.0
GIVES_UP_AFTER = timedelta(days=3)
GONE = 410

log = structlog.get_logger()


class _Subscriber(Protocol):
    """A row of `subscription`, as it was read."""

    id: int
    url: str
    secret: bytes
    kinds: str
    cursor: int
    attempts: int
    failing_since_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Refusal:
    """Why an event was not taken; `wait_s` as the subscriber asked, `gone` when it wants no more calls."""

    problem: str
    wait_s: float = 0.0
    gone: bool = False


def push_events(ctx: Context, *, http: HttpClient | None = None, step: Callable[[], None] = lambda: None) -> int:
    """Tell every subscriber that is due its next events; return how many were taken.

    Args:
        step: called before each subscriber's turn.
    """
    rows = due(ctx, subscription, subscription.c.state == "active")
    if not rows:
        return 0
    until = settled_id(ctx.store)
    with _client(ctx, http) as client:
        taken = 0
        for row in rows:
            step()
            taken += _serve(ctx, client, row, until) if row.cursor < until else 0
        return taken


@contextmanager
def _client(ctx: Context, http: HttpClient | None) -> Iterator[HttpClient]:
    if http is not None:
        yield http
        return
    clock = ctx.store.clock
    own = HttpClient(clock=clock, connect_s=3, read_s=CALL_S, deadline_s=CALL_S, local=ctx.may_tell)
    try:
        yield own
    finally:
        own.close()


def _serve(ctx: Context, http: HttpClient, row: _Subscriber, until: int) -> int:
    """Tell one subscriber, unless there is nothing for it or another node is at it."""
    if until - row.cursor < PASSED_OVER and not _events_of(ctx, row, until, limit=1):
        return 0
    with turn(ctx, f"subscription:{row.id}", call_s=CALL_S) as held:
        return 0 if held is None else _tell(ctx, http, held, row.id, until)


def _tell(ctx: Context, http: HttpClient, held: Lease, id: int, until: int) -> int:
    with ctx.store.read() as connection:
        row: Any = connection.execute(select(subscription).where(subscription.c.id == id)).first()
    if row is None or row.state != "active":
        return 0
    clock = ctx.store.clock
    ends_s = clock.monotonic() + TURN_S
    events = _events_of(ctx, row, until, limit=AT_ONCE)
    taken, refusal, cursor = 0, None, row.cursor
    with suppress(TooLateError), to_be_sent_within(clock, TURN_S):
        for event in events:
            refusal = _call(ctx, http, row, event)
            if refusal is not None:
                break
            taken, cursor = taken + 1, event["id"]
            if clock.monotonic() >= ends_s:
                break
    if taken == len(events) < AT_ONCE:
        cursor = until  # nothing of its kinds lies in between
    ctx.store.retrying(lambda tx: _advance(tx, held, row, cursor, refusal))
    if taken:
        log.info("events.told", subscription=id, events=taken, behind=until - cursor)
    return taken


def _events_of(ctx: Context, row: _Subscriber, until: int, *, limit: int) -> list[Json]:
    kinds = json.loads(row.kinds)
    with ctx.store.read() as connection:
        return list_events(connection, after=row.cursor, until=until, kinds=kinds, limit=limit)


def message_of(event: Json) -> bytes:
    """Return the body that tells of an event, in the form Standard Webhooks recommends: type, timestamp, data."""
    data = {name: value for name, value in event.items() if name not in ("at", "kind")}
    message = {"type": event["kind"], "timestamp": event["at"], "data": data | {"cursor": str(event["id"])}}
    return json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode()


def _call(ctx: Context, http: HttpClient, row: _Subscriber, event: Json) -> _Refusal | None:
    body = message_of(event)
    try:
        if ctx.store.vault is None:
            raise PrivacyError("there is no key to open the secret with")
        secret: str = ctx.store.vault.decrypt(row.secret, row=subscription_row(row.id))
        signed = signed_headers(decode_key(secret), body, id=f"evt_{event['id']}", at=ctx.store.clock.now())
        headers = {"content-type": "application/json", **signed}
        answer = http.request("POST", row.url, data=body, headers=headers, repeatable=True)
    except TooLateError:
        raise
    except (ConnectorError, PrivacyError) as error:
        return _Refusal(problem=str(error), wait_s=asked_s(error))
    if 200 <= answer.status < 300:
        return None
    return _Refusal(problem=f"the subscriber answered {answer.status}", gone=answer.status == GONE)


def _advance(tx: Tx, held: Lease, row: _Subscriber, cursor: int, refusal: _Refusal | None) -> None:
    """Move the cursor behind what was taken, unless somebody moved it meanwhile, and say when to go on."""
    fence(tx, held)
    if refusal is None:
        values = recovered(tx)
        if row.attempts:
            close_tasks(tx, TASK, [str(row.id)], by="erpsync")
    else:
        values = _failed(tx, row, refusal, moved=cursor != row.cursor)
    same = (subscription.c.id == row.id) & (subscription.c.cursor == row.cursor)
    tx.execute(update(subscription).where(same).values(cursor=cursor, **values))


def _failed(tx: Tx, row: _Subscriber, refusal: _Refusal, *, moved: bool) -> dict[str, Any]:
    values = failed(tx, row, refusal.problem, moved=moved, wait_s=refusal.wait_s)
    stopped = refusal.gone or tx.trusted_now - values["failing_since_at"] >= GIVES_UP_AFTER
    if stopped:
        _give_up(tx, row, refusal)
    elif values["attempts"] == ASKS_AFTER:
        reason = f"{row.url} does not take events: {refusal.problem}; it is tried again and again for 3 days"
        open_tasks(tx, [Task(kind=TASK, key=str(row.id), reason=reason)])
    log.warning("events.refused", subscription=row.id, attempt=values["attempts"], error=refusal.problem)
    return values | {"state": "stopped" if stopped else "active"}


def _give_up(tx: Tx, row: _Subscriber, refusal: _Refusal) -> None:
    reason = f"{row.url} is told no more events: {refusal.problem}; resume or end subscription {row.id} through the API"
    open_tasks(tx, [Task(kind=TASK, key=str(row.id), reason=reason)])
    detail = {"subscription": row.id, "error": refusal.problem}
    write_events(tx, [Event(kind="subscription.stopped", detail=detail)])
    log.error("subscription.stopped", subscription=row.id, error=refusal.problem)
