"""Dead letters that know the order they speak of: what is not understood of an order holds it."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_INDEXES = {
    "ix_dead_letter_unread": (
        ["channel_id", "order_external_id"],
        "state = 'open' AND order_external_id IS NOT NULL",
    ),
    "ix_dead_letter_unknown_status": (
        ["channel_id", "unknown_status"],
        "state = 'open' AND unknown_status IS NOT NULL",
    ),
    "ix_dead_letter_dropped": (["channel_id", "kind", "key"], "state = 'dropped'"),
}
_OPEN_ORDERS = """
UPDATE dead_letter SET order_external_id = key, order_id = (
    SELECT orders.id FROM orders
    WHERE orders.channel_id = dead_letter.channel_id AND orders.external_id = dead_letter.key
)
WHERE state = 'open' AND kind = 'order' AND outbox_id IS NULL
"""


def upgrade() -> None:
    op.add_column("dead_letter", sa.Column("order_external_id", sa.Text()))
    op.add_column("dead_letter", sa.Column("version_at", sa.BigInteger(), nullable=True))
    op.add_column("dead_letter", sa.Column("unknown_status", sa.Text()))
    op.add_column("dead_letter", sa.Column("of_line", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.execute(sa.text(_OPEN_ORDERS))
    for name, (columns, where) in _INDEXES.items():
        told = {"sqlite_where": sa.text(where), "postgresql_where": sa.text(where)}
        op.create_index(name, "dead_letter", columns, **told)


def downgrade() -> None:
    for name in _INDEXES:
        op.drop_index(name, "dead_letter")
    for name in ("of_line", "unknown_status", "version_at", "order_external_id"):
        op.drop_column("dead_letter", name)
