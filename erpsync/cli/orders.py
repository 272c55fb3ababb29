"""`orders`: look at orders and decide on them."""

from collections.abc import Callable
from datetime import tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Any

from erpsync.cli.app import App
from erpsync.cli.errors import OK, UsageError, one_of
from erpsync.cli.instants import option
from erpsync.cli.tables import Column, local, money
from erpsync.languages import ENGLISH, Language
from erpsync.languages.vocabulary import OWN_WORDS

if TYPE_CHECKING:
    from erpsync.flows.audit.specify import Specs
    from erpsync.flows.context import Context
    from erpsync.flows.orders.recipient import Revealed
    from erpsync.store.views import OrderFilter

Json = dict[str, Any]


def list_orders(app: App) -> int:
    """Print orders, newest first."""
    from erpsync.store.views import iter_orders

    args, zone, wanted = app.args, app.config.timezone, _wanted(app)
    with app.reading() as connection:
        orders = iter_orders(connection, wanted, args.limit, args.after)
        app.out.rows(
            orders if app.out.as_json else (summary(order, app.out.speech) for order in orders),
            columns(zone),
            empty="no such order",
        )
    return OK


def export(app: App) -> int:
    """Write orders as a CSV file, newest first."""
    from erpsync.cli.exporting import manner_of, write_out
    from erpsync.flows.exports.orders import pages_of, written

    args, wanted = app.args, _wanted(app)
    with app.looking() as store:
        pages = pages_of(store, wanted, limit=args.limit, after=args.after)
        return write_out(app, written(pages, manner_of(app)), "orders", _told)


def _told(file: Path, number: int) -> str:
    return f"{file} holds 1 order" if number == 1 else f"{file} holds {number} orders"


def _wanted(app: App) -> "OrderFilter":
    """Return what the filters of a command ask for; raises `UsageError` for one that means nothing."""
    from erpsync.store.views import OrderFilter

    args, zone = app.args, app.config.timezone
    _check(args.status, args.hold_reason)
    return OrderFilter(
        channel=args.channel,
        status=args.status,
        sku=args.sku,
        since=option("--since", args.since, zone),
        until=option("--until", args.until, zone),
        hold_reason=args.hold_reason,
        warehouse=args.warehouse,
        rule=args.rule,
        tag=args.tag,
    )


def columns(zone: tzinfo) -> tuple[Column, ...]:
    """Return the columns of a table of orders whose rows are made by `summary`."""
    return (
        Column("number", "order"),
        Column("channel", "channel"),
        Column("external_id", "channel's id"),
        Column("status", "status", "status"),
        Column("hold_reason", "held for", "word"),
        Column("placed_at", "placed", "instant", zone),
        Column("total", "total", "number"),
        Column("items", "items", "free"),
    )


def _check(status: str | None, hold_reason: str | None) -> None:
    from erpsync.core.order_holds import ORDER_HOLDS
    from erpsync.store.views import STATUSES

    one_of("--status", status, STATUSES)
    one_of("--hold-reason", hold_reason, tuple(ORDER_HOLDS))


def summary(order: Json, speech: Language) -> Json:
    """Return an order with its total and its items in words."""
    items = ", ".join(f"{line['sku'] or line['channel_sku']}×{line['qty']}" for line in order["lines"])
    return order | {"total": money(order["total_minor"], order["currency"], speech), "items": items}


def show(app: App) -> int:
    """Print one order with its events; with --recipient also who bought and what they wrote, which leaves a trace."""
    from erpsync.flows.audit.report import show_ruled

    revealed = _revealed(app) if app.args.recipient else None
    specs = _specs(app) if app.args.spec else None
    with app.looking_by_rules() as ctx:
        order = show_ruled(ctx, app.args.order)
    if revealed is not None:
        order = revealed.shown_in(order)
    if specs is not None:
        order |= {"lines": [line | {"spec": specs.get(line["external_id"], {})} for line in order["lines"]]}
    app.out.value(order, lambda: _print(app, order))
    return OK


def _revealed(app: App) -> "Revealed":
    from erpsync.cli.build import vault_of
    from erpsync.flows.orders.recipient import reveal_recipient

    config = app.load(secrets=()).require()
    with app.ctx(vault_of(config)) as ctx:
        return reveal_recipient(ctx, app.args.order, actor=app.actor)


