"""The daemons and what each works by, and what became of the reload that put it in force."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, select

from erpsync.store.nodes import Node, read_nodes
from erpsync.store.tables import event, in_force
from erpsync.store.views.values import Json, detail, iso

_NEAR = timedelta(minutes=1)
_KINDS = ("config.reloaded", "config.refused")


@dataclass(frozen=True, slots=True, kw_only=True)
class Working:
    """A daemon, since when it works by its configuration, and that as text; None while it has told none."""

    node: Node
    since_at: datetime | None
    text: str


def working(connection: Connection) -> list[Working]:
    """Return every daemon that is remembered, the one heard of last first."""
    kept = {row.node: row for row in connection.execute(select(in_force))}
    return [
        Working(
            node=node,
            since_at=kept[node.id].since_at if node.id in kept else None,
            text=kept[node.id].text if node.id in kept else "",
        )
        for node in read_nodes(connection)
    ]


def reload_at(connection: Connection, at: datetime) -> Json | None:
    """Return the reload about an instant, what it changed or why it was refused; None where there was none.

    Looked for near an instant that is known from elsewhere: to find the last of all would be to read all events.
    """
    near = event.c.order_id.is_(None) & event.c.at.between(at - _NEAR, at + _NEAR)
    query = select(event.c.at, event.c.kind, event.c.detail).where(near, event.c.kind.in_(_KINDS))
    row = connection.execute(query.order_by(event.c.at.desc(), event.c.id.desc()).limit(1)).first()
    if row is None:
        return None
    return {"at": iso(row.at), "taken": row.kind == "config.reloaded", "detail": detail(row.detail)}
