"""What a flow test looks at: orders as `orders show` prints them, the books, tasks and dead letters."""

from typing import Any

from sqlalchemy import select, text

from erpsync.flows.intake.poll import PassReport, poll_stream
from erpsync.flows.intake.schedule import due_streams
from erpsync.store.tables import dead_letter, task
from erpsync.store.views.orders import show_order
from erpsync.store.views.story import explain_order
from tests.support.shop import Town

PASSES = 12  # more than any town needs until nothing is due


def poll(town: Town, stream: str = "orders", *, shop: str = "shop") -> PassReport:
    """Read one stream once, due or not."""
    return poll_stream(town.ctx, town.channel(shop), stream)


def settle_in(town: Town, *, shop: str = "shop") -> None:
    """Read whatever is due until nothing is: the first pass, the back-fill, the refunds, the catalogue."""
    for _ in range(PASSES):
        due = due_streams(town.ctx, town.channel(shop))
        if not due:
            return
        for stream in due:
            report = poll(town, stream, shop=shop)
            assert not report.failed, report.error
    raise AssertionError(f"still due: {due}")


def see(town: Town, order: str) -> dict[str, Any]:
    """Return an order as `orders show` prints it."""
    with town.store.read() as connection:
        return show_order(connection, order)


def status(town: Town, order: str) -> tuple[str, str | None]:
    """Return an order's status and the reason that holds it."""
    shown = see(town, order)
    return shown["status"], shown["hold_reason"]


def lines(town: Town, order: str) -> dict[str, tuple[int, int, int]]:
    """Return (ordered, cancelled, shipped) by line."""
    return {
        line["external_id"]: (line["qty"], line["cancelled_qty"], line["shipped_qty"])
        for line in see(town, order)["lines"]
    }


def held(town: Town, order: str) -> dict[str, int]:
    """Return our units that the order holds, by SKU."""
    found: dict[str, int] = {}
    for line in see(town, order)["lines"]:
        for allocation in line["allocations"]:
            found[allocation["sku"]] = found.get(allocation["sku"], 0) + allocation["qty"]
    return found


def shelf(town: Town, sku: str) -> tuple[int, int]:
    """Return (on hand, reserved) of a SKU over all warehouses."""
    query = "SELECT sum(on_hand), sum(reserved) FROM stock JOIN sku ON sku.id = sku_id WHERE code = :sku"
    return _pair(rows(town, query, sku=sku)[0])


def _pair(row: Any) -> tuple[int, int]:
    return int(row[0] or 0), int(row[1] or 0)


def tasks(town: Town) -> list[str]:
    """Return the kinds of the open tasks."""
    with town.store.read() as connection:
        query = select(task.c.kind).where(task.c.closed_at.is_(None)).order_by(task.c.id)
        return list(connection.execute(query).scalars())


def letters(town: Town, state: str = "open") -> list[tuple[str, str]]:
    """Return (kind, key) of the dead letters in a state."""
    with town.store.read() as connection:
        query = select(dead_letter.c.kind, dead_letter.c.key).where(dead_letter.c.state == state)
        return [(row.kind, row.key) for row in connection.execute(query.order_by(dead_letter.c.id))]


def letter_id(town: Town, key: str) -> int:
    """Return the open dead letter about `key`."""
    query = "SELECT id FROM dead_letter WHERE key = :key AND state = 'open'"
    return int(rows(town, query, key=key)[0][0])


def story(town: Town, order: str) -> list[str]:
    """Return what happened to an order, as `explain` tells it."""
    with town.store.read() as connection:
        return [entry["what"] for entry in explain_order(connection, order)["story"]]


def mark(town: Town, stream: str) -> str | None:
    """Return how far a stream has been read."""
    found = rows(town, "SELECT mark FROM cursor WHERE stream = :stream", stream=stream)
    return found[0][0] if found else None


def rows(town: Town, query: str, **values: Any) -> list[tuple[Any, ...]]:
    """Return the rows of a query."""
    with town.store.read() as connection:
        return [tuple(row) for row in connection.execute(text(query), values)]


def count(town: Town, table: str) -> int:
    """Return how many rows a table has."""
    return int(rows(town, f"SELECT count(*) FROM {table}")[0][0])
