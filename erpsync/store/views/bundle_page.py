"""A page of bundles, each with what is in one of it."""

from sqlalchemy import Connection, exists, or_, select

from erpsync.store.names import plain
from erpsync.store.tables import bundle, sku
from erpsync.store.views.goods import holds_words
from erpsync.store.views.values import Json


def page_of_bundles(connection: Connection, text: str, limit: int, after: str | None = None) -> list[Json]:
    """Return bundles by code, `{bundle, parts: [{sku, qty}]}`.

    Args:
        text: only those in whose own code, or that of a part, this stands.
        after: the code of a bundle: only what comes after it is returned.
    """
    part = sku.alias("part")
    query = select(sku.c.id, sku.c.code).where(exists().where(bundle.c.bundle_id == sku.c.id))
    if plain(text):
        holds = (bundle.c.bundle_id == sku.c.id) & (bundle.c.sku_id == part.c.id) & holds_words(part.c.code, text)
        query = query.where(or_(holds_words(sku.c.code, text), exists().where(holds)))
    if after is not None:
        query = query.where(sku.c.code > after)
    codes = {row.id: row.code for row in connection.execute(query.order_by(sku.c.code).limit(limit))}
    parts: dict[int, list[Json]] = {id: [] for id in codes}
    inside = select(bundle.c.bundle_id, part.c.code, bundle.c.qty).join(part, part.c.id == bundle.c.sku_id)
    for row in connection.execute(inside.where(bundle.c.bundle_id.in_(list(codes))).order_by(part.c.code)):
        parts[row.bundle_id].append({"sku": row.code, "qty": row.qty})
    return [{"bundle": code, "parts": parts[id]} for id, code in codes.items()]
