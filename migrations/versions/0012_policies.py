"""Late calls on listings, counts that wait, what holds for single SKUs, when webhooks were applied, who feeds."""

import sqlalchemy as sa
from alembic import op

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("listing", sa.Column("late", sa.Text(), server_default="[]", nullable=False))
    op.add_column("listing", sa.Column("late_until_at", sa.BigInteger(), nullable=True))
    op.add_column("inbox", sa.Column("applied_at", sa.BigInteger(), nullable=True))
    applied = sa.text("applied_at IS NOT NULL")
    op.create_index("ix_inbox_applied_at", "inbox", ["applied_at"], sqlite_where=applied, postgresql_where=applied)
    op.add_column("warehouse", sa.Column("feeds", sa.Boolean(), server_default=sa.true(), nullable=False))
    op.create_table(
        "waiting_count",
        sa.Column("warehouse_id", BIG, nullable=False),
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("channel_id", BIG, nullable=False),
        sa.Column("on_hand", BIG, server_default="0", nullable=False),
        sa.Column("counted_at", sa.BigInteger(), nullable=False),
        sa.Column("unknown", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.CheckConstraint("on_hand >= 0", name=op.f("ck_waiting_count_on_hand_not_negative")),
        sa.ForeignKeyConstraint(["channel_id"], ["channel.id"], name=op.f("fk_waiting_count_channel_id")),
        sa.ForeignKeyConstraint(["warehouse_id"], ["warehouse.id"], name=op.f("fk_waiting_count_warehouse_id")),
        sa.PrimaryKeyConstraint("warehouse_id", "sku", name=op.f("pk_waiting_count")),
    )
    op.create_table(
        "sku_policy",
        sa.Column("id", BIG, nullable=False),
        sa.Column("sku_id", BIG, nullable=False),
        sa.Column("channel_id", BIG, nullable=True),
        sa.Column("warehouse_id", BIG, nullable=True),
        sa.Column("safety", BIG, nullable=True),
        sa.Column("cap", BIG, nullable=True),
        sa.Column("buffer", BIG, nullable=True),
        sa.Column("paused", sa.Boolean(), nullable=True),
        sa.CheckConstraint(
            "(channel_id IS NULL) <> (warehouse_id IS NULL)", name=op.f("ck_sku_policy_channel_or_warehouse")
        ),
        *(
            sa.CheckConstraint(f"{name} >= 0", name=op.f(f"ck_sku_policy_{name}_not_negative"))
            for name in ("safety", "cap", "buffer")
        ),
        sa.ForeignKeyConstraint(["sku_id"], ["sku.id"], name=op.f("fk_sku_policy_sku_id")),
        sa.ForeignKeyConstraint(["channel_id"], ["channel.id"], name=op.f("fk_sku_policy_channel_id")),
        sa.ForeignKeyConstraint(["warehouse_id"], ["warehouse.id"], name=op.f("fk_sku_policy_warehouse_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sku_policy")),
    )
    for place in ("channel", "warehouse"):
        given = sa.text(f"{place}_id IS NOT NULL")
        op.create_index(
            f"uq_sku_policy_{place}",
            "sku_policy",
            ["sku_id", f"{place}_id"],
            unique=True,
            sqlite_where=given,
            postgresql_where=given,
        )


def downgrade() -> None:
    op.drop_table("sku_policy")
    op.drop_table("waiting_count")
    op.drop_column("warehouse", "feeds")
    op.drop_index("ix_inbox_applied_at", "inbox")
    op.drop_column("inbox", "applied_at")
    op.drop_column("listing", "late_until_at")
    op.drop_column("listing", "late")
