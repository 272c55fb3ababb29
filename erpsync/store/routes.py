"""The rows of routes: made for a new one, ended with one that is configured no more."""

from collections.abc import Collection

from sqlalchemy import Connection, delete, select

from erpsync.store.db.store import Tx
from erpsync.store.tables import route
from erpsync.store.tasks import close_tasks

BROKEN = "route_broken"
"""The kind of task that asks to mend a route; its key is the route's name."""


def route_names(connection: Connection) -> set[str]:
    """Return the names of all routes that have a row."""
    return set(connection.execute(select(route.c.name)).scalars())


def sync_routes(tx: Tx, configured: Collection[str], *, newest: int) -> None:
    """Make the rows of routes equal to the configured names.

    A new one begins behind the event `newest`. One that is configured no more ends with its row, so that one of that
    name that comes later begins anew: nobody wants to be told at once what happened while nobody wanted to know.
    """
    stored = {row.name for row in tx.all(select(route.c.name).order_by(route.c.name).with_for_update())}
    gone = sorted(stored - set(configured))
    if gone:
        close_tasks(tx, BROKEN, gone, by="erpsync")
        tx.execute(delete(route).where(route.c.name.in_(gone)))
    for name in sorted(set(configured) - stored):
        row = tx.insert(route).values(name=name, cursor=newest, created_at=tx.now, run_at=tx.now)
        tx.execute(row.on_conflict_do_nothing(index_elements=["name"]))
