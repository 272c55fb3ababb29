"""`status`: how every channel stands."""

import os
from typing import TYPE_CHECKING, Any

from erpsync.cli.app import App
from erpsync.cli.errors import FAILED, OK
from erpsync.cli.tables import Column

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from erpsync.settings import Config
    from erpsync.store.db.store import Store
    from erpsync.store.nodes import Node

Json = dict[str, Any]
WAIT_S = 0.5
"""So long the database is waited for; that it cannot be had is to be said within three seconds of the call."""

COLUMNS = (
    Column("name", "channel"),
    Column("state", "state", "word"),
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
    Column("took", "order/stock/webhook took", "text"),
)


def status(app: App) -> int:
    """Print figures per channel and what is beyond its limit; exit code 1 when anything is."""
    from erpsync.cli.build import stored_context, with_roles
    from erpsync.runtime.lock import holder
    from erpsync.settings.folders import folders
    from erpsync.store.status.counts import gather
    from erpsync.store.status.figures import judge
    from erpsync.store.status.storage import SILENT, Storage, measure
    from erpsync.web.probe import Probe

    with app.store(wait_s=WAIT_S) as store:
        process = None if (file := app.config.sqlite_file) is None else holder(file)
        ctx = with_roles(stored_context(store, app.config), app.config, app.registry)
        room = Probe(lambda: measure(folders(app.config)), silent=SILENT, answer_s=4 * WAIT_S)
        room.asked()  # beside the trial write
        storage = Storage(problem=_write_problem(store), disks=room.answer())
        with store.read() as connection:
            counted = gather(connection, ctx, store.clock.now())
    figures = judge(counted, ctx, app.config.status, storage)
    absent = absence(counted.nodes, counted.at, alone=file is not None, process=process)
    if absent:  # then nothing is in force any more
        figures["problems"] = [problem for problem in figures["problems"] if problem["check"] != "reload"]
    _complain(figures, "config", _bad_files(app, figures))
    _complain(figures, "daemon", "" if app.args.no_daemon else absent)
    _add_unstarted(figures, app.config)
    figures["not_read"] = {
        channel.id: told
        for channel in app.config.channels
        if channel.enabled and (told := channel.settings.unread_files())
    }
    app.out.value(figures, lambda: _show(app, figures))
    return OK if figures["ok"] else FAILED


def _write_problem(store: "Store") -> str:
    """Return what keeps the database from being written to; nothing while that is only the daemon, at work.

    Nothing either where this user may only look: that says nothing of the daemon's.
    """
    from erpsync.flows.operations.write_probe import write_problem
    from erpsync.runtime.lock import holder
    from erpsync.store.db.engine import sqlite_path
    from erpsync.store.db.trouble import lock_holder

    file = sqlite_path(store.engine)
    if file is not None and not os.access(file, os.W_OK):
        return ""
    problem = write_problem(store)
    busy = lock_holder(file) if problem and file is not None else None
    return "" if busy is not None and file is not None and str(busy[0]) == holder(file) else problem


def absence(nodes: "Sequence[Node]", now: "datetime", *, alone: bool, process: str | None) -> str:
    """Return what to say when no daemon runs, nothing when one does.

    Args:
        alone: whether one daemon at most can run, which holds the lock of its SQLite file: then that decides.
        process: who holds that lock.
    """
    from erpsync.core.instants import stamp
    from erpsync.store.nodes import ALIVE

    last = nodes[0] if nodes else None
    lives = any(node.lives(now) for node in nodes)
    if alone:  # a heartbeat dated ahead of the clock is as good as any while its process holds the lock
        lives = last is not None and f":{process}:" in last.id and not last.left_at and now - last.since(now) <= ALIVE
    if lives:
        return ""
    since = "" if last is None else f" since {stamp(last.since(now))}"
    if process is not None:
        return (
            f"process {process} holds the database, but no daemon serves{since}: it begins or hangs, or is `run --once`"
        )
    if last is None:
        return "no daemon has run yet: start it, or ask with --no-daemon where only `run --once` is used"
    if last.heartbeat_at > now + ALIVE:
        return f"no daemon runs: the last sign of life is dated {stamp(last.heartbeat_at)}, ahead of the clock"
    return f"no daemon runs{since}: {'it was stopped' if last.left_at else 'it did not end in order'}"


def _bad_files(app: App, figures: Json) -> str:
    """Return what is wrong with the files on disk, nothing where a refused reload says the same."""
    if not app.bad_files or any(app.bad_files in problem["text"] for problem in figures["problems"]):
        return ""
    return f"the configuration on disk is bad: {app.bad_files}"


def _complain(figures: Json, check: str, text: str) -> None:
    """Add what is wrong as a whole, if anything."""
    if text:
        figures["problems"].insert(0, {"channel": None, "check": check, "text": text})
    figures["ok"] = not figures["problems"]


def _add_unstarted(figures: Json, config: "Config") -> None:
    """Complain of enabled channels that no daemon has taken up yet: they have no row and so no figures."""
    started = {channel["name"] for channel in figures["channels"]}
    for channel in config.channels:
        if channel.enabled and channel.id not in started:
            text = f"{channel.id}: is configured, and the daemon has not taken it up yet"
            figures["problems"].append({"channel": channel.id, "check": "freshness", "text": text})
            figures["ok"] = False


def _show(app: App, figures: Json) -> None:
    from erpsync.store.status.storage import room

    app.out.rows([_row(channel) for channel in figures["channels"]], COLUMNS, empty="no channel yet")
    limit = app.config.status.disk_free_mb or 0
    for disk in figures["storage"]["disks"]:
        if disk["free_mb"] is not None and disk["free_mb"] >= limit:
            app.out.line(f"{room(disk['free_mb'])} free in {disk['folder']}, for {', '.join(disk['serves'])}")
    for channel in figures["channels"]:
        for type, count in channel["unknown_messages"].items():
            app.out.line(f"{channel['name']}: {count} of a type not known here: {type}")
    for channel in figures["channels"]:
        if channel["silence"] is not None and channel["silence"]["level"] == "warn":
            app.out.line(f"{channel['name']}: {channel['silence']['text']}")
    for name, told in figures["not_read"].items():
        app.out.line(f"{name}: {told}")
    for problem in figures["problems"]:
        app.out.line(problem["text"])
    if figures["ok"] and figures["channels"]:
        app.out.line("all within limits")


def _row(channel: Json) -> Json:
    days = channel["token_days"]
    return channel | {
        "fresh": duration(channel["freshness_s"]),
        "lag": duration(channel["cursor_lag_s"]),
        "due": channel["queue"]["due"],
        "oldest": duration(channel["queue"]["oldest_due_s"]),
        "token": None if days is None else f"{days:g} d",
        "took": took(channel["latencies"]),
    }


def took(latencies: Json) -> str | None:
    """Return what 95 of 100 orders, numbers and webhooks took at most, lately; a dash where there were none."""
    from erpsync.store.status.latencies import said

    texts = [said(latencies[what].get("0.95")) or "-" for what in ("order", "stock", "webhook")]
    return None if set(texts) == {"-"} else " / ".join(texts)


def duration(seconds: float | None) -> str | None:
    """Return a length of time as people say it, in its largest unit."""
    if seconds is None:
        return None
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s"
