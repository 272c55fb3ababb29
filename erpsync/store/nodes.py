"""The daemons of a database: who lives, who left, what each works by.

Why the configuration has a table of its own: it may be long and changes rarely, while a heartbeat rewrites its row.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, and_, delete, exists, select, update

from erpsync.store.db.store import Store, Tx
from erpsync.store.leases import LEASE_S
from erpsync.store.outbox.queue import give_back
from erpsync.store.tables import in_force, node

ALIVE = timedelta(seconds=LEASE_S)
KEPT = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A configuration that a daemon was told to load and did not take, and why."""

    at: datetime
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One daemon as it told of itself; `left_at` when it ended in order, `refusal` of its last reload."""

    id: str
    version: str
    started_at: datetime
    heartbeat_at: datetime
    left_at: datetime | None = None
    refusal: Refusal | None = None

    def lives(self, now: datetime) -> bool:
        """Whether its last sign of life is recent. One that is dated ahead of the clock proves nothing."""
        return self.left_at is None and abs(now - self.heartbeat_at) <= ALIVE

    def since(self, now: datetime) -> datetime:
        """Return when it was last known to live, now at the latest."""
        return min(self.left_at or self.heartbeat_at, now)


def host_of(node_id: str) -> str:
    """Return the machine on which a node runs, by the id that a store gives itself."""
    return node_id.rsplit(":", 2)[0]


def living(now: datetime) -> ColumnElement[bool]:
    """Return the condition for nodes that live, as `Node.lives` says."""
    return and_(node.c.left_at.is_(None), node.c.heartbeat_at.between(now - ALIVE, now + ALIVE))


def beat(store: Store, *, version: str, refusal: Refusal | None = None) -> None:
    """Say that this node lives; forget those that are gone for a day, on SQLite every other one."""
    with store.begin() as tx:
        told = {
            "heartbeat_at": tx.now,
            "left_at": None,
            "refused_at": refusal.at if refusal else None,
            "refused": refusal.why if refusal else "",
        }
        row = tx.insert(node).values(id=store.owner, version=version, started_at=tx.now, **told)
        tx.execute(row.on_conflict_do_update(index_elements=["id"], set_=told))
        gone = node.c.id != store.owner if store.is_sqlite else node.c.heartbeat_at < tx.trusted_now - KEPT
        tx.execute(delete(node).where(gone))


def leave(store: Store) -> None:
    """Say that this node ends in order, and let what it had leased pass on."""
    with store.begin() as tx:
        give_back(tx, store.owner)
        tx.execute(update(node).where(node.c.id == store.owner).values(left_at=tx.now, heartbeat_at=tx.now))


def take_configuration(store: Store, text: str) -> None:
    """Keep the configuration that this node works by; those of nodes that do not live any more are forgotten."""
    with store.begin() as tx:
        _forget_others(tx, store.owner)
        told = {"since_at": tx.now, "text": text}
        row = tx.insert(in_force).values(node=store.owner, **told)
        tx.execute(row.on_conflict_do_update(index_elements=["node"], set_=told, where=in_force.c.text != text))


def _forget_others(tx: Tx, owner: str) -> None:
    lives = exists().where(node.c.id == in_force.c.node, living(tx.now))
    tx.execute(delete(in_force).where(in_force.c.node != owner, ~lives))


def read_nodes(connection: Connection) -> Sequence[Node]:
    """Return every node that is remembered, the one heard of last first."""
    rows = connection.execute(select(node).order_by(node.c.heartbeat_at.desc(), node.c.id)).all()
    return [
        Node(
            id=row.id,
            version=row.version,
            started_at=row.started_at,
            heartbeat_at=row.heartbeat_at,
            left_at=row.left_at,
            refusal=Refusal(at=row.refused_at, why=row.refused) if row.refused_at else None,
        )
        for row in rows
    ]


def configuration_in_force(connection: Connection, now: datetime) -> tuple[datetime, str] | None:
    """Return since when and by what the newest living node works; the newest of all while none lives."""
    query = select(in_force.c.since_at, in_force.c.text, node.c.id).outerjoin(
        node, and_(node.c.id == in_force.c.node, living(now))
    )
    newest = query.order_by(node.c.id.is_(None), in_force.c.since_at.desc()).limit(1)
    row = connection.execute(newest).first()
    return None if row is None else (row.since_at, row.text)
