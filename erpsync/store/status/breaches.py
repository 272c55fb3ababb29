"""What was promised and is not so: units that are not there, numbers that stay wrong, orders that do not come.

Why apart from the other figures: each is judged by something that stands elsewhere (a task that nobody has answered, an
order's own trail, a shop's past), and not by a number of now.
"""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any, Protocol

from sqlalchemy import Connection, func, select, text

from erpsync.core.arrivals import Quiet, is_strange
from erpsync.core.fulfilment import LINE
from erpsync.sdk.roles import OrderSource
from erpsync.store.db.lookups import has
from erpsync.store.status.spans import spell
from erpsync.store.tables import backorder, event, task

SHORT, DRIFT = "stock_short", "stock_drift"
HEARD_S = 900.0
"""A platform told the time so lately, or within three passes over its orders: it answers."""


class Limits(Protocol):
    """Beyond which not all is well; None is no limit."""

    @property
    def oversold(self) -> int | None: ...
    @property
    def lasting_drift(self) -> int | None: ...
    @property
    def silence_s(self) -> float | None: ...


def open_tasks_by_kind(connection: Connection) -> dict[tuple[int | None, str], int]:
    """Return how many tasks of which kind are open, by channel; None is none."""
    query = select(task.c.channel_id, task.c.kind, func.count()).where(text("task.closed_at IS NULL"))
    return {(row[0], row[1]): row[2] for row in connection.execute(query.group_by(task.c.channel_id, task.c.kind))}


def taken_back_orders(connection: Connection) -> dict[int, int]:
    """Return orders whose units were promised, taken back and are still wanting, by channel."""
    told = select(event.c.id).where(
        event.c.order_id == backorder.c.order_id,
        event.c.order_id.is_not(None),
        event.c.kind == "order.taken_back",
        event.c.sku_id + 0 == backorder.c.sku_id,  # an order's events are few, a SKU's are its whole history
    )
    lost = has(told, of=backorder)
    query = select(backorder.c.channel_id, func.count(backorder.c.order_id.distinct()))
    wanting = query.where(backorder.c.owner_kind == LINE, lost).group_by(backorder.c.channel_id)
    return {row[0]: row[1] for row in connection.execute(wanting)}


def breach_facts(kinds: Mapping[tuple[int | None, str], int], taken_back: int, channel_id: int) -> dict[str, int]:
    """Return the facts of a channel that `breaches` judges, but for its silence."""
    return {
        "oversold": taken_back + kinds.get((channel_id, SHORT), 0),
        "lasting_drift": kinds.get((channel_id, DRIFT), 0),
    }


def breaches(facts: Mapping[str, Any], limits: Limits) -> Iterator[tuple[str, str]]:
    """Yield (check, what is wrong) of a channel's promises and numbers."""
    sold, drift, most, lasting = facts["oversold"], facts["lasting_drift"], limits.oversold, limits.lasting_drift
    if most is not None and sold > most:
        yield (
            "oversell",
            f"1 order was promised units that are not there (limit {most})"
            if sold == 1
            else f"{sold} orders were promised units that are not there (limit {most})",
        )
    if lasting is not None and drift > lasting:
        yield (
            "drift",
            f"1 listing keeps showing another number than it was told (limit {lasting})"
            if drift == 1
            else f"{drift} listings keep showing another number than they were told (limit {lasting})",
        )


def house_breaches(kinds: Mapping[tuple[int | None, str], int], limits: Limits) -> Iterator[tuple[str, str]]:
    """Yield (check, what is wrong) of promises that concern no single channel."""
    short, most = kinds.get((None, SHORT), 0), limits.oversold
    if most is not None and short > most:
        yield (
            "oversell",
            f"1 SKU of a warehouse has less than was promised from there (limit {most})"
            if short == 1
            else f"{short} SKUs of warehouses have less than was promised from there (limit {most})",
        )


def silence(quiet: Quiet, limits: Limits) -> tuple[str, str] | None:
    """Return level and words of a silence that is to be told: `warn` where the platform answers, else `bad`."""
    if limits.silence_s is None or not is_strange(quiet, silence_s=limits.silence_s):
        return None
    lasted, usual = spell((quiet.until - quiet.since).total_seconds()), round(quiet.expected * quiet.pace)
    if quiet.answers:
        return (
            "warn",
            f"the platform answers and has no orders: none came for {lasted}, where about {usual} arrivals are usual",
        )
    return "bad", f"no order came for {lasted}, where about {usual} arrivals are usual"


def answers(row: Any, channel: Any, quiet: Quiet) -> bool:
    """Whether a channel's platform tells the time and is asked for orders, so that it is known to have none.

    Args:
        row: its row of `channel`.
    """
    if row.clock_told_at is None or not channel.plays(OrderSource):
        return False
    within = timedelta(seconds=max(HEARD_S, 3 * channel.poll.orders_s))
    return bool(quiet.until - row.clock_told_at <= within)
