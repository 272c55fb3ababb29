"""How an order came: by a channel, or made here by phone, for a business, or to be paid on delivery."""

from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

_KIND = (
    "ALTER TABLE orders ADD COLUMN kind TEXT NOT NULL DEFAULT 'channel' "
    "CONSTRAINT ck_orders_kind_known CHECK (kind IN ('channel', 'phone', 'b2b', 'cod'))"
)
"""In one statement: SQLite takes a check of a new column with the column alone, or with a copy of the whole table."""


def upgrade() -> None:
    op.execute(_KIND)


def downgrade() -> None:
    """Own orders stay, on a channel that nobody has configured."""
    if op.get_bind().dialect.name == "postgresql":
        op.drop_constraint("ck_orders_kind_known", "orders")
    op.drop_column("orders", "kind")
