"""What is wrong is told once when it breaks and once when it mends; orders that are late are told of once."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "alarm",
        sa.Column("id", _KEY, nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), server_default="", nullable=False),
        sa.Column("host", sa.Text(), server_default="", nullable=False),
        sa.Column("channel_id", _KEY, nullable=True),
        sa.Column("level", sa.Text(), server_default="bad", nullable=False),
        sa.Column("step", _KEY, server_default="0", nullable=False),
        sa.Column("said", sa.Text(), server_default="", nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.Column("raised_at", sa.BigInteger(), nullable=True),
        sa.Column("well_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("level IN ('bad', 'warn')", name=op.f("ck_alarm_level_known")),
        sa.ForeignKeyConstraint(["channel_id"], ["channel.id"], name=op.f("fk_alarm_channel_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alarm")),
    )
    still, over = sa.text("ended_at IS NULL"), sa.text("ended_at IS NOT NULL")
    key = ["rule", "subject"]
    op.create_index("uq_alarm_open", "alarm", key, unique=True, sqlite_where=still, postgresql_where=still)
    op.create_index("ix_alarm_ended_at", "alarm", ["ended_at"], sqlite_where=over, postgresql_where=over)
    op.create_table(
        "arrival_pattern",
        sa.Column("channel_id", _KEY, nullable=False),
        sa.Column("learned_at", sa.BigInteger(), nullable=False),
        sa.Column("rates", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["channel_id"], ["channel.id"], name=op.f("fk_arrival_pattern_channel_id")),
        sa.PrimaryKeyConstraint("channel_id", name=op.f("pk_arrival_pattern")),
    )
    op.create_table(
        "late_order",
        sa.Column("order_id", _KEY, nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("told_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_late_order_order_id")),
        sa.PrimaryKeyConstraint("order_id", name=op.f("pk_late_order")),
    )


def downgrade() -> None:
    """What was wrong is forgotten, as far as the trail does not tell it."""
    op.drop_table("late_order")
    op.drop_table("arrival_pattern")
    op.drop_table("alarm")
