"""What rules and routes may ask about: the closed set of facts, and the records that hold their values.

Why closed: a fact that is missing is added here with its name, type and sentence, and is tested; a script inside a rule
could not say what it read, nor when its answer will change.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import Enum, StrEnum
from typing import Final
from unicodedata import is_normalized, normalize

from erpsync.core.address import CODES
from erpsync.core.order_holds import HoldReason


class Unknown(Enum):
    """A value of its own for what nobody has told: neither true nor false, and it compares with nothing."""

    UNKNOWN = "unknown"

    def __bool__(self) -> bool:
        raise TypeError("an unknown fact is neither true nor false")


UNKNOWN: Final = Unknown.UNKNOWN


class On(StrEnum):
    """What conditions are about: a rule's an order or a parcel, a route's an event."""

    ORDER = "order"
    PARCEL = "parcel"
    EVENT = "event"


class FactType(StrEnum):
    """Which values a fact has, and so which conditions it takes."""

    SINGLE = "single"
    PLACE = "place"  # a word, compared without what provinces and cities are called after their name
    WORDS = "words"
    NOTE = "note"
    AMOUNT = "amount"
    COSTS = "costs"  # an amount for each courier account
    NUMBER = "number"
    FLAG = "flag"
    SINCE = "since"  # time since an instant; grows
    UNTIL = "until"  # time until an instant; shrinks
    CLOCK = "clock"
    WEEKDAY = "weekday"
    EVENT = "event"  # a kind of event; one that ends in a dot is all that begin so
    LEVEL = "level"  # one of `LEVELS`, which stands for itself and what is above it


WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
KINDS = ("channel", "phone", "b2b", "cod", "gift_recipient")
"""Kinds of orders: one of a shop, those that begin with us, and one that goes to somebody else than the buyer."""
LEVELS = ("info", "warn", "alarm")
"""How much an event matters, least first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One fact.

    Args:
        says: what it is, one line for whoever writes rules.
        unit: of its numbers, empty where there is none.
        words: the words it may be, where they are a closed list.
        held_in: the field of the record that holds it, or the instant that it is measured from.
        private: it is, or stands for, what people wrote or are called: shown nowhere, and hashed with a key only.
    """

    name: str
    type: FactType
    says: str
    unit: str = ""
    words: tuple[str, ...] = ()
    held_in: str = ""
    private: bool = False

    @property
    def field(self) -> str:
        """The field of the record."""
        return self.held_in or self.name


def _facts(*facts: Fact) -> Mapping[str, Fact]:
    return {fact.name: fact for fact in facts}


_WHERE = (
    Fact(name="province", type=FactType.PLACE, says="The recipient's province."),
    Fact(name="city", type=FactType.PLACE, says="The recipient's city."),
    Fact(name="zone", type=FactType.WORDS, held_in="province", says="The zones that province and city belong to."),
)
_GOODS = (
    Fact(name="lines", type=FactType.NUMBER, says="How many order lines have units that are to leave."),
    Fact(name="units", type=FactType.NUMBER, says="How many units are to leave."),
    Fact(name="weight_g", type=FactType.NUMBER, unit="g", says="What the goods weigh; known if each SKU's weight is."),
    Fact(name="volume_cm3", type=FactType.NUMBER, unit="cm³", says="The volume of the goods, if each SKU's is known."),
    Fact(name="sku", type=FactType.WORDS, says="The SKUs that are to leave."),
    Fact(name="sku_tag", type=FactType.WORDS, says="The tags of these SKUs."),
)
_CURRENCY = Fact(name="currency", type=FactType.SINGLE, says="The currency of the amounts, such as CNY.")
_GOODS_TOTAL = Fact(name="goods_total", type=FactType.AMOUNT, unit="currency", says="What the goods cost the buyer.")

ORDER_FACTS = _facts(
    Fact(name="channel", type=FactType.SINGLE, says="The channel that the order came from."),
    Fact(name="connector", type=FactType.SINGLE, says="The connector of this channel, such as taobao."),
    Fact(
        name="kind", type=FactType.SINGLE, words=KINDS, says="The kind of order: one of a shop, or how it began here."
    ),
    *_WHERE,
    Fact(
        name="address",
        type=FactType.WORDS,
        words=CODES,
        private=True,
        says="What seems to be wrong with the address, as codes.",
    ),
    Fact(name="total", type=FactType.AMOUNT, unit="currency", says="What the buyer has to pay in all."),
    _GOODS_TOTAL,
    Fact(name="freight", type=FactType.AMOUNT, unit="currency", says="The postage that the buyer pays."),
    Fact(name="discount", type=FactType.AMOUNT, unit="currency", says="What was taken off the price."),
    Fact(name="paid", type=FactType.AMOUNT, unit="currency", says="What the buyer has paid."),
    _CURRENCY,
    *_GOODS,
    Fact(name="below_floor", type=FactType.FLAG, says="Whether a line is sold below the floor price of its SKU."),
    Fact(name="buyer_note", type=FactType.NOTE, private=True, says="What the buyer wrote."),
    Fact(name="seller_note", type=FactType.NOTE, private=True, says="What the seller's people wrote."),
    Fact(
        name="seller_flag",
        type=FactType.NUMBER,
        says="The seller's flag: 0 none, 1 red, 2 yellow, 3 green, 4 blue, 5 purple.",
    ),
    Fact(name="tag", type=FactType.WORDS, says="The order's tags: set by hand, or by a rule above."),
    Fact(name="buyer_new", type=FactType.FLAG, says="Whether it is the first order that we know of this buyer."),
    Fact(
        name="buyer_orders_24h",
        type=FactType.NUMBER,
        says="The buyer's orders that were placed within 24 hours of this one, itself counted.",
    ),
    Fact(name="buyer_orders_open", type=FactType.NUMBER, says="The buyer's other orders that have still to leave."),
    Fact(
        name="buyer_refunds_90d",
        type=FactType.NUMBER,
        says="The buyer's refunds in the 90 days before this order was placed.",
    ),
    Fact(name="paid_min", type=FactType.SINCE, unit="min", held_in="paid_at", says="Minutes since it was paid."),
    Fact(name="placed_min", type=FactType.SINCE, unit="min", held_in="placed_at", says="Minutes since it was placed."),
    Fact(
        name="ship_by_h",
        type=FactType.UNTIL,
        unit="h",
        held_in="ship_by_at",
        says="Hours until the channel wants it shipped; below 0 when that is over.",
    ),
    Fact(name="clock", type=FactType.CLOCK, says="The time of day in the zone of `timezone`."),
    Fact(name="weekday", type=FactType.WEEKDAY, words=WEEKDAYS, says="The day of the week in the zone of `timezone`."),
)
PARCEL_FACTS = _facts(
    Fact(name="channel", type=FactType.WORDS, says="The channels of the parcel's orders."),
    Fact(name="kind", type=FactType.WORDS, words=KINDS, says="The kinds of its orders."),
    Fact(name="tag", type=FactType.WORDS, says="The tags of its orders."),
    Fact(name="warehouse", type=FactType.SINGLE, says="The warehouse that it leaves from."),
    *_WHERE,
    _GOODS_TOTAL,
    _CURRENCY,
    Fact(name="orders", type=FactType.NUMBER, says="How many orders it holds units of."),
    *_GOODS,
    Fact(
        name="cost",
        type=FactType.COSTS,
        unit="currency",
        says="What a courier account takes for it by its rate card: `cost: {ACCOUNT: {le: 20}}`.",
    ),
)
EVENT_FACTS = _facts(
    Fact(name="event", type=FactType.EVENT, says="The kind of event, such as order.held."),
    Fact(name="level", type=FactType.LEVEL, words=LEVELS, says="How much it matters."),
    Fact(name="channel", type=FactType.SINGLE, says="The channel that it is about."),
    Fact(name="warehouse", type=FactType.WORDS, says="The warehouses that it names."),
    Fact(name="sku", type=FactType.WORDS, says="The SKUs that it names."),
    Fact(
        name="hold_reason",
        type=FactType.WORDS,
        words=tuple(reason.value for reason in HoldReason),
        says="Why its order is held, where it tells of that.",
    ),
    Fact(name="rule", type=FactType.WORDS, says="The rules that hold its order, where it tells of that."),
    Fact(name="kind", type=FactType.SINGLE, words=KINDS, says="The kind of its order."),
    Fact(name="tag", type=FactType.WORDS, says="The tags that its order has by now."),
    Fact(name="total", type=FactType.AMOUNT, unit="currency", says="What its buyer has to pay in all."),
    _CURRENCY,
)
FACTS: Mapping[On, Mapping[str, Fact]] = {On.ORDER: ORDER_FACTS, On.PARCEL: PARCEL_FACTS, On.EVENT: EVENT_FACTS}
"""By what conditions are about, the facts they may ask for by name."""


def plain(text: str) -> str:
    """Return a text as facts and rules hold it: in one width and spelling of its characters (NFKC)."""
    return text if is_normalized("NFKC", text) else normalize("NFKC", text)


Word = str | Unknown
Words = frozenset[str] | Unknown
Amount = Decimal | Unknown
Number = int | Unknown
Flag = bool | Unknown
Instant = datetime | None | Unknown


class _Plain:
    """Texts of a record are made plain once, when it is made."""

    __slots__ = ()

    def __post_init__(self) -> None:
        for name in self.__dataclass_fields__:  # type: ignore[attr-defined]
            value = getattr(self, name)
            if isinstance(value, str):
                if not value.isascii():
                    object.__setattr__(self, name, plain(value))
            elif isinstance(value, frozenset) and value and not all(map(str.isascii, value)):
                object.__setattr__(self, name, frozenset(map(plain, value)))


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderFacts(_Plain):
    """What is so of one order; what nobody asked for may be left unknown.

    Args:
        province, city: names, with or without what such a place is called after its name (省, 市, 自治区).
        paid_at, ship_by_at: None where it is not paid, or the channel sets no limit: known, and no comparison is met.
        tag: set by hand only; those of rules are what is decided here.
        notes_read: names of notes that something else than a rule has understood, such as a source of specifications.
        recipient: name, phone and address in one text. Compared with nothing and never shown: an approval of a rule
            about the address ends when it changes.
    """

    channel: str
    connector: str
    kind: str
    placed_at: datetime
    paid_at: Instant = UNKNOWN
    ship_by_at: Instant = UNKNOWN
    province: Word = UNKNOWN
    city: Word = UNKNOWN
    address: Words = UNKNOWN
    total: Amount = UNKNOWN
    goods_total: Amount = UNKNOWN
    freight: Amount = UNKNOWN
    discount: Amount = UNKNOWN
    paid: Amount = UNKNOWN
    currency: Word = UNKNOWN
    lines: Number = UNKNOWN
    units: Number = UNKNOWN
    weight_g: Number = UNKNOWN
    volume_cm3: Number = UNKNOWN
    sku: Words = UNKNOWN
    sku_tag: Words = UNKNOWN
    below_floor: Flag = UNKNOWN
    buyer_note: Word = field(default=UNKNOWN, repr=False)
    seller_note: Word = field(default=UNKNOWN, repr=False)
    seller_flag: Number = UNKNOWN
    tag: frozenset[str] = frozenset()
    buyer_new: Flag = UNKNOWN
    buyer_orders_24h: Number = UNKNOWN
    buyer_orders_open: Number = UNKNOWN
    buyer_refunds_90d: Number = UNKNOWN
    notes_read: frozenset[str] = frozenset()
    recipient: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ParcelFacts(_Plain):
    """What is so of one parcel before it is made: units of one or more orders, out of one warehouse.

    Args:
        cost: what each courier account takes for it; an account without a price has none.
    """

    channel: frozenset[str]
    kind: frozenset[str]
    warehouse: str
    tag: frozenset[str] = frozenset()
    province: Word = UNKNOWN
    city: Word = UNKNOWN
    goods_total: Amount = UNKNOWN
    currency: Word = UNKNOWN
    orders: Number = UNKNOWN
    lines: Number = UNKNOWN
    units: Number = UNKNOWN
    weight_g: Number = UNKNOWN
    volume_cm3: Number = UNKNOWN
    sku: Words = UNKNOWN
    sku_tag: Words = UNKNOWN
    cost: Mapping[str, Decimal] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFacts(_Plain):
    """What is so of one event.

    Args:
        channel: empty where it is about none.
        kind, total, currency: of its order; unknown where it is about none.
    """

    event: str
    level: str = "info"
    channel: str = ""
    warehouse: frozenset[str] = frozenset()
    sku: frozenset[str] = frozenset()
    hold_reason: frozenset[str] = frozenset()
    rule: frozenset[str] = frozenset()
    kind: Word = UNKNOWN
    tag: frozenset[str] = frozenset()
    total: Amount = UNKNOWN
    currency: Word = UNKNOWN


Facts = OrderFacts | ParcelFacts
"""What a rule is judged by."""


def about(facts: Facts) -> On:
    """Return what facts are of."""
    return On.ORDER if isinstance(facts, OrderFacts) else On.PARCEL
