"""What accounts with couriers said about places: whether they deliver there."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, select

from erpsync.sdk.types import Region
from erpsync.store.db.bulk import in_parts, insert_many
from erpsync.store.db.store import Tx
from erpsync.store.tables import coverage

_SAID: dict[bool | None, str] = {True: "yes", False: "no", None: "booking"}
_MEANT = {said: covers for covers, said in _SAID.items()}
_ANEW = (
    "ON CONFLICT (account_id, province, city, district)"
    " DO UPDATE SET answer = excluded.answer, asked_at = excluded.asked_at"
)


def answers_about(
    connection: Connection, account_ids: Collection[int], regions: Collection[Region], *, since: datetime
) -> dict[tuple[int, Region], bool | None]:
    """Return what these accounts, by id, have said about places since an instant; None: only a booking tells."""
    wanted, found = set(regions), dict[tuple[int, Region], bool | None]()
    query = select(coverage).where(coverage.c.account_id.in_(sorted(account_ids)), coverage.c.asked_at >= since)
    for part in in_parts(sorted({region.province for region in wanted})) if account_ids else ():
        for row in connection.execute(query.where(coverage.c.province.in_(part))):
            region = Region(province=row.province, city=row.city, district=row.district)
            if region in wanted:
                found[row.account_id, region] = _MEANT[row.answer]
    return found


def keep_answer(tx: Tx, *, account_id: int, region: Region, covers: bool | None) -> None:
    """Keep what an account says about a place, instead of what it said before."""
    named = {"province": region.province, "city": region.city, "district": region.district}
    row = {"account_id": account_id, **named, "answer": _SAID[covers], "asked_at": tx.now}
    insert_many(tx, coverage, [row], conflict=_ANEW)
