"""What of an event may be said and asked for: our own names and codes, numbers, and nothing anybody wrote.

Why a list of what may pass and none of what may not: an event's detail holds whatever explains a decision, and what is
added to it tomorrow must not be told to a chat group because nobody thought of it.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, select

from erpsync.core.facts import UNKNOWN, EventFacts, Word
from erpsync.core.order_holds import kind_of, rule_of
from erpsync.flows.messages.levels import level_of
from erpsync.languages.codes import CHECKS, HOLD_REASONS, KINDS, TASKS
from erpsync.store.db.bulk import in_parts
from erpsync.store.routes import BROKEN
from erpsync.store.tables import orders
from erpsync.store.views.marks import list_marks, tags_among
from erpsync.store.views.values import Json

_CHECKS = (*CHECKS, "auth", "clock", "down", "token")
"""What an alarm may be about."""

_NUMBER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._#/-]{0,63}")
"""Our own numbers of releases and parcels, and instants; a name in another script never fits."""

_NO_RULES: frozenset[str] = frozenset()

_NAMES = re.compile(r"[\w .#/+()-]{1,64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Money:
    """What an order costs."""

    minor: int
    currency: str

    @property
    def whole(self) -> Decimal:
        """The amount in whole units."""
        return Decimal(self.minor) / 100

    def __str__(self) -> str:
        return f"{self.whole:.2f} {self.currency}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """An event as it may be told. What it does not say is empty or None.

    Args:
        number: the number of what it is about: order, release, parcel or wave.
        rules: by reason, the ids of the rules that hold the order for it.
        kind_of: the kind of task or dead letter that it is about.
        kind_of_order, tags: of the order that it is about.
        about_route: the route whose trouble it tells of; `*` where that is not known.
        of_message: whether it tells of a message that was refused.
    """

    id: int
    at: datetime
    kind: str
    level: str
    order: str = ""
    channel: str = ""
    sku: str = ""
    skus: tuple[str, ...] = ()
    warehouses: tuple[str, ...] = ()
    hold_reasons: tuple[str, ...] = ()
    rules: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    number: str = ""
    kind_of: str = ""
    check: str = ""
    total: Money | None = None
    kind_of_order: Word = UNKNOWN
    tags: frozenset[str] = frozenset()
    about_route: str = ""
    of_message: bool = False

    @property
    def subject(self) -> str:
        """What it is about, in one word."""
        return self.order or self.number or self.sku or self.channel

    @property
    def facts(self) -> EventFacts:
        """What a route may ask of it."""
        return EventFacts(
            event=self.kind,
            level=self.level,
            channel=self.channel,
            warehouse=frozenset(self.warehouses),
            sku=frozenset(self.skus),
            hold_reason=frozenset(self.hold_reasons),
            rule=_NO_RULES.union(*self.rules.values()),
            kind=self.kind_of_order,
            tag=self.tags,
            total=self.total.whole if self.total else UNKNOWN,
            currency=self.total.currency if self.total else UNKNOWN,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Of:
    """What is told, or asked for, of the order that an event is about."""

    total: Money | None = None
    kind: Word = UNKNOWN
    tags: frozenset[str] = frozenset()


_NO_ORDER = _Of()


def happened(connection: Connection, events: Sequence[Json], *, asks: Collection[str]) -> list[Happened]:
    """Return events of `list_events` as they may be told, with what is asked for of their orders.

    Args:
        asks: facts that a route asks about; only then the tags of orders are looked up.
    """
    found = _orders(connection, {event["order"] for event in events if event["order"]}, tags="tag" in asks)
    return [_happened(event, found.get(event["order"] or "", _NO_ORDER)) for event in events]


def _orders(connection: Connection, numbers: Collection[str], *, tags: bool) -> dict[str, _Of]:
    found: dict[str, _Of] = {}
    columns = (orders.c.id, orders.c.number, orders.c.kind, orders.c.total_minor, orders.c.currency)
    for part in in_parts(sorted(numbers)):
        rows = connection.execute(select(*columns).where(orders.c.number.in_(part))).all()
        marks = list_marks(connection, [row.id for row in rows]) if tags else {}
        for row in rows:
            money = Money(minor=row.total_minor, currency=row.currency)
            found[row.number] = _Of(total=money, kind=row.kind, tags=frozenset(tags_among(marks.get(row.id, ()))))
    return found


def _happened(event: Json, order: _Of) -> Happened:
    detail = event["detail"] if isinstance(event["detail"], dict) else {}
    sku = event["sku"] or _named(detail.get("sku"))
    named = tuple(dict.fromkeys(filter(None, [sku, *_all(detail, "sku")])))
    kind_of = next((word for key in ("task", "kind") if (word := detail.get(key)) in (*TASKS, *KINDS)), "")
    return Happened(
        id=event["id"],
        at=datetime.fromisoformat(event["at"]),
        kind=event["kind"],
        level=level_of(event["kind"], said=detail.get("level")),
        order=event["order"] or "",
        channel=event["channel"] or "",
        sku=sku,
        skus=named,
        warehouses=tuple(dict.fromkeys(_all(detail, "warehouse"))),
        hold_reasons=_holds(detail),
        rules=_rules(detail),
        number=next((text for key in ("release", "shipment", "wave") if (text := _number(detail.get(key)))), ""),
        kind_of=str(kind_of),
        check=check if (check := detail.get("check")) in _CHECKS else "",
        total=order.total,
        kind_of_order=order.kind,
        tags=order.tags,
        about_route=_route(detail),
        of_message=event["kind"].startswith("letter.") and kind_of == "message",
    )


def _route(detail: Mapping[str, Any]) -> str:
    if BROKEN not in (detail.get("task"), detail.get("kind")):
        return ""
    key = detail.get("key")
    return key if isinstance(key, str) and key else "*"


def _holds(detail: Mapping[str, Any]) -> tuple[str, ...]:
    """Return for which of our reasons an order is held now; never the words beside them, which people wrote."""
    said = [*map(kind_of, _held(detail)), detail.get("hold_reason")]
    return tuple(reason for reason in HOLD_REASONS if reason in said)


def _rules(detail: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """Return the ids of the rules that hold an order, by the kind of their reason."""
    rules: dict[str, tuple[str, ...]] = {}
    for reason in sorted(_held(detail)):
        if rule := _named(rule_of(reason)):
            rules[kind_of(reason)] = (*rules.get(kind_of(reason), ()), rule)
    return rules


def _held(detail: Mapping[str, Any]) -> list[str]:
    held = detail.get("held")
    return [*held] if isinstance(held, dict) else []


def _all(detail: Any, key: str) -> Iterator[str]:
    """Yield all names under a key, however deep."""
    if isinstance(detail, dict):
        name = _named(detail.get(key))
        if name:
            yield name
    below = detail.values() if isinstance(detail, dict) else detail if isinstance(detail, list) else ()
    for value in below:
        yield from _all(value, key)


def _named(value: Any) -> str:
    return value if isinstance(value, str) and _NAMES.fullmatch(value) else ""


def _number(value: Any) -> str:
    return value if isinstance(value, str) and _NUMBER.fullmatch(value) else ""
