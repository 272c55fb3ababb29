"""What is made here: items, variants with their specs, bills of material, work orders and what stations report."""

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0034"
branch_labels = None
depends_on = None

_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_READABLE = sa.text("spec IS NOT NULL")
_ACTIVE = sa.text("state = 'active'")
_OPEN = sa.text("state IN ('open', 'started')")
_TABLES = ("item", "variant", "line_spec", "bom", "bom_line", "bom_step", "supply", "work_step", "work_part", "report")


def upgrade() -> None:
    op.create_table(
        "item",
        *_keys("sku_id"),
        *_texts("supply", "make_for"),
        _ref("warehouse_id", nullable=True),
        *_words("spec"),
        *_counts("offer", "lead_days"),
        *_constraints("item", {"sku_id": "sku", "warehouse_id": "warehouse"}, key=("sku_id",)),
        *_checks("item", supply_known="supply IN ('make', 'none')", make_for_known="make_for IN ('order', 'stock')"),
        *_not_negative("item", "offer", "lead_days"),
    )
    op.create_table(
        "variant",
        *_keys("sku_id"),
        _ref("base_id"),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("spec", sa.LargeBinary()),
        *_constraints("variant", {"sku_id": "sku", "base_id": "sku"}, key=("sku_id",)),
        *_checks("variant", not_itself="sku_id <> base_id"),
        sa.UniqueConstraint("base_id", "digest", name=op.f("uq_variant_base_id_digest")),
    )
    op.create_index("ix_variant_spec", "variant", ["sku_id"], sqlite_where=_READABLE, postgresql_where=_READABLE)
    op.create_table(
        "line_spec",
        *_keys("line_id"),
        sa.Column("spec", sa.LargeBinary(), nullable=False),
        *_texts("actor"),
        _at("at", nullable=False),
        *_constraints("line_spec", {"line_id": "order_line"}, key=("line_id",)),
    )
    _bills()
    _works()


def _bills() -> None:
    op.create_table(
        "bom",
        *_keys("id"),
        _ref("sku_id"),
        *_texts("version", "state"),
        *_counts("yields", default=1),
        _at("made_at", nullable=False),
        *_texts("actor"),
        *_constraints("bom", {"sku_id": "sku"}, key=("id",)),
        *_checks("bom", state_known="state IN ('draft', 'active', 'retired')", yields_positive="yields > 0"),
        sa.UniqueConstraint("sku_id", "version", name=op.f("uq_bom_sku_id_version")),
    )
    op.create_index("uq_bom_active", "bom", ["sku_id"], unique=True, sqlite_where=_ACTIVE, postgresql_where=_ACTIVE)
    op.create_table(
        "bom_line",
        *_keys("bom_id", "no"),
        _ref("sku_id"),
        _ref("qty"),
        *_counts("scrap_ppm"),
        _ref("step_no", nullable=True),
        *_words("only_name"),
        sa.Column("only_values", sa.Text(), server_default="[]", nullable=False),
        *_constraints("bom_line", {"bom_id": "bom", "sku_id": "sku"}, key=("bom_id", "no")),
        *_checks("bom_line", qty_positive="qty > 0", scrap_under_all="scrap_ppm BETWEEN 0 AND 999999"),
    )
    op.create_index("ix_bom_line_sku_id", "bom_line", ["sku_id"])
    op.create_table(
        "bom_step",
        *_keys("bom_id", "no"),
        *_texts("name", "station"),
        *_counts("fixed_minutes", "seconds_each"),
        *_constraints("bom_step", {"bom_id": "bom"}, key=("bom_id", "no")),
        *_not_negative("bom_step", "fixed_minutes", "seconds_each"),
    )


