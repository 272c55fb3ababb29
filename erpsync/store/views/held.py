"""Orders that rules hold: how many by rule, and which ones, those that have waited longest first."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select

from erpsync.core.order_holds import HoldReason, by_rule, kind_of, rule_of
from erpsync.store.tables import order_hold
from erpsync.store.tables.base import instant, micros

MOST_DIGITS = 18

Place = tuple[datetime, int]
"""Where in the list of a rule an order stands: since when it is held, and its row id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldByRule:
    """What one rule holds now; `void` where it says that they are no real orders."""

    rule: str
    void: bool
    text: str
    count: int
    oldest_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldOrder:
    """One order that a rule holds, by its row id."""

    id: int
    since: datetime
    text: str


def held_groups(connection: Connection) -> list[HeldByRule]:
    """Return what rules hold, the one that has held something for longest first."""
    reason, since = order_hold.c.reason, func.min(order_hold.c.at).label("oldest_at")
    # Scans order_hold: what is held now, no history.
    query = select(reason, func.count().label("held"), since, func.max(order_hold.c.detail).label("text"))
    rows = connection.execute(query.where(_of_rules()).group_by(reason).order_by(since, reason))
    return [
        HeldByRule(
            rule=rule_of(row.reason),
            void=kind_of(row.reason) == HoldReason.VOID,
            text=row.text,
            count=int(row.held),
            oldest_at=row.oldest_at,
        )
        for row in rows
    ]


def held_by_rules(connection: Connection) -> Counter[str]:
    """Return how many orders each rule holds now."""
    held: Counter[str] = Counter()
    for group in held_groups(connection):
        held[group.rule] += group.count
    return held


def held_by(connection: Connection, rule: str, *, limit: int, after: Place | None = None) -> list[HeldOrder]:
    """Return orders that a rule holds, those that have waited longest first.

    Args:
        after: only what stands behind it in this list.
    """
    at, id = order_hold.c.at, order_hold.c.order_id
    query = select(id, at, order_hold.c.detail).where(order_hold.c.reason.in_(_reasons(rule)))
    if after is not None:
        query = query.where(or_(at > after[0], and_(at == after[0], id > after[1])))
    # Scans order_hold: what is held now, no history.
    rows = connection.execute(query.order_by(at, id).limit(limit))
    return [HeldOrder(id=row.order_id, since=row.at, text=row.detail) for row in rows]


def held_since(connection: Connection, order_id: int) -> dict[str, datetime]:
    """Return since when each reason holds an order."""
    query = select(order_hold.c.reason, order_hold.c.at).where(order_hold.c.order_id == order_id)
    return {row.reason: row.at for row in connection.execute(query)}


def text_of(place: Place | None) -> str:
    """Return a place as it stands in an address; none is an empty text."""
    return "" if place is None else f"{micros(place[0])}-{place[1]}"


def place_of(text: str) -> Place | None:
    """Return the place of such a text; raises `ValueError` for what is none."""
    if not text:
        return None
    at, _, id = text.partition("-")
    if not (0 < len(id) <= MOST_DIGITS and id.isascii() and id.isdecimal()):
        raise ValueError(f"{text} is no place in the list")
    try:
        return instant(int(at)), int(id)
    except OverflowError:
        raise ValueError(f"{text} is no place in the list") from None


def _of_rules() -> ColumnElement[bool]:
    begins = (by_rule(""), by_rule("", void=True))
    return or_(*(order_hold.c.reason.startswith(each, autoescape=True) for each in begins))


def _reasons(rule: str) -> tuple[str, str]:
    return by_rule(rule), by_rule(rule, void=True)
