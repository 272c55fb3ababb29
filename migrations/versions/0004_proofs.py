"""What the comparison with the channels found: windows of their past, numbers that are not ours."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "seal_window",
        sa.Column("channel_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("start_at", sa.BigInteger(), nullable=False),
        sa.Column("end_at", sa.BigInteger(), nullable=False),
        sa.Column("scanned_at", sa.BigInteger(), nullable=True),
        sa.Column("since_at", sa.BigInteger(), nullable=True),
        sa.Column(
            "order_count", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), server_default="0", nullable=False
        ),
        sa.Column("ids_hash", sa.Text(), server_default="", nullable=False),
        sa.Column("sealed_at", sa.BigInteger(), nullable=True),
        sa.Column("reopened", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), server_default="0", nullable=False),
        sa.Column("missed", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), server_default="0", nullable=False),
        sa.Column("late", sa.Text(), server_default="[]", nullable=False),
        sa.Column("why", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint("end_at > start_at", name=op.f("ck_seal_window_ends_after_start")),
        sa.CheckConstraint("order_count >= 0", name=op.f("ck_seal_window_order_count_not_negative")),
        sa.CheckConstraint(
            "sealed_at IS NULL OR scanned_at IS NOT NULL", name=op.f("ck_seal_window_sealed_was_scanned")
        ),
        sa.ForeignKeyConstraint(["channel_id"], ["channel.id"], name=op.f("fk_seal_window_channel_id")),
        sa.PrimaryKeyConstraint("channel_id", "start_at", name=op.f("pk_seal_window")),
    )
    op.create_index(
        "ix_seal_window_open",
        "seal_window",
        ["channel_id", "start_at"],
        unique=False,
        sqlite_where=sa.text("sealed_at IS NULL"),
        postgresql_where=sa.text("sealed_at IS NULL"),
    )
    op.create_table(
        "drift",
        sa.Column("listing_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("shown_qty", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("told_qty", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("shown_at", sa.BigInteger(), nullable=False),
        sa.Column("found_at", sa.BigInteger(), nullable=False),
        sa.Column("repairs", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), server_default="0", nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("kind IN ('sale', 'lost_push', 'hand_edit')", name=op.f("ck_drift_kind_known")),
        sa.ForeignKeyConstraint(["listing_id"], ["listing.id"], name=op.f("fk_drift_listing_id")),
        sa.PrimaryKeyConstraint("listing_id", name=op.f("pk_drift")),
    )
    op.add_column("listing", sa.Column("earlier", sa.Text(), server_default="[]", nullable=False))
    op.add_column("shipment", sa.Column("looked_at", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    op.drop_column("shipment", "looked_at")
    op.drop_column("listing", "earlier")
    op.drop_table("drift")
    op.drop_index("ix_seal_window_open", table_name="seal_window")
    op.drop_table("seal_window")
