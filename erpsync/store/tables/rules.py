"""What rules and people want of orders: marks, approvals, gifts, and when to look again."""

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, LargeBinary, PrimaryKeyConstraint, Table, Text, text

from erpsync.store.tables.base import BigInt, at, metadata, not_negative, one_of, past, ref, words

order_mark = Table(
    "order_mark",
    metadata,
    ref("order_id", "orders.id", primary_key=True),
    Column("name", Text, primary_key=True),
    words("value"),
    words("rule"),
    words("actor"),
    past("at", nullable=False),
    CheckConstraint("(rule = '') <> (actor = '')", name="by_one"),
)
"""What should be so of an order (`core.rules.Mark`), wanted by a rule or set by a person."""

order_approval = Table(
    "order_approval",
    metadata,
    ref("order_id", "orders.id", primary_key=True),
    Column("rule", Text, primary_key=True),
    Column("digest", Text, nullable=False),
    words("reason"),
    Column("actor", Text, nullable=False),
    past("at", nullable=False),
)
"""That a person said yes to what a rule asks, and to which facts: `digest` is another one when those are others."""

LOOK_CAUSES = ("time", "fact")

order_look = Table(
    "order_look",
    metadata,
    ref("order_id", "orders.id", primary_key=True),
    Column("cause", Text, primary_key=True),
    at("at", nullable=False),
    one_of("cause", *LOOK_CAUSES),
    Index("ix_order_look_due", "cause", "at", "order_id"),
)
"""When an order is to be judged again: because time changes an answer, or, whatever the clock says by then, because
something beside it has changed."""

GIFT_STATES = ("given", "replaced", "dropped", "once", "most", "unknown_sku")

order_gift = Table(
    "order_gift",
    metadata,
    ref("order_id", "orders.id", primary_key=True),
    Column("rule", Text, primary_key=True),
    Column("state", Text, nullable=False),
    past("at", nullable=False),
    one_of("state", *GIFT_STATES),
    Index(
        "ix_order_gift_waiting",
        "rule",
        "order_id",
        sqlite_where=text("state IN ('once', 'most')"),
        postgresql_where=text("state IN ('once', 'most')"),
    ),
)
"""What became of a gift that a rule wants: given; replaced by another SKU, or dropped, for want of stock; not given
because the buyer has one, because as many as may be are given, or because nobody knows its SKU."""

gift_once = Table(
    "gift_once",
    metadata,
    Column("rule", Text, nullable=False),
    Column("who", LargeBinary, nullable=False),
    Column("order_id", BigInt, ForeignKey("orders.id", deferrable=True, initially="DEFERRED"), nullable=False),
    PrimaryKeyConstraint("rule", "who"),
    Index("ix_gift_once_order_id", "order_id"),
)
"""Which order of a buyer has the one gift of a rule; `who` is a keyed hash of the buyer or of the phone.

It is claimed before an order that is new has its row."""

gift_count = Table(
    "gift_count",
    metadata,
    Column("rule", Text, primary_key=True),
    Column("given", BigInt, nullable=False),
    *not_negative("given"),
)
"""How many gifts of a rule that has `most` are given."""
