"""What a SKU is: title, barcode, weight, volume, floor price and tags; and on which shelf of a warehouse it lies."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_NUMBERS = ("weight_g", "volume_cm3", "floor_minor")
_TEXTS = {"title": "", "barcode": "", "floor_currency": "", "tags": "[]"}
_HAS_CURRENCY = "ck_sku_floor_has_currency"


def upgrade() -> None:
    with op.batch_alter_table("sku") as table:
        for name, empty in _TEXTS.items():
            table.add_column(sa.Column(name, sa.Text(), server_default=empty, nullable=False))
        for name in _NUMBERS:
            table.add_column(sa.Column(name, _KEY, nullable=True))
            table.create_check_constraint(op.f(f"ck_sku_{name}_not_negative"), f"{name} >= 0")
        table.create_check_constraint(op.f(_HAS_CURRENCY), "(floor_minor IS NULL) = (floor_currency = '')")
    known = sa.text("barcode <> ''")
    op.create_index("ix_sku_barcode", "sku", ["barcode"], sqlite_where=known, postgresql_where=known)
    op.create_table(
        "sku_place",
        sa.Column("sku_id", _KEY, nullable=False),
        sa.Column("warehouse_id", _KEY, nullable=False),
        sa.Column("shelf", sa.Text(), nullable=False),
        sa.CheckConstraint("shelf <> ''", name=op.f("ck_sku_place_shelf_named")),
        sa.ForeignKeyConstraint(["sku_id"], ["sku.id"], name=op.f("fk_sku_place_sku_id")),
        sa.ForeignKeyConstraint(["warehouse_id"], ["warehouse.id"], name=op.f("fk_sku_place_warehouse_id")),
        sa.PrimaryKeyConstraint("sku_id", "warehouse_id", name=op.f("pk_sku_place")),
    )


def downgrade() -> None:
    """What a SKU is is forgotten, but for its code; `goods list --json` prints it before."""
    op.drop_table("sku_place")
    op.drop_index("ix_sku_barcode", "sku")
    with op.batch_alter_table("sku") as table:
        table.drop_constraint(op.f(_HAS_CURRENCY), type_="check")
        for name in _NUMBERS:
            table.drop_constraint(op.f(f"ck_sku_{name}_not_negative"), type_="check")
            table.drop_column(name)
        for name in _TEXTS:
            table.drop_column(name)
