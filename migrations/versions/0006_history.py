"""Indexes by which a long history slows down nothing that is asked again and again; four give way to wider ones."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

Spec = tuple[str, str, list[str], str]
NEW: tuple[Spec, ...] = (
    ("ix_orders_imported_at", "orders", ["imported_at"], ""),
    ("ix_orders_channel_id_placed_at", "orders", ["channel_id", "placed_at"], ""),
    ("ix_orders_phase_placed_at", "orders", ["phase", "placed_at"], ""),
    ("ix_orders_channel_id_phase_placed_at", "orders", ["channel_id", "phase", "placed_at"], ""),
    ("ix_orders_recipient", "orders", ["channel_id", "placed_at"], "recipient IS NOT NULL"),
    ("ix_orders_channel_id_paid_at", "orders", ["channel_id", "paid_at"], ""),
    ("ix_orders_left_unseen", "orders", ["channel_id", "state", "phase"], "phase = 'shipped' AND state = 'paid'"),
    ("ix_order_line_sku_id_order_id", "order_line", ["sku_id", "order_id"], "sku_id IS NOT NULL"),
    ("ix_line_part_sku_id", "line_part", ["sku_id", "line_id"], ""),
    ("ix_outbox_kind_ref_id_id", "outbox", ["kind", "ref_id", "id"], ""),
    ("ix_shipment_channel_id", "shipment", ["channel_id", "id"], ""),
    ("ix_shipment_not_sent", "shipment", ["state", "id"], "state <> 'sent'"),
    ("ix_ledger_ref", "ledger", ["ref_kind", "ref_id"], ""),
    ("ix_task_order_id", "task", ["order_id"], "order_id IS NOT NULL"),
    ("ix_event_orderless", "event", ["at"], "order_id IS NULL"),
    ("ix_payload_channel_id_at", "payload", ["channel_id", "at"], ""),
    ("ix_inbox_channel_id_received_at", "inbox", ["channel_id", "received_at"], ""),
)
OLD: tuple[Spec, ...] = (
    ("ix_orders_unpaid", "orders", ["channel_id", "placed_at"], "phase = 'unpaid'"),
    ("ix_orders_held", "orders", ["id"], "phase = 'held'"),
    ("ix_order_line_sku_id", "order_line", ["sku_id"], ""),
    ("ix_outbox_kind_ref_id", "outbox", ["kind", "ref_id"], ""),
)


def upgrade() -> None:
    key = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    with op.batch_alter_table("shipment") as shipment:
        shipment.add_column(sa.Column("channel_id", key, nullable=True))
        shipment.create_foreign_key(op.f("fk_shipment_channel_id"), "channel", ["channel_id"], ["id"])
    owner = "SELECT channel_id FROM orders WHERE orders.id = shipment.order_id"
    op.execute(f"UPDATE shipment SET channel_id = ({owner})")
    _exchange(OLD, NEW)


def downgrade() -> None:
    _exchange(NEW, OLD)
    with op.batch_alter_table("shipment") as shipment:
        shipment.drop_constraint(op.f("fk_shipment_channel_id"), type_="foreignkey")
        shipment.drop_column("channel_id")


def _exchange(gone: tuple[Spec, ...], made: tuple[Spec, ...]) -> None:
    for name, table, _, _ in gone:
        op.drop_index(name, table_name=table)
    for name, table, columns, where in made:
        part = sa.text(where) if where else None
        op.create_index(name, table, columns, unique=False, sqlite_where=part, postgresql_where=part)
