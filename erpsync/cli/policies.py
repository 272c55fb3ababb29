"""`policies`: what holds for single SKUs on a channel or in a warehouse."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from erpsync.cli.app import App
from erpsync.cli.csv_rows import Row, Rows
from erpsync.cli.errors import OK
from erpsync.cli.imports import take
from erpsync.cli.tables import Column

if TYPE_CHECKING:
    from erpsync.flows.imports import ImportResult
    from erpsync.flows.inventory.policies import PolicyRow

HEADER = ("sku", "channel", "warehouse", "safety", "cap", "buffer", "paused")


def list_(app: App) -> int:
    """Print what is set for single SKUs."""
    from erpsync.store.policies import list_policies

    args = app.args
    columns = (
        *(Column(name, "SKU" if name == "sku" else name) for name in HEADER[:3]),
        *(Column(name, name, "number") for name in HEADER[3:6]),
        Column("paused", "paused"),
    )
    with app.reading() as connection:
        rows = list_policies(connection, sku=args.sku, channel=args.channel, warehouse=args.warehouse)
    app.out.rows(rows, columns, empty="nothing is set for single SKUs")
    return OK


def import_(app: App) -> int:
    """Set what files say; nothing of any where a cell is bad."""
    from erpsync.flows.imports import ImportResult
    from erpsync.flows.inventory.policies import FIELDS, PolicyRow, import_policies, problems_of

    def make(row: Row) -> PolicyRow:
        return PolicyRow(
            sku=row.text("sku"),
            channel=row.cells.get("channel", ""),
            warehouse=row.cells.get("warehouse", ""),
            cells={name: row.cells.get(name, "") for name in FIELDS},
            source=row.source,
        )

    rows = Rows(HEADER, (), make, lambda policy: (policy.sku, policy.channel, policy.warehouse), unsets=FIELDS)
    with app.ctx() as ctx:

        def take_in(policies: "Iterable[PolicyRow]", progress: Callable[[int], None]) -> "ImportResult":
            wanted = list(policies)  # to the end, for a row that cannot be read refuses them all
            if rows.refused:
                return ImportResult(refused=problems_of(ctx, wanted))
            return import_policies(ctx, wanted, actor=app.actor, progress=progress)

        return take(app, rows, take_in)
