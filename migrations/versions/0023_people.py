"""Who bought and what was written, encrypted; the seller's flag; and whose line a line is."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_ORIGIN = (
    "ALTER TABLE order_line ADD COLUMN origin TEXT NOT NULL DEFAULT 'channel' "
    "CONSTRAINT ck_order_line_origin_known CHECK (origin IN ('channel', 'gift', 'hand'))"
)
"""In one statement: SQLite takes a check of a new column with the column alone, or with a copy of the whole table."""

_BUYER = sa.text("buyer_index IS NOT NULL")
_RECIPIENT = sa.text("recipient IS NOT NULL")
_PERSONAL = sa.text("recipient IS NOT NULL OR notes IS NOT NULL")


def upgrade() -> None:
    op.add_column("orders", sa.Column("notes", sa.LargeBinary(), nullable=True))
    op.add_column("orders", sa.Column("buyer_index", sa.LargeBinary(), nullable=True))
    op.add_column("orders", sa.Column("seller_flag", _BIG, nullable=True))
    op.add_column("order_line", sa.Column("properties", sa.LargeBinary(), nullable=True))
    op.execute(_ORIGIN)
    _index("ix_orders_buyer_index", ["buyer_index", "placed_at"], _BUYER)
    op.drop_index("ix_orders_recipient", "orders")
    _index("ix_orders_personal", ["channel_id", "placed_at"], _PERSONAL)


def downgrade() -> None:
    op.drop_index("ix_orders_personal", "orders")
    _index("ix_orders_recipient", ["channel_id", "placed_at"], _RECIPIENT)
    op.drop_index("ix_orders_buyer_index", "orders")
    if op.get_bind().dialect.name == "postgresql":
        op.drop_constraint("ck_order_line_origin_known", "order_line")
    op.drop_column("order_line", "origin")
    op.drop_column("order_line", "properties")
    op.drop_column("orders", "seller_flag")
    op.drop_column("orders", "buyer_index")
    op.drop_column("orders", "notes")


def _index(name: str, columns: list[str], where: sa.TextClause) -> None:
    op.create_index(name, "orders", columns, sqlite_where=where, postgresql_where=where)
