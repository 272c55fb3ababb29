"""Gifts that rules want: own lines at no price, given once, changed while nothing was released, and counted.

Why a gift is kept once something of its order was released: it may lie in the parcel already. One that was dropped for
want of stock is not given again: the parcel without it may have left by then.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from erpsync.core.orders import GIFT_ID, KnownLine, KnownOrder, Origin
from erpsync.core.rules import Gift, GiftEffect
from erpsync.flows.allocation.changes import Change
from erpsync.flows.allocation.recall import released_orders
from erpsync.sdk.types import Recipient
from erpsync.store.db.store import Tx
from erpsync.store.gifts import (
    buyers_waiting,
    claim_once,
    free_once,
    lock_counts,
    owners_of,
    phones_of,
    waiting_for,
    write_counts,
)
from erpsync.store.orders import new_line_ids
from erpsync.store.registry import sku_ids
from erpsync.store.sku_mapping import bundle_parts

GIVEN, REPLACED, DROPPED = "given", "replaced", "dropped"
ONCE, MOST, UNKNOWN_SKU = "once", "most", "unknown_sku"
GOT = (GIVEN, REPLACED)
"""What became of a gift that lies in its order, and counts."""

Key = tuple[int, str]
"""Order id and rule."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What became of the gifts of a batch.

    Args:
        lines: by order id, all its lines, where gifts changed them.
        states: what is to be kept of each gift; None where nothing.
        again: orders that may have a gift now that another one has not any more.
    """

    lines: Mapping[int, tuple[KnownLine, ...]] = field(default_factory=dict)
    states: Mapping[Key, str | None] = field(default_factory=dict)
    again: frozenset[int] = frozenset()

    def told(self, order_id: int) -> dict[str, str | None]:
        """Return what an event says of an order's gifts, by rule."""
        return {
            rule: state for (id, rule), state in sorted(self.states.items(), key=lambda it: it[0]) if id == order_id
        }


def give(
    tx: Tx,
    changes: Sequence[Change],
    wanted: Mapping[int, Sequence[Gift]],
    stored: Mapping[Key, str],
    people: Mapping[int, Recipient],
) -> Given:
    """Return the orders' lines with the gifts that rules want of them, and without those that they want no more.

    Args:
        wanted: by order id; an order of which nothing sold has still to leave is not in it.
        stored: what became of gifts before.
        people: by order id, who gets it, where that is new.
    """
    orders = {change.after.id: change.after for change in changes}
    having = {(order.id, line.rule): line for order in orders.values() for line in order.lines if line.rule}
    wishes = {(id, gift.rule): gift.gift for id, gifts in wanted.items() for gift in gifts}
    keys = sorted({*wishes, *having, *stored}, key=lambda key: (orders[key[0]].due, key))
    if not keys:
        return Given()
    released = released_orders(tx, {id for id, _ in {*wishes, *having}})

    def is_settled(key: Key) -> bool:
        order, line = orders[key[0]], having.get(key)
        begun = bool(order.shipped_qty) or order.id in released
        if line is not None and (line.shipped_qty or (begun and order.id in wanted) or order.id in released):
            return True
        return begun and key in wishes

    open_keys = [key for key in keys if not is_settled(key)]
    dropped = [key for key in open_keys if key in wishes and stored.get(key) == DROPPED]
    wants = [key for key in open_keys if key in wishes and stored.get(key) != DROPPED]
    ends = [key for key in open_keys if key not in wishes]
    freed = [key for key in ends if stored.get(key) in GOT]
    freed += [key for key in dropped if key in having and having[key].open_qty]
    skus = sku_ids(tx.connection, {_sku_of(wishes[key], stored.get(key)) for key in wants})
    fresh = {key: wishes[key] for key in wants if stored.get(key) not in GOT}
    states: dict[Key, str | None] = {key: stored[key] if stored.get(key) in GOT else GIVEN for key in wants}
    states |= {key: UNKNOWN_SKU for key, gift in fresh.items() if gift.sku not in skus}
    limited = {key: gift for key, gift in fresh.items() if gift.sku in skus}
    again = _limit(tx, orders, limited, freed, people, states)
    states |= dict.fromkeys((key for key in ends if key in stored), None)
    given = {
        key: _line_of(wishes[key], key[1], sku, skus[sku])
        for key in wants
        if states[key] in GOT and (sku := _sku_of(wishes[key], states[key])) in skus
    }
    return Given(
        lines=_lines(tx, orders, having, given, closed={*open_keys} - given.keys()),
        states={key: state for key, state in states.items() if state != stored.get(key)},
        again=frozenset(again),
    )


