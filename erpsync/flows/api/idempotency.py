"""Carrying a request out once, however often it is sent.

    claimed ──first commit of the work──▶ carried out ──▶ answered (kept for 30 days)
       └── the work was refused: answered; it failed: forgotten

Why the first transaction of the work marks the claim: whoever asks again after this process died must learn whether
anything was done, and only the very commit that did it can say so. The mark is fenced: when another process has taken
the claim over meanwhile, the late work is rolled back.
"""

import hashlib
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Any

from sqlalchemy import delete, select, update

from erpsync.flows.access.tokens import Access
from erpsync.flows.context import Context
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
class Call:
    """A request that changes something: who asks, what for, and the key that all its repetitions carry."""

    access: Access
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
    values = {"token_id": call.access.id, "key": call.key, "digest": call.digest, "at": tx.now}
    new = tx.insert(api_request).values(**values, claimed_until_at=tx.now + CLAIM)
    made = tx.execute(new.on_conflict_do_nothing().returning(api_request.c.id)).scalar()
    if made is not None:
        return Claim(id=int(made), call=call, fence=1)
    of_call = (api_request.c.token_id == call.access.id) & (api_request.c.key == call.key)
    row: Any = tx.execute(select(api_request).where(of_call).with_for_update()).first()
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
    """Leave on record who changed something through the API, in the transaction that changed it."""
    detail = {"method": call.method, "path": call.path, "key": call.key}
    write_events(tx, [Event(kind="api.changed", detail=detail, actor=call.access.actor)])
