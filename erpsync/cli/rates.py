"""`rates`: what accounts with couriers charge."""

from dataclasses import asdict
from typing import TYPE_CHECKING

from erpsync.cli.app import App
from erpsync.cli.csv_rows import MOST_UNITS, BadRow, Row, Rows
from erpsync.cli.errors import OK
from erpsync.cli.imports import take
from erpsync.cli.tables import Column
from erpsync.cli.waybills import CURRENCY
from erpsync.sdk.money import decimals, major
from erpsync.sdk.sheets import amount_of

if TYPE_CHECKING:
    from erpsync.core.rates import Rate

HEADER = ("account", "service", "zone", "first_g", "first", "step_g", "step", "volume_divisor", "max_g")


def list_(app: App) -> int:
    """Print the rows of all cards."""
    from erpsync.store.rates import list_rates

    columns = (
        Column("account", "account"),
        Column("service", "service"),
        Column("zone", "zone"),
        Column("first_g", "first (g)", "number"),
        Column("first", "costs", "number"),
        Column("step_g", "each further (g)", "number"),
        Column("step", "costs", "number"),
        Column("volume_divisor", "volume divisor", "number"),
        Column("max_g", "most (g)", "number"),
    )
    with app.reading() as connection:
        rates = list_rates(connection, account=app.args.account)
    rows = [asdict(rate) for rate in rates]
    if not app.args.json:
        rows = [row | {"first": _shown(row["first_minor"]), "step": _shown(row["step_minor"])} for row in rows]
    app.out.rows(rows, columns, empty="no rate card was taken in")
    return OK


def _shown(minor: int) -> str:
    return str(major(minor, CURRENCY))


def import_(app: App) -> int:
    """Replace the cards of the accounts that files name."""
    from erpsync.core.rates import Rate
    from erpsync.flows.couriers.rates import import_rates

    def make(row: Row) -> "tuple[Rate, str]":
        rate = Rate(
            account=row.text("account"),
            service=row.cells.get("service", ""),
            zone=row.cells.get("zone", ""),
            first_g=row.units("first_g"),
            first_minor=_minor(row, "first"),
            step_g=row.units("step_g") if row.cells.get("step_g") else 0,
            step_minor=_minor(row, "step") if row.cells.get("step") else 0,
            volume_divisor=row.units("volume_divisor") if row.cells.get("volume_divisor") else 0,
            max_g=row.units("max_g") if row.cells.get("max_g") else None,
        )
        return rate, row.source

    rows = Rows(HEADER[:5], HEADER[5:], make, lambda made: made[1], exact=("account", "service", "zone"))
    with app.acting() as ctx:
        return take(app, rows, lambda it, _: import_rates(ctx, it, bad=rows.refused, actor=app.actor))


def _minor(row: Row, name: str) -> int:
    text = row.cells.get(name, "")
    amount = amount_of(text)
    minor = None if amount is None else amount.scaleb(decimals(CURRENCY))
    if minor is None or minor != minor.to_integral_value() or not 0 <= minor < MOST_UNITS:
        raise BadRow(f"{name} must be an amount like 12.50, is {text or 'empty'}")
    return int(minor)
