"""What leaves warehouses: waves, papers, waybills, rate cards; several releases of one order; who shares a parcel."""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_OPEN = sa.text("ended_at IS NULL")
_MERGEABLE = sa.text("merge_index IS NOT NULL AND phase IN ('held', 'ready', 'partially_shipped')")
_TO_PICK = sa.text("state = 'told' AND wave_id IS NULL")
_IN_WAVE = sa.text("wave_id IS NOT NULL")
_REFUSED = sa.text("reason = 'warehouse_refused'")
_RECALLED = sa.text("state = 'recalled'")
_WAVE_OPEN = sa.text("state IN ('open', 'printed')")
_LIVE = sa.text("state IN ('wanted', 'unsure', 'handed', 'booked', 'used', 'cancelling')")
_UNUSED = sa.text("state IN ('wanted', 'unsure', 'handed', 'booked', 'cancelling')")
_SPARE = sa.text("state = 'spare'")
_NUMBERED = sa.text("number <> ''")


def upgrade() -> None:
    op.add_column("orders", sa.Column("merge_index", sa.LargeBinary()))
    _partial("ix_orders_same_recipient", "orders", ["merge_index"], _MERGEABLE)
    _partial("ix_order_hold_refused", "order_hold", ["reason", "order_id"], _REFUSED)
    _waves()
    _releases()
    _prints()
    _waybills()
    _rates()
    _roles("'read', 'pack', 'operate', 'admin'")


def _waves() -> None:
    op.create_table(
        "wave",
        _key("id"),
        _key("warehouse_id"),
        *_texts("number", "state", "actor"),
        _at("made_at"),
        _at("printed_at", nullable=True),
        _at("ended_at", nullable=True),
        sa.CheckConstraint("state IN ('open', 'printed', 'done', 'dropped')", name=op.f("ck_wave_state_known")),
        sa.ForeignKeyConstraint(["warehouse_id"], ["warehouse.id"], name=op.f("fk_wave_warehouse_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wave")),
        sa.UniqueConstraint("number", name=op.f("uq_wave_number")),
    )
    _partial("ix_wave_open", "wave", ["warehouse_id", "state", "id"], _WAVE_OPEN)


def _releases() -> None:
    with op.batch_alter_table("release") as table:
        for column in (*_words("carrier", "service"), sa.Column("account_id", _KEY)):
            table.add_column(column)
        table.add_column(sa.Column("parcels", _KEY, server_default="1", nullable=False))
        for name in ("weight_g", "wave_id", "slot"):
            table.add_column(sa.Column(name, _KEY))
        table.add_column(_at("printed_at", nullable=True))
        table.create_foreign_key(op.f("fk_release_account_id"), "channel", ["account_id"], ["id"])
        table.create_foreign_key(op.f("fk_release_wave_id"), "wave", ["wave_id"], ["id"])
        table.create_check_constraint(op.f("ck_release_slot_of_wave"), "(wave_id IS NULL) = (slot IS NULL)")
        table.create_check_constraint(op.f("ck_release_parcels_positive"), "parcels > 0")
    _partial("uq_release_slot", "release", ["wave_id", "slot"], _IN_WAVE, unique=True)
    _partial("ix_release_to_pick", "release", ["warehouse_id", "state", "id"], _TO_PICK)
    _partial("ix_release_recalled", "release", ["state", "id"], _RECALLED)
    op.add_column("release_order", sa.Column("part", sa.Text(), server_default="", nullable=False))
    op.drop_index("uq_release_order_open", "release_order")
    _partial("uq_release_order_open", "release_order", ["order_id", "warehouse_id", "part"], _OPEN, unique=True)


def _prints() -> None:
    op.create_table(
        "print_run",
        _key("id"),
        *_texts("paper"),
        _key("release_id", nullable=True),
        _key("wave_id", nullable=True),
        sa.Column("copy", _KEY, server_default="1", nullable=False),
        *_texts("digest"),
        *_words("reason"),
        *_texts("actor"),
        _at("at"),
        sa.CheckConstraint("paper IN ('slip', 'pick', 'label', 'pack')", name=op.f("ck_print_run_paper_known")),
        sa.CheckConstraint("(release_id IS NULL) <> (wave_id IS NULL)", name=op.f("ck_print_run_of_one")),
        sa.CheckConstraint("copy > 0", name=op.f("ck_print_run_copy_positive")),
        sa.ForeignKeyConstraint(["release_id"], ["release.id"], name=op.f("fk_print_run_release_id")),
        sa.ForeignKeyConstraint(["wave_id"], ["wave.id"], name=op.f("fk_print_run_wave_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_print_run")),
        sa.UniqueConstraint("release_id", "paper", "copy", name=op.f("uq_print_run_release_id_paper_copy")),
        sa.UniqueConstraint("wave_id", "paper", "copy", name=op.f("uq_print_run_wave_id_paper_copy")),
    )


