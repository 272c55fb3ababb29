"""`orders create` and `orders edit`: orders that no channel knows, from files of JSON."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from erpsync.cli.app import App
from erpsync.cli.errors import FAILED, OK, CommandError

if TYPE_CHECKING:
    from erpsync.flows.context import Context
    from erpsync.flows.own_orders.create import Created

MOST_BYTES = 20_000_000


def create(app: App) -> int:
    """Make the orders of a file; exit code 1 when one was refused, which is named by its place. The others are made."""
    from erpsync.cli.build import vault_of

    config = app.load(secrets=()).require()
    said = _document(app.args.file)
    documents = said if isinstance(said, list) else [said]
    made: list[Created] = []
    refused: list[dict[str, str]] = []
    with app.ctx(vault_of(config)) as ctx:
        for place, document in enumerate(documents):
            at = f"{_shown(app.args.file)}[{place}]" if isinstance(said, list) else _shown(app.args.file)
            for outcome in _create(app, ctx, document):
                if isinstance(outcome, str):
                    app.out.refuse(f"{at}: {outcome}")
                    refused.append({"source": at, "problem": outcome})
                else:
                    made.append(outcome)
    orders = [{"number": order.number, "repeated": order.repeated} for order in made]
    app.out.value({"orders": orders, "refused": refused}, lambda: _print(app, made))
    return FAILED if refused else OK


def _create(app: App, ctx: "Context", document: Any) -> "Iterator[Created | str]":
    """Yield the order that was made, or what is wrong with it."""
    from erpsync.flows.errors import Refused
    from erpsync.flows.own_orders.create import create_order
    from erpsync.flows.own_orders.form import OwnOrder

    try:
        yield create_order(ctx, OwnOrder.read(document), actor=app.actor)
    except Refused as error:
        yield str(error)


def _print(app: App, made: "list[Created]") -> None:
    for order in made:
        if order.repeated:
            app.out.line(f"order {order.number} was made before; to order the same once more, give it a key of its own")
        else:
            app.out.line(f"order {order.number} is made")


def edit(app: App) -> int:
    """Give an own order another recipient."""
    from erpsync.cli.build import vault_of
    from erpsync.flows.own_orders.form import read_recipient
    from erpsync.flows.own_orders.recipient import edit_recipient
    from erpsync.store.views import show_order

    config = app.load(secrets=()).require()
    recipient = read_recipient(_document(app.args.recipient))
    with app.ctx(vault_of(config)) as ctx:
        edit_recipient(ctx, app.args.order, recipient, actor=app.actor)
        with ctx.store.read() as connection:
            order = show_order(connection, app.args.order)
    app.out.value(order, f"order {order['number']} goes to its new recipient")
    return OK


def _shown(file: str) -> str:
    return "standard input" if file == "-" else file


def _document(file: str) -> Any:
    """Return what a file of JSON holds; raises `CommandError` naming the place where it is none."""
    from erpsync.sdk.text import read_json

    if file == "-":
        body = sys.stdin.buffer.read(MOST_BYTES + 1)
    else:
        with Path(file).open("rb") as stream:
            body = stream.read(MOST_BYTES + 1)
    if len(body) > MOST_BYTES:
        raise CommandError(f"{_shown(file)} has more than {MOST_BYTES} bytes; make several of it")
    try:
        return read_json(body.removeprefix(b"\xef\xbb\xbf"))
    except (ValueError, RecursionError) as error:
        line = getattr(error, "lineno", None)
        at = _shown(file) if line is None else f"{_shown(file)}:{line}"
        raise CommandError(f"{at}: this is no JSON") from None
