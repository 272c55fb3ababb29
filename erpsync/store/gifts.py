"""How many gifts of a rule are given, and to whom."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import delete, func, select, text

from erpsync.store.db.bulk import in_parts, insert_many, update_many
from erpsync.store.db.store import Tx
from erpsync.store.tables import gift_count, gift_once, order_gift, orders

_WAITING = select(order_gift.c.order_id).where(text("order_gift.state IN ('once', 'most')"))
"""Orders that still want a gift, in the words of their index."""


def lock_counts(tx: Tx, rules: Iterable[str], *, begin: Iterable[str]) -> Counter[str]:
    """Return how many gifts of each rule are given, of those that are counted; locked in order, after orders.

    Args:
        begin: rules whose gifts are counted from now on, if they are not yet.
    """
    query = select(gift_count).where(gift_count.c.rule.in_(sorted(set(rules)))).order_by(gift_count.c.rule)
    counts = Counter({row.rule: row.given for row in tx.all(query.with_for_update())})
    fresh = sorted(set(begin) - counts.keys())
    if not fresh:
        return counts
    for rule in fresh:
        # Scans order_gift: once for a rule, when its gifts are counted for the first time.
        given = select(func.count()).select_from(order_gift).where(order_gift.c.rule == rule)
        n = tx.execute(given.where(order_gift.c.state.in_(("given", "replaced")))).scalar_one()
        insert_many(tx, gift_count, [{"rule": rule, "given": n}], conflict="ON CONFLICT DO NOTHING")
    return lock_counts(tx, rules, begin=())


def write_counts(tx: Tx, given: Mapping[str, int]) -> None:
    """Set how many gifts of each rule are given; the counts are locked."""
    update_many(tx, gift_count, [{"rule": rule, "given": n} for rule, n in sorted(given.items())], keys=["rule"])


def claim_once(tx: Tx, claims: Iterable[tuple[str, bytes, int]]) -> None:
    """Note which order (rule, who, order id) has a person's one gift, where none has yet; a rival is waited for."""
    rows = [{"rule": rule, "who": who, "order_id": order_id} for rule, who, order_id in sorted(claims)]
    insert_many(tx, gift_once, rows, conflict="ON CONFLICT DO NOTHING")


def owners_of(tx: Tx, claims: Iterable[tuple[str, bytes]]) -> dict[tuple[str, bytes], int]:
    """Return which order has the one gift of each (rule, who)."""
    by_rule: dict[str, set[bytes]] = {}
    for rule, who in claims:
        by_rule.setdefault(rule, set()).add(who)
    owners = {}
    for rule, people in sorted(by_rule.items()):
        for row in tx.all(select(gift_once).where(gift_once.c.rule == rule, gift_once.c.who.in_(sorted(people)))):
            owners[rule, row.who] = row.order_id
    return owners


def free_once(tx: Tx, gifts: Iterable[tuple[int, str]]) -> None:
    """Let the people of these gifts (order id, rule) have another one."""
    by_rule: dict[str, set[int]] = {}
    for order_id, rule in gifts:
        by_rule.setdefault(rule, set()).add(order_id)
    for rule, ids in sorted(by_rule.items()):
        tx.execute(delete(gift_once).where(gift_once.c.order_id.in_(sorted(ids)), gift_once.c.rule == rule))


def waiting_for(tx: Tx, freed: Mapping[str, int]) -> set[int]:
    """Return the orders for which no gift of these rules was left, as many for each as are free now, oldest first."""
    ids: set[int] = set()
    for rule, count in sorted(freed.items()):
        query = _WAITING.where(order_gift.c.rule == rule, order_gift.c.state == "most")
        ids |= set(tx.execute(query.order_by(order_gift.c.order_id).limit(count)).scalars())
    return ids


def buyers_waiting(tx: Tx, freed: Iterable[tuple[str, bytes]]) -> set[int]:
    """Return the orders that got no gift of a rule because the buyer (rule, who) had one."""
    by_rule: dict[str, set[bytes]] = {}
    for rule, who in freed:
        by_rule.setdefault(rule, set()).add(who)
    ids: set[int] = set()
    for rule, people in sorted(by_rule.items()):
        theirs = orders.c.buyer_index.in_(sorted(people)) | orders.c.phone_index.in_(sorted(people))
        query = _WAITING.join(orders, orders.c.id == order_gift.c.order_id).where(order_gift.c.rule == rule)
        ids |= set(tx.execute(query.where(order_gift.c.state == "once", theirs)).scalars())
    return ids


def phones_of(tx: Tx, order_ids: Iterable[int]) -> dict[int, Any]:
    """Return the keyed hash of the phone of those of these orders that have one."""
    found: dict[int, Any] = {}
    for part in in_parts(order_ids):
        query = select(orders.c.id, orders.c.phone_index).where(orders.c.id.in_(part))
        found |= {row.id: row.phone_index for row in tx.all(query) if row.phone_index is not None}
    return found
