"""What rules and people want of orders: marks, approvals, gifts, when to look again; regions in clear."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_REGION = ("province", "city", "district")
_ASKED = sa.text("buyer_index IS NOT NULL")
_WAITING = sa.text("state IN ('once', 'most')")


def upgrade() -> None:
    for name in _REGION:
        op.add_column("orders", sa.Column(name, sa.Text()))
    op.add_column("order_line", sa.Column("rule", sa.Text(), server_default="", nullable=False))
    week = [sa.text("(placed_at / 604800000000)"), "buyer_index"]
    op.create_index("ix_orders_buyer_week", "orders", week, sqlite_where=_ASKED, postgresql_where=_ASKED)
    op.drop_index("ix_orders_buyer_index", "orders")
    _marks()
    _gifts()


def _marks() -> None:
    op.create_table(
        "order_mark",
        _of_order(),
        sa.Column("name", sa.Text(), nullable=False),
        *_words("value", "rule", "actor"),
        _at(),
        sa.CheckConstraint("(rule = '') <> (actor = '')", name=op.f("ck_order_mark_by_one")),
        sa.PrimaryKeyConstraint("order_id", "name", name=op.f("pk_order_mark")),
        _is_of_order("order_mark"),
    )
    op.create_table(
        "order_approval",
        _of_order(),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        *_words("reason"),
        sa.Column("actor", sa.Text(), nullable=False),
        _at(),
        sa.PrimaryKeyConstraint("order_id", "rule", name=op.f("pk_order_approval")),
        _is_of_order("order_approval"),
    )
    op.create_table(
        "order_look",
        _of_order(),
        sa.Column("cause", sa.Text(), nullable=False),
        _at(),
        sa.CheckConstraint("cause IN ('time', 'fact')", name=op.f("ck_order_look_cause_known")),
        sa.PrimaryKeyConstraint("order_id", "cause", name=op.f("pk_order_look")),
        _is_of_order("order_look"),
    )
    op.create_index("ix_order_look_due", "order_look", ["cause", "at", "order_id"])


def _gifts() -> None:
    known = "state IN ('given', 'replaced', 'dropped', 'once', 'most', 'unknown_sku')"
    op.create_table(
        "order_gift",
        _of_order(),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        _at(),
        sa.CheckConstraint(known, name=op.f("ck_order_gift_state_known")),
        sa.PrimaryKeyConstraint("order_id", "rule", name=op.f("pk_order_gift")),
        _is_of_order("order_gift"),
    )
    waiting = ["rule", "order_id"]
    op.create_index("ix_order_gift_waiting", "order_gift", waiting, sqlite_where=_WAITING, postgresql_where=_WAITING)
    op.create_table(
        "gift_once",
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("who", sa.LargeBinary(), nullable=False),
        _of_order(),
        sa.PrimaryKeyConstraint("rule", "who", name=op.f("pk_gift_once")),
        _is_of_order("gift_once", deferrable=True, initially="DEFERRED"),
    )
    op.create_index("ix_gift_once_order_id", "gift_once", ["order_id"])
    op.create_table(
        "gift_count",
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("given", _KEY, nullable=False),
        sa.CheckConstraint("given >= 0", name=op.f("ck_gift_count_given_not_negative")),
        sa.PrimaryKeyConstraint("rule", name=op.f("pk_gift_count")),
    )


def _of_order() -> "sa.Column[int]":
    return sa.Column("order_id", _KEY, nullable=False)


def _is_of_order(table: str, **more: Any) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f(f"fk_{table}_order_id"), **more)


def _words(*names: str) -> "list[sa.Column[str]]":
    return [sa.Column(name, sa.Text(), server_default="", nullable=False) for name in names]


def _at() -> "sa.Column[int]":
    return sa.Column("at", sa.BigInteger(), nullable=False)


def downgrade() -> None:
    """Holds of rules end, since nobody would end them; marks, approvals and the count of gifts are forgotten."""
    op.execute("DELETE FROM order_hold WHERE reason LIKE 'rule:%' OR reason LIKE 'void:%'")
    for table in ("gift_count", "gift_once", "order_gift", "order_look", "order_approval", "order_mark"):
        op.drop_table(table)
    parts = [sa.text("(id / 4096)"), "buyer_index"]
    op.create_index("ix_orders_buyer_index", "orders", parts, sqlite_where=_ASKED, postgresql_where=_ASKED)
    op.drop_index("ix_orders_buyer_week", "orders")
    op.drop_column("order_line", "rule")
    for name in _REGION:
        op.drop_column("orders", name)
