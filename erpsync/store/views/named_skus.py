"""Which SKUs that somebody has written down are there: for notes on a configuration."""

from collections.abc import Iterable

from sqlalchemy import Connection, select

from erpsync.core.facts import plain
from erpsync.store.db.bulk import in_parts
from erpsync.store.registry import sku_ids
from erpsync.store.tables import bundle, sku, stock


def unknown_words(connection: Connection, words: Iterable[str]) -> set[str]:
    """Return those words that fit no SKU; one with a `*` at its end fits what begins so. Words are `plain` ones."""
    left = set(words)
    if left:
        # Scans sku: it is as long as the assortment, no history.
        for code in connection.execute(select(sku.c.code)).scalars():
            known = plain(code)
            left -= {word for word in left if known == word or (word[-1:] == "*" and known.startswith(word[:-1]))}
    return left


def uncounted(connection: Connection, codes: Iterable[str]) -> set[str]:
    """Return those SKUs that have no stock row in any warehouse and are no bundle either."""
    wanted = set(codes)
    ids = sku_ids(connection, wanted)
    there: set[int] = set()
    for part in in_parts(ids.values()):
        there |= set(connection.execute(select(stock.c.sku_id).where(stock.c.sku_id.in_(part))).scalars())
        there |= set(connection.execute(select(bundle.c.bundle_id).where(bundle.c.bundle_id.in_(part))).scalars())
    return {code for code in wanted if ids.get(code) not in there}
