"""Where parcels are: what couriers told of each, and the sum of it.

Why by courier and number, and not by shipment: several orders share a parcel, and a courier may tell of one before
anybody here said that it left.
"""

from sqlalchemy import CheckConstraint, Column, Index, LargeBinary, Table, Text, UniqueConstraint, text

from erpsync.sdk.types import TrackState
from erpsync.store.tables.base import (
    LONGEST_ASK_S,
    at,
    count,
    deadline,
    flag,
    metadata,
    one_of,
    past,
    ref,
    row_id,
    words,
)

TRACK_STATES = tuple(state.value for state in TrackState)

track = Table(
    "track",
    metadata,
    row_id(),
    ref("account_id", "channel.id", nullable=True),
    Column("carrier", Text, nullable=False),
    Column("number", Text, nullable=False),
    words("state"),
    words("place"),
    at("last_at"),
    at("scanned_at"),
    at("delivered_at"),
    at("returned_at"),
    flag("watched"),
    flag("over"),
    count("watches"),
    count("said"),
    past("made_at", nullable=False),
    past("left_at"),
    past("asked_at"),
    deadline("ask_at", within_s=LONGEST_ASK_S),
    at("whole_at"),
    past("read_at"),
    past("erased_at"),
    one_of("state", "", *TRACK_STATES),
    CheckConstraint("ask_at IS NULL OR left_at IS NOT NULL", name="asked_once_left"),
    UniqueConstraint("number", "carrier"),
    Index(
        "ix_track_ask",
        "account_id",
        "ask_at",
        sqlite_where=text("ask_at IS NOT NULL"),
        postgresql_where=text("ask_at IS NOT NULL"),
    ),
)
"""A parcel and the sum of what was told of it, instants by the courier's clock; `state` is empty until anything was.

`account_id` is the account that is asked about it, None until one is found; `ask_at` when next, None where nobody is
asked (any more). `watched`: pushes about it were asked for, with `watches` calls. `said` holds a bit for each of
scanned, delivered, returned, given up that was told as an event. `whole_at` and `read_at` say how new the last whole
list of nodes is. After `erased_at` nothing more is kept of it."""

track_node = Table(
    "track_node",
    metadata,
    row_id(),
    ref("track_id", "track.id"),
    Column("key", Text, nullable=False),
    at("at", nullable=False),
    Column("state", Text, nullable=False),
    words("code"),
    words("place"),
    Column("text", LargeBinary),
    one_of("state", *TRACK_STATES),
    UniqueConstraint("track_id", "key"),
)
"""Something that happened to a parcel. `text`, what the courier says, may name a person and is sealed."""
