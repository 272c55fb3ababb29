"""`orders find`: orders by what people have in hand.

Why a phone number may also come by standard input: what stands in a command line is seen by everybody on the machine
while it runs, and stays in the shell's history.
"""

from typing import Any

from erpsync.cli.app import App
from erpsync.cli.errors import OK, UsageError, first_line
from erpsync.cli.orders import columns, summary
from erpsync.cli.tables import Column

Json = dict[str, Any]


def find(app: App) -> int:
    """Print the orders that a text fits, or those of a phone number."""
    from erpsync.core.phones import spellings

    text, limit = app.args.text, app.args.limit
    if (text is None) == (not app.args.phone):
        raise UsageError("orders find needs either TEXT or --phone")
    if app.args.phone:
        orders = _by_phone(app, _asked(app), limit)
        matched = {order["number"]: "phone" for order in orders}
    else:
        orders, matched = _by_text(app, text, limit, phone=bool(spellings(text)))
    shown = (
        orders
        if app.out.as_json
        else [summary(order, app.out.speech) | {"matched": matched[order["number"]]} for order in orders]
    )
    app.out.rows(shown, (*columns(app.config.timezone), Column("matched", "found by", "word")), empty="no such order")
    return OK


def _by_text(app: App, text: str, limit: int, *, phone: bool) -> tuple[list[Json], dict[str, str]]:
    from erpsync.store.views.find import search_orders

    try:
        with app.reading() as connection:
            result = search_orders(connection, text, limit)
    except ValueError as error:
        raise UsageError(str(error)) from None
    for note in result.notes:
        app.out.note(note)
    called = _also_by_phone(app, text, limit) if phone else []
    matched = result.matched | {order["number"]: "phone" for order in called}
    others = [order for order in result.orders if matched[order["number"]] != "phone"]
    return [*called, *others][:limit], matched


def _also_by_phone(app: App, text: str, limit: int) -> list[Json]:
    """Return what a text finds that may be a phone number; who may not read the keys still gets what else it finds."""
    from erpsync.settings import ConfigError
    from erpsync.store.db.privacy import PrivacyError

    try:
        orders = _by_phone(app, text, limit)
    except (ConfigError, PrivacyError, LookupError) as error:
        app.out.refuse(f"not looked for by phone: {first_line(error)}")
        return []
    if orders:
        app.out.note("a phone number in a command line stays in the shell's history; orders find --phone asks for it")
    return orders


def _by_phone(app: App, phone: str, limit: int) -> list[Json]:
    from erpsync.cli.build import vault_of
    from erpsync.flows.orders.find_by_phone import find_by_phone

    config = app.load(secrets=()).require()
    with app.ctx(vault_of(config)) as ctx:
        return find_by_phone(ctx, phone, actor=app.actor, limit=limit)


def _asked(app: App) -> str:
    """Return the number that is typed or piped in."""
    if app.stdin.isatty():
        app.out.ask("phone number")
    return app.stdin.readline().strip()
