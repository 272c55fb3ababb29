"""Judging orders by the rules in force, and the difference to what is stored.

Why the whole verdict each time: nothing that an order went through before matters, so a commit that dies, runs twice or
comes late ends the same. What a person decided beats a rule, and what has left stays.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

from erpsync.core.facts import On, OrderFacts
from erpsync.core.order_holds import HoldReason, by_rule, kind_of
from erpsync.core.orders import KnownOrder, phase
from erpsync.core.rules import Book, Hold, Verdict, approval_digest, judge
from erpsync.flows.allocation.changes import Change
from erpsync.flows.context import Context
from erpsync.flows.rules.facts import BUYER, TO_LEAVE, Loaded, load_facts, order_facts
from erpsync.flows.rules.gifts import Given, give
from erpsync.sdk.types import Recipient
from erpsync.store.db.store import Tx
from erpsync.store.order_rules import (
    OFF,
    Marks,
    StoredMark,
    approvals_of,
    gifts_of,
    look_again,
    look_beside,
    marks_of,
    write_gifts,
    write_marks,
)

BY_RULES = (HoldReason.RULE, HoldReason.VOID)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What an order was judged by, when, and what came of it."""

    facts: OrderFacts
    verdict: Verdict
    at: datetime
    approved: frozenset[str] = frozenset()

    @property
    def holds(self) -> tuple[Hold, ...]:
        """The holds that stand: those that nobody has approved."""
        return tuple(hold for hold in self.verdict.holds if hold.rule not in self.approved)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """What rules and people have made of orders before."""

    marks: Marks = field(default_factory=dict)
    approvals: Mapping[tuple[int, str], str] = field(default_factory=dict)
    gifts: Mapping[tuple[int, str], str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruled:
    """Orders as the rules want them, and what is to be written once they are."""

    changes: list[Change]
    marks: Mapping[tuple[int, str], StoredMark | None] = field(default_factory=dict)
    gifts: Mapping[tuple[int, str], str | None] = field(default_factory=dict)
    looks: Mapping[int, datetime | None] = field(default_factory=dict)
    beside: Collection[int] = ()

    def write(self, tx: Tx) -> None:
        """Write marks, what became of gifts, and when to look again; the orders are there."""
        write_marks(tx, self.marks)
        write_gifts(tx, self.gifts)
        look_again(tx, self.looks)
        look_beside(tx, self.beside)


def rule(
    tx: Tx,
    ctx: Context,
    changes: Sequence[Change],
    *,
    people: Mapping[int, Recipient],
    refunded: Collection[str] = (),
    again: bool = False,
) -> Ruled:
    """Return the orders as the rules in force want them: held, marked, with their gifts. They are locked.

    Args:
        people: by order id, who gets it, where that is new.
        refunded: external ids of orders of which a refund is new or newer.
        again: whether they are looked at for the rules' sake, and so also where there are none any more.
    """
    if not (ctx.book.effects or again or any(map(_shows_rules, changes))):
        return Ruled(changes=list(changes))
    asked = ctx.book.needs[On.ORDER]
    former = frozenset() if BUYER.isdisjoint(asked) else _former_buyers(changes)
    _await_buyers(tx, changes, asked, former)
    judged = [change.after for change in changes if is_judged(change.after)]
    ended = [change.after for change in changes if not is_judged(change.after)]
    known = [change.after.id for change in changes if change.before is not None]
    stored = read_stored(tx.connection, ctx.book, known)
    loaded = load_facts(tx.connection, ctx.store.vault, judged, asked, people=people, ended=ended, former=former)
    seen = see(ctx, judged, loaded, stored, now=tx.trusted_now)
    given = give(tx, changes, {id: it.verdict.gifts for id, it in seen.items()}, stored.gifts, people)
    ruled = [
        _ruled(change, seen.get(change.after.id), stored.marks.get(change.after.id, {}), given) for change in changes
    ]
    return Ruled(
        changes=[change for change, _ in ruled],
        marks={key: mark for _, marks in ruled for key, mark in marks.items()},
        gifts=given.states,
        looks=_looks(ctx, changes, seen),
        beside=_beside(changes, loaded, asked, refunded, former) | given.again,
    )


def is_judged(order: KnownOrder) -> bool:
    """Whether rules are asked about an order: something that was sold has still to leave."""
    return any(line.open_qty for line in order.sold)


def see(
    ctx: Context, orders: Sequence[KnownOrder], loaded: Loaded, stored: Stored, *, now: datetime
) -> dict[int, Seen]:
    """Return what the rules say of orders at an instant, by order id."""
    tags = {id: _tags(marks) for id, marks in stored.marks.items()}
    facts = order_facts(ctx, orders, loaded, ctx.book.needs[On.ORDER], tags)
    return {id: _seen(ctx, id, of, judge(ctx.book, of, now), stored.approvals, now) for id, of in facts.items()}


def look_at(connection: Connection, ctx: Context, orders: Sequence[KnownOrder], *, now: datetime) -> dict[int, Seen]:
    """Return what the rules in force say of stored orders at an instant, by order id; nothing is changed."""
    stored = read_stored(connection, ctx.book, [order.id for order in orders])
    loaded = load_facts(connection, ctx.store.vault, orders, ctx.book.needs[On.ORDER], people={})
    return see(ctx, orders, loaded, stored, now=now)


def read_stored(connection: Connection, book: Book, order_ids: Sequence[int]) -> Stored:
    """Return what rules and people have made of these orders; approvals only where a rule asks for them."""
    if not order_ids:
        return Stored()
    return Stored(
        marks=marks_of(connection, order_ids),
        approvals=approvals_of(connection, order_ids) if "ask" in book.effects else {},
        gifts=gifts_of(connection, order_ids),
    )


def digest_of(ctx: Context, hold: Hold) -> str:
    """Return what an approval of a hold is bound to; what people wrote and are called goes in by a keyed hash."""
    vault = ctx.store.vault
    if vault is None:
        raise LookupError("this command runs without encryption keys and cannot tell what was approved")
    return approval_digest(hold, lambda value: vault.index(["seen", value]).hex())


def _seen(
    ctx: Context,
    order_id: int,
    facts: OrderFacts,
    verdict: Verdict,
    approvals: Mapping[tuple[int, str], str],
    now: datetime,
) -> Seen:
    approved = frozenset(
        hold.rule
        for hold in verdict.holds
        if hold.asks and (digest := approvals.get((order_id, hold.rule))) is not None and digest == digest_of(ctx, hold)
    )
    return Seen(facts=facts, verdict=verdict, at=now, approved=approved)


def _tags(marks: Mapping[str, StoredMark]) -> frozenset[str]:
    """Return the tags that people set."""
    return frozenset(
        name.removeprefix("tag:")
        for name, mark in marks.items()
        if name.startswith("tag:") and mark.actor and mark.value != OFF
    )


def _shows_rules(change: Change) -> bool:
    """Whether an order is held by a rule, or has a gift."""
    order = change.after
    return any(kind_of(reason) in BY_RULES for reason in order.holds) or len(order.sold) < len(order.lines)


def _ruled(
    change: Change, seen: Seen | None, stored: Mapping[str, StoredMark], given: Given
) -> tuple[Change, dict[tuple[int, str], StoredMark | None]]:
    """Return an order as the rules want it, and the marks that are to be written. What has ended keeps its marks."""
    order = change.after
    holds = {reason: why for reason, why in order.holds.items() if kind_of(reason) not in BY_RULES}
    written: dict[tuple[int, str], StoredMark | None] = {}
    if seen is not None:
        holds |= {by_rule(hold.rule, void=hold.void): hold.text for hold in seen.holds}
        written = {(order.id, name): mark for name, mark in _differing(seen, stored)}
    lines = given.lines.get(order.id, order.lines)
    gifts = given.told(order.id)
    ruled = {**_told_marks(written, stored), **({"gifts": gifts} if gifts else {})}
    if lines is not order.lines or list(holds.items()) != list(order.holds.items()):
        order = replace(order, holds=holds, lines=lines)
    if order is change.after and ruled == change.ruled:
        return change, written
    return replace(change, after=order, ruled=ruled), written


def _differing(seen: Seen, stored: Mapping[str, StoredMark]) -> Iterator[tuple[str, StoredMark | None]]:
    """Yield the marks of rules that are others than before; those of people stay."""
    wanted = {
        mark.name: StoredMark(value=mark.value, rule=mark.rule)
        for mark in seen.verdict.marks
        if not (mark.name == HoldReason.VOID and mark.rule in seen.approved)
    }
    for name, mark in wanted.items():
        before = stored.get(name)
        if before != mark and not (before and before.actor):
            yield name, mark
    for name, before in stored.items():
        if before.rule and name not in wanted:
            yield name, None


def _told_marks(
    written: Mapping[tuple[int, str], StoredMark | None], stored: Mapping[str, StoredMark]
) -> dict[str, Any]:
    """Return what an event says of marks; what is not known of an order is no news of it."""
    names = sorted(name for _, name in written if not name.startswith("unknown:"))
    if not names:
        return {}
    now = {name: mark for (_, name), mark in written.items()}
    return {"marks": {name: [_value(stored.get(name)), _value(now[name])] for name in names}}


def _value(mark: StoredMark | None) -> str | None:
    return None if mark is None else mark.value


def _looks(ctx: Context, changes: Sequence[Change], seen: Mapping[int, Seen]) -> dict[int, datetime | None]:
    """Return when time changes something of each order; of a new one only where it does."""
    looks: dict[int, datetime | None] = {}
    for change in changes:
        it = seen.get(change.after.id)
        at = it.verdict.look_at if it else None
        if at is not None or change.before is not None:
            looks[change.after.id] = at
    return looks


def _former_buyers(changes: Sequence[Change]) -> frozenset[bytes]:
    """Return who was taken for the buyer of an order that turns out to be somebody else's."""
    pairs = ((change.before.buyer_index, change.after.buyer_index) for change in changes if change.before is not None)
    return frozenset(before for before, after in pairs if before is not None and before != after)


def _beside(
    changes: Sequence[Change],
    loaded: Loaded,
    asked: Collection[str],
    refunded: Collection[str],
    former: frozenset[bytes],
) -> set[int]:
    """Return the buyers' other orders that are to be looked at: one of theirs came, went or was given back."""
    if BUYER.isdisjoint(asked):
        return set()
    news = [change for change in changes if change.after.external_id in refunded or _is_news(change)]
    buyers = {change.after.buyer_index for change in news if change.after.buyer_index} | former
    return {row.id for buyer in buyers for row in loaded.others.get(buyer, ()) if row.phase in TO_LEAVE}


def _is_news(change: Change) -> bool:
    before, after = change.before, change.after
    if before is None or before.buyer_index != after.buyer_index or before.placed_at != after.placed_at:
        return True
    return (phase(before) in TO_LEAVE) != (phase(after) in TO_LEAVE)


def _await_buyers(tx: Tx, changes: Sequence[Change], asked: Collection[str], former: frozenset[bytes]) -> None:
    """Wait for whoever is storing orders of the same buyers, which nobody else sees yet. SQLite has one writer."""
    buyers = {change.after.buyer_index for change in changes if change.after.buyer_index} | former
    if tx.dialect == "sqlite" or BUYER.isdisjoint(asked) or not buyers:
        return
    wait = text("SELECT pg_advisory_xact_lock(:room, gate) FROM unnest(CAST(:gates AS int[])) gate")
    gates = sorted({int.from_bytes(buyer[:3], "big") % BUYER_GATES for buyer in buyers})
    tx.execute(wait.bindparams(room=BUYER_ROOM, gates=gates))


BUYER_GATES = 1024
BUYER_ROOM = -1_000_000_000
"""No channel's id: the advisory locks of orders that come for the first time are named by those."""
