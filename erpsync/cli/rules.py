"""`rules` and `plan`: what rules.yaml says, of one order, of the newest ones, and what a reload would change."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from erpsync.cli.app import App
from erpsync.cli.errors import FAILED, OK
from erpsync.cli.explain import say_what_is_in_force
from erpsync.cli.orders import sayable
from erpsync.cli.tables import Column
from erpsync.languages import Language

if TYPE_CHECKING:
    from erpsync.settings import Config
    from erpsync.settings.rule_config import RulesConfig

Json = dict[str, Any]
BAR = 30
_WRITTEN = Column("written", "written in")
_LIST = (
    Column("id", "rule"),
    Column("about", "about", "word"),
    Column("does", "what comes of it", "free"),
    Column("holds", "holds", "number"),
    Column("wants", "wants of", "number"),
    _WRITTEN,
)
_TEST = (
    Column("id", "rule"),
    Column("outcome", "matches", "word"),
    Column("decided", "decided by", "free"),
    Column("come", "what comes of it", "free"),
    _WRITTEN,
)
_PARCEL = (
    Column("id", "rule"),
    Column("outcome", "matches", "word"),
    Column("decided", "decided by", "free"),
)
_COVERAGE = (
    Column("id", "rule"),
    Column("matched", "matched", "number"),
    Column("not", "not", "number"),
    Column("unknown", "unknown", "number"),
    Column("later", "later", "number"),
    Column("share", "share of orders", "free"),
)
_PLAN = (
    Column("id", "rule"),
    Column("begins", "begins to hold", "number"),
    Column("ends", "ends to hold", "number"),
    Column("begins_with", "first it begins with", "free"),
    Column("ends_with", "first it ends with", "free"),
)


def list_(app: App) -> int:
    """Print the rules in the order of their file, with what they do to open orders."""
    from erpsync.flows.audit.report import list_rules

    with app.looking_by_rules() as ctx:
        rules = list_rules(ctx)
        say_what_is_in_force(app, ctx.store)
    rows = rules if app.out.as_json else [rule | {"does": _does(rule["then"], app.out.speech)} for rule in rules]
    app.out.rows(rows, _LIST, empty=f"there are no rules: {app.config.rules.file} is not there or has none")
    return OK


def _does(then: Json, speech: Language) -> str:
    """Return the effects of a rule by the keys that it is written with; what is only said or not is its name."""
    said = [
        speech.word(name) if value is True else f"{speech.word(name)} {sayable(value, speech)}"
        for name, value in then.items()
    ]
    return "; ".join(said)


def test(app: App) -> int:
    """Print what each rule says of an order, and what comes of it; by another file also what would differ."""
    from erpsync.flows.warehouses.parcel_rules import try_with_parcels

    other = _other_rules(app, app.config) if app.args.rules else None
    with app.looking_by_rules(others=other is not None) as ctx:
        if other is None:
            said = try_with_parcels(ctx, app.args.order)
        else:
            book = other.book(app.config.timezone)
            said = try_with_parcels(ctx, app.args.order, replace(ctx, book=book, rule_lines=other.places))
        say_what_is_in_force(app, ctx.store)
    app.out.value(said, lambda: _print_test(app, said))
    return OK


def _other_rules(app: App, config: "Config") -> "RulesConfig":
    """Return the rules of the file that is named, checked as rules.yaml is; raises `ConfigError`."""
    from erpsync.settings.conditions import Known
    from erpsync.settings.rules import load_rules

    known = Known(
        channels={channel.id for channel in config.channels},
        connectors={channel.connector for channel in config.channels},
        warehouses={warehouse.id for warehouse in config.warehouses},
    )
    return load_rules(Path(app.args.rules), timezone=config.timezone, known=known).require()


def _print_test(app: App, said: Json) -> None:
    out, order, at, look_at = app.out, said["order"], said["at"], said["look_at"]
    if look_at is None:
        out.line(f"{order}  looked at {at}; time alone changes nothing")
    else:
        out.line(f"{order}  looked at {at}, again at {look_at}")
    if not said["judged"]:
        out.line("nothing of it has still to leave, so no rule is asked; this is what they would say")
    out.rows([_row(rule, out.speech) for rule in said["rules"]], _TEST, empty="there are no rules")
    for parcel in said["parcels"]:
        _print_parcel(app, parcel)
    if "differs" in said:
        out.heading("What would differ")
        _print_difference(app, said["differs"])


def _print_parcel(app: App, parcel: Json) -> None:
    """Print what the rules about parcels say of one."""
    from erpsync.flows.audit.said import clauses_in_words

    out, place = app.out, parcel["release"] or parcel["warehouse"]
    out.heading(f"The parcel of {place}" if parcel["release"] else f"A parcel that may leave {place}")
    rows = [rule | {"decided": clauses_in_words(rule["because"])} for rule in parcel["rules"]]
    out.rows(rows, _PARCEL)
    if parcel["held"] is not None:
        held = parcel["held"]
        out.line(f"it stays as long as this is so: {held}")
    elif parcel["carrier"]:
        carriers = ", ".join(parcel["carrier"])
        out.line(f"couriers that are wished for: {carriers}")


def _row(rule: Json, speech: Language) -> Json:
    from erpsync.flows.audit.said import clauses_in_words

    come = "; ".join(speech.say(text) for text in _come_of(rule))
    return rule | {"decided": clauses_in_words(rule["because"]), "come": come}


def _come_of(rule: Json) -> Iterator[str]:
    """Yield what comes of a rule for an order."""
    if hold := rule["hold"]:
        yield _held(hold)
    for mark in rule["marks"]:
        name, value = mark["name"], mark["value"]
        yield f"mark {name}: {value}" if value else f"mark {name}"
    if gift := rule["gift"]:
        yield _given(gift)
    for passed in rule["passed_over"]:
        effect, winner = passed["effect"], passed["won_by"]
        yield f"{effect} does not count, rule {winner} above has it too"


def _held(hold: Json) -> str:
    text, until = hold["text"], hold["until_at"]
    if hold["approved"]:
        return f"held no more, a person has approved it: {text}"
    if hold["void"]:
        return f"taken for no real order until a person decides: {text}"
    if hold["asks"]:
        return f"held until a person approves it: {text}"
    return f"held until {until}: {text}" if until else f"held as long as this is so: {text}"


def _given(gift: Json) -> str:
    sku, qty, state = gift["sku"], gift["qty"], gift["state"]
    match state:
        case "once":
            return f"no gift of {sku}: the buyer has one"
        case "most":
            return f"no gift of {sku}: as many as may be are given"
        case "replaced":
            return f"gift of another SKU in place of {sku}, of which there was none in stock"
        case "dropped":
            return f"no gift of {sku}: there was none in stock"
        case "unknown_sku":
            return f"no gift of {sku}: there is no such SKU"
    return f"gift of {qty} {sku}"


def _print_difference(app: App, differs: Json) -> None:
    for each in differs["begins"]:
        name, value = each["name"], each["value"]
        app.out.item(f"begins: {name}: {value}" if value else f"begins: {name}")
    for each in differs["ends"]:
        name, value = each["name"], each["value"]
        app.out.item(f"ends: {name}: {value}" if value else f"ends: {name}")
    if not differs["begins"] and not differs["ends"]:
        app.out.line("nothing")


def coverage(app: App) -> int:
    """Print what each rule does with the newest orders."""
    from erpsync.flows.audit.report import show_coverage
    from erpsync.flows.audit.trial import coverage as covered

    with app.looking_by_rules() as ctx:
        said = show_coverage(ctx, covered(ctx))
        say_what_is_in_force(app, ctx.store)
    app.out.value(said, lambda: _print_coverage(app, said))
    return OK


def _print_coverage(app: App, said: Json) -> None:
    out, orders, untouched = app.out, said["orders"], said["untouched"]
    if not said["rules"]:
        out.note("there are no rules about orders or parcels")
        return
    out.rows([rule | {"share": _bar(rule["matched"], orders)} for rule in said["rules"]], _COVERAGE)
    if orders == 1:
        out.line("no rule touches the only order" if untouched else "a rule touches the only order")
    else:
        out.line(f"of the newest {orders} orders no rule touches {untouched}")
    never = [rule["id"] for rule in said["rules"] if not rule["matched"] and not rule["later"]]
    if never and orders:
        out.line(f"matched none of them: {', '.join(never)}")


def plan(app: App) -> int:
    """Print by rule how many open orders rules on disk would hold otherwise; fails where a reload is refused for it."""
    from erpsync.flows.audit.report import show_change
    from erpsync.flows.audit.trial import holds_change

    rules = _other_rules(app, app.config) if app.args.rules else app.config.rules
    with app.looking_by_rules(others=bool(rules.rules)) as ctx:
        change = holds_change(ctx, rules.book(app.config.timezone))
    said = show_change(change, most=app.config.most_changed)
    app.out.value(said, lambda: _print_plan(app, said))
    return FAILED if said["refused"] else OK


def _print_plan(app: App, said: Json) -> None:
    opened, changed, most = said["open"], said["changed"], said["most_changed"]
    app.out.rows([rule | _named(rule) for rule in said["rules"]], _PLAN)
    if not changed:
        app.out.line(
            f"{opened} open orders stay as they are held" if opened != 1 else "1 open order stays as it is held"
        )
    elif changed == 1:
        app.out.line("the holds of 1 open order would change")
    else:
        app.out.line(f"the holds of {changed} open orders would change, of {opened}")
    if said["refused"]:
        app.out.line(f"a reload is refused: these are more than rules.most_changed, which is {most}")


def _named(rule: Json) -> Json:
    """Return the first orders of a rule in one line each, and whether there are more."""
    return {
        f"{key}_with": ", ".join(rule[f"{key}_with"]) + (", …" if rule[key] > len(rule[f"{key}_with"]) else "")
        for key in ("begins", "ends")
    }


def _bar(matched: int, orders: int) -> str:
    """Return a share as a bar and in per cent; what is there at all is never nothing."""
    if not matched:
        return ""
    length = max(1, round(BAR * matched / orders))
    return f"{'█' * length} {100 * matched / orders:.1f} %"
