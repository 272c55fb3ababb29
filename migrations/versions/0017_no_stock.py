"""Seller codes that are no goods, such as a surcharge or a service: their lines want nothing from stock."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_UNMAPPED = sa.text("sku_id IS NULL AND NOT no_stock")
_WITHOUT_SKU = sa.text("sku_id IS NULL")


def upgrade() -> None:
    for table in ("listing", "order_line"):
        op.add_column(table, sa.Column("no_stock", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.drop_index("ix_order_line_unmapped", "order_line")
    _index(_UNMAPPED)


def downgrade() -> None:
    op.drop_index("ix_order_line_unmapped", "order_line")
    _index(_WITHOUT_SKU)
    for table in ("order_line", "listing"):
        op.drop_column(table, "no_stock")


def _index(where: sa.TextClause) -> None:
    columns = ["channel_sku", "order_id"]
    op.create_index("ix_order_line_unmapped", "order_line", columns, sqlite_where=where, postgresql_where=where)
