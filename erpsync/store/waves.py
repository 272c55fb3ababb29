"""Waves: releases of a desk that are picked and printed together, and how they end.

Why locks are taken in the order orders, releases, waves: whoever ends a release has those before already, and a wave is
looked at last, when it is known what is left of it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, exists, literal_column, select, update

from erpsync.store.db.store import Tx
from erpsync.store.releases import ENDS
from erpsync.store.tables import release, wave

OPEN = "open"
PRINTED = "printed"
WAVES_OPEN = (OPEN, PRINTED)


@dataclass(frozen=True, slots=True, kw_only=True)
class WaveHead:
    """A wave without its releases; `state` is one of `WAVE_STATES`."""

    id: int
    number: str
    warehouse_id: int
    state: str


def find_wave(connection: Connection, number: str) -> WaveHead | None:
    """Return a wave as it stands, None where no wave has this number."""
    row = connection.execute(select(wave).where(wave.c.number == number)).first()
    return None if row is None else _head(row)


def lock_wave(tx: Tx, wave_id: int) -> WaveHead:
    """Return a wave, locked, its releases before it: none of them ends and none leaves it meanwhile."""
    tx.all(select(release.c.id).where(release.c.wave_id == wave_id).order_by(release.c.id).with_for_update())
    return _head(tx.execute(select(wave).where(wave.c.id == wave_id).with_for_update()).one())


def leave_wave(tx: Tx, wave_id: int, states: Iterable[str]) -> list[str]:
    """Take the releases in these states out of a wave; return their numbers."""
    leaving = update(release).where(release.c.wave_id == wave_id, release.c.state.in_(sorted(states)))
    gone = leaving.values(wave_id=None, slot=None).returning(release.c.number)
    return sorted(tx.execute(gone).scalars())


def end_wave(tx: Tx, wave_id: int, state: str) -> None:
    """Note that a wave has ended, as `done` or `dropped`."""
    tx.execute(update(wave).where(wave.c.id == wave_id).values(state=state, ended_at=tx.now))


def settle_wave(tx: Tx, wave_id: int) -> None:
    """Let a wave end of whose releases none is to leave any more.

    What was stopped before a wave was printed is in it no more. The wave is locked here, last of all: of two that end
    its last releases at once the second one sees both.
    """
    head = tx.execute(select(wave.c.state).where(wave.c.id == wave_id).with_for_update()).one()
    if head.state not in WAVES_OPEN:
        return
    if head.state == OPEN:
        leave_wave(tx, wave_id, ("dropped", "stopped"))
    members = select(release.c.id).where(release.c.wave_id == wave_id)
    if tx.execute(members.where(release.c.state.not_in(ENDS)).limit(1)).first() is None:
        end_wave(tx, wave_id, "dropped" if tx.execute(members.limit(1)).first() is None else "done")


def unsettled(connection: Connection, warehouse_ids: Iterable[int]) -> list[int]:
    """Return the waves of these warehouses that have not ended although no release of theirs is to leave any more."""
    under_way = wave.c.state.in_([literal_column(f"'{state}'") for state in WAVES_OPEN])
    ends = release.c.state.not_in(ENDS)
    left = exists().where(release.c.wave_id == wave.c.id, ends)
    query = select(wave.c.id).where(wave.c.warehouse_id.in_(sorted(warehouse_ids)), under_way, ~left)
    return list(connection.execute(query.order_by(wave.c.id)).scalars())


def _head(row: Any) -> WaveHead:
    return WaveHead(id=row.id, number=row.number, warehouse_id=row.warehouse_id, state=row.state)
