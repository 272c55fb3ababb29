"""Routes as people and programs are shown them."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, func, select

from erpsync.core.messages import RoutePolicy
from erpsync.store.tables import event, route
from erpsync.store.views.values import Json, iso


def list_routes(connection: Connection, configured: Sequence[RoutePolicy]) -> list[Json]:
    """Return the configured routes in their order, each with how far it is; `behind` counts events of any kind.

    One that has no row yet, because no daemon has put it in force, is `new`.
    """
    newest = connection.execute(select(func.max(event.c.id))).scalar() or 0
    rows = {row.name: row for row in connection.execute(select(route).order_by(route.c.id))}
    return [_route(policy, rows.get(policy.id), newest) for policy in configured]


def _route(policy: RoutePolicy, row: Any, newest: int) -> Json:
    said = {
        "id": policy.id,
        "to": policy.to,
        "department": policy.department,
        "lang": policy.language,
        "event": list(policy.when.kinds),
    }
    if row is None:
        return said | {
            "state": "new",
            "cursor": None,
            "behind": None,
            "told_at": None,
            "failing_since_at": None,
            "run_at": None,
            "attempts": 0,
            "error": "",
        }
    return said | {
        "state": "failing" if row.failing_since_at else "active",
        "cursor": str(row.cursor),
        "behind": max(0, newest - row.cursor),
        "told_at": iso(row.told_at),
        "failing_since_at": iso(row.failing_since_at),
        "run_at": iso(row.run_at),
        "attempts": row.attempts + row.refusals,
        "error": row.error,
    }
