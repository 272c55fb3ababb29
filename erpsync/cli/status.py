"""`status`: how every channel stands."""

import os
from typing import TYPE_CHECKING, Any

from erpsync.cli.app import App
from erpsync.cli.errors import FAILED, OK
from erpsync.cli.tables import Column

if TYPE_CHECKING:
    from erpsync.settings import Config
    from erpsync.store.store import Store

Json = dict[str, Any]
WAIT_S = 1.0
"""So long the database is waited for; that it cannot be had is to be said within three seconds of the call."""

COLUMNS = (
    Column("name", "channel"),
    Column("state", "state"),
    Column("fresh", "read", "number"),
    Column("lag", "lag", "number"),
    Column("due", "to send", "number"),
    Column("oldest", "oldest", "number"),
    Column("unknown_outcomes", "unknown", "number"),
    Column("dead_letters", "dead", "number"),
    Column("tasks", "tasks", "number"),
    Column("unknown_stock", "unknown stock", "number"),
    Column("token", "token", "number"),
    Column("orders_24h", "orders 24h", "number"),
)


def status(app: App) -> int:
    """Print figures per channel and what is beyond its limit; exit code 1 when anything is."""
    from erpsync.cli.build import stored_house, with_roles
    from erpsync.settings.folders import folders
    from erpsync.store import figures
    from erpsync.store.storage import SILENT, Storage, measure
    from erpsync.web.probe import Probe

    with app.store(wait_s=WAIT_S) as store:
        house = with_roles(stored_house(store, app.config), app.config, app.registry)
        room = Probe(lambda: measure(folders(app.config)), silent=SILENT, answer_s=WAIT_S)
        room.asked()  # beside the trial write
        storage = Storage(problem=_write_problem(store), disks=room.answer())
        with store.read() as connection:
            found = figures.status(connection, house, app.config.status, store.clock.now(), storage)
    _add_unstarted(found, app.config)
    app.out.value(found, lambda: _show(app, found))
    return OK if found["ok"] else FAILED


def _write_problem(store: "Store") -> str:
    """Return what keeps the database from being written to; nothing while that is only the daemon, at work.

    Nothing either where this user may only look: that says nothing of the daemon's.
    """
    from erpsync.flows.probe import write_problem
    from erpsync.runtime.lock import daemon_of
    from erpsync.store.engine import sqlite_path
    from erpsync.store.trouble import lock_holder

    file = sqlite_path(store.engine)
    if file is not None and not os.access(file, os.W_OK):
        return ""
    problem = write_problem(store)
    holder = lock_holder(file) if problem and file is not None else None
    return "" if holder is not None and file is not None and holder[0] == daemon_of(file) else problem


def _add_unstarted(found: Json, config: "Config") -> None:
    """Complain of enabled channels that no daemon has taken up yet: they have no row and so no figures."""
    known = {channel["name"] for channel in found["channels"]}
    for channel in config.channels:
        if channel.enabled and channel.id not in known:
            text = f"{channel.id}: is configured, and the daemon has not taken it up yet"
            found["problems"].append({"channel": channel.id, "check": "freshness", "text": text})
            found["ok"] = False


def _show(app: App, found: Json) -> None:
    from erpsync.store.storage import room

    app.out.rows([_row(channel) for channel in found["channels"]], COLUMNS, empty="no channel yet")
    limit = app.config.status.disk_free_mb or 0
    for disk in found["storage"]["disks"]:
        if disk["free_mb"] is not None and disk["free_mb"] >= limit:
            app.out.line(f"{room(disk['free_mb'])} free in {disk['folder']}, for {', '.join(disk['serves'])}")
    for problem in found["problems"]:
        app.out.line(problem["text"])
    if found["ok"] and found["channels"]:
        app.out.line("all within limits")


def _row(channel: Json) -> Json:
    days = channel["token_days"]
    return channel | {
        "fresh": duration(channel["freshness_s"]),
        "lag": duration(channel["cursor_lag_s"]),
        "due": channel["queue"]["due"],
        "oldest": duration(channel["queue"]["oldest_due_s"]),
        "token": None if days is None else f"{days:g} d",
    }


def duration(seconds: float | None) -> str | None:
    """Return a length of time as people say it, in its largest unit."""
    if seconds is None:
        return None
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s"
