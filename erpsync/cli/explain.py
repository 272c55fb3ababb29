"""`explain`: the story of an order or a SKU."""

from typing import Any

from erpsync.cli.app import App
from erpsync.cli.errors import OK
from erpsync.cli.orders import sayable
from erpsync.cli.stock import COLUMNS as STOCK
from erpsync.cli.tables import Column

Json = dict[str, Any]

_LISTINGS = (
    Column("channel", "channel"),
    Column("channel_sku", "channel's SKU"),
    Column("factor", "factor", "number"),
    Column("told_qty", "told", "number"),
    Column("told_sure", "sure"),
    Column("shown_qty", "shown", "number"),
    Column("refused", "refused", "long"),
)
_HOLDS = (
    Column("order", "order"),
    Column("channel", "channel"),
    Column("warehouse", "warehouse"),
    Column("qty", "units", "number"),
    Column("released", "released"),
)
_BACKORDERS = (
    Column("order", "order"),
    Column("channel", "channel"),
    Column("qty", "units", "number"),
    Column("waits", "served next"),
)
_BUNDLES = (Column("bundle", "bundle"), Column("sku", "SKU"), Column("qty", "units", "number"))


def explain(app: App) -> int:
    """Print what is so, why, what led to it, and what to do."""
    from erpsync.store.views import explain as story

    with app.reading() as connection:
        found = story(connection, app.args.name, off={each.id for each in app.config.channels if not each.enabled})
    app.out.value(found, lambda: _order(app, found) if "order" in found else _sku(app, found))
    return OK


def _order(app: App, found: Json) -> None:
    order = found["order"]
    app.out.line(f"{order['number']}  ({order['channel']} {order['external_id']})")
    for sentence in found["why"]:
        app.out.line(f"- {sentence}")
    _story(app, found["story"])
    _next(app, found["next"])


def _sku(app: App, found: Json) -> None:
    app.out.line(found["sku"])
    app.out.rows(found["stock"], STOCK, empty="no stock row in any warehouse: what there is of it is unknown")
    parts = (
        ("Listings", "listings", _LISTINGS),
        ("Held for", "holds", _HOLDS),
        ("Waiting for it, first served first", "backorders", _BACKORDERS),
        ("Bundles", "bundles", _BUNDLES),
    )
    for head, key, columns in parts:
        if found[key]:
            app.out.heading(head)
            app.out.rows(found[key], columns)
    _story(app, found["story"])
    _next(app, found["next"])


def _story(app: App, story: list[Json]) -> None:
    zone = app.config.timezone
    columns = (
        Column("at", "at", "instant", zone),
        Column("about", "about"),
        Column("what", "what"),
        Column("told", "why", "long"),
        Column("actor", "who"),
    )
    app.out.heading("Story")
    app.out.rows([each | {"told": sayable(each["detail"])} for each in story], columns, empty="nothing happened yet")


def _next(app: App, steps: list[str]) -> None:
    app.out.heading("What to do")
    for step in steps:
        app.out.line(f"- {step}")
