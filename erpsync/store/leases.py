"""Who may do what now: rows with an owner, an epoch and an end, by the database's clock.

Why rows and not advisory locks: a lock lives as long as its connection and has no number to fence writes with; a row
passes on by itself when its owner is gone, and every write of the owner can be checked against its epoch.
"""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from sqlalchemy import select, update

from erpsync.store.db.store import Store, Tx, guarded
from erpsync.store.tables import lease

LEASE_S = 12
"""So long a node is believed to live after its last sign of life; with `BEAT_S` what it held passes on within 15 s."""

BEAT_S = 3.0


class LeaseLostError(Exception):
    """Another node holds the lease now; nothing of the transaction stays."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """A lease as held by this process."""

    key: str
    owner: str
    epoch: int


def take_lease(store: Store, key: str, *, ttl_s: float = LEASE_S) -> Lease | None:
    """Take or renew a lease; None while another node holds it."""
    with store.begin() as tx:
        until = tx.now + timedelta(seconds=ttl_s)
        fresh = tx.insert(lease).values(key=key, owner=store.owner, epoch=1, until_at=until)
        is_ours = lease.c.owner == store.owner
        taken = fresh.on_conflict_do_update(
            index_elements=["key"],
            set_={"owner": store.owner, "until_at": until, "epoch": lease.c.epoch + 1},
            where=is_ours | (lease.c.until_at < tx.now),
        ).returning(lease.c.epoch)
        epoch = tx.execute(taken).scalar()
    return None if epoch is None else Lease(key=key, owner=store.owner, epoch=epoch)


def renew_lease(store: Store, held: Lease, *, ttl_s: float = LEASE_S) -> bool:
    """Prolong a lease this process holds, keeping its epoch; False when it was lost."""
    with store.begin() as tx:
        statement = update(lease).where(
            lease.c.key == held.key, lease.c.epoch == held.epoch, lease.c.owner == held.owner
        )
        return tx.execute(statement.values(until_at=tx.now + timedelta(seconds=ttl_s))).rowcount == 1


def fence(tx: Tx, held: Lease) -> None:
    """Refuse to go on when the lease was lost since it was taken."""
    query = select(lease.c.epoch).where(lease.c.key == held.key, lease.c.owner == held.owner)
    if tx.execute(query.with_for_update(read=True)).scalar() != held.epoch:
        raise LeaseLostError(f"{held.key} is held by another node now")


def under(held: Lease | None) -> AbstractContextManager[None]:
    """Let every transaction of this thread be undone once the lease is lost, for the length of the block.

    None, where no lease is needed, asks nothing. Raises `LeaseLostError` from the transaction.
    """
    return nullcontext() if held is None else guarded(held.owner, partial(fence, held=held))


def end_leases(store: Store, *, key: str | None = None) -> None:
    """End this process's leases (or one of them) so that another node need not wait."""
    with store.begin() as tx:
        statement = update(lease).where(lease.c.owner == store.owner)
        if key is not None:
            statement = statement.where(lease.c.key == key)
        tx.execute(statement.values(until_at=tx.now - timedelta(seconds=1)))


def end_all_leases(tx: Tx) -> None:
    """End every lease; for the one daemon of an SQLite file, whose predecessor is known to be gone."""
    tx.execute(update(lease).values(until_at=tx.now - timedelta(seconds=1)))
