"""What orders are called, so that parts of a name are found; orders by phone and by unmapped goods, newest first."""

import re
from collections.abc import Iterator
from typing import Any
from unicodedata import normalize

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

PART_ORDERS, MOST_CHARS = 4096, 100
LOOSE = re.compile("[\\s\\-\u2010-\u2015\u2212]+")

Spec = tuple[str, str, list[str], str]
OLD: tuple[Spec, ...] = (
    ("ix_orders_phone_index", "orders", ["phone_index"], "phone_index IS NOT NULL"),
    ("ix_order_line_unmapped", "order_line", ["channel_sku"], "sku_id IS NULL"),
)
NEW: tuple[Spec, ...] = (
    ("ix_orders_phone_index", "orders", ["phone_index", "placed_at"], "phone_index IS NOT NULL"),
    ("ix_order_line_unmapped", "order_line", ["channel_sku", "order_id"], "sku_id IS NULL"),
)
# Listings that were imported before anything of them was sold have no title yet; their lines do.
TITLES = """
UPDATE listing SET title = coalesce((
  SELECT l.title FROM order_line l JOIN orders o ON o.id = l.order_id
  WHERE l.sku_id = listing.sku_id AND l.channel_sku = listing.channel_sku AND l.item_ref = listing.item_ref
    AND o.channel_id = listing.channel_id AND l.title <> ''
  ORDER BY l.id DESC LIMIT 1), '')
WHERE title = '' AND sku_id IS NOT NULL
"""


def upgrade() -> None:
    key = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    name = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    made = op.create_table(
        "order_name",
        sa.Column("part", key, nullable=False),
        sa.Column("name", name, nullable=False),
        sa.Column("order_id", key, nullable=False),
        sa.PrimaryKeyConstraint("part", "name", "order_id", name=op.f("pk_order_name")),
        sqlite_with_rowid=False,
    )
    _exchange(OLD, NEW)
    op.execute(TITLES)
    bind = op.get_bind()
    for rows in _names(bind):
        if bind.dialect.name == "sqlite":
            bind.execute(made.insert(), rows)
        else:
            many = "SELECT * FROM unnest(CAST(:part AS bigint[]), CAST(:name AS text[]), CAST(:order_id AS bigint[]))"
            columns = {column: [row[column] for row in rows] for column in ("part", "name", "order_id")}
            bind.execute(sa.text(f"INSERT INTO order_name (part, name, order_id) {many}"), columns)


def downgrade() -> None:
    _exchange(NEW, OLD)
    op.drop_table("order_name")


def _names(bind: sa.Connection) -> Iterator[list[dict[str, Any]]]:
    """Yield the names of all orders, part by part, as the application writes them."""
    within = "BETWEEN :first AND :last"
    called = sa.text(
        f"SELECT id, number, external_id FROM orders WHERE id {within}"
        f" UNION ALL SELECT order_id, tracking, '' FROM shipment WHERE order_id {within}"
    )
    last = bind.execute(sa.text("SELECT max(id) FROM orders")).scalar() or 0
    for part in range(last // PART_ORDERS + 1):
        first = part * PART_ORDERS
        found = bind.execute(called, {"first": first, "last": first + PART_ORDERS - 1}).all()
        named = {(order_id, plain) for order_id, *names in found for name in names if (plain := _plain(name))}
        keys = sorted((key, order_id) for order_id, plain in named for key in _keys(plain))
        if keys:
            yield [{"part": part, "name": key, "order_id": order_id} for key, order_id in keys]


def _plain(name: str) -> str:
    return LOOSE.sub("", name if name.isascii() else normalize("NFKC", name)).casefold()


def _keys(plain: str) -> tuple[str, str]:
    return f">{plain[:MOST_CHARS]}", f"<{plain[: -MOST_CHARS - 1 : -1]}"


def _exchange(gone: tuple[Spec, ...], made: tuple[Spec, ...]) -> None:
    for name, table, _, _ in gone:
        op.drop_index(name, table_name=table)
    for name, table, columns, where in made:
        part = sa.text(where)
        op.create_index(name, table, columns, unique=False, sqlite_where=part, postgresql_where=part)
