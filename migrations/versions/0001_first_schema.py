"""The first schema."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "channel",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("connector", sa.Text(), server_default="", nullable=False),
        sa.Column("active", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("paused", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("paused_reason", sa.Text(), server_default="", nullable=False),
        sa.Column("down_since_at", sa.BigInteger(), nullable=True),
        sa.Column("down_error", sa.Text(), server_default="", nullable=False),
        sa.Column("auth_failed_at", sa.BigInteger(), nullable=True),
        sa.Column("blocked_until_at", sa.BigInteger(), nullable=True),
        sa.Column("tokens", sa.Float(), server_default="0", nullable=False),
        sa.Column("tokens_at", sa.BigInteger(), nullable=True),
        sa.Column("timeouts", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), server_default="0", nullable=False),
        sa.Column("token_expires_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_channel")),
        sa.UniqueConstraint("name", name=op.f("uq_channel_name")),
    )
    op.create_table(
        "counter",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_counter")),
    )
    op.create_table(
        "lease",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), server_default="", nullable=False),
        sa.Column("epoch", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), server_default="0", nullable=False),
        sa.Column("until_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_lease")),
    )
    op.create_table(
        "node",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), server_default="", nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("heartbeat_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_node")),
    )
    op.create_table(
        "sku",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sku")),
        sa.UniqueConstraint("code", name=op.f("uq_sku_code")),
    )
    op.create_table(
        "warehouse",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("priority", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), server_default="1", nullable=False),
        sa.Column(
            "safety_stock", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), server_default="0", nullable=False
        ),
        sa.Column("sellable", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.CheckConstraint("safety_stock >= 0", name=op.f("ck_warehouse_safety_stock_not_negative")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_warehouse")),
        sa.UniqueConstraint("code", name=op.f("uq_warehouse_code")),
    )
    op.create_table(
        "bundle",
        sa.Column("bundle_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("sku_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("qty", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), server_default="1", nullable=False),
        sa.CheckConstraint("bundle_id <> sku_id", name=op.f("ck_bundle_not_itself")),
        sa.CheckConstraint("qty > 0", name=op.f("ck_bundle_qty_positive")),
        sa.ForeignKeyConstraint(["bundle_id"], ["sku.id"], name=op.f("fk_bundle_bundle_id")),
        sa.ForeignKeyConstraint(["sku_id"], ["sku.id"], name=op.f("fk_bundle_sku_id")),
        sa.PrimaryKeyConstraint("bundle_id", "sku_id", name=op.f("pk_bundle")),
    )
    op.create_index("ix_bundle_sku_id", "bundle", ["sku_id"], unique=False)
    op.create_table(
        "cursor",
        sa.Column("channel_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("stream", sa.Text(), nullable=False),
        sa.Column("mark", sa.Text(), nullable=True),
        sa.Column("since_at", sa.BigInteger(), nullable=True),
        sa.Column("wanted_at", sa.BigInteger(), nullable=True),
        sa.Column("began_at", sa.BigInteger(), nullable=True),
        sa.Column("complete_began_at", sa.BigInteger(), nullable=True),
        sa.Column("complete_ended_at", sa.BigInteger(), nullable=True),
        sa.Column("failed_at", sa.BigInteger(), nullable=True),
        sa.Column("error", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["channel_id"], ["channel.id"], name=op.f("fk_cursor_channel_id")),
        sa.PrimaryKeyConstraint("channel_id", "stream", name=op.f("pk_cursor")),
    )
    op.create_table(
        "dirty_sku",
        sa.Column("sku_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("first_at", sa.BigInteger(), nullable=False),
        sa.Column("urgent", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("by_channel_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("by_pass_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["sku_id"], ["sku.id"], name=op.f("fk_dirty_sku_sku_id")),
        sa.PrimaryKeyConstraint("sku_id", name=op.f("pk_dirty_sku")),
    )
    op.create_table(
        "hold",
        sa.Column("owner_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("owner_kind", sa.Text(), nullable=False),
        sa.Column("sku_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("warehouse_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("qty", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("released", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.CheckConstraint("qty > 0", name=op.f("ck_hold_qty_positive")),
        sa.ForeignKeyConstraint(["sku_id"], ["sku.id"], name=op.f("fk_hold_sku_id")),
        sa.ForeignKeyConstraint(["warehouse_id"], ["warehouse.id"], name=op.f("fk_hold_warehouse_id")),
        sa.PrimaryKeyConstraint("owner_id", "owner_kind", "sku_id", "warehouse_id", name=op.f("pk_hold")),
    )
    op.create_index(
        "ix_hold_expires_at",
        "hold",
        ["expires_at"],
        unique=False,
        sqlite_where=sa.text("expires_at IS NOT NULL"),
        postgresql_where=sa.text("expires_at IS NOT NULL"),
    )
    op.create_index("ix_hold_sku_id", "hold", ["sku_id", "warehouse_id"], unique=False)
    op.create_table(
        "inbox",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("channel_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("delivery_key", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), server_default="0", nullable=False),
        sa.Column("run_at", sa.BigInteger(), nullable=False),
        sa.Column("error", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint("state IN ('pending', 'done', 'dead')", name=op.f("ck_inbox_state_known")),
        sa.ForeignKeyConstraint(["channel_id"], ["channel.id"], name=op.f("fk_inbox_channel_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inbox")),
        sa.UniqueConstraint("channel_id", "delivery_key", name=op.f("uq_inbox_channel_id_delivery_key")),
    )
    op.create_index(
        "ix_inbox_pending",
        "inbox",
        ["run_at"],
        unique=False,
        sqlite_where=sa.text("state = 'pending'"),
        postgresql_where=sa.text("state = 'pending'"),
    )
    op.create_table(
        "ledger",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("sku_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("warehouse_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("qty", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("ref_kind", sa.Text(), server_default="", nullable=False),
        sa.Column("ref_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["sku_id"], ["sku.id"], name=op.f("fk_ledger_sku_id")),
        sa.ForeignKeyConstraint(["warehouse_id"], ["warehouse.id"], name=op.f("fk_ledger_warehouse_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger")),
    )
    op.create_index("ix_ledger_sku_id_at", "ledger", ["sku_id", "at"], unique=False)
    op.create_table(
        "listing",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("channel_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("channel_sku", sa.Text(), nullable=False),
        sa.Column("item_ref", sa.Text(), server_default="", nullable=False),
        sa.Column("title", sa.Text(), server_default="", nullable=False),
        sa.Column("sku_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("factor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), server_default="1", nullable=False),
        sa.Column("told_qty", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("told_sure", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("told_at", sa.BigInteger(), nullable=True),
        sa.Column("sent_since", sa.Text(), server_default="[]", nullable=False),
        sa.Column("zeroed_at", sa.BigInteger(), nullable=True),
        sa.Column("shown_qty", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("shown_at", sa.BigInteger(), nullable=True),
        sa.Column("refused", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint("factor > 0", name=op.f("ck_listing_factor_positive")),
        sa.CheckConstraint("told_qty >= 0", name=op.f("ck_listing_told_not_negative")),
        sa.ForeignKeyConstraint(["channel_id"], ["channel.id"], name=op.f("fk_listing_channel_id")),
        sa.ForeignKeyConstraint(["sku_id"], ["sku.id"], name=op.f("fk_listing_sku_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_listing")),
        sa.UniqueConstraint(
            "channel_id", "channel_sku", "item_ref", name=op.f("uq_listing_channel_id_channel_sku_item_ref")
        ),
    )
    op.create_index("ix_listing_sku_id", "listing", ["sku_id"], unique=False)
    op.create_table(
        "orders",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("channel_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("phase", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("hold_reason", sa.Text(), server_default="", nullable=False),
        sa.Column("version_at", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.Text(), server_default="", nullable=False),
        sa.Column("read_from_at", sa.BigInteger(), nullable=False),
        sa.Column("read_to_at", sa.BigInteger(), nullable=False),
        sa.Column("placed_at", sa.BigInteger(), nullable=False),
        sa.Column("paid_at", sa.BigInteger(), nullable=True),
        sa.Column("ready_at", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("total_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("paid_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("goods_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("freight_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("discount_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("refunded_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("recipient", sa.LargeBinary(), nullable=True),
        sa.Column("recipient_index", sa.LargeBinary(), nullable=True),
        sa.Column("phone_index", sa.LargeBinary(), nullable=True),
        sa.Column("address_complete", sa.Boolean(), nullable=True),
        sa.Column("do_not_ship", sa.Text(), server_default="", nullable=False),
        sa.Column("imported_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("phase <> 'held' OR hold_reason <> ''", name=op.f("ck_orders_held_has_reason")),
        sa.CheckConstraint(
            "phase IN ('cancelled', 'completed', 'shipped', 'partially_shipped', 'held', 'unpaid', 'ready')",
            name=op.f("ck_orders_phase_known"),
        ),
        sa.CheckConstraint(
            "state IN ('unpaid', 'paid', 'shipped', 'completed', 'cancelled')", name=op.f("ck_orders_state_known")
        ),
        sa.ForeignKeyConstraint(["channel_id"], ["channel.id"], name=op.f("fk_orders_channel_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_orders")),
        sa.UniqueConstraint("channel_id", "external_id", name=op.f("uq_orders_channel_id_external_id")),
        sa.UniqueConstraint("number", name=op.f("uq_orders_number")),
    )
    op.create_index(
        "ix_orders_held",
        "orders",
        ["id"],
        unique=False,
        sqlite_where=sa.text("phase = 'held'"),
        postgresql_where=sa.text("phase = 'held'"),
    )
    op.create_index(
        "ix_orders_phone_index",
        "orders",
        ["phone_index"],
        unique=False,
        sqlite_where=sa.text("phone_index IS NOT NULL"),
        postgresql_where=sa.text("phone_index IS NOT NULL"),
    )
    op.create_index("ix_orders_placed_at", "orders", ["placed_at"], unique=False)
    op.create_index(
        "ix_orders_unpaid",
        "orders",
        ["channel_id", "placed_at"],
        unique=False,
        sqlite_where=sa.text("phase = 'unpaid'"),
        postgresql_where=sa.text("phase = 'unpaid'"),
    )
    op.create_table(
        "outbox",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("destination_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("ref_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("serial_key", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("lane", sa.SmallInteger(), nullable=False),
        sa.Column("run_at", sa.BigInteger(), nullable=False),
        sa.Column("marked_at", sa.BigInteger(), nullable=False),
        sa.Column("fresh_after_at", sa.BigInteger(), nullable=True),
        sa.Column("confirmed", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("attempts", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), server_default="0", nullable=False),
        sa.Column("lease_owner", sa.Text(), nullable=True),
        sa.Column("lease_until_at", sa.BigInteger(), nullable=True),
        sa.Column("fence", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), server_default="0", nullable=False),
        sa.Column("sent_at", sa.BigInteger(), nullable=True),
        sa.Column("waiting_for", sa.Text(), server_default="", nullable=False),
        sa.Column("error", sa.Text(), server_default="", nullable=False),
        sa.Column("done_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "(state = 'leased') = (lease_owner IS NOT NULL)", name=op.f("ck_outbox_lease_owner_iff_leased")
        ),
        sa.CheckConstraint("(state = 'waiting') = (waiting_for <> '')", name=op.f("ck_outbox_waiting_has_reason")),
        sa.CheckConstraint(
            "(state IN ('done', 'dead')) = (done_at IS NOT NULL)", name=op.f("ck_outbox_done_has_instant")
        ),
        sa.CheckConstraint(
            "state IN ('pending', 'leased', 'waiting', 'done', 'dead')", name=op.f("ck_outbox_state_known")
        ),
        sa.CheckConstraint("(lease_owner IS NULL) = (lease_until_at IS NULL)", name=op.f("ck_outbox_lease_whole")),
        sa.ForeignKeyConstraint(["destination_id"], ["channel.id"], name=op.f("fk_outbox_destination_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
    )
    op.create_index(
        "ix_outbox_done_at",
        "outbox",
        ["done_at"],
        unique=False,
        sqlite_where=sa.text("done_at IS NOT NULL"),
        postgresql_where=sa.text("done_at IS NOT NULL"),
    )
    op.create_index(
        "ix_outbox_due",
        "outbox",
        ["destination_id", "kind", "lane", "run_at"],
        unique=False,
        sqlite_where=sa.text("state = 'pending'"),
        postgresql_where=sa.text("state = 'pending'"),
    )
    op.create_index("ix_outbox_kind_ref_id", "outbox", ["kind", "ref_id"], unique=False)
    op.create_index(
        "ix_outbox_waiting",
        "outbox",
        ["destination_id", "waiting_for"],
        unique=False,
        sqlite_where=sa.text("state = 'waiting'"),
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.create_index(
        "uq_outbox_leased_serial",
        "outbox",
        ["serial_key"],
        unique=True,
        sqlite_where=sa.text("state = 'leased'"),
        postgresql_where=sa.text("state = 'leased'"),
    )
    op.create_index(
        "uq_outbox_open_key",
        "outbox",
        ["destination_id", "kind", "key"],
        unique=True,
        sqlite_where=sa.text("state IN ('pending', 'waiting')"),
        postgresql_where=sa.text("state IN ('pending', 'waiting')"),
    )
    op.create_table(
        "payload",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("channel_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["channel_id"], ["channel.id"], name=op.f("fk_payload_channel_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payload")),
    )
    op.create_table(
        "refund",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("channel_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("order_external_id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("version_at", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.Text(), server_default="", nullable=False),
        sa.Column("read_from_at", sa.BigInteger(), nullable=False),
        sa.Column("read_to_at", sa.BigInteger(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint("state IN ('open', 'granted', 'closed')", name=op.f("ck_refund_state_known")),
        sa.CheckConstraint("amount_minor >= 0", name=op.f("ck_refund_amount_minor_not_negative")),
        sa.ForeignKeyConstraint(["channel_id"], ["channel.id"], name=op.f("fk_refund_channel_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refund")),
        sa.UniqueConstraint("channel_id", "external_id", name=op.f("uq_refund_channel_id_external_id")),
    )
    op.create_index("ix_refund_order", "refund", ["channel_id", "order_external_id"], unique=False)
    op.create_table(
        "stock",
        sa.Column("sku_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("warehouse_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("on_hand", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), server_default="0", nullable=False),
        sa.Column("reserved", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), server_default="0", nullable=False),
        sa.Column("counted_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("on_hand >= 0", name=op.f("ck_stock_on_hand_not_negative")),
        sa.CheckConstraint("reserved >= 0", name=op.f("ck_stock_reserved_not_negative")),
        sa.ForeignKeyConstraint(["sku_id"], ["sku.id"], name=op.f("fk_stock_sku_id")),
        sa.ForeignKeyConstraint(["warehouse_id"], ["warehouse.id"], name=op.f("fk_stock_warehouse_id")),
        sa.PrimaryKeyConstraint("sku_id", "warehouse_id", name=op.f("pk_stock")),
    )
    op.create_table(
        "backorder",
        sa.Column("owner_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("owner_kind", sa.Text(), nullable=False),
        sa.Column("sku_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("qty", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("order_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("channel_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("waits", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.CheckConstraint("qty > 0", name=op.f("ck_backorder_qty_positive")),
        sa.ForeignKeyConstraint(["channel_id"], ["channel.id"], name=op.f("fk_backorder_channel_id")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_backorder_order_id")),
        sa.ForeignKeyConstraint(["sku_id"], ["sku.id"], name=op.f("fk_backorder_sku_id")),
        sa.PrimaryKeyConstraint("owner_id", "owner_kind", "sku_id", name=op.f("pk_backorder")),
    )
    op.create_index("ix_backorder_order_id", "backorder", ["order_id"], unique=False)
    op.create_index("ix_backorder_sku_id", "backorder", ["sku_id"], unique=False)
    op.create_table(
        "dead_letter",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("channel_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), server_default="1", nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), server_default="", nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.Column("order_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("outbox_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "state IN ('open', 'replayed', 'dropped', 'superseded')", name=op.f("ck_dead_letter_state_known")
        ),
        sa.ForeignKeyConstraint(["channel_id"], ["channel.id"], name=op.f("fk_dead_letter_channel_id")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_dead_letter_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dead_letter")),
    )
    op.create_index(
        "ix_dead_letter_order_id",
        "dead_letter",
        ["order_id"],
        unique=False,
        sqlite_where=sa.text("order_id IS NOT NULL"),
        postgresql_where=sa.text("order_id IS NOT NULL"),
    )
    op.create_index(
        "uq_dead_letter_open",
        "dead_letter",
        ["channel_id", "kind", "key"],
        unique=True,
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_table(
        "event",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("order_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("sku_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("channel_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("detail", sa.Text(), server_default="{}", nullable=False),
        sa.Column("actor", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["channel_id"], ["channel.id"], name=op.f("fk_event_channel_id")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_event_order_id")),
        sa.ForeignKeyConstraint(["sku_id"], ["sku.id"], name=op.f("fk_event_sku_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event")),
    )
    op.create_index(
        "ix_event_order_id",
        "event",
        ["order_id"],
        unique=False,
        sqlite_where=sa.text("order_id IS NOT NULL"),
        postgresql_where=sa.text("order_id IS NOT NULL"),
    )
    op.create_index(
        "ix_event_sku_id",
        "event",
        ["sku_id"],
        unique=False,
        sqlite_where=sa.text("sku_id IS NOT NULL"),
        postgresql_where=sa.text("sku_id IS NOT NULL"),
    )
    op.create_table(
        "order_hold",
        sa.Column("order_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), server_default="", nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_order_hold_order_id")),
        sa.PrimaryKeyConstraint("order_id", "reason", name=op.f("pk_order_hold")),
    )
    op.create_table(
        "order_line",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("order_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("channel_sku", sa.Text(), nullable=False),
        sa.Column("item_ref", sa.Text(), server_default="", nullable=False),
        sa.Column("title", sa.Text(), server_default="", nullable=False),
        sa.Column("sku_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("factor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), server_default="1", nullable=False),
        sa.Column("is_bundle", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("qty", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "closed_qty", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), server_default="0", nullable=False
        ),
        sa.Column(
            "refunded_qty", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), server_default="0", nullable=False
        ),
        sa.Column(
            "dropped_qty", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), server_default="0", nullable=False
        ),
        sa.Column(
            "cancelled_qty", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), server_default="0", nullable=False
        ),
        sa.Column(
            "shipped_qty", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), server_default="0", nullable=False
        ),
        sa.Column("price_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.CheckConstraint("cancelled_qty + shipped_qty <= qty", name=op.f("ck_order_line_not_more_than_ordered")),
        sa.CheckConstraint("cancelled_qty >= 0", name=op.f("ck_order_line_cancelled_qty_not_negative")),
        sa.CheckConstraint("closed_qty >= 0", name=op.f("ck_order_line_closed_qty_not_negative")),
        sa.CheckConstraint("dropped_qty >= 0", name=op.f("ck_order_line_dropped_qty_not_negative")),
        sa.CheckConstraint("factor > 0", name=op.f("ck_order_line_factor_positive")),
        sa.CheckConstraint("qty >= 0", name=op.f("ck_order_line_qty_not_negative")),
        sa.CheckConstraint("refunded_qty >= 0", name=op.f("ck_order_line_refunded_qty_not_negative")),
        sa.CheckConstraint("shipped_qty >= 0", name=op.f("ck_order_line_shipped_qty_not_negative")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_order_line_order_id")),
        sa.ForeignKeyConstraint(["sku_id"], ["sku.id"], name=op.f("fk_order_line_sku_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_line")),
        sa.UniqueConstraint("order_id", "external_id", name=op.f("uq_order_line_order_id_external_id")),
    )
    op.create_index("ix_order_line_sku_id", "order_line", ["sku_id"], unique=False)
    op.create_index(
        "ix_order_line_unmapped",
        "order_line",
        ["channel_sku"],
        unique=False,
        sqlite_where=sa.text("sku_id IS NULL"),
        postgresql_where=sa.text("sku_id IS NULL"),
    )
    op.create_table(
        "refund_line",
        sa.Column("refund_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("line_external_id", sa.Text(), nullable=False),
        sa.Column("qty", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.CheckConstraint("qty > 0", name=op.f("ck_refund_line_qty_positive")),
        sa.ForeignKeyConstraint(["refund_id"], ["refund.id"], name=op.f("fk_refund_line_refund_id")),
        sa.PrimaryKeyConstraint("refund_id", "line_external_id", name=op.f("pk_refund_line")),
    )
    op.create_table(
        "shipment",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("order_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("carrier", sa.Text(), nullable=False),
        sa.Column("tracking", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("whole", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("forced", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("forced_reason", sa.Text(), server_default="", nullable=False),
        sa.Column("actor", sa.Text(), server_default="", nullable=False),
        sa.Column("shipped_at", sa.BigInteger(), nullable=False),
        sa.Column("sent_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "state IN ('pending', 'sent', 'waiting', 'dropped', 'refused', 'kept')",
            name=op.f("ck_shipment_state_known"),
        ),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_shipment_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shipment")),
        sa.UniqueConstraint("number", name=op.f("uq_shipment_number")),
        sa.UniqueConstraint("order_id", "carrier", "tracking", name=op.f("uq_shipment_order_id_carrier_tracking")),
    )
    op.create_table(
        "task",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("channel_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("order_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.Column("closed_by", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["channel_id"], ["channel.id"], name=op.f("fk_task_channel_id")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_task_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_task")),
    )
    op.create_index(
        "uq_task_open",
        "task",
        ["kind", "key"],
        unique=True,
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_table(
        "line_part",
        sa.Column("line_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("sku_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("qty", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.CheckConstraint("qty > 0", name=op.f("ck_line_part_qty_positive")),
        sa.ForeignKeyConstraint(["line_id"], ["order_line.id"], name=op.f("fk_line_part_line_id")),
        sa.ForeignKeyConstraint(["sku_id"], ["sku.id"], name=op.f("fk_line_part_sku_id")),
        sa.PrimaryKeyConstraint("line_id", "sku_id", name=op.f("pk_line_part")),
    )
    op.create_table(
        "shipment_line",
        sa.Column("shipment_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("line_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("qty", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.CheckConstraint("qty > 0", name=op.f("ck_shipment_line_qty_positive")),
        sa.ForeignKeyConstraint(["line_id"], ["order_line.id"], name=op.f("fk_shipment_line_line_id")),
        sa.ForeignKeyConstraint(["shipment_id"], ["shipment.id"], name=op.f("fk_shipment_line_shipment_id")),
        sa.PrimaryKeyConstraint("shipment_id", "line_id", name=op.f("pk_shipment_line")),
    )


def downgrade() -> None:
    op.drop_table("shipment_line")
    op.drop_table("line_part")
    op.drop_index(
        "uq_task_open",
        table_name="task",
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.drop_table("task")
    op.drop_table("shipment")
    op.drop_table("refund_line")
    op.drop_index(
        "ix_order_line_unmapped",
        table_name="order_line",
        sqlite_where=sa.text("sku_id IS NULL"),
        postgresql_where=sa.text("sku_id IS NULL"),
    )
    op.drop_index("ix_order_line_sku_id", table_name="order_line")
    op.drop_table("order_line")
    op.drop_table("order_hold")
    op.drop_index(
        "ix_event_sku_id",
        table_name="event",
        sqlite_where=sa.text("sku_id IS NOT NULL"),
        postgresql_where=sa.text("sku_id IS NOT NULL"),
    )
    op.drop_index(
        "ix_event_order_id",
        table_name="event",
        sqlite_where=sa.text("order_id IS NOT NULL"),
        postgresql_where=sa.text("order_id IS NOT NULL"),
    )
    op.drop_table("event")
    op.drop_index(
        "uq_dead_letter_open",
        table_name="dead_letter",
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    )
    op.drop_index(
        "ix_dead_letter_order_id",
        table_name="dead_letter",
        sqlite_where=sa.text("order_id IS NOT NULL"),
        postgresql_where=sa.text("order_id IS NOT NULL"),
    )
    op.drop_table("dead_letter")
    op.drop_index("ix_backorder_sku_id", table_name="backorder")
    op.drop_index("ix_backorder_order_id", table_name="backorder")
    op.drop_table("backorder")
    op.drop_table("stock")
    op.drop_index("ix_refund_order", table_name="refund")
    op.drop_table("refund")
    op.drop_table("payload")
    op.drop_index(
        "uq_outbox_open_key",
        table_name="outbox",
        sqlite_where=sa.text("state IN ('pending', 'waiting')"),
        postgresql_where=sa.text("state IN ('pending', 'waiting')"),
    )
    op.drop_index(
        "uq_outbox_leased_serial",
        table_name="outbox",
        sqlite_where=sa.text("state = 'leased'"),
        postgresql_where=sa.text("state = 'leased'"),
    )
    op.drop_index(
        "ix_outbox_waiting",
        table_name="outbox",
        sqlite_where=sa.text("state = 'waiting'"),
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.drop_index("ix_outbox_kind_ref_id", table_name="outbox")
    op.drop_index(
        "ix_outbox_due",
        table_name="outbox",
        sqlite_where=sa.text("state = 'pending'"),
        postgresql_where=sa.text("state = 'pending'"),
    )
    op.drop_index(
        "ix_outbox_done_at",
        table_name="outbox",
        sqlite_where=sa.text("done_at IS NOT NULL"),
        postgresql_where=sa.text("done_at IS NOT NULL"),
    )
    op.drop_table("outbox")
    op.drop_index(
        "ix_orders_unpaid",
        table_name="orders",
        sqlite_where=sa.text("phase = 'unpaid'"),
        postgresql_where=sa.text("phase = 'unpaid'"),
    )
    op.drop_index("ix_orders_placed_at", table_name="orders")
    op.drop_index(
        "ix_orders_phone_index",
        table_name="orders",
        sqlite_where=sa.text("phone_index IS NOT NULL"),
        postgresql_where=sa.text("phone_index IS NOT NULL"),
    )
    op.drop_index(
        "ix_orders_held",
        table_name="orders",
        sqlite_where=sa.text("phase = 'held'"),
        postgresql_where=sa.text("phase = 'held'"),
    )
    op.drop_table("orders")
    op.drop_index("ix_listing_sku_id", table_name="listing")
    op.drop_table("listing")
    op.drop_index("ix_ledger_sku_id_at", table_name="ledger")
    op.drop_table("ledger")
    op.drop_index(
        "ix_inbox_pending",
        table_name="inbox",
        sqlite_where=sa.text("state = 'pending'"),
        postgresql_where=sa.text("state = 'pending'"),
    )
    op.drop_table("inbox")
    op.drop_index("ix_hold_sku_id", table_name="hold")
    op.drop_index(
        "ix_hold_expires_at",
        table_name="hold",
        sqlite_where=sa.text("expires_at IS NOT NULL"),
        postgresql_where=sa.text("expires_at IS NOT NULL"),
    )
    op.drop_table("hold")
    op.drop_table("dirty_sku")
    op.drop_table("cursor")
    op.drop_index("ix_bundle_sku_id", table_name="bundle")
    op.drop_table("bundle")
    op.drop_table("warehouse")
    op.drop_table("sku")
    op.drop_table("node")
    op.drop_table("lease")
    op.drop_table("counter")
    op.drop_table("channel")
