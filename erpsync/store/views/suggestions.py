"""What seller codes that nobody has mapped may be: candidates for a whole page of listings in a few queries."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, select

from erpsync.core.suggestions import LOOSE, Candidates, Suggestion, Wanted, affixes, suggest
from erpsync.store.db.bulk import in_parts
from erpsync.store.goods import skus_with_barcode
from erpsync.store.tables import listing, sku
from erpsync.store.views.values import Json

MOST_TITLES = 3000
"""Titles are compared with those of so many SKUs and so many listings, the newest ones."""


def suggestions_for(connection: Connection, rows: Sequence[Json]) -> dict[int, tuple[Suggestion, ...]]:
    """Return what each of these listings (`id`, `channel_sku`, `title`) may be, by its id, the likeliest first."""
    wanted = [Wanted(key=row["id"], code=row["channel_sku"], title=row["title"]) for row in rows]
    if not wanted:
        return {}
    candidates = Candidates(
        codes=_codes(connection, wanted),
        twins=_twins(connection, {thing.code for thing in wanted}),
        titled=_titled(connection) if any(thing.title for thing in wanted) else (),
        barcodes=skus_with_barcode(connection, {thing.code for thing in wanted}),
    )
    return suggest(wanted, candidates)


def _codes(connection: Connection, wanted: Sequence[Wanted]) -> list[str]:
    """Return the codes of SKUs that are a wanted code, or with which one begins or ends."""
    codes: list[str] = []
    # Scans sku: it is as long as the assortment, no history.
    for part in in_parts({part for thing in wanted for part in affixes(thing.code)}):
        codes += connection.execute(select(sku.c.code).where(_dense(sku.c.code).in_(part))).scalars()
    return codes


def _dense(column: ColumnElement[str]) -> ColumnElement[str]:
    made: Any = func.lower(column)
    for loose in LOOSE:
        made = func.replace(made, loose, "")
    return made  # type: ignore[no-any-return]


def _twins(connection: Connection, codes: Iterable[str]) -> dict[str, list[tuple[str, int]]]:
    """Return what is mapped under the same codes, on whichever channel."""
    # Scans listing: it is as long as what the channels sell, no history.
    query = select(listing.c.channel_sku, sku.c.code, listing.c.factor).join(sku, sku.c.id == listing.c.sku_id)
    twins: dict[str, list[tuple[str, int]]] = {}
    for part in in_parts(codes):
        for row in connection.execute(query.where(listing.c.channel_sku.in_(part)).order_by(listing.c.id)):
            twins.setdefault(row.channel_sku, []).append((row.code, row.factor))
    return twins


def _titled(connection: Connection) -> list[tuple[str, str]]:
    # Scans sku: from its end, and no further than that many titles.
    query = select(listing.c.title, sku.c.code).join(sku, sku.c.id == listing.c.sku_id)
    newest = query.where(listing.c.title != "").order_by(listing.c.id.desc()).limit(MOST_TITLES)
    own = select(sku.c.title, sku.c.code).where(sku.c.title != "").order_by(sku.c.id.desc()).limit(MOST_TITLES)
    return [(row.title, row.code) for query in (own, newest) for row in connection.execute(query)]
