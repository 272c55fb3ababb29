"""When SKUs were sold out: a week without stock is no week without demand, and what is not written down is lost."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_OPEN = sa.text("to_at IS NULL")


def upgrade() -> None:
    op.create_table(
        "sold_out",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("sku_id", _BIG, nullable=False),
        sa.Column("from_at", sa.BigInteger(), nullable=False),
        sa.Column("to_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["sku_id"], ["sku.id"], name="fk_sold_out_sku_id"),
        sa.PrimaryKeyConstraint("id", name="pk_sold_out"),
    )
    op.create_index("ix_sold_out_sku_id", "sold_out", ["sku_id", "from_at"])
    op.create_index("uq_sold_out_open", "sold_out", ["sku_id"], unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN)


def downgrade() -> None:
    op.drop_table("sold_out")
