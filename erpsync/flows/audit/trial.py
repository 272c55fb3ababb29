"""What rules would say: of one order, of the newest ones, and how many open ones would be held otherwise."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, select

from erpsync.core.order_holds import by_rule, kind_of
from erpsync.core.orders import KnownOrder
from erpsync.core.rules import Book
from erpsync.flows.context import Context
from erpsync.flows.rules.facts import TO_LEAVE
from erpsync.flows.rules.judging import BY_RULES, Seen, is_judged, look_at
from erpsync.store.db.bulk import in_parts
from erpsync.store.orders import read_orders
from erpsync.store.tables import orders

AT_ONCE = 500
NEWEST = 1_000
"""So many orders say what rules do: those that were placed last."""

NAMED = 5
"""So many orders are named of those that a rule would hold, or no longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldsChange:
    """How many open orders other rules would hold otherwise.

    Args:
        begin, end: by reason, how many orders would be held for it that are not, and the other way round.
        begins_with, ends_with: by reason, the numbers of the first of them.
    """

    open: int = 0
    changed: int = 0
    begin: Counter[str] = field(default_factory=Counter)
    end: Counter[str] = field(default_factory=Counter)
    begins_with: dict[str, list[str]] = field(default_factory=dict)
    ends_with: dict[str, list[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """What rules do with the newest orders.

    Args:
        orders: how many were looked at.
        untouched: of how many no rule says anything.
        outcomes: by rule, how often it matched, did not, could not be answered.
    """

    orders: int = 0
    untouched: int = 0
    outcomes: dict[str, Counter[str]] = field(default_factory=dict)


def holds_change(ctx: Context, book: Book) -> HoldsChange:
    """Return what the holds of open orders would be by other rules, compared with what they are; nothing is changed."""
    tried = ctx.with_book(book)
    count, changed, begin, end = 0, 0, Counter[str](), Counter[str]()
    begins_with: dict[str, list[str]] = {}
    ends_with: dict[str, list[str]] = {}
    with ctx.store.read() as connection:
        # Scans orders: those that are open, when other rules are to come into force.
        ids = sorted(connection.execute(select(orders.c.id).where(orders.c.phase.in_(TO_LEAVE))).scalars())
        for order, seen in _judged(connection, tried, ids):
            count += 1
            before = {reason for reason in order.holds if kind_of(reason) in BY_RULES}
            after = {by_rule(hold.rule, void=hold.void) for hold in seen.holds} if seen else set()
            changed += before != after
            _count(begin, begins_with, after - before, order)
            _count(end, ends_with, before - after, order)
    return HoldsChange(open=count, changed=changed, begin=begin, end=end, begins_with=begins_with, ends_with=ends_with)


def _count(counted: Counter[str], named: dict[str, list[str]], reasons: Iterable[str], order: KnownOrder) -> None:
    for reason in reasons:
        counted[reason] += 1
        if counted[reason] <= NAMED:
            named.setdefault(reason, []).append(order.number)


def coverage(ctx: Context, *, newest: int = NEWEST) -> Coverage:
    """Return what the rules in force say of the newest orders, as if each were judged now."""
    outcomes: dict[str, Counter[str]] = {}
    count = untouched = 0
    with ctx.store.read() as connection:
        # Scans orders: by an index from its end, and no more than are asked for.
        last = select(orders.c.id).order_by(orders.c.placed_at.desc(), orders.c.id.desc()).limit(newest)
        for _, seen in _judged(connection, ctx, list(connection.execute(last).scalars()), ended=True):
            if seen is None:
                continue
            count += 1
            matched = [because.rule for because in seen.verdict.because if because.outcome == "matched"]
            untouched += not matched
            for because in seen.verdict.because:
                outcomes.setdefault(because.rule, Counter())[because.outcome] += 1
    return Coverage(orders=count, untouched=untouched, outcomes=outcomes)


def _judged(
    connection: Connection, ctx: Context, ids: Sequence[int], *, ended: bool = False
) -> Iterator[tuple[KnownOrder, Seen | None]]:
    """Yield orders with what the rules say of them; None of those of which nothing has still to leave.

    Args:
        ended: whether these are judged as well, as they would have been.
    """
    now = ctx.store.trusted_now()
    for part in in_parts(ids, AT_ONCE):
        read = read_orders(connection, part)
        judged = [order for order in read.values() if ended or is_judged(order)]
        seen = look_at(connection, ctx, judged, now=now)
        yield from ((order, seen.get(id)) for id, order in read.items())
