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
            certificate = proof.prove(connection, ctx, channels=asked, since=since, until=until, at=store.clock.now())
            if app.args.windows:
                certificate["windows"] = proof.windows(connection, asked, since=since, until=until)
    app.out.value(certificate, lambda: _show(app, certificate))
    return OK if certificate["ok"] else FAILED


def _asked(app: App, ctx: "Context") -> list["Channel"]:
    from erpsync.flows.reconcile.certificate import with_a_past

    candidates = with_a_past(ctx)
    name = app.args.channel
    if name is None:
        return candidates
    chosen = [channel for channel in candidates if channel.name == name]
    if not chosen:
        names = ", ".join(channel.name for channel in candidates) or "none"
        raise UsageError(f"channel {name} is not enabled, or the daemon has not taken it up yet; there are {names}")
    return chosen


def _show(app: App, certificate: Json) -> None:
    zone = app.config.timezone
    columns = (
        Column("channel", "channel"),
        Column("state", "state", "word"),
        Column("from", "from", "instant", zone),
        Column("to", "to", "instant", zone),
        Column("sealed_of", "sealed", "number"),
        Column("orders", "orders", "number"),
        Column("found_late", "found late", "number"),
        Column("last_scan_at", "last scan", "instant", zone),
        Column("hash", "hash"),
    )
    rows = [channel | {"sealed_of": f"{channel['sealed']}/{channel['windows']}"} for channel in certificate["channels"]]
    app.out.rows(rows, columns, empty="no channel yet")
    for channel in certificate["channels"]:
        for window in channel["unsealed"]:
            span = f"{local(window['from'], zone)} to {local(window['to'], zone)}"
            app.out.line(f"{channel['channel']}: {span} is not sealed: {window['why']}")
        if channel["late"]:
            app.out.line(f"{channel['channel']}: found late: {', '.join(channel['late'])}")
    for window in certificate.get("windows", ()):
        span = f"{local(window['from'], zone)} to {local(window['to'], zone)}"
        held, hash, scanned_at = window["orders"], window["hash"], local(window["last_scan_at"], zone)
        figures = f"{held} orders  {hash}  scanned {scanned_at}"
        if held == 1:
            figures = f"1 order  {hash}  scanned {scanned_at}"
        app.out.line(f"{window['channel']}  {span}  {window['state']}  {figures}")
