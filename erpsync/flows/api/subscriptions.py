"""Who is told of events: subscribing, looking, going back, giving up."""

import ipaddress
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from sqlalchemy import delete, func, select, update

from erpsync.flows.context import Context
from erpsync.flows.errors import Refused
from erpsync.sdk.signing import new_secret
from erpsync.sdk.targets import is_callable_name, is_local
from erpsync.store.db.bulk import insert_many, new_ids
from erpsync.store.db.store import Tx
from erpsync.store.encrypted import subscription_row
from erpsync.store.events import Event, write_events
from erpsync.store.feed import settled_id
from erpsync.store.tables import subscription
from erpsync.store.tasks import close_tasks

TASK = "events_not_taken"
MOST = 50
MAX_URL_CHARS = 2000
_KIND = re.compile(r"[a-z][a-z0-9_]*\.([a-z0-9_.]*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a subscriber asks for. `after` is the event to go on after; None begins with the next one."""

    url: str
    kinds: tuple[str, ...] = ()
    after: int | None = None


def subscribe(ctx: Context, wanted: Wanted, *, actor: str) -> int:
    """Tell an address of events from now on, or from a cursor on; return the subscription's id."""
    _check_url(ctx, wanted.url)
    _check_kinds(wanted.kinds)
    newest = settled_id(ctx.store)
    after = newest if wanted.after is None else _known(wanted.after, newest)

    def write_subscription(tx: Tx) -> int:
        if tx.execute(select(func.count()).select_from(subscription)).scalar_one() >= MOST:
            raise Refused(f"there are {MOST} subscriptions already, which is the most")
        [id] = new_ids(tx, subscription, 1)
        row = {
            "id": id,
            "url": wanted.url,
            "secret": tx.vault.encrypt(new_secret(), row=subscription_row(id)),
            "kinds": json.dumps(wanted.kinds),
            "cursor": after,
            "created_at": tx.now,
            "created_by": actor,
            "run_at": tx.now,
        }
        insert_many(tx, subscription, [row])
        _note(tx, "subscription.created", id, actor)
        return id

    return ctx.store.retrying(write_subscription)


def reveal_secret(ctx: Context, id: int, *, actor: str) -> str:
    """Return a subscription's secret; who asked is on record before it is returned."""

    def read_secret(tx: Tx) -> str:
        secret: str = tx.vault.decrypt(_row(tx, id).secret, row=subscription_row(id))
        _note(tx, "subscription.secret_shown", id, actor)
        return secret

    return ctx.store.retrying(read_secret)


def go_back(ctx: Context, id: int, *, after: int, actor: str) -> None:
    """Tell a subscriber again what came after a cursor (or leave out what it cannot take), beginning at once."""
    _known(after, settled_id(ctx.store))

    def move_cursor(tx: Tx) -> None:
        change = {"from": _row(tx, id).cursor, "to": after}
        _restart(tx, id, actor, cursor=after)
        _note(tx, "subscription.replayed", id, actor, after=after, **change)

    ctx.store.retrying(move_cursor)


def restart(ctx: Context, id: int, *, actor: str) -> None:
    """Go on with a subscriber that was given up or is rested, at once and where it stands."""

    def reactivate(tx: Tx) -> None:
        change = {"from": _row(tx, id).state, "to": "active"}
        _restart(tx, id, actor)
        _note(tx, "subscription.resumed", id, actor, **change)

    ctx.store.retrying(reactivate)


def unsubscribe(ctx: Context, id: int, *, actor: str) -> None:
    """Tell an address nothing more."""

    def delete_subscription(tx: Tx) -> None:
        _row(tx, id)
        tx.execute(delete(subscription).where(subscription.c.id == id))
        close_tasks(tx, TASK, [str(id)], by=actor)
        _note(tx, "subscription.ended", id, actor)

    ctx.store.retrying(delete_subscription)


class _Subscription(NamedTuple):
    state: str
    cursor: int
    secret: bytes


def _row(tx: Tx, id: int) -> _Subscription:
    row = tx.execute(select(subscription).where(subscription.c.id == id).with_for_update()).first()
    if row is None:
        raise Refused(f"subscription {id} is not known")
    return _Subscription(state=row.state, cursor=row.cursor, secret=row.secret)


def _restart(tx: Tx, id: int, actor: str, **values: Any) -> None:
    close_tasks(tx, TASK, [str(id)], by=actor)
    fresh = {"state": "active", "attempts": 0, "run_at": tx.now, "failing_since_at": None, "error": "", **values}
    tx.execute(update(subscription).where(subscription.c.id == id).values(**fresh))


def _note(tx: Tx, kind: str, id: int, actor: str, **detail: Any) -> None:
    write_events(tx, [Event(kind=kind, detail={"subscription": id, **detail}, actor=actor)])


def _known(after: int, newest: int) -> int:
    if not 0 <= after <= newest:
        raise Refused(f"the cursor must be from 0 to {newest}, the last event there is, is {after}")
    return after


def _check_kinds(kinds: Sequence[str]) -> None:
    wrong = [kind for kind in kinds if not _KIND.fullmatch(kind)]
    if wrong:
        raise Refused(f"a kind is like order.allocated, or order. for all of orders, is {wrong[0]!r}")


def _check_url(ctx: Context, url: str) -> None:
    """Refuse addresses that cannot be called, and plain HTTP over the open network: events name orders and stock."""
    try:
        parts = urlsplit(url)
        host, fits = parts.hostname or "", parts.port is None or parts.port > 0
    except ValueError:
        host, fits = "", False
    if not (host and fits) or parts.scheme not in ("https", "http") or len(url) > MAX_URL_CHARS:
        raise Refused("url must be an https address")
    if not is_callable_name(host):
        raise Refused(f"url must name a host that can be called, {host} never can")
    port = parts.port or (443 if parts.scheme == "https" else 80)
    if is_local(host) and not ctx.may_tell(host, port):
        raise Refused(f"url must not lead to this machine, unless web.local_targets lists {host}:{port}")
    if parts.username is not None or parts.password is not None:
        raise Refused("url must not hold a user or password; calls are signed")
    if parts.scheme == "http" and not _is_near(host):
        raise Refused("url must begin with https: plain http is for this machine and private addresses only")


def _is_near(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return False
