"""Marks, approvals and gifts of orders, and when each is to be looked at again."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, bindparam, func, select

from erpsync.store.db.bulk import delete_many, in_parts, insert_many
from erpsync.store.db.store import Stage, Tx
from erpsync.store.tables import order_approval, order_gift, order_look, order_mark

TIME, FACT = "time", "fact"
OFF = "off"
"""What a person's mark says who takes away what a rule wants."""

_LOOK_ANEW = "ON CONFLICT (order_id, cause) DO UPDATE SET at = excluded.at"
_ANEW = (
    "ON CONFLICT (order_id, name) DO UPDATE SET value = excluded.value, rule = excluded.rule, actor = excluded.actor"
)
_GIFT_ANEW = "ON CONFLICT (order_id, rule) DO UPDATE SET state = excluded.state, at = excluded.at"
_APPROVED_ANEW = (
    "ON CONFLICT (order_id, rule) DO UPDATE SET digest = excluded.digest, reason = excluded.reason,"
    " actor = excluded.actor, at = excluded.at"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredMark:
    """A mark as it is kept; `rule` or `actor` says whose it is."""

    value: str
    rule: str = ""
    actor: str = ""


Marks = Mapping[int, Mapping[str, StoredMark]]
"""By order id and name."""


def marks_of(connection: Connection, order_ids: Iterable[int]) -> dict[int, dict[str, StoredMark]]:
    """Return the marks of these orders, by order id and name."""
    marks: dict[int, dict[str, StoredMark]] = {}
    for row in _of(connection, select(order_mark), order_mark.c.order_id, order_ids):
        marks.setdefault(row.order_id, {})[row.name] = StoredMark(value=row.value, rule=row.rule, actor=row.actor)
    return marks


def approvals_of(connection: Connection, order_ids: Iterable[int]) -> dict[tuple[int, str], str]:
    """Return the digests of what was approved, by order id and rule."""
    rows = _of(connection, select(order_approval), order_approval.c.order_id, order_ids)
    return {(row.order_id, row.rule): row.digest for row in rows}


def gifts_of(connection: Connection, order_ids: Iterable[int]) -> dict[tuple[int, str], str]:
    """Return what became of gifts, by order id and rule."""
    rows = _of(connection, select(order_gift), order_gift.c.order_id, order_ids)
    return {(row.order_id, row.rule): row.state for row in rows}


def _of(connection: Connection, query: Select[Any], column: Any, order_ids: Iterable[int]) -> list[Any]:
    return [row for part in in_parts(order_ids) for row in connection.execute(query.where(column.in_(part)))]


def write_marks(tx: Tx, written: Mapping[tuple[int, str], StoredMark | None]) -> None:
    """Set marks, by order id and name, or take them away."""
    gone = [{"order_id": id, "name": name} for (id, name), mark in sorted(written.items()) if mark is None]
    kept = [
        {"order_id": id, "name": name, "value": it.value, "rule": it.rule, "actor": it.actor, "at": tx.now}
        for (id, name), it in sorted(written.items(), key=lambda item: item[0])
        if it is not None
    ]
    delete_many(tx, order_mark, gone)
    insert_many(tx, order_mark, kept, conflict=_ANEW)


def write_approvals(tx: Tx, order_id: int, digests: Mapping[str, str], *, actor: str, reason: str) -> None:
    """Note that a person said yes to what these rules ask; again, if those facts were others before."""
    rows = [
        {"order_id": order_id, "rule": rule, "digest": digest, "actor": actor, "reason": reason, "at": tx.now}
        for rule, digest in sorted(digests.items())
    ]
    insert_many(tx, order_approval, rows, conflict=_APPROVED_ANEW)


def write_gifts(tx: Tx, written: Mapping[tuple[int, str], str | None]) -> None:
    """Set what became of gifts, by order id and rule, or forget it where no rule wants one any more."""
    gone = [{"order_id": id, "rule": rule} for (id, rule), state in sorted(written.items()) if state is None]
    kept = [
        {"order_id": id, "rule": rule, "state": state, "at": tx.now}
        for (id, rule), state in sorted(written.items(), key=lambda item: item[0])
        if state is not None
    ]
    delete_many(tx, order_gift, gone)
    insert_many(tx, order_gift, kept, conflict=_GIFT_ANEW)


def look_again(tx: Tx, at: Mapping[int, datetime | None]) -> None:
    """Set when time changes something of orders, by their ids; None where it does not."""
    delete_many(tx, order_look, [{"order_id": id, "cause": TIME} for id, when in sorted(at.items()) if when is None])
    rows = [{"order_id": id, "cause": TIME, "at": when} for id, when in sorted(at.items()) if when is not None]
    insert_many(tx, order_look, rows, conflict=_LOOK_ANEW)


def look_beside(tx: Tx, order_ids: Iterable[int]) -> None:
    """Have other orders judged again because something beside them has changed; it locks none of them."""
    rows = [{"order_id": id, "cause": FACT, "at": tx.trusted_now} for id in sorted(set(order_ids))]
    insert_many(tx, order_look, rows, conflict=_LOOK_ANEW)
    if rows:
        tx.wake(Stage.LOOK)


Look = tuple[int, str, datetime]
"""Order id, cause, instant."""

_LOOKS = select(order_look.c.order_id, order_look.c.cause, order_look.c.at)
_ASKED_FOR = _LOOKS.where(order_look.c.cause == FACT).order_by(order_look.c.at, order_look.c.order_id)
_OF_TIME = _LOOKS.where(
    order_look.c.cause == TIME, order_look.c.at <= bindparam("now", type_=order_look.c.at.type)
).order_by(order_look.c.at, order_look.c.order_id)
_NEXT = select(func.min(order_look.c.at)).where(order_look.c.cause == TIME)


def due_looks(connection: Connection, now: datetime, *, limit: int) -> list[Look]:
    """Return the looks that are due: those that were asked for, whatever the clock says, then those of time."""
    asked = [(row.order_id, row.cause, row.at) for row in connection.execute(_ASKED_FOR.limit(limit))]
    rest = limit - len(asked)
    of_time = connection.execute(_OF_TIME.limit(rest), {"now": now}) if rest else ()
    return [*asked, *((row.order_id, row.cause, row.at) for row in of_time)]


def next_look(connection: Connection) -> datetime | None:
    """Return when time changes something of an order next."""
    return connection.execute(_NEXT).scalar()


def looked(tx: Tx, looks: Sequence[Look]) -> None:
    """End looks that were carried out; one that was asked for anew meanwhile has another instant and stays."""
    rows = [{"order_id": id, "cause": cause, "at": at} for id, cause, at in sorted(looks)]
    delete_many(tx, order_look, rows)
