"""Hashes of phone numbers and buyers are looked up part by part: what is written together lies together."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

_PART = sa.text("(id / 4096)")


def upgrade() -> None:
    for key in ("phone_index", "buyer_index"):
        op.drop_index(f"ix_orders_{key}", "orders")
        _index(key, [_PART, key])


def downgrade() -> None:
    for key in ("phone_index", "buyer_index"):
        op.drop_index(f"ix_orders_{key}", "orders")
        _index(key, [key, "placed_at"])


def _index(key: str, columns: list[str | sa.TextClause]) -> None:
    where = sa.text(f"{key} IS NOT NULL")
    op.create_index(f"ix_orders_{key}", "orders", columns, sqlite_where=where, postgresql_where=where)
