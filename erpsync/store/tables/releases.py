"""What leaves warehouses: releases, the waves they are picked in, what was printed of them, and couriers' numbers."""

from sqlalchemy import CheckConstraint, Column, Index, LargeBinary, Table, Text, UniqueConstraint, text

from erpsync.store.tables.base import BigInt, count, metadata, not_negative, one_of, past, ref, row_id, words

RELEASE_STATES = ("pending", "unsure", "told", "recalled", "kept", "refused", "dropped", "stopped", "shipped")
RELEASES_OUT = ("unsure", "told", "recalled", "kept")
"""States in which the warehouse has, or may have, the release."""

RELEASE_IS_UNCHOSEN = text("release.account_id IS NULL AND release.state IN ('pending', 'told')")
"""Open releases that no courier was chosen for, in the words of their index."""

release = Table(
    "release",
    metadata,
    row_id(),
    ref("warehouse_id", "warehouse.id"),
    Column("number", Text, nullable=False, unique=True),
    Column("state", Text, nullable=False),
    words("reason"),
    words("carrier"),
    words("service"),
    ref("account_id", "channel.id", nullable=True),
    count("parcels", default=1),
    Column("weight_g", BigInt),
    ref("wave_id", "wave.id", nullable=True),
    Column("slot", BigInt),
    Column("choice", Text),
    past("made_at", nullable=False),
    past("told_at"),
    past("printed_at"),
    past("ended_at"),
    one_of("state", *RELEASE_STATES),
    CheckConstraint("(wave_id IS NULL) = (slot IS NULL)", name="slot_of_wave"),
    CheckConstraint("parcels > 0", name="parcels_positive"),
    Index(
        "uq_release_slot",  # partial: statistics over those in no wave would say that a wave holds half of all releases
        "wave_id",
        "slot",
        unique=True,
        sqlite_where=text("wave_id IS NOT NULL"),
        postgresql_where=text("wave_id IS NOT NULL"),
    ),
    Index(
        "ix_release_recalled",
        "state",
        "id",
        sqlite_where=text("state = 'recalled'"),
        postgresql_where=text("state = 'recalled'"),
    ),
    Index(
        "ix_release_to_pick",
        "warehouse_id",
        "state",  # told by the condition too, but SQLite takes the index with the most columns given
        "id",
        sqlite_where=text("state = 'told' AND wave_id IS NULL"),
        postgresql_where=text("state = 'told' AND wave_id IS NULL"),
    ),
    Index(
        "ix_release_unchosen",
        "warehouse_id",
        "id",
        sqlite_where=text("account_id IS NULL AND state IN ('pending', 'told')"),
        postgresql_where=text("account_id IS NULL AND state IN ('pending', 'told')"),
    ),
)
"""What leaves one warehouse for one recipient. `printed_at` is when its first paper was; from then on it may lie in
somebody's hands. `account_id` is the account with the courier `carrier` that books it."""

release_order = Table(
    "release_order",
    metadata,
    ref("release_id", "release.id", primary_key=True),
    ref("order_id", "orders.id", primary_key=True),
    ref("warehouse_id", "warehouse.id"),
    words("part"),
    past("ended_at"),
    Index("ix_release_order_order_id", "order_id"),
    Index(
        "uq_release_order_open",
        "order_id",
        "warehouse_id",
        "part",
        unique=True,
        sqlite_where=text("ended_at IS NULL"),
        postgresql_where=text("ended_at IS NULL"),
    ),
)
"""Whose lines a release holds. It repeats the warehouse and the end of its release, so that the database refuses a
second one of an order that is open in a warehouse; `part` tells those apart that a split order leaves in."""

release_line = Table(
    "release_line",
    metadata,
    ref("release_id", "release.id", primary_key=True),
    ref("line_id", "order_line.id", primary_key=True),
    ref("sku_id", "sku.id", primary_key=True),
    Column("qty", BigInt, nullable=False),
    Column("units", BigInt, nullable=False),
    count("left_units"),
    CheckConstraint("qty > 0", name="qty_positive"),
    CheckConstraint("left_units BETWEEN 0 AND units", name="not_more_than_released"),
)

WAVE_STATES = ("open", "printed", "done", "dropped")
WAVE_IS_UNDER_WAY = text("wave.state IN ('open', 'printed')")
"""Waves that have not ended, in the words of their index."""

wave = Table(
    "wave",
    metadata,
    row_id(),
    ref("warehouse_id", "warehouse.id"),
    Column("number", Text, nullable=False, unique=True),
    Column("state", Text, nullable=False),
    Column("actor", Text, nullable=False),
    past("made_at", nullable=False),
    past("printed_at"),
    past("ended_at"),
    one_of("state", *WAVE_STATES),
    Index(
        "ix_wave_open",
        "warehouse_id",
        "state",
        "id",
        sqlite_where=text("state IN ('open', 'printed')"),
        postgresql_where=text("state IN ('open', 'printed')"),
    ),
)
"""Releases that are picked and printed together."""

PAPERS = ("slip", "pick", "label", "pack")

