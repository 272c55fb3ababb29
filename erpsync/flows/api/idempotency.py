"""Carrying a request out once, however often it is sent.

    claimed ──first commit of the work──▶ carried out ──▶ answered (kept for 30 days)
       └── the work was refused: answered; it failed: forgotten

Why the first transaction of the work marks the claim: whoever asks again after this process died must learn whether
anything was done, and only the very commit that did it can say so. The mark is fenced: when another process has taken
the claim over meanwhile, the late work is rolled back.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, delete, select, update

from erpsync.flows.context import Context
from erpsync.flows.errors import Refused
from erpsync.store.db.store import Store, Tx
from erpsync.store.events import Event, write_events
from erpsync.store.tables import api_request

KEPT = timedelta(days=30)
CLAIM = timedelta(seconds=60)
MAX_KEY_CHARS = 255


class KeyReusedError(Exception):
    """The key was used for another request."""


class BusyError(Exception):
    """A request with this key is being carried out right now."""


class ClaimLostError(Exception):
    """Another process has taken the request over; nothing of the transaction stays."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """Who asks, a program by its token or a person by their user, and from which address where that is known."""

    kind: Literal["token", "user"]
    id: int
    actor: str
    address: str = ""

    @property
    def column(self) -> str:
        """Which column names the asker's row."""
        return f"{self.kind}_id"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request that changes something: who asks, what for, and the key that all its repetitions carry."""

    asker: Asker
    key: str
    method: str
    path: str
    body: bytes

    @property
    def digest(self) -> bytes:
        """What tells this request from others of the same key."""
        head = f"{self.method} {self.path}\n".encode("utf-8", "surrogateescape")
        return hashlib.sha256(head + self.body).digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A kept answer."""

    status: int
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A request that this process carries out. `carried_out` when its work was committed before, by whomever."""

    id: int
    call: Call
    fence: int
    carried_out: bool = False


def claim(store: Store, call: Call) -> Claim | Answer:
    """Take a request on, or return the answer it had; raises `KeyReusedError` or `BusyError`."""
    return store.retrying(lambda tx: _claim(tx, call))


def _claim(tx: Tx, call: Call) -> Claim | Answer:
    values = {call.asker.column: call.asker.id, "key": call.key, "digest": call.digest, "at": tx.now}
    new = tx.insert(api_request).values(**values, claimed_until_at=tx.now + CLAIM)
    made = tx.execute(new.on_conflict_do_nothing().returning(api_request.c.id)).scalar()
    if made is not None:
        return Claim(id=int(made), call=call, fence=1)
    row: Any = tx.execute(select(api_request).where(_of(call.asker, call.key)).with_for_update()).first()
    if row is None:
        raise BusyError("the request before this one has just failed; send it again")
    if row.digest != call.digest:
        raise KeyReusedError(f"the key {call.key} was used for another request; take a new key for a new request")
    if row.status is not None:
        return Answer(status=row.status, body=row.body)
    if row.claimed_until_at > tx.now:
        raise BusyError("a request with this key is being carried out; ask again in a second")
    taken = {"fence": row.fence + 1, "claimed_until_at": tx.now + CLAIM}
    tx.execute(update(api_request).where(api_request.c.id == row.id).values(**taken))
    return Claim(id=row.id, call=call, fence=row.fence + 1, carried_out=row.carried_out)


def _of(asker: Asker, key: str) -> ColumnElement[bool]:
    return (api_request.c[asker.column] == asker.id) & (api_request.c.key == key)


def kept_answer(connection: Connection, asker: Asker, key: str) -> Answer | None:
    """Return the answer that a request had, None while it has none or where it never came."""
    row = connection.execute(select(api_request.c.status, api_request.c.body).where(_of(asker, key))).first()
    return None if row is None or row.status is None else Answer(status=row.status, body=row.body)


def carry_out(
    ctx: Context,
    call: Call,
    *,
    act: Callable[[Context], Any],
    show: Callable[[Context, Any], Answer],
    refuse: Callable[[Refused], Answer],
    again: bool = False,
) -> tuple[Answer, bool]:
    """Act, and return the answer and whether it is that of an earlier sending of the same request.

    Args:
        act: the use case. When a process died after its first commit and before the answer, it is not done again, and
            `show` gets None.
        show: makes the answer of what `act` returned.
        refuse: makes the answer of why `act` did not do it.
        again: the use case takes several commits and may be done again from the start.
    """
    held = claim(ctx.store, call)
    if isinstance(held, Answer):
        return held, True
    try:
        done = None if held.carried_out and not again else act(for_claim(ctx, held))
        answer = show(ctx, done)
    except Refused as error:
        answer = refuse(error)
    except BaseException:
        forget(ctx.store, held)
        raise
    answered(ctx.store, held, answer)
    return answer, False


def answered(store: Store, held: Claim, answer: Answer) -> None:
    """Keep the answer for whoever asks again."""
    with store.begin() as tx:
        values = {"status": answer.status, "body": answer.body, "claimed_until_at": None}
        tx.execute(update(api_request).where(_held(held)).values(**values))


def forget(store: Store, held: Claim) -> None:
    """Let the request be sent again as if it had never come, unless something of it was done."""
    with store.begin() as tx:
        tx.execute(delete(api_request).where(_held(held), api_request.c.carried_out.is_(False)))
        now = {"claimed_until_at": tx.now}
        tx.execute(update(api_request).where(_held(held), api_request.c.status.is_(None)).values(**now))


def _held(held: Claim) -> Any:
    return (api_request.c.id == held.id) & (api_request.c.fence == held.fence)


def for_claim(ctx: Context, held: Claim) -> Context:
    """Return the context with a store whose first transaction also marks the claim and leaves the audit event."""
    return replace(ctx, store=ctx.store.stamped(partial(_mark, held=held)))


def _mark(tx: Tx, *, held: Claim) -> None:
    marked = tx.execute(update(api_request).where(_held(held)).values(carried_out=True))
    if marked.rowcount != 1:
        raise ClaimLostError("the request was taken over by another process")
    audit(tx, held.call)


def audit(tx: Tx, call: Call) -> None:
    """Leave on record who changed something from outside, in the transaction that changed it."""
    asker = call.asker
    detail = {"method": call.method, "path": call.path, "key": call.key}
    kind = "api.changed"
    if asker.kind == "user":
        detail, kind = {"path": call.path, "address": asker.address}, "console.changed"
    write_events(tx, [Event(kind=kind, detail=detail, actor=asker.actor)])
