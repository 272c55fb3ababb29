"""Where parcels are: what couriers told of each, the sum of it, and when they are asked next."""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_STATES = (
    "'announced', 'picked_up', 'in_transit', 'delivering', 'problem', 'delivered', 'returning', 'returned'"  # as told
)
_ASKED_ABOUT = sa.text("ask_at IS NOT NULL")


def upgrade() -> None:
    op.create_table(
        "track",
        _key("id"),
        _key("account_id", nullable=True),
        *_texts("carrier", "number"),
        *_words("state", "place"),
        *(_at(name) for name in ("last_at", "scanned_at", "delivered_at", "returned_at")),
        *(sa.Column(name, sa.Boolean(), server_default=sa.false(), nullable=False) for name in ("watched", "over")),
        *(_count(name) for name in ("watches", "said")),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        *(_at(name) for name in ("left_at", "asked_at", "ask_at", "whole_at", "read_at", "erased_at")),
        sa.CheckConstraint(f"state IN ('', {_STATES})", name=op.f("ck_track_state_known")),
        sa.CheckConstraint("ask_at IS NULL OR left_at IS NOT NULL", name=op.f("ck_track_asked_once_left")),
        sa.ForeignKeyConstraint(["account_id"], ["channel.id"], name=op.f("fk_track_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_track")),
        sa.UniqueConstraint("number", "carrier", name=op.f("uq_track_number_carrier")),
    )
    op.create_index(
        "ix_track_ask", "track", ["account_id", "ask_at"], sqlite_where=_ASKED_ABOUT, postgresql_where=_ASKED_ABOUT
    )
    op.create_table(
        "track_node",
        _key("id"),
        _key("track_id"),
        *_texts("key"),
        sa.Column("at", sa.BigInteger(), nullable=False),
        *_texts("state"),
        *_words("code", "place"),
        sa.Column("text", sa.LargeBinary()),
        sa.CheckConstraint(f"state IN ({_STATES})", name=op.f("ck_track_node_state_known")),
        sa.ForeignKeyConstraint(["track_id"], ["track.id"], name=op.f("fk_track_node_track_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_track_node")),
        sa.UniqueConstraint("track_id", "key", name=op.f("uq_track_node_track_id_key")),
    )
    op.create_index("ix_shipment_tracking", "shipment", ["tracking"])


def _key(name: str, *, nullable: bool = False) -> "sa.Column[int]":
    return sa.Column(name, _KEY, nullable=nullable)


def _count(name: str) -> "sa.Column[int]":
    return sa.Column(name, _KEY, server_default="0", nullable=False)


def _texts(*names: str) -> "list[sa.Column[str]]":
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def _words(*names: str) -> "list[sa.Column[str]]":
    return [sa.Column(name, sa.Text(), server_default="", nullable=False) for name in names]


def _at(name: str) -> "sa.Column[int]":
    return sa.Column(name, sa.BigInteger())


def downgrade() -> None:
    """What couriers told is forgotten; parcels that wait for a scan are told at once."""
    op.execute("UPDATE outbox SET state = 'pending', waiting_for = '' WHERE state = 'waiting' AND waiting_for = 'scan'")
    op.drop_index("ix_shipment_tracking", "shipment")
    op.drop_table("track_node")
    op.drop_table("track")
