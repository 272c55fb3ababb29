"""How far each route to a department has been told."""

from sqlalchemy import Column, Table, Text

from erpsync.store.tables.base import LONGEST_ROUTE_WAIT_S, at, count, deadline, metadata, past, row_id, words

route = Table(
    "route",
    metadata,
    row_id(),
    Column("name", Text, nullable=False, unique=True),
    count("cursor"),
    count("pending"),
    at("created_at", nullable=False),
    deadline("run_at", within_s=LONGEST_ROUTE_WAIT_S, nullable=False),
    count("attempts"),
    count("refusals"),
    past("failing_since_at"),
    past("told_at"),
    words("error"),
    words("sent", default="[]"),
)
"""`cursor` is the last event that was told or passed over; `pending` the last one of a message that was sent and whose
outcome is not known, 0 for none; `sent` when messages were sent within the last minute."""