def _specs(app: App) -> "Specs":
    from erpsync.cli.build import vault_of
    from erpsync.flows.audit.specify import reveal_specs

    config = app.load(secrets=()).require()
    with app.ctx(vault_of(config)) as ctx:
        return reveal_specs(ctx, app.args.order, actor=app.actor)


def specify(app: App) -> int:
    """Say how a line is to be made, or take that back."""
    from erpsync.flows.audit.specify import specify as say
    from erpsync.flows.audit.specify import unspecify

    args = app.args
    if args.clear == bool(args.values):
        raise UsageError("name what it is to be as NAME=VALUE, or take it back with --clear")
    values = dict(_pair(text) for text in args.values)
    if args.clear:
        return decide(app, lambda ctx: unspecify(ctx, args.order, args.line, actor=app.actor))
    return decide(app, lambda ctx: say(ctx, args.order, args.line, values, actor=app.actor))


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise UsageError("each must be NAME=VALUE, for example text=Anna")
    return name, value


def hold(app: App) -> int:
    """Keep an order from leaving."""
    from erpsync.flows.orders.actions import hold_order

    return decide(app, lambda ctx: hold_order(ctx, app.args.order, reason=app.args.reason, actor=app.actor))


def release(app: App) -> int:
    """End an operator's hold."""
    from erpsync.flows.orders.actions import end_hold

    return decide(app, lambda ctx: end_hold(ctx, app.args.order, actor=app.actor))


def cancel(app: App) -> int:
    """Cancel what has not left."""
    from erpsync.flows.orders.actions import cancel_order

    return decide(app, lambda ctx: cancel_order(ctx, app.args.order, reason=app.args.reason, actor=app.actor))


def decide(app: App, decision: "Callable[[Context], object]") -> int:
    """Carry a decision out and print the order as it is then."""
    from erpsync.flows.audit.report import show_ruled

    with app.ctx() as ctx:
        decision(ctx)
        order = show_ruled(ctx, app.args.order)
    word = app.out.speech.word
    held = f" ({word(order['hold_reason'])})" if order["hold_reason"] else ""
    app.out.value(order, f"{order['number']} is {word(order['status'])}{held}")
    return OK


_LINES = (
    Column("external_id", "line"),
    Column("channel_sku", "channel's SKU"),
    Column("sku", "SKU"),
    Column("qty", "units", "number"),
    Column("cancelled_qty", "cancelled", "number"),
    Column("shipped_qty", "shipped", "number"),
    Column("price", "price", "number"),
    Column("held", "held in", "free"),
    Column("backordered_qty", "missing", "number"),
)
_SHIPMENTS = (
    Column("number", "shipment"),
    Column("carrier", "carrier"),
    Column("tracking", "tracking"),
    Column("state", "state", "status"),
    Column("inside", "lines", "free"),
    Column("at", "courier says", "free"),
)
_MARKS = (
    Column("name", "mark"),
    Column("value", "value", "free"),
    Column("who", "by"),
)
_RULES = (
    Column("id", "rule"),
    Column("outcome", "matches", "word"),
    Column("decided", "decided by", "free"),
)
_REFUNDS = (
    Column("external_id", "refund"),
    Column("state", "state", "status"),
    Column("amount", "amount", "number"),
    Column("inside", "lines", "free"),
    Column("reason", "reason", "free"),
)


