"""What listings were told, sure or unsure, as rows.

Why in one place: a number that counts as sure and is not shown is never told again, so it is to be seen at a glance
what makes one sure and what takes that away.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, update

from erpsync.core.availability import pack_sent
from erpsync.store.db.bulk import update_many
from erpsync.store.db.store import Tx
from erpsync.store.tables import listing


@dataclass(frozen=True, slots=True, kw_only=True)
class Late:
    """Numbers that may still land on a listing (its row id), and until when."""

    id: int
    late: Iterable[int]
    late_until_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent(Late):
    """A number on its way to a listing: all that were sent since one was accepted, with this one."""

    sent_since: Iterable[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted(Late):
    """A number that a channel took, and those it took before, the latest first."""

    qty: int
    sure: bool
    earlier: Sequence[int]


def doubt(tx: Tx, where: ColumnElement[bool]) -> None:
    """Make what these listings were told unsure, so that it is told anew."""
    tx.execute(update(listing).where(where, listing.c.told_sure).values(told_sure=False))


def doubt_sent(tx: Tx, sent_since: Mapping[int, Iterable[int]]) -> None:
    """Make listings unsure (by row id) that may show a number which was sent and not answered."""
    update_many(tx, listing, [{"id": id, **_unsure(sent)} for id, sent in sent_since.items()], keys=["id"])


def note_sent(tx: Tx, sent: Iterable[Sent]) -> None:
    """Note numbers before the call that tells them; only its answer makes them sure."""
    update_many(tx, listing, [_late(number) | _unsure(number.sent_since) for number in sent], keys=["id"])


def note_accepted(tx: Tx, accepted: Iterable[Accepted]) -> None:
    """Note numbers that their channel took."""
    rows = [
        _late(number)
        | {
            "told_qty": number.qty,
            "told_sure": number.sure,
            "told_at": tx.now,
            "sent_since": "[]",
            "earlier": pack_sent(number.earlier),
            "refused": "",
        }
        for number in accepted
    ]
    update_many(tx, listing, rows, keys=["id"])


def note_late(tx: Tx, late: Iterable[Late]) -> None:
    """Note which numbers may still land after a call that failed."""
    update_many(tx, listing, [_late(number) for number in late], keys=["id"])


def map_listings(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write what listings are to us, made if there are none; what they were told is unsure then.

    A mapping given without the platform's ids holds for all listings of that seller code; those given with ids count
    more.
    """
    ours = ("sku_id", "factor", "no_stock")
    plain = [{n: row[n] for n in ("channel_id", "channel_sku", *ours)} for row in rows if not row["item_ref"]]
    update_many(tx, listing, plain, keys=["channel_id", "channel_sku"])
    new = tx.insert(listing)
    statement = new.on_conflict_do_update(
        index_elements=["channel_id", "channel_sku", "item_ref"],
        set_={name: new.excluded[name] for name in (*ours, "told_sure")},
    )
    values = [{**row, "told_sure": False} for row in rows]
    if tx.dialect == "sqlite":
        tx.execute(statement, values)
    else:
        tx.execute(statement.values(values))


def _unsure(sent_since: Iterable[int]) -> dict[str, Any]:
    return {"told_sure": False, "sent_since": pack_sent(sorted(set(sent_since)))}


def _late(number: Late) -> dict[str, Any]:
    return {"id": number.id, "late": pack_sent(sorted(set(number.late))), "late_until_at": number.late_until_at}
