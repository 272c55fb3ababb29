"""Tokens that were renewed, the last instant to ship, parcels whose order cannot be read, whose turn in the inbox."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "token",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("channel_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("pair", sa.LargeBinary(), nullable=True),
        sa.Column("origin", sa.Text(), server_default="", nullable=False),
        sa.Column("renewals", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), server_default="0", nullable=False),
        sa.Column("renewed_at", sa.BigInteger(), nullable=True),
        sa.Column("tries", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), server_default="0", nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=True),
        sa.Column("refused_at", sa.BigInteger(), nullable=True),
        sa.Column("try_at", sa.BigInteger(), nullable=True),
        sa.Column("error", sa.Text(), server_default="", nullable=False),
        sa.Column("warned_for_at", sa.BigInteger(), nullable=True),
        sa.Column(
            "warned_days", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), server_default="0", nullable=False
        ),
        sa.ForeignKeyConstraint(["channel_id"], ["channel.id"], name=op.f("fk_token_channel_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_token")),
        sa.UniqueConstraint("channel_id", name=op.f("uq_token_channel_id")),
    )
    op.add_column("orders", sa.Column("ship_by_at", sa.BigInteger(), nullable=True))
    op.add_column("outbox", sa.Column("held_since_at", sa.BigInteger(), nullable=True))
    op.add_column("outbox", sa.Column("unread_ok", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("inbox", sa.Column("lane", sa.SmallInteger(), server_default="1", nullable=False))
    op.create_index(
        "ix_inbox_turn",
        "inbox",
        ["lane", "id"],
        unique=False,
        sqlite_where=sa.text("state = 'pending'"),
        postgresql_where=sa.text("state = 'pending'"),
    )


def downgrade() -> None:
    op.drop_index("ix_inbox_turn", table_name="inbox")
    op.drop_column("inbox", "lane")
    op.drop_column("outbox", "unread_ok")
    op.drop_column("outbox", "held_since_at")
    op.drop_column("orders", "ship_by_at")
    op.drop_table("token")