def _print(app: App, order: Json) -> None:
    out, zone, currency = app.out, app.config.timezone, order["currency"]
    word = out.speech.word
    held = f"{out.speech.comma}{word(order['hold_reason'])}" if order["hold_reason"] else ""
    out.line(f"{order['number']}  {word(order['status'])}{held}  ({order['channel']} {order['external_id']})")
    instants = [f"{word(name[:-3])} {local(order[name], zone)}" for name in ("placed_at", "paid_at", "ready_at")]
    out.line("  ".join(instants))
    amounts = [name for name in order if name.endswith("_minor") and order[name] is not None]
    out.line("  ".join(f"{word(name[:-6])} {money(order[name], currency, out.speech)}" for name in amounts))
    if order["tags"]:
        out.line(f"{word('tags')} {', '.join(order['tags'])}")
    for name, value in ((order.get("recipient") or {}) | order.get("notes", {})).items():
        out.line(f"{word(name)}: {value}")
    if order.get("same_buyer"):
        out.line(f"same buyer: {', '.join(order['same_buyer'])}")
    for line in order["lines"]:
        for line_property in line.get("properties", ()):
            out.line(f"line {line['external_id']} {line_property['name']}: {line_property['value']}")
        for name, value in line.get("spec", {}).items():
            out.line(f"line {line['external_id']} is made with {name}: {value}")
    out.rows([_line(line, currency, out.speech) for line in order["lines"]], _LINES)
    if order["shipments"]:
        out.heading("Shipments")
        parcels = [
            parcel | {"inside": _inside(parcel), "at": _at(parcel["track"], zone, out.speech)}
            for parcel in order["shipments"]
        ]
        out.rows(parcels, _SHIPMENTS)
    if order["refunds"]:
        out.heading("Refunds")
        told = [
            e | {"inside": _inside(e), "amount": money(e["amount_minor"], currency, out.speech)}
            for e in order["refunds"]
        ]
        out.rows(told, _REFUNDS)
    _print_rules(app, order)
    if order["events"]:
        out.heading("Events")
        out.rows([entry | {"told": sayable(entry["detail"], out.speech)} for entry in order["events"]], _events(app))


def _print_rules(app: App, order: Json) -> None:
    """Print what is so of an order by rules or by hand, and which rules say so; those that say no are left out."""
    from erpsync.flows.audit.said import clauses_in_words

    marks = [mark | {"who": mark["rule"] or mark["actor"]} for mark in order["marks"]]
    said = [
        rule | {"decided": clauses_in_words(rule["because"])}
        for rule in order["rules"] or ()
        if rule["outcome"] in ("matched", "unknown")
    ]
    if marks:
        app.out.heading("Marks")
        app.out.rows(marks, _MARKS)
    if said:
        app.out.heading("Rules")
        app.out.rows(said, _RULES)
    if order["rules"] is None:
        app.out.note("the keys are not at hand, so what the rules say of it is not shown")
    if order["look_at"]:
        look_at = order["look_at"]
        app.out.line(f"looked at again at {look_at}")


def _events(app: App) -> tuple[Column, ...]:
    return (
        Column("at", "at", "instant", app.config.timezone),
        Column("kind", "what", "word"),
        Column("told", "why", "long"),
        Column("actor", "who"),
    )


def _line(line: Json, currency: str, speech: Language) -> Json:
    held = ", ".join(f"{hold['warehouse']} {hold['qty']}×{hold['sku']}" for hold in line["allocations"])
    return line | {"price": money(line["price_minor"], currency, speech), "held": held}


def _at(track: Json | None, zone: tzinfo, speech: Language) -> str:
    """Return where a parcel is, as its courier tells it."""
    if track is None:
        return ""
    return " ".join(filter(None, (speech.word(track["state"]), local(track["at"], zone), track["place"])))


def _inside(thing: Json) -> str:
    return ", ".join(f"{line['external_id']}×{line['qty']}" for line in thing["lines"])


def sayable(detail: Any, speech: Language = ENGLISH) -> str:
    """Return a JSON value as a short text: `name value, name value`, with names and our own words in a language."""
    if isinstance(detail, dict):
        told = {name: value for name, value in detail.items() if value not in (None, "", [], {})}
        return speech.comma.join(f"{speech.word(name)} {_said(name, value, speech)}" for name, value in told.items())
    if isinstance(detail, list):
        parts = [(sayable(value, speech), isinstance(value, dict)) for value in detail]
        return " ".join(f"[{text}]" if is_group else text for text, is_group in parts)
    return speech.say(str(detail))


def _said(name: str, value: Any, speech: Language) -> str:
    """Return a value by its name: codes in words where the name says that it is one of ours."""
    if name == "marks" and isinstance(value, dict):
        return " ".join(_marked(mark, *change) for mark, change in value.items())
    return speech.word(value) if name in OWN_WORDS and isinstance(value, str) else sayable(value, speech)


def _marked(mark: str, before: str | None, now: str | None) -> str:
    """Return what became of a mark: `+` where it is set, `-` where it is taken away."""
    sign, value = ("-", before) if now in (None, "off") else ("+", now)
    return f"{sign}{mark}={value}" if value else f"{sign}{mark}"
