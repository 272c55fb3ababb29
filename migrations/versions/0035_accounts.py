"""How many waybills accounts with couriers have left, where they deliver, and which releases have no courier yet."""

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None

_INT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_UNCHOSEN = sa.text("account_id IS NULL AND state IN ('pending', 'told')")


def upgrade() -> None:
    op.add_column("channel", sa.Column("balance", _INT))
    op.add_column("channel", sa.Column("balance_at", sa.BigInteger()))
    op.create_table(
        "coverage",
        sa.Column("account_id", _INT, sa.ForeignKey("channel.id"), nullable=False),
        sa.Column("province", sa.Text(), nullable=False),
        sa.Column("city", sa.Text(), nullable=False),
        sa.Column("district", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "province", "city", "district"),
        sa.CheckConstraint("answer IN ('yes', 'no', 'booking')", name=op.f("ck_coverage_answer_known")),
    )
    op.create_index(
        "ix_release_unchosen",
        "release",
        ["warehouse_id", "id"],
        sqlite_where=_UNCHOSEN,
        postgresql_where=_UNCHOSEN,
    )


def downgrade() -> None:
    op.drop_index("ix_release_unchosen", "release")
    op.drop_table("coverage")
    op.drop_column("channel", "balance_at")
    op.drop_column("channel", "balance")
