"""What warehouses were told to send, and what of it has left."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_STATES = "'pending', 'unsure', 'told', 'recalled', 'kept', 'refused', 'dropped', 'stopped', 'shipped'"


def upgrade() -> None:
    op.create_table(
        "release",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("order_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("warehouse_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("told_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(f"state IN ({_STATES})", name=op.f("ck_release_state_known")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_release_order_id")),
        sa.ForeignKeyConstraint(["warehouse_id"], ["warehouse.id"], name=op.f("fk_release_warehouse_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_release")),
        sa.UniqueConstraint("number", name=op.f("uq_release_number")),
    )
    op.create_index("ix_release_order_id", "release", ["order_id"], unique=False)
    op.create_index(
        "uq_release_open",
        "release",
        ["order_id", "warehouse_id"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "release_line",
        sa.Column("release_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("line_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("sku_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("qty", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("units", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "left_units", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), server_default="0", nullable=False
        ),
        sa.CheckConstraint("qty > 0", name=op.f("ck_release_line_qty_positive")),
        sa.CheckConstraint("left_units BETWEEN 0 AND units", name=op.f("ck_release_line_not_more_than_released")),
        sa.ForeignKeyConstraint(["line_id"], ["order_line.id"], name=op.f("fk_release_line_line_id")),
        sa.ForeignKeyConstraint(["release_id"], ["release.id"], name=op.f("fk_release_line_release_id")),
        sa.ForeignKeyConstraint(["sku_id"], ["sku.id"], name=op.f("fk_release_line_sku_id")),
        sa.PrimaryKeyConstraint("release_id", "line_id", "sku_id", name=op.f("pk_release_line")),
    )


def downgrade() -> None:
    op.drop_table("release_line")
    op.drop_index("uq_release_open", table_name="release")
    op.drop_index("ix_release_order_id", table_name="release")
    op.drop_table("release")
