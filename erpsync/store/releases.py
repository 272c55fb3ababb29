"""What becomes of an order that was handed to a warehouse: the states of a release, from pending to its end."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import case, update

from erpsync.store.db.store import Tx
from erpsync.store.tables import release

ENDS = ("dropped", "stopped", "shipped")
RECALLABLE = ("unsure", "told")


def set_release_state(tx: Tx, release_id: int, state: str, *, reason: str | None = None) -> None:
    """Put a release into a state, its end noted if it is one; without a reason it keeps the one it has."""
    why = {} if reason is None else {"reason": reason}
    ended_at = tx.now if state in ENDS else None
    tx.execute(update(release).where(release.c.id == release_id).values(state=state, ended_at=ended_at, **why))


def note_release_told(tx: Tx, release_id: int) -> int:
    """Note that the warehouse has a release, and return the warehouse; one that was recalled meanwhile stays so."""
    state = case((release.c.state == "unsure", "told"), else_=release.c.state)
    told = update(release).where(release.c.id == release_id).values(state=state, told_at=tx.now)
    return int(tx.execute(told.returning(release.c.warehouse_id)).scalar_one())


def note_release_found(tx: Tx, release_id: int, *, sent_at: datetime | None) -> None:
    """Note that a person found a release at the warehouse, if nobody knew whether it is there."""
    unsure = (release.c.id == release_id) & (release.c.state == "unsure")
    tx.execute(update(release).where(unsure).values(state="told", told_at=sent_at))


def note_recalled(tx: Tx, release_ids: Iterable[int]) -> None:
    """Note that these releases are to be stopped, but for those that have ended meanwhile."""
    out = release.c.id.in_(sorted(release_ids)) & release.c.state.in_(RECALLABLE)
    tx.execute(update(release).where(out).values(state="recalled"))
