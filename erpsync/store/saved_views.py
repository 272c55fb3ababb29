"""The filters of a list that a user keeps under a name."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, func, select, update

from erpsync.store.db.bulk import insert_many
from erpsync.store.db.store import Tx
from erpsync.store.tables import saved_view, user_account


def list_views(connection: Connection, user_id: int, page: str) -> Mapping[str, str]:
    """Return a user's views of a page, query by name, by name."""
    query = select(saved_view.c.name, saved_view.c.query).where(_of(user_id, page)).order_by(saved_view.c.name)
    return {row.name: row.query for row in connection.execute(query)}


def count_others(tx: Tx, user_id: int, page: str, name: str) -> int:
    """Return how many views of a page a user has under other names; their row is locked until the commit."""
    tx.execute(select(user_account.c.id).where(user_account.c.id == user_id).with_for_update())
    others = select(func.count()).select_from(saved_view).where(_of(user_id, page), saved_view.c.name != name)
    return int(tx.execute(others).scalar_one())


def write_view(tx: Tx, user_id: int, page: str, name: str, query: str) -> None:
    """Keep a query under a name, instead of the one that was kept under it."""
    values: dict[str, Any] = {"query": query, "saved_at": tx.now}
    kept = update(saved_view).where(_of(user_id, page), saved_view.c.name == name).values(**values)
    if tx.execute(kept).rowcount == 0:
        insert_many(tx, saved_view, [{"user_id": user_id, "page": page, "name": name} | values])


def drop_view(tx: Tx, user_id: int, page: str, name: str) -> bool:
    """Forget a view; return whether there was one of that name."""
    return bool(tx.execute(delete(saved_view).where(_of(user_id, page), saved_view.c.name == name)).rowcount)


def _of(user_id: int, page: str) -> ColumnElement[bool]:
    return (saved_view.c.user_id == user_id) & (saved_view.c.page == page)