def _waybills() -> None:
    states = "'spare', 'wanted', 'unsure', 'handed', 'booked', 'used', 'cancelling', 'cancelled', 'refused'"
    has_number = "state NOT IN ('spare', 'booked', 'used') OR number <> ''"
    op.create_table(
        "waybill",
        _key("id"),
        _key("account_id"),
        _key("release_id", nullable=True),
        *(sa.Column(name, _KEY, server_default="1", nullable=False) for name in ("parcel", "attempt")),
        sa.Column("key", sa.Text()),
        *_texts("carrier"),
        *_words("service", "number", "handle", "sort_code"),
        *_texts("state"),
        *_words("label_kind"),
        sa.Column("label", sa.LargeBinary()),
        _key("cost_minor", nullable=True),
        *_words("currency", "reason"),
        _at("made_at"),
        *(_at(name, nullable=True) for name in ("sent_at", "booked_at", "ended_at")),
        sa.CheckConstraint(f"state IN ({states})", name=op.f("ck_waybill_state_known")),
        sa.CheckConstraint("(state = 'spare') = (release_id IS NULL)", name=op.f("ck_waybill_spare_of_none")),
        sa.CheckConstraint("(release_id IS NULL) = (key IS NULL)", name=op.f("ck_waybill_key_of_release")),
        sa.CheckConstraint(has_number, name=op.f("ck_waybill_booked_has_number")),
        sa.CheckConstraint("parcel > 0 AND attempt > 0", name=op.f("ck_waybill_counted_from_one")),
        sa.ForeignKeyConstraint(["account_id"], ["channel.id"], name=op.f("fk_waybill_account_id")),
        sa.ForeignKeyConstraint(["release_id"], ["release.id"], name=op.f("fk_waybill_release_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_waybill")),
        sa.UniqueConstraint("key", "parcel", name=op.f("uq_waybill_key_parcel")),
    )
    _partial("uq_waybill_live", "waybill", ["release_id", "parcel"], _LIVE, unique=True)
    _partial("uq_waybill_number", "waybill", ["account_id", "number"], _NUMBERED, unique=True)
    _partial("ix_waybill_spare", "waybill", ["account_id", "carrier", "id"], _SPARE)
    _partial("ix_waybill_unused", "waybill", ["state", "id"], _UNUSED)
    _partial("ix_waybill_number", "waybill", ["number"], _NUMBERED)
    op.create_index("ix_waybill_release_id", "waybill", ["release_id"])


def _rates() -> None:
    amounts = ("first_g", "first_minor", "step_g", "step_minor")
    op.create_table(
        "rate",
        _key("id"),
        _key("account_id"),
        *_words("service"),
        *_texts("zone"),
        *map(_key, amounts),
        sa.Column("volume_divisor", _KEY, server_default="0", nullable=False),
        _key("max_g", nullable=True),
        _key("line"),
        *(
            sa.CheckConstraint(f"{name} >= 0", name=op.f(f"ck_rate_{name}_not_negative"))
            for name in (*amounts, "volume_divisor")
        ),
        sa.ForeignKeyConstraint(["account_id"], ["channel.id"], name=op.f("fk_rate_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rate")),
    )
    op.create_index("ix_rate_account_id", "rate", ["account_id"])


def _roles(known: str) -> None:
    for of, column in (("user_account", "role"), ("api_token", "scope")):
        name = op.f(f"ck_{of}_{column}_known")
        with op.batch_alter_table(of) as table:
            table.drop_constraint(name, type_="check")
            table.create_check_constraint(name, f"{column} IN ({known})")


def _key(name: str, *, nullable: bool = False) -> "sa.Column[int]":
    return sa.Column(name, _KEY, nullable=nullable)


def _texts(*names: str) -> "list[sa.Column[str]]":
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def _words(*names: str) -> "list[sa.Column[str]]":
    return [sa.Column(name, sa.Text(), server_default="", nullable=False) for name in names]


def _at(name: str, *, nullable: bool = False) -> "sa.Column[int]":
    return sa.Column(name, sa.BigInteger(), nullable=nullable)


def _partial(name: str, table: str, columns: list[str], where: sa.TextClause, *, unique: bool = False) -> None:
    op.create_index(name, table, columns, unique=unique, sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    """Waves, waybills and cards are forgotten; an order that leaves in several releases has to have left before."""
    op.execute("UPDATE user_account SET role = 'read' WHERE role = 'pack'")
    op.execute("UPDATE api_token SET scope = 'read' WHERE scope = 'pack'")
    _roles("'read', 'operate', 'admin'")
    _partial("uq_release_order_whole", "release_order", ["order_id", "warehouse_id"], _OPEN, unique=True)
    for table in ("rate", "waybill", "print_run"):
        op.drop_table(table)
    op.drop_index("uq_release_order_open", "release_order")
    op.drop_index("uq_release_order_whole", "release_order")
    _partial("uq_release_order_open", "release_order", ["order_id", "warehouse_id"], _OPEN, unique=True)
    op.drop_column("release_order", "part")
    for name in ("uq_release_slot", "ix_release_to_pick", "ix_release_recalled"):
        op.drop_index(name, "release")
    with op.batch_alter_table("release") as table:
        table.drop_constraint(op.f("ck_release_slot_of_wave"), type_="check")
        table.drop_constraint(op.f("ck_release_parcels_positive"), type_="check")
        table.drop_constraint(op.f("fk_release_account_id"), type_="foreignkey")
        table.drop_constraint(op.f("fk_release_wave_id"), type_="foreignkey")
        for name in ("carrier", "service", "account_id", "parcels", "weight_g", "wave_id", "slot", "printed_at"):
            table.drop_column(name)
    op.drop_table("wave")
    op.execute("UPDATE order_hold SET reason = 'operator' WHERE reason = 'warehouse_refused'")
    op.execute("UPDATE orders SET hold_reason = 'operator' WHERE hold_reason = 'warehouse_refused'")
    op.drop_index("ix_order_hold_refused", "order_hold")
    op.drop_index("ix_orders_same_recipient", "orders")
    op.drop_column("orders", "merge_index")