def _limit(
    tx: Tx,
    orders: Mapping[int, KnownOrder],
    fresh: Mapping[Key, GiftEffect],
    freed: Sequence[Key],
    people: Mapping[int, Recipient],
    states: dict[Key, str | None],
) -> set[int]:
    """Say in `states` which new gifts are not given, because the buyer has one or all are given; count the others.

    Returns the open orders that may have one now, because others have theirs no more.
    """
    free_once(tx, freed)
    once = [key for key, gift in fresh.items() if gift.once]
    who = _who(tx, orders, {id for id, _ in {*once, *freed}}, people) if once or freed else {}
    having_one = _claim(tx, once, who)
    states |= dict.fromkeys(having_one, ONCE)
    counted = {key[1] for key, gift in fresh.items() if gift.most is not None}
    counts = lock_counts(tx, {rule for _, rule in {*fresh, *freed}}, begin=counted)
    before = dict(counts)
    counts.subtract(rule for _, rule in freed if rule in counts)
    for key, gift in fresh.items():
        if key in having_one:
            continue
        if gift.most is not None and counts[key[1]] >= gift.most:
            states[key] = MOST
        elif key[1] in counts:
            counts[key[1]] += 1
    free_once(tx, [key for key in once if states[key] == MOST])
    write_counts(tx, {rule: count for rule, count in counts.items() if count != before[rule]})
    waiting = waiting_for(tx, Counter(rule for _, rule in freed))
    return waiting | buyers_waiting(tx, {(rule, each) for id, rule in freed for each in who.get(id, ())})


def _who(
    tx: Tx, orders: Mapping[int, KnownOrder], ids: Iterable[int], people: Mapping[int, Recipient]
) -> dict[int, tuple[bytes, ...]]:
    """Return, by order id, the keyed hashes of who buys: of the buyer and of the phone, as far as they are known."""
    phones = phones_of(tx, ids)
    phones |= {id: tx.vault.phone_index(it.phone) for id, it in people.items() if id in orders}
    return {id: tuple(each for each in (orders[id].buyer_index, phones.get(id)) if each is not None) for id in ids}


def _claim(tx: Tx, once: Sequence[Key], who: Mapping[int, tuple[bytes, ...]]) -> set[Key]:
    """Claim the one gift of each buyer; return those who have it already, or of whom nobody knows who they are."""
    claims: dict[tuple[str, bytes], int] = {}
    for id, rule in once:
        for each in who[id]:
            claims.setdefault((rule, each), id)
    claim_once(tx, [(rule, each, id) for (rule, each), id in claims.items()])
    owners = owners_of(tx, claims)
    refused = {(id, rule) for id, rule in once if not who[id] or any(owners[rule, each] != id for each in who[id])}
    free_once(tx, refused)
    return refused


def _sku_of(gift: GiftEffect, state: str | None) -> str:
    return gift.short if state == REPLACED else gift.sku


def _line_of(gift: GiftEffect, rule: str, sku: str, sku_id: int) -> KnownLine:
    """Return the line of a gift that has no id yet, nor the parts of a bundle."""
    return KnownLine(
        id=0,
        external_id=f"{GIFT_ID}{rule}",
        channel_sku=sku,
        qty=gift.qty,
        price_minor=0,
        sku_id=sku_id,
        parts={sku_id: 1},
        origin=Origin.GIFT,
        rule=rule,
    )


def _lines(
    tx: Tx,
    orders: Mapping[int, KnownOrder],
    having: Mapping[Key, KnownLine],
    given: Mapping[Key, KnownLine],
    *,
    closed: Iterable[Key],
) -> dict[int, tuple[KnownLine, ...]]:
    """Return all lines of the orders of which a gift is new, another one than before, or closed."""
    bundles = bundle_parts(tx, {line.sku_id for line in given.values() if line.sku_id is not None})
    fresh = [key for key in given if key not in having]
    above = max(line.id for order in orders.values() for line in order.lines)
    ids = dict(zip(fresh, new_line_ids(tx, len(fresh), above=above), strict=True))
    changed: dict[Key, KnownLine] = {}
    for key, line in given.items():
        parts = bundles.get(line.sku_id or 0, line.parts)
        changed[key] = replace(line, id=having[key].id if key in having else ids[key], parts=parts)
    for key in closed:
        if key in having:
            changed[key] = replace(having[key], closed_qty=having[key].qty)
    of_orders: dict[int, tuple[KnownLine, ...]] = {}
    for id in {id for id, _ in changed}:
        lines = [changed.get((id, line.rule), line) if line.rule else line for line in orders[id].lines]
        of_orders[id] = (*lines, *(changed[key] for key in fresh if key[0] == id))
    return of_orders