def _works() -> None:
    op.create_table(
        "supply",
        *_keys("id"),
        *_texts("number", "kind"),
        *(_ref(name) for name in ("sku_id", "warehouse_id")),
        *(_ref(name, nullable=True) for name in ("bom_id", "split_of_id")),
        _ref("qty"),
        *_counts("done_qty", "lost_qty"),
        *_texts("state", "source"),
        *_words("reason"),
        *_counts("version", default=1),
        _at("due_at", nullable=False),
        _at("start_at"),
        *_texts("actor"),
        _at("made_at", nullable=False),
        *(_at(name) for name in ("started_at", "ended_at")),
        *_constraints(
            "supply",
            {"sku_id": "sku", "warehouse_id": "warehouse", "bom_id": "bom", "split_of_id": "supply"},
            key=("id",),
        ),
        *_checks(
            "supply",
            kind_known="kind IN ('make')",
            state_known="state IN ('open', 'started', 'done', 'closed')",
            source_known="source IN ('order', 'hand')",
            qty_positive="qty > 0",
            made_by_bom="(kind = 'make') = (bom_id IS NOT NULL)",
            closed_has_reason="state <> 'closed' OR reason <> ''",
            ended_has_instant="(state IN ('done', 'closed')) = (ended_at IS NOT NULL)",
        ),
        *_not_negative("supply", "done_qty", "lost_qty"),
        sa.UniqueConstraint("number", name=op.f("uq_supply_number")),
    )
    op.create_index("ix_supply_open", "supply", ["sku_id", "state", "id"], sqlite_where=_OPEN, postgresql_where=_OPEN)
    op.create_index("ix_supply_sku_id", "supply", ["sku_id", "id"])
    op.create_table(
        "work_step",
        *_keys("supply_id", "no"),
        *_texts("name", "station"),
        *_counts("good_qty", "scrap_qty"),
        *_constraints("work_step", {"supply_id": "supply"}, key=("supply_id", "no")),
        *_not_negative("work_step", "good_qty", "scrap_qty"),
    )
    parts = ("issued_qty", "used_qty", "scrapped_qty", "returned_qty")
    op.create_table(
        "work_part",
        *_keys("supply_id", "sku_id"),
        _ref("need_qty"),
        *_counts(*parts),
        *_constraints("work_part", {"supply_id": "supply", "sku_id": "sku"}, key=("supply_id", "sku_id")),
        *_checks("work_part", not_more_than_issued="used_qty + scrapped_qty + returned_qty <= issued_qty"),
        *_not_negative("work_part", "need_qty", *parts),
    )
    op.create_index("ix_work_part_sku_id", "work_part", ["sku_id"])
    op.create_table(
        "report",
        *_keys("id"),
        *(_ref(name) for name in ("supply_id", "step_no")),
        *_counts("good_qty", "scrap_qty"),
        _ref("undoes_id", nullable=True),
        *_texts("key", "actor"),
        _at("at", nullable=False),
        *_constraints("report", {"supply_id": "supply", "undoes_id": "report"}, key=("id",)),
        *_not_negative("report", "good_qty", "scrap_qty"),
        sa.UniqueConstraint("key", name=op.f("uq_report_key")),
        sa.UniqueConstraint("undoes_id", name=op.f("uq_report_undoes_id")),
    )
    op.create_index("ix_report_supply_id", "report", ["supply_id"])


def _keys(*names: str) -> "list[sa.Column[int]]":
    return [sa.Column(name, _KEY, nullable=False) for name in names]


def _ref(name: str, *, nullable: bool = False) -> "sa.Column[int]":
    return sa.Column(name, _KEY, nullable=nullable)


def _counts(*names: str, default: int = 0) -> "list[sa.Column[int]]":
    return [sa.Column(name, _KEY, server_default=str(default), nullable=False) for name in names]


def _texts(*names: str) -> "list[sa.Column[str]]":
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def _words(*names: str) -> "list[sa.Column[str]]":
    return [sa.Column(name, sa.Text(), server_default="", nullable=False) for name in names]


def _at(name: str, *, nullable: bool = True) -> "sa.Column[int]":
    return sa.Column(name, sa.BigInteger(), nullable=nullable)


def _constraints(table: str, refs: dict[str, str], *, key: tuple[str, ...]) -> list[sa.Constraint]:
    foreign = [
        sa.ForeignKeyConstraint([name], [f"{target}.id"], name=op.f(f"fk_{table}_{name}"))
        for name, target in refs.items()
    ]
    return [*foreign, sa.PrimaryKeyConstraint(*key, name=op.f(f"pk_{table}"))]


def _checks(table: str, **checks: str) -> list[sa.CheckConstraint]:
    return [sa.CheckConstraint(says, name=op.f(f"ck_{table}_{name}")) for name, says in checks.items()]


def _not_negative(table: str, *names: str) -> list[sa.CheckConstraint]:
    return _checks(table, **{f"{name}_not_negative": f"{name} >= 0" for name in names})


def downgrade() -> None:
    """What was made is forgotten; goods that are finished stay in stock."""
    for name in reversed(_TABLES):
        op.drop_table(name)
