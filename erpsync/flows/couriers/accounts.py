"""What accounts with couriers say of themselves: how many waybills are left, and which places they deliver to.

Why asked ahead and kept: both decide while rows are locked, when nobody may be called. What is not known, or was said
too long ago, speaks against nothing: the booking tells.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import timedelta
from functools import partial
from typing import Any, TypeVar

import structlog
from sqlalchemy import Connection, select, update

from erpsync.flows.channels.health import may_call
from erpsync.flows.context import Channel, Context
from erpsync.flows.errors import error_repr
from erpsync.sdk.http import lane
from erpsync.sdk.roles import CourierSink, playing
from erpsync.sdk.types import Region
from erpsync.store.coverage import answers_about, keep_answer
from erpsync.store.db.store import Tx
from erpsync.store.outbox.queue import IS_WAITING, WAYBILL, free_waiting
from erpsync.store.tables import channel as channel_table
from erpsync.store.tables import outbox
from erpsync.store.tasks import Task, close_tasks, open_tasks

LOW = "low_balance"
"""The kind of task that says an account has few waybills left, and what a booking waits for where none is."""
BALANCE_S = 900.0
SOON_S = 60.0
"""An account that books, or is short, is asked again so soon."""
SCARCE = 100
KNOWN_FOR = timedelta(hours=1)
COVERS_FOR = timedelta(days=7)
MOST_PLACES = 20
"""So many places are asked about in one go: releases wait for it."""
MOST_S = 10.0
Answer = TypeVar("Answer")
log = structlog.get_logger()


def accounts_of(ctx: Context) -> Iterator[tuple[Channel, CourierSink]]:
    """Yield the accounts that book and that this process can call."""
    for channel in ctx.channels.values():
        sink = playing(channel.connector, CourierSink)
        if channel.enabled and sink is not None:
            yield channel, sink


def _answers(sink: CourierSink, question: str) -> bool:
    """Whether a connector answers a question at all."""
    return getattr(type(sink), question) is not getattr(CourierSink, question)


def _asked(channel: Channel, question: str, call: Callable[[], Answer]) -> tuple[bool, Answer | None]:
    """Return whether an account answered, and what."""
    try:
        with lane("rest"):
            return True, call()
    except Exception as error:  # noqa: BLE001 nothing hangs on one answer: it is asked again
        log.warning("account.unanswered", channel=channel.name, question=question, error=error_repr(error))
        return False, None


def watch_balances(ctx: Context) -> int:
    """Ask accounts that count their waybills how many are left, where that is due; return how many were asked.

    What waits and need not any more goes on: it may have begun to wait when the answer came, or that is old by now.
    """
    asked = sum(ask_balance(ctx, channel, sink) for channel, sink in accounts_of(ctx))
    waiting = select(outbox.c.destination_id).where(IS_WAITING, outbox.c.waiting_for == LOW).distinct()
    with ctx.store.read() as connection:
        account_ids = list(connection.execute(waiting).scalars())
    for account_id in account_ids:
        ctx.store.retrying(partial(_free, account_id=account_id))
    return asked


def _free(tx: Tx, *, account_id: int) -> None:
    if not is_empty(tx, account_id):
        free_waiting(tx, LOW, destination_id=account_id, kind=WAYBILL)


def ask_balance(ctx: Context, channel: Channel, sink: CourierSink, *, booked: bool = False) -> bool:
    """Ask an account how many waybills are left if that is due, and let bookings wait or go on; whether it was asked.

    Args:
        booked: whether something was booked with it just now.
    """
    if not _answers(sink, "balance"):
        return False
    with ctx.store.read() as connection:
        row = _row(connection, channel.id)
    scarce = row.balance is not None and row.balance < max(SCARCE, ctx.couriers.low_balance)
    usual_s = SOON_S if booked or row.balance == 0 else BALANCE_S
    rest_s = 0.0 if booked and scarce and row.balance else usual_s
    now = ctx.store.clock.now()
    if row.balance_at is not None and now - row.balance_at < timedelta(seconds=rest_s):
        return False
    if not may_call(ctx, channel):
        return False
    answered, balance = _asked(channel, "balance", sink.balance)
    if answered:
        ctx.store.retrying(partial(_keep_balance, ctx=ctx, channel=channel, balance=balance))
    return True


def _row(connection: Connection, channel_id: int) -> Any:
    query = select(channel_table.c.balance, channel_table.c.balance_at)
    return connection.execute(query.where(channel_table.c.id == channel_id)).one()


def _keep_balance(tx: Tx, *, ctx: Context, channel: Channel, balance: int | None) -> None:
    kept = update(channel_table).where(channel_table.c.id == channel.id)
    tx.execute(kept.values(balance=balance, balance_at=tx.now))
    if balance is None or balance > 0:
        free_waiting(tx, LOW, destination_id=channel.id, kind=WAYBILL)
    if balance is not None and balance < max(ctx.couriers.low_balance, 1):
        open_tasks(tx, [Task(kind=LOW, key=channel.name, reason=_low(channel, balance), channel_id=channel.id)])
    else:
        close_tasks(tx, LOW, [channel.name], by="erpsync")


def _low(channel: Channel, balance: int) -> str:
    if balance == 1:
        return f"account {channel.name} has 1 waybill left; buy some"
    if balance > 0:
        return f"account {channel.name} has {balance} waybills left; buy some"
    return f"account {channel.name} has no waybills left and its bookings wait; buy some, and they go on"


def balance_of(connection: Connection, channel: Channel) -> int | None:
    """Return how many waybills an account had left when it was asked last; None where that is not known."""
    left: int | None = _row(connection, channel.id).balance
    return left


def is_empty(tx: Tx, account_id: int) -> bool:
    """Whether an account said not long ago that it has no waybills left."""
    row = _row(tx.connection, account_id)
    return bool(row.balance == 0 and tx.now - row.balance_at < KNOWN_FOR)


def region_of(place: tuple[str, str, str] | None) -> Region | None:
    """Return a recipient's place as couriers are asked about it; None where it is not known, or hidden."""
    if place is None or not place[0] or any("*" in name for name in place):
        return None
    return Region(province=place[0], city=place[1], district=place[2])


