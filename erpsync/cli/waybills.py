"""`waybills`: couriers' numbers for parcels, bought in advance and booked."""

from erpsync.cli.app import App
from erpsync.cli.csv_rows import MOST_UNITS, BadRow, Row, Rows
from erpsync.cli.errors import OK
from erpsync.cli.imports import take
from erpsync.cli.tables import Column, money
from erpsync.sdk.money import decimals
from erpsync.sdk.sheets import amount_of

CURRENCY = "CNY"
"""Of the costs in files."""


def list_(app: App) -> int:
    """Print waybills, newest first."""
    from erpsync.store.views.waybills import list_waybills

    args, zone = app.args, app.config.timezone
    columns = (
        Column("number", "number"),
        Column("account", "account"),
        Column("carrier", "courier"),
        Column("state", "state", "word"),
        Column("release", "release"),
        Column("parcel", "parcel", "number"),
        Column("cost", "cost", "number"),
        Column("made_at", "since", "instant", zone),
        Column("reason", "reason", "long"),
    )
    with app.reading() as connection:
        rows = list_waybills(
            connection, account=args.account, state=args.state, release_number=args.release, limit=args.limit
        )
    if app.args.json:
        app.out.rows(rows, columns)
        return OK
    app.out.rows([row | {"cost": _cost(app, row)} for row in rows], columns, empty="no such waybill")
    return OK


def _cost(app: App, row: dict[str, object]) -> str | None:
    minor = row["cost_minor"]
    return None if not isinstance(minor, int) else money(minor, str(row["currency"]) or CURRENCY, app.out.speech)


def import_(app: App) -> int:
    """Take in numbers that were bought in advance."""
    from erpsync.flows.couriers.numbers import NumberRow, account_named, import_numbers

    def make(row: Row) -> NumberRow:
        return NumberRow(
            carrier=row.text("carrier").upper(),
            number=row.text("number"),
            service=row.cells.get("service", ""),
            cost_minor=_minor(row),
            source=row.source,
        )

    rows = Rows(
        ("carrier", "number"), ("service", "cost"), make, lambda spare: spare.number, exact=("number", "service")
    )
    with app.acting() as ctx:
        account = account_named(ctx, app.args.account)
        return take(
            app, rows, lambda it, progress: import_numbers(ctx, account, it, actor=app.actor, progress=progress)
        )


def _minor(row: Row) -> int | None:
    text = row.cells.get("cost", "")
    if not text:
        return None
    amount = amount_of(text)
    minor = None if amount is None else amount.scaleb(decimals(CURRENCY))
    if minor is None or minor != minor.to_integral_value() or not 0 <= minor < MOST_UNITS:
        raise BadRow(f"cost must be an amount like 12.50, is {text}")
    return int(minor)


def book(app: App) -> int:
    """Let a release get a number, or say which it has."""
    from erpsync.flows.couriers import acts

    args = app.args
    with app.acting() as ctx:
        if args.number:
            key = acts.set_number(ctx, args.release, args.number, actor=app.actor)
            said = f"release {args.release} has waybill {args.number}"
        else:
            key = acts.book(ctx, args.release, actor=app.actor)
            said = f"release {args.release} is to be booked under key {key}"
    app.out.value({"release": args.release, "key": key}, said)
    return OK


def cancel(app: App) -> int:
    """Let a waybill be void."""
    from erpsync.flows.couriers import acts

    with app.acting() as ctx:
        key = acts.void(ctx, app.args.number, actor=app.actor)
    app.out.value({"waybill": app.args.number, "key": key}, f"waybill {app.args.number} is to be void")
    return OK
