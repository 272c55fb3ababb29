"""What is made here: how SKUs are planned, what buyers had made for them, bills of material, and work orders.

Why a supply has a kind though so far all are made: what is bought or moved is netted, promised and told of as what is
made, so they will share its rows.
"""

from sqlalchemy import CheckConstraint, Column, Index, LargeBinary, Table, Text, UniqueConstraint, text

from erpsync.store.tables.base import BigInt, at, count, metadata, not_negative, one_of, past, ref, row_id, words

item = Table(
    "item",
    metadata,
    ref("sku_id", "sku.id", primary_key=True),
    Column("supply", Text, nullable=False),
    Column("make_for", Text, nullable=False),
    ref("warehouse_id", "warehouse.id", nullable=True),
    words("spec"),
    count("offer"),
    count("lead_days"),
    one_of("supply", "make", "none"),
    one_of("make_for", "order", "stock"),
    *not_negative("offer", "lead_days"),
)
"""How a SKU is planned. `warehouse_id` is where finished units go; without it where `production.places.out` says.
`spec` names the rules by which a buyer's parameters are read; `offer` is how many may be sold before they are made."""

variant = Table(
    "variant",
    metadata,
    ref("sku_id", "sku.id", primary_key=True),
    ref("base_id", "sku.id"),
    Column("digest", LargeBinary, nullable=False),
    Column("spec", LargeBinary),
    UniqueConstraint("base_id", "digest"),
    CheckConstraint("sku_id <> base_id", name="not_itself"),
    Index(
        "ix_variant_spec",
        "sku_id",
        sqlite_where=text("spec IS NOT NULL"),
        postgresql_where=text("spec IS NOT NULL"),
    ),
)
"""SKUs that are a base SKU with what a buyer wants of it: the spec, sealed, until the last order's recipient goes.
The digest is a keyed hash of it, so that equal ones are one SKU."""

line_spec = Table(
    "line_spec",
    metadata,
    ref("line_id", "order_line.id", primary_key=True),
    Column("spec", LargeBinary, nullable=False),
    Column("actor", Text, nullable=False),
    past("at", nullable=False),
)
"""What a person said a line is to be made like, sealed; it counts more than what the channel tells later."""

BOM_STATES = ("draft", "active", "retired")

bom = Table(
    "bom",
    metadata,
    row_id(),
    ref("sku_id", "sku.id"),
    Column("version", Text, nullable=False),
    Column("state", Text, nullable=False),
    count("yields", default=1),
    past("made_at", nullable=False),
    Column("actor", Text, nullable=False),
    one_of("state", *BOM_STATES),
    CheckConstraint("yields > 0", name="yields_positive"),
    UniqueConstraint("sku_id", "version"),
    Index(
        "uq_bom_active",
        "sku_id",
        unique=True,
        sqlite_where=text("state = 'active'"),
        postgresql_where=text("state = 'active'"),
    ),
)
"""A bill of material: what `yields` units of a SKU are made of. Once active it never changes."""

bom_line = Table(
    "bom_line",
    metadata,
    ref("bom_id", "bom.id", primary_key=True),
    Column("no", BigInt, primary_key=True),
    ref("sku_id", "sku.id"),
    Column("qty", BigInt, nullable=False),
    count("scrap_ppm"),
    Column("step_no", BigInt),
    words("only_name"),
    words("only_values", default="[]"),
    CheckConstraint("qty > 0", name="qty_positive"),
    CheckConstraint("scrap_ppm BETWEEN 0 AND 999999", name="scrap_under_all"),
    Index("ix_bom_line_sku_id", "sku_id"),
)
"""A component; with `only_name` it is used where the spec's parameter has one of `only_values`."""

bom_step = Table(
    "bom_step",
    metadata,
    ref("bom_id", "bom.id", primary_key=True),
    Column("no", BigInt, primary_key=True),
    Column("name", Text, nullable=False),
    Column("station", Text, nullable=False),
    count("fixed_minutes"),
    count("seconds_each"),
    *not_negative("fixed_minutes", "seconds_each"),
)