def ask_coverage(ctx: Context, places: Collection[tuple[str, str, str] | None]) -> int:
    """Ask accounts that know whether they deliver to these places, where nobody asked lately; return how many answers.

    Called outside of any transaction. An account that does not answer is asked nothing more for now.
    """
    asking = [(channel, sink) for channel, sink in accounts_of(ctx) if _answers(sink, "covers")]
    regions = sorted({region for place in places if (region := region_of(place)) is not None}, key=_names)
    if not asking or not regions:
        return 0
    since, began_s, count = ctx.store.clock.now() - COVERS_FOR, ctx.store.clock.monotonic(), 0
    with ctx.store.read() as connection:
        known = answers_about(connection, [channel.id for channel, _ in asking], regions, since=since)
    for channel, sink in asking:
        missing = [region for region in regions if (channel.id, region) not in known]
        if not missing or not may_call(ctx, channel):
            continue
        for region in missing[:MOST_PLACES]:
            if ctx.store.clock.monotonic() - began_s > MOST_S:
                return count
            answered, covers = _asked(channel, "covers", partial(sink.covers, region))
            if not answered:
                break
            ctx.store.retrying(partial(keep_answer, account_id=channel.id, region=region, covers=covers))
            count += 1
    return count


def _names(region: Region) -> tuple[str, str, str]:
    return (region.province, region.city, region.district)


def uncovered(
    tx: Tx, accounts: Mapping[str, int], places: Collection[tuple[str, str, str] | None]
) -> set[tuple[str, Region]]:
    """Return which accounts, by name, said lately that they do not deliver to which of these places."""
    regions = {region for place in places if (region := region_of(place)) is not None}
    names = {id: name for name, id in accounts.items()}
    known = answers_about(tx.connection, names, regions, since=tx.now - COVERS_FOR)
    return {(names[id], region) for (id, region), covers in known.items() if covers is False}
