"""What was printed of releases and waves: which copy, by whom, and a digest of what stood on it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Connection, Select, func, select, update

from erpsync.sdk.types import LabelKind
from erpsync.store.db.bulk import in_parts, insert_many
from erpsync.store.db.store import Tx
from erpsync.store.tables import WAYBILL_IS_LIVE, print_run, release, wave, waybill


@dataclass(frozen=True, slots=True, kw_only=True)
class PrintRun:
    """A paper that is handed out: of a release, or of a wave."""

    release_id: int | None = None
    wave_id: int | None = None
    copy: int
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """What kind of label a release has.

    Args:
        number: the courier's, of the first parcel.
        kind: what the courier makes; none where the label is ours.
        void: whether the number is to be void.
    """

    number: str
    kind: LabelKind
    void: bool


def copies_of(connection: Connection, paper: str, release_ids: Iterable[int]) -> dict[int, int]:
    """Return how often a paper of each of these releases was printed; those without any are not in it."""
    return _copies(connection, paper, print_run.c.release_id, release_ids)


def wave_copies(connection: Connection, paper: str, wave_id: int) -> int:
    """Return how often a paper of a whole wave was printed."""
    return _copies(connection, paper, print_run.c.wave_id, [wave_id]).get(wave_id, 0)


def _copies(connection: Connection, paper: str, of: Column[Any], ids: Iterable[int]) -> dict[int, int]:
    found: dict[int, int] = {}
    for part in in_parts(ids):
        query = select(of.label("id"), func.max(print_run.c.copy).label("copy")).where(of.in_(part))
        for row in connection.execute(query.where(print_run.c.paper == paper).group_by(of)):
            found[row.id] = row.copy
    return found


def digests_of(connection: Connection, paper: str, runs: Mapping[str, PrintRun]) -> dict[str, str]:
    """Return the digests on record of these prints, by the names they are given here; their own digest is not read."""
    named = {(run.release_id, run.wave_id, run.copy): name for name, run in runs.items()}
    found: dict[str, str] = {}
    for of in (print_run.c.release_id, print_run.c.wave_id):
        for part in in_parts(id for key in named if (id := key[of is print_run.c.wave_id]) is not None):
            rows = connection.execute(select(print_run).where(of.in_(part), print_run.c.paper == paper))
            kept = {(row.release_id, row.wave_id, row.copy): row.digest for row in rows}
            found |= {named[key]: digest for key, digest in kept.items() if key in named}
    return found


def last_copies(
    connection: Connection, paper: str, release_ids: Iterable[int], wave_id: int | None, actor: str
) -> dict[tuple[int | None, int | None], int]:
    """Return what somebody printed last of these releases, or of the wave, by (release id, wave id)."""
    rows: list[Any] = []
    for part in in_parts(release_ids):
        rows += connection.execute(_by(paper, actor).where(print_run.c.release_id.in_(part))).all()
    if wave_id is not None:
        rows += connection.execute(_by(paper, actor).where(print_run.c.wave_id == wave_id)).all()
    last = max((row.at for row in rows if wave_id is None or row.wave_id is not None), default=None)
    return {(row.release_id, row.wave_id): row.copy for row in rows if row.at == last}


def _by(paper: str, actor: str) -> Select[Any]:
    return select(print_run).where(print_run.c.paper == paper, print_run.c.actor == actor)


def labelled(connection: Connection, release_ids: Iterable[int]) -> dict[int, Labelled]:
    """Return what kind of label there is, by release; those without a number are not in it."""
    found: dict[int, Labelled] = {}
    for part in in_parts(release_ids):
        columns = (waybill.c.release_id, waybill.c.number, waybill.c.label_kind, waybill.c.state)
        query = select(*columns).where(WAYBILL_IS_LIVE, waybill.c.parcel == 1, waybill.c.number != "")
        for row in connection.execute(query.where(waybill.c.release_id.in_(part))):
            kind = LabelKind(row.label_kind or LabelKind.NONE)
            found[row.release_id] = Labelled(number=row.number, kind=kind, void=row.state == "cancelling")
    return found


def lock_releases(tx: Tx, release_ids: Iterable[int]) -> None:
    """Lock releases, by id: none of them leaves its wave meanwhile. Their orders are locked before."""
    for part in in_parts(release_ids):
        query = select(release.c.id).where(release.c.id.in_(part)).order_by(release.c.id)
        tx.all(query.with_for_update(key_share=True))


def write_prints(tx: Tx, paper: str, runs: Iterable[PrintRun], *, reason: str, actor: str) -> None:
    """Note that papers are handed out. The database refuses a copy that has its number already."""
    rows: list[Mapping[str, Any]] = [
        {
            "paper": paper,
            "release_id": run.release_id,
            "wave_id": run.wave_id,
            "copy": run.copy,
            "digest": run.digest,
            "reason": reason,
            "actor": actor,
            "at": tx.now,
        }
        for run in runs
    ]
    insert_many(tx, print_run, rows)


def note_printed(tx: Tx, release_ids: Iterable[int], wave_id: int | None) -> None:
    """Note that papers of releases, and of the wave that was printed as a whole, lie in somebody's hands from now."""
    for part in in_parts(release_ids):
        first = release.c.id.in_(part) & release.c.printed_at.is_(None)
        tx.execute(update(release).where(first).values(printed_at=tx.now))
    if wave_id is not None:
        begun = update(wave).where(wave.c.id == wave_id, wave.c.state == "open")
        tx.execute(begun.values(state="printed", printed_at=tx.now))
