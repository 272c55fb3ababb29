"""Versions that lie in the future count as received: when bodies first came, and what is stored so far lowered."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_DAY_US = 86_400_000_000
_LOWERED = """
UPDATE {table} SET version_at = read_to_at
WHERE version_at - read_to_at > {day}
AND NOT EXISTS (SELECT 1 FROM channel WHERE channel.id = {table}.channel_id AND abs(channel.clock_ahead_s) > 60)
"""
"""Left alone where this machine's clock is known to be off: nothing can be said to lie in the future there."""


def upgrade() -> None:
    op.add_column("orders", sa.Column("refund_asked", sa.Text(), server_default="", nullable=False))
    op.add_column("payload", sa.Column("ahead_digest", sa.Text(), server_default="", nullable=False))
    where = sa.text("ahead_digest <> ''")
    op.create_index(
        "ix_payload_ahead",
        "payload",
        ["channel_id", "kind", "external_id"],
        sqlite_where=where,
        postgresql_where=where,
    )
    op.add_column("dead_letter", sa.Column("digest", sa.Text(), server_default="", nullable=False))
    op.add_column("dead_letter", sa.Column("received_at", sa.BigInteger(), nullable=True))
    op.create_table(
        "unknown_message",
        sa.Column("channel_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("count", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), server_default="0", nullable=False),
        sa.Column("first_at", sa.BigInteger(), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["channel_id"], ["channel.id"], name="fk_unknown_message_channel_id"),
        sa.PrimaryKeyConstraint("channel_id", "type", name="pk_unknown_message"),
    )
    for table in ("orders", "refund"):
        op.execute(sa.text(_LOWERED.format(table=table, day=_DAY_US)))


def downgrade() -> None:
    op.drop_table("unknown_message")
    op.drop_column("dead_letter", "received_at")
    op.drop_column("dead_letter", "digest")
    op.drop_index("ix_payload_ahead", "payload")
    op.drop_column("payload", "ahead_digest")
    op.drop_column("orders", "refund_asked")