SUPPLY_STATES = ("open", "started", "done", "closed")
SUPPLY_IS_OPEN = text("supply.state IN ('open', 'started')")
"""Supplies that have not ended, in the words of their index."""

supply = Table(
    "supply",
    metadata,
    row_id(),
    Column("number", Text, nullable=False, unique=True),
    Column("kind", Text, nullable=False),
    ref("sku_id", "sku.id"),
    ref("warehouse_id", "warehouse.id"),
    ref("bom_id", "bom.id", nullable=True),
    ref("split_of_id", "supply.id", nullable=True),
    Column("qty", BigInt, nullable=False),
    count("done_qty"),
    count("lost_qty"),
    Column("state", Text, nullable=False),
    Column("source", Text, nullable=False),
    words("reason"),
    count("version", default=1),
    at("due_at", nullable=False),
    at("start_at"),
    Column("actor", Text, nullable=False),
    past("made_at", nullable=False),
    past("started_at"),
    past("ended_at"),
    one_of("kind", "make"),
    one_of("state", *SUPPLY_STATES),
    one_of("source", "order", "hand"),
    CheckConstraint("qty > 0", name="qty_positive"),
    CheckConstraint("(kind = 'make') = (bom_id IS NOT NULL)", name="made_by_bom"),
    CheckConstraint("state <> 'closed' OR reason <> ''", name="closed_has_reason"),
    CheckConstraint("(state IN ('done', 'closed')) = (ended_at IS NOT NULL)", name="ended_has_instant"),
    *not_negative("done_qty", "lost_qty"),
    Index(
        "ix_supply_open",
        "sku_id",
        "state",  # told by the condition too, but SQLite takes the index with the most columns given
        "id",
        sqlite_where=text("state IN ('open', 'started')"),
        postgresql_where=text("state IN ('open', 'started')"),
    ),
    Index("ix_supply_sku_id", "sku_id", "id"),
)
"""Units of a SKU that will come into a warehouse. What is made is a work order."""

work_step = Table(
    "work_step",
    metadata,
    ref("supply_id", "supply.id", primary_key=True),
    Column("no", BigInt, primary_key=True),
    Column("name", Text, nullable=False),
    Column("station", Text, nullable=False),
    count("good_qty"),
    count("scrap_qty"),
    *not_negative("good_qty", "scrap_qty"),
)
"""A work order's steps, as its bill of material had them, with the sums of what stations reported."""

work_part = Table(
    "work_part",
    metadata,
    ref("supply_id", "supply.id", primary_key=True),
    ref("sku_id", "sku.id", primary_key=True),
    Column("need_qty", BigInt, nullable=False),
    count("issued_qty"),
    count("used_qty"),
    count("scrapped_qty"),
    count("returned_qty"),
    CheckConstraint("used_qty + scrapped_qty + returned_qty <= issued_qty", name="not_more_than_issued"),
    *not_negative("need_qty", "issued_qty", "used_qty", "scrapped_qty", "returned_qty"),
    Index("ix_work_part_sku_id", "sku_id"),
)
"""What a work order needs of each component, and what became of it. What is issued and neither used, scrapped nor
returned is work in progress."""

report = Table(
    "report",
    metadata,
    row_id(),
    ref("supply_id", "supply.id"),
    Column("step_no", BigInt, nullable=False),
    count("good_qty"),
    count("scrap_qty"),
    ref("undoes_id", "report.id", nullable=True),
    Column("key", Text, nullable=False, unique=True),
    Column("actor", Text, nullable=False),
    past("at", nullable=False),
    *not_negative("good_qty", "scrap_qty"),
    Index("ix_report_supply_id", "supply_id"),
    UniqueConstraint("undoes_id"),
)
"""What a station said it did; nothing is ever taken out, a mistake is undone by another row."""
