"""`explain`: why a number or an order is as it is, step by step, and the story behind it."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from erpsync.cli.app import App
from erpsync.cli.errors import OK
from erpsync.cli.orders import sayable
from erpsync.cli.stock import COLUMNS as STOCK
from erpsync.cli.tables import Column
from erpsync.core.instants import local
from erpsync.languages import ENGLISH, Language

if TYPE_CHECKING:
    from erpsync.store.db.store import Store

Json = dict[str, Any]

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
    from erpsync.cli.build import stored_context, with_roles
    from erpsync.flows.explain.explain import explain as derive

    with app.store() as store:
        ctx = with_roles(stored_context(store, app.config), app.config, app.registry)
        answer = derive(ctx, app.args.name, app.config.written)
        say_what_is_in_force(app, store)
    app.out.value(answer, lambda: _order(app, answer) if "order" in answer else _sku(app, answer))
    return OK


def say_what_is_in_force(app: App, store: "Store") -> None:
    """Say so where the daemon works by another configuration than the files that this went by."""
    from erpsync.settings.kept import say_the_same
    from erpsync.store.nodes import configuration_in_force

    with store.read() as connection:
        in_force = configuration_in_force(connection, store.clock.now())
    if in_force is not None and not say_the_same(in_force[1], app.config.kept):
        since = local(in_force[0], app.config.timezone)
        app.out.note(
            f"the files on disk say otherwise than the configuration in force since {since}: this goes by the files"
        )


def _order(app: App, answer: Json) -> None:
    order = answer["order"]
    word = app.out.speech.word
    held = f": {word(order['hold_reason'])}" if order["hold_reason"] else ""
    app.out.line(f"{order['number']}  ({order['channel']} {order['external_id']}, {word(order['status'])}{held})")
    app.out.line(answer["summary"])
    if answer["steps"]:
        app.out.heading("Why")
        _steps(app, answer["steps"])
    _story(app, answer["story"])
    _next(app, answer["next"])


def _sku(app: App, answer: Json) -> None:
    app.out.line(answer["sku"])
    app.out.line(answer["summary"])
    for level in answer["levels"]:
        app.out.heading(f"{level['channel']}  {level['channel_sku']}  {level['item_ref']}".rstrip())
        if level["text"] != answer["summary"]:
            app.out.line(level["text"])
        _steps(app, level["steps"])
    app.out.heading("Stock")
    app.out.rows(answer["stock"], STOCK, empty="no stock row in any warehouse: what there is of it is unknown")
    parts = (
        ("Held for", "holds", _HOLDS),
        ("Waiting for it, first served first", "backorders", _BACKORDERS),
        ("Bundles", "bundles", _BUNDLES),
    )
    for head, key, columns in parts:
        if answer[key]:
            app.out.heading(head)
            app.out.rows(answer[key], columns)
            if key == "holds" and answer["more_holds"]:
                app.out.line(f"and {answer['more_holds']} more")
    _story(app, answer["story"])
    _next(app, answer["next"])


def _steps(app: App, steps: Sequence[Json]) -> None:
    for line in lines(steps, app.out.speech):
        app.out.line(line)


def lines(steps: Sequence[Json], speech: Language = ENGLISH, indent: int = 2) -> Iterator[str]:
    """Yield the steps of an explanation as indented lines, the amounts of each level under one another."""
    width = max((len(str(step["amount"])) for step in steps if step["amount"] is not None), default=0)
    for step in steps:
        amount = "" if step["amount"] is None else str(step["amount"])
        text = f"{amount:>{width}}  {_said(step, speech)}" if width else _said(step, speech)
        yield f"{'':{indent}}{text}"
        yield from lines(step["steps"], speech, indent + (width + 2 if width else 2))


def _said(step: Json, speech: Language) -> str:
    """Return a step's sentence with the orders it names, since when it is so, and where its setting stands."""
    text = speech.say(str(step["text"]))
    if step["orders"]:
        named = [
            f"{order['order']} ({order['units']})" if order["order"] else speech.say(f"other ({order['units']})")
            for order in step["orders"]
        ]
        more = [speech.say(f"{step['more_orders']} more")] if step["more_orders"] else []
        text = f"{text}: {', '.join([*named, *more])}"
    if step["since"] and step["since"][:19] not in text:
        text = speech.say(f"{text}  (since {step['since']})")
    if step["setting"]:
        place = step["setting"]
        text = f"{text}  [{place['file']}]" if place["line"] is None else f"{text}  [{place['file']}:{place['line']}]"
    return text


def _story(app: App, story: list[Json]) -> None:
    zone = app.config.timezone
    columns = (
        Column("at", "at", "instant", zone),
        Column("about", "about", "word"),
        Column("what", "what", "word"),
        Column("told", "why", "long"),
        Column("actor", "who"),
    )
    app.out.heading("Story")
    app.out.rows(
        [entry | {"told": sayable(entry["detail"], app.out.speech)} for entry in story],
        columns,
        empty="nothing happened yet",
    )


def _next(app: App, steps: list[str]) -> None:
    app.out.heading("What to do")
    for step in steps:
        app.out.item(step)
