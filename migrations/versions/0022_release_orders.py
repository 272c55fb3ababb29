"""A release holds lines of one or more orders: which, stands in a table of its own.

Why `release` is made anew on SQLite: it drops no column that a foreign key speaks of. Its rows and their ids stay, and
so do the lines that refer to them, as long as foreign keys are off meanwhile.
"""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_STATES = "'pending', 'unsure', 'told', 'recalled', 'kept', 'refused', 'dropped', 'stopped', 'shipped'"
_KEPT = "id, warehouse_id, number, state, reason, made_at, told_at, ended_at"


def upgrade() -> None:
    op.create_table(
        "release_order",
        sa.Column("release_id", _KEY, nullable=False),
        sa.Column("order_id", _KEY, nullable=False),
        sa.Column("warehouse_id", _KEY, nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["release_id"], ["release.id"], name=op.f("fk_release_order_release_id")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_release_order_order_id")),
        sa.ForeignKeyConstraint(["warehouse_id"], ["warehouse.id"], name=op.f("fk_release_order_warehouse_id")),
        sa.PrimaryKeyConstraint("release_id", "order_id", name=op.f("pk_release_order")),
    )
    op.execute(
        "INSERT INTO release_order (release_id, order_id, warehouse_id, ended_at)"
        " SELECT id, order_id, warehouse_id, ended_at FROM release"
    )
    op.create_index("ix_release_order_order_id", "release_order", ["order_id"], unique=False)
    _create_open("uq_release_order_open", "release_order")
    op.drop_index("uq_release_open", table_name="release")
    op.drop_index("ix_release_order_id", table_name="release")
    if op.get_bind().dialect.name == "sqlite":
        _remake(_KEPT, _KEPT)
    else:
        op.drop_column("release", "order_id")


def downgrade() -> None:
    """Give each release its order back. Fails where one holds lines of several, which nothing older can tell."""
    first = "(SELECT order_id FROM release_order WHERE release_id = release.id)"
    if op.get_bind().dialect.name == "sqlite":
        op.execute("CREATE UNIQUE INDEX uq_release_order_alone ON release_order (release_id)")
        _remake(f"order_id, {_KEPT}", f"{first}, {_KEPT}")
    else:
        op.add_column("release", sa.Column("order_id", _KEY, nullable=True))
        op.create_foreign_key(op.f("fk_release_order_id"), "release", "orders", ["order_id"], ["id"])
        op.execute(f"UPDATE release SET order_id = {first}")
        op.alter_column("release", "order_id", nullable=False)
    op.create_index("ix_release_order_id", "release", ["order_id"], unique=False)
    _create_open("uq_release_open", "release")
    op.drop_table("release_order")


def _create_open(name: str, table: str) -> None:
    still = sa.text("ended_at IS NULL")
    key = ["order_id", "warehouse_id"]
    op.create_index(name, table, key, unique=True, sqlite_where=still, postgresql_where=still)


def _remake(columns: str, values: str) -> None:
    """Make `release` anew with these columns, filled with values of the former one."""
    order = [sa.Column("order_id", _KEY, nullable=False)] if columns.startswith("order_id") else []
    op.create_table(
        "release_anew",
        sa.Column("id", _KEY, nullable=False),
        *order,
        sa.Column("warehouse_id", _KEY, nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("told_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(f"state IN ({_STATES})", name=op.f("ck_release_state_known")),
        *(sa.ForeignKeyConstraint([c.name], ["orders.id"], name=op.f("fk_release_order_id")) for c in order),
        sa.ForeignKeyConstraint(["warehouse_id"], ["warehouse.id"], name=op.f("fk_release_warehouse_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_release")),
        sa.UniqueConstraint("number", name=op.f("uq_release_number")),
    )
    op.execute(f"INSERT INTO release_anew ({columns}) SELECT {values} FROM release")
    op.drop_table("release")
    op.rename_table("release_anew", "release")
