"""Who waits for stock need not be an order: only a line's backorder names its order and channel."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_LINE = "owner_kind <> 'line' OR (order_id IS NOT NULL AND channel_id IS NOT NULL)"
_COLUMNS = "owner_id, owner_kind, sku_id, qty, order_id, channel_id, due_at, number, waits"


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        _make_anew(sa.CheckConstraint(_LINE, name="ck_backorder_line_has_order"), nullable=True)
        return
    for name in ("order_id", "channel_id"):
        op.alter_column("backorder", name, nullable=True)
    op.create_check_constraint("ck_backorder_line_has_order", "backorder", _LINE)


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        _make_anew(nullable=False)
        return
    op.drop_constraint("ck_backorder_line_has_order", "backorder", type_="check")
    for name in ("order_id", "channel_id"):
        op.alter_column("backorder", name, nullable=False)


def _make_anew(*checks: sa.CheckConstraint, nullable: bool) -> None:
    """Make the table again, for SQLite changes no column; nothing refers to it, so no row elsewhere notices."""
    op.create_table(
        "backorder_new",
        sa.Column("owner_id", _BIG, nullable=False),
        sa.Column("owner_kind", sa.Text(), nullable=False),
        sa.Column("sku_id", _BIG, nullable=False),
        sa.Column("qty", _BIG, nullable=False),
        sa.Column("order_id", _BIG, nullable=nullable),
        sa.Column("channel_id", _BIG, nullable=nullable),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("waits", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.CheckConstraint("qty > 0", name="ck_backorder_qty_positive"),
        *checks,
        sa.ForeignKeyConstraint(["channel_id"], ["channel.id"], name="fk_backorder_channel_id"),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name="fk_backorder_order_id"),
        sa.ForeignKeyConstraint(["sku_id"], ["sku.id"], name="fk_backorder_sku_id"),
        sa.PrimaryKeyConstraint("owner_id", "owner_kind", "sku_id", name="pk_backorder"),
    )
    op.execute(f"INSERT INTO backorder_new ({_COLUMNS}) SELECT {_COLUMNS} FROM backorder")
    op.drop_table("backorder")
    op.rename_table("backorder_new", "backorder")
    op.create_index("ix_backorder_order_id", "backorder", ["order_id"])
    op.create_index("ix_backorder_sku_id", "backorder", ["sku_id"])
