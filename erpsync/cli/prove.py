"""`prove`: the certificate that the channels' past was read whole."""

from typing import TYPE_CHECKING, Any

from erpsync.cli.app import App
from erpsync.cli.errors import FAILED, OK, UsageError
from erpsync.cli.instants import option
from erpsync.cli.tables import Column, local

if TYPE_CHECKING:
    from erpsync.flows.context import Channel, Context

Json = dict[str, Any]


def prove(app: App) -> int:
    """Print the certificate; exit code 1 when a window that was asked for is not sealed."""
    from erpsync.cli.build import stored_context, with_roles
    from erpsync.flows.reconcile import certificate as proof

    zone = app.config.timezone
    since, until = option("--from", app.args.since, zone), option("--to", app.args.until, zone)
    with app.store() as store:
        ctx = with_roles(stored_context(store, app.config), app.config, app.registry)
        asked = _asked(app, ctx)
        with store.read() as connection:
            found = proof.prove(connection, ctx, channels=asked, since=since, until=until, at=store.clock.now())
            if app.args.windows:
                found["windows"] = proof.windows(connection, asked, since=since, until=until)
    app.out.value(found, lambda: _show(app, found))
    return OK if found["ok"] else FAILED


def _asked(app: App, ctx: "Context") -> list["Channel"]:
    enabled = sorted((each for each in ctx.channels.values() if each.enabled), key=lambda each: each.name)
    name = app.args.channel
    if name is None:
        return enabled
    chosen = [each for each in enabled if each.name == name]
    if not chosen:
        known = ", ".join(each.name for each in enabled) or "none"
        raise UsageError(f"channel {name} is not enabled, or the daemon has not taken it up yet; there are {known}")
    return chosen


def _show(app: App, found: Json) -> None:
    zone = app.config.timezone
    columns = (
        Column("channel", "channel"),
        Column("state", "state"),
        Column("from", "from", "instant", zone),
        Column("to", "to", "instant", zone),
        Column("sealed_of", "sealed", "number"),
        Column("orders", "orders", "number"),
        Column("found_late", "found late", "number"),
        Column("last_scan_at", "last scan", "instant", zone),
        Column("hash", "hash"),
    )
    rows = [each | {"sealed_of": f"{each['sealed']}/{each['windows']}"} for each in found["channels"]]
    app.out.rows(rows, columns, empty="no channel yet")
    for each in found["channels"]:
        for window in each["unsealed"]:
            span = f"{local(window['from'], zone)} to {local(window['to'], zone)}"
            app.out.line(f"{each['channel']}: {span} is not sealed: {window['why']}")
        if each["late"]:
            app.out.line(f"{each['channel']}: found late: {', '.join(each['late'])}")
    for window in found.get("windows", ()):
        span = f"{local(window['from'], zone)} to {local(window['to'], zone)}"
        figures = f"{window['orders']} orders  {window['hash']}  scanned {local(window['last_scan_at'], zone)}"
        app.out.line(f"{window['channel']}  {span}  {window['state']}  {figures}")