print_run = Table(
    "print_run",
    metadata,
    row_id(),
    Column("paper", Text, nullable=False),
    ref("release_id", "release.id", nullable=True),
    ref("wave_id", "wave.id", nullable=True),
    count("copy", default=1),
    Column("digest", Text, nullable=False),
    words("reason"),
    Column("actor", Text, nullable=False),
    past("at", nullable=False),
    one_of("paper", *PAPERS),
    CheckConstraint("(release_id IS NULL) <> (wave_id IS NULL)", name="of_one"),
    CheckConstraint("copy > 0", name="copy_positive"),
    UniqueConstraint("release_id", "paper", "copy"),
    UniqueConstraint("wave_id", "paper", "copy"),
)
"""Every paper that was handed out, with a digest of what stood on it."""

WAYBILL_STATES = ("spare", "wanted", "unsure", "handed", "booked", "used", "cancelling", "cancelled", "refused")
WAYBILL_IS_LIVE = text("state IN ('wanted', 'unsure', 'handed', 'booked', 'used', 'cancelling')")
WAYBILL_IS_UNUSED = text("waybill.state IN ('wanted', 'unsure', 'handed', 'booked', 'cancelling')")

waybill = Table(
    "waybill",
    metadata,
    row_id(),
    ref("account_id", "channel.id"),
    ref("release_id", "release.id", nullable=True),
    count("parcel", default=1),
    count("attempt", default=1),
    Column("key", Text),
    Column("carrier", Text, nullable=False),
    words("service"),
    words("number"),
    words("sort_code"),
    Column("state", Text, nullable=False),
    words("label_kind"),
    Column("label", LargeBinary),
    Column("cost_minor", BigInt),
    words("currency"),
    words("reason"),
    past("made_at", nullable=False),
    past("sent_at"),
    past("looked_at"),
    past("booked_at"),
    past("ended_at"),
    one_of("state", *WAYBILL_STATES),
    CheckConstraint("(state = 'spare') = (release_id IS NULL)", name="spare_of_none"),
    CheckConstraint("(release_id IS NULL) = (key IS NULL)", name="key_of_release"),
    CheckConstraint("state NOT IN ('spare', 'booked', 'used') OR number <> ''", name="booked_has_number"),
    CheckConstraint("parcel > 0 AND attempt > 0", name="counted_from_one"),
    UniqueConstraint("key", "parcel"),
    Index(
        "uq_waybill_live",
        "release_id",
        "parcel",
        unique=True,
        sqlite_where=WAYBILL_IS_LIVE,
        postgresql_where=WAYBILL_IS_LIVE,
    ),
    Index(
        "uq_waybill_number",
        "account_id",
        "number",
        unique=True,
        sqlite_where=text("number <> ''"),
        postgresql_where=text("number <> ''"),
    ),
    Index(
        "ix_waybill_spare",
        "account_id",
        "carrier",
        "id",
        sqlite_where=text("state = 'spare'"),
        postgresql_where=text("state = 'spare'"),
    ),
    Index(
        "ix_waybill_unused",
        "state",
        "id",
        sqlite_where=text("state IN ('wanted', 'unsure', 'handed', 'booked', 'cancelling')"),
        postgresql_where=text("state IN ('wanted', 'unsure', 'handed', 'booked', 'cancelling')"),
    ),
    Index("ix_waybill_release_id", "release_id"),
    Index("ix_waybill_number", "number", sqlite_where=text("number <> ''"), postgresql_where=text("number <> ''")),
)
"""A courier's number for a parcel, wanted or had. The parcels of one booking share its key; spare numbers were bought
in advance and are of no parcel yet. `handed` was given to a courier whose number follows. `label` holds, sealed, what
the courier gave to print and what it wants to hear when asked; `looked_at` is when it was first looked for in vain.
One that was booked and never sent is a number bought in advance."""

rate = Table(
    "rate",
    metadata,
    row_id(),
    ref("account_id", "channel.id"),
    words("service"),
    Column("zone", Text, nullable=False),
    Column("first_g", BigInt, nullable=False),
    Column("first_minor", BigInt, nullable=False),
    Column("step_g", BigInt, nullable=False),
    Column("step_minor", BigInt, nullable=False),
    count("volume_divisor"),
    Column("max_g", BigInt),
    Column("line", BigInt, nullable=False),
    *not_negative("first_g", "first_minor", "step_g", "step_minor", "volume_divisor"),
    Index("ix_rate_account_id", "account_id"),
)
"""What accounts with couriers charge, as their cards say; a card is replaced as a whole."""

coverage = Table(
    "coverage",
    metadata,
    ref("account_id", "channel.id", primary_key=True),
    Column("province", Text, primary_key=True),
    Column("city", Text, primary_key=True),
    Column("district", Text, primary_key=True),
    Column("answer", Text, nullable=False),
    past("asked_at", nullable=False),
    one_of("answer", "yes", "no", "booking"),
)
"""Whether accounts with couriers deliver to places, as they said when they were asked; `booking`: only one tells."""
