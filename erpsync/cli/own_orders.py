"""`orders create` and `orders edit`: orders that no channel knows, from files of JSON."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from erpsync.cli.app import App
from erpsync.cli.errors import FAILED, OK, CommandError

if TYPE_CHECKING:
    from erpsync.flows.own_orders.create import Created

MOST_BYTES = 20_000_000


def create(app: App) -> int:
    """Make the orders of a file; exit code 1 when one was refused, which is named by its place. The others are made."""
    from erpsync.cli.build import vault_of
    from erpsync.flows.errors import Refused
    from erpsync.flows.own_orders.create import create_order
    from erpsync.flows.own_orders.form import OwnOrder

    config = app.load(secrets=()).require()
    documents = list(_places(app.args.file))
    made: list[Created] = []
    refused: list[dict[str, str]] = []
    with app.ctx(vault_of(config)) as ctx:
        for at, document in documents:
            try:
                made.append(create_order(ctx, OwnOrder.read(document), actor=app.actor))
            except Refused as error:
                app.out.refuse(f"{at}: {error}")
                refused.append({"source": at, "problem": str(error)})
    orders = [{"number": order.number, "repeated": order.repeated} for order in made]
    app.out.value({"orders": orders, "refused": refused}, lambda: _print(app, made))
    return FAILED if refused else OK


def _places(file: str) -> Iterator[tuple[str, object]]:
    """Yield what a file holds, each with the place at which it stands there."""
    said, shown = _document(file), _shown(file)
    if isinstance(said, list):
        yield from ((f"{shown}[{place}]", document) for place, document in enumerate(said))
    else:
        yield shown, said


def _print(app: App, made: "list[Created]") -> None:
    for order in made:
        if order.repeated:
            app.out.line(f"order {order.number} was made before; to order the same once more, give it a key of its own")
        else:
            app.out.line(f"order {order.number} is made")


def edit(app: App) -> int:
    """Give an own order another recipient."""
    from erpsync.cli.build import vault_of
    from erpsync.flows.audit.report import show_ruled
    from erpsync.flows.own_orders.form import read_recipient
    from erpsync.flows.own_orders.recipient import edit_recipient

    config = app.load(secrets=()).require()
    recipient = read_recipient(_document(app.args.recipient))
    with app.ctx(vault_of(config)) as ctx:
        edit_recipient(ctx, app.args.order, recipient, actor=app.actor)
        order = show_ruled(ctx, app.args.order)
    app.out.value(order, f"order {order['number']} goes to its new recipient")
    return OK


def _shown(file: str) -> str:
    return "standard input" if file == "-" else file


def _document(file: str) -> object:
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
