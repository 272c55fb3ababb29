"""How rules are said at the console: facts, comparisons and effects in a reader's words."""

from collections.abc import Iterator
from dataclasses import dataclass

from erpsync.core.facts import FACTS, Fact, On
from erpsync.core.rules import Clause, Comparison, Condition, Effects, Every, GiftEffect, Opposite
from erpsync.core.rules.model import clause_of

FACT_WORDS = {
    "channel": "Channel",
    "connector": "Connector",
    "kind": "Kind",
    "province": "Province",
    "city": "City",
    "zone": "Zone",
    "address": "Wrong with the address",
    "total": "Total",
    "goods_total": "Goods",
    "freight": "Postage",
    "discount": "Discount",
    "paid": "Paid",
    "currency": "Currency",
    "lines": "Lines",
    "units": "Units",
    "orders": "Orders",
    "weight_g": "Weight in g",
    "volume_cm3": "Volume in cm³",
    "sku": "SKUs",
    "sku_tag": "Tags of the goods",
    "below_floor": "Below the floor price",
    "buyer_note": "Note of the buyer",
    "seller_note": "Note of the seller",
    "seller_flag": "Flag of the seller",
    "tag": "Tags",
    "buyer_new": "First order of the buyer",
    "buyer_orders_24h": "Orders of the buyer within 24 h",
    "buyer_orders_open": "Other open orders of the buyer",
    "buyer_refunds_90d": "Refunds of the buyer in 90 days",
    "paid_min": "Minutes since payment",
    "placed_min": "Minutes since it was placed",
    "ship_by_h": "Hours left to ship",
    "clock": "Time of day",
    "weekday": "Day of the week",
    "warehouse": "Warehouse",
    "cost": "Freight of the account",
    "event": "Event",
    "level": "Level",
    "hold_reason": "Held for",
    "rule": "Held by the rule",
    "now": "Today",
}
OPERATOR_WORDS = {
    "<": "<",
    "<=": "≤",
    ">": ">",
    ">=": "≥",
    "one of": "is",
    "within": "is within",
    "has": "has one of",
    "all": "has all of",
    "only": "has only",
    "contains": "contains",
    "unknown": "is not known",
    "unread": "was understood by no rule above:",
    "from": "is not before",
    "until": "is before",
}
OUTCOME_WORDS = {
    "matched": "matches",
    "not": "does not match",
    "unknown": "cannot be answered",
    "later": "is judged with the parcel",
}
ABOUT_WORDS = {On.ORDER: "an order", On.PARCEL: "a parcel"}
GIFT_WORDS = {
    "given": "is given",
    "replaced": "is given as another SKU, for want of stock",
    "dropped": "was left out for want of stock",
    "once": "not given: the buyer has one from another order",
    "most": "not given: as many as may be are given",
    "unknown_sku": "not given: nobody knows its SKU",
}
SEAL_WORDS = {"merge": "is not merged with others", "split": "is not split", "merge split": "leaves alone and whole"}
WORDS = {
    "fact_words": FACT_WORDS,
    "operator_words": OPERATOR_WORDS,
    "outcome_words": OUTCOME_WORDS,
    "about_words": ABOUT_WORDS,
    "gift_words": GIFT_WORDS,
    "seal_words": SEAL_WORDS,
}
"""What every page that shows something of rules is given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """A condition as a page draws it.

    Args:
        kind: `leaf`, or `every`, `some`, `opposite` with what they are of.
    """

    kind: str
    of: tuple["Branch", ...] = ()
    clause: Clause | None = None
    fact: Fact | None = None


def tree(condition: Condition, on: On) -> Branch:
    """Return a condition as a page draws it."""
    if isinstance(condition, Comparison):
        return Branch(kind="leaf", clause=clause_of(condition), fact=FACTS[on][condition.fact])
    if isinstance(condition, Opposite):
        return Branch(kind="opposite", of=(tree(condition.of, on),))
    if len(condition.of) == 1:
        return tree(condition.of[0], on)
    shape = "every" if isinstance(condition, Every) else "some"
    return Branch(kind=shape, of=tuple(tree(each, on) for each in condition.of))


def said(then: Effects) -> Iterator[str]:
    """Yield what comes of a rule, a sentence for each effect."""
    text = then.void or then.hold
    if then.void:
        yield f"is held as no real order, without stock, until a person decides: {text}"
    elif then.hold:
        yield f"is held until a person approves: {text}" if then.ask else f"is held as long as this is so: {text}"
    if then.tag:
        yield f"has the tags {', '.join(then.tag)}"
    if then.seal:
        yield SEAL_WORDS[" ".join(sorted(then.seal))]
    if then.gift:
        yield from _gift(then.gift)
    if then.carrier:
        yield f"goes by the first of these couriers that can: {', '.join(then.carrier)}"
    if then.warehouse:
        yield f"leaves from the first of these warehouses that can: {', '.join(then.warehouse)}"
    if then.warehouse_by == "zone":
        yield "leaves from the warehouse of its zone"
    if then.warehouse_by == "freight":
        yield "leaves from where freight costs least"
    for part in then.part:
        yield f"has a parcel {part.name} of its own for {', '.join(part.words)}"
    if then.tell == "left":
        yield "is told to its channel when it has left"
    if then.tell == "scan":
        yield "is told to its channel when the courier has scanned it"


def _gift(gift: GiftEffect) -> Iterator[str]:
    yield f"gets a gift: {gift.sku} ×{gift.qty}"
    if gift.once:
        yield "one such gift for each buyer"
    if gift.most is not None:
        yield f"{gift.most} such gifts at most"
    if gift.short == "wait":
        yield "without stock the gift is waited for"
    elif gift.short == "drop":
        yield "without stock the gift is left out"
    else:
        instead = gift.short
        yield f"without stock {instead} is given in its place"
