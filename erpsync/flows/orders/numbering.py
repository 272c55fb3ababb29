"""Numbers for new orders and releases: the next of a pattern that none has."""

from collections.abc import Iterator

from sqlalchemy import Column, select

from erpsync.core.numbering import number, prefix
from erpsync.flows.context import Channel, Context
from erpsync.store.db.sequence import take_numbers
from erpsync.store.db.store import Tx
from erpsync.store.restored import read_restored
from erpsync.store.tables import orders

AT_MOST = 500


def free_numbers(tx: Tx, ctx: Context, channel: Channel, count: int) -> Iterator[str]:
    """Return `count` order numbers that no order has, in the order they count up."""
    return next_numbers(tx, ctx, channel.orders.number, count, channel=channel.name, taken=orders.c.number)


def next_numbers(
    tx: Tx, ctx: Context, pattern: str, count: int, *, taken: Column[str], channel: str = ""
) -> Iterator[str]:
    """Return `count` numbers of a pattern that are not in the column `taken`, in the order they count up.

    A number may be taken although it was never given here: by another pattern of old, or after a counter was lost.
    Then more are looked at each time, so that a long stretch of taken ones holds up nobody.
    """
    filled = prefix(pattern, channel=channel, at=tx.now.astimezone(ctx.timezone))
    passed = _passed(tx, ctx, pattern, channel, filled)
    free: list[str] = []
    wanted = count
    while len(free) < count:
        made = [number(filled, seq) for seq in take_numbers(tx, filled, wanted, passed=passed)]
        in_use = set(tx.execute(select(taken).where(taken.in_(made))).scalars())
        free += [made_number for made_number in made if made_number not in in_use]
        wanted = min(AT_MOST, max(count - len(free), 2 * wanted))
    return iter(free[:count])


def _passed(tx: Tx, ctx: Context, pattern: str, channel: str, filled: str) -> int:
    """Return how many numbers of a prefix that no counter knows may have been given between a backup and its restoring.

    A prefix of a day after it cannot have been in use before.
    """
    restored = read_restored(tx.connection)
    if restored is None:
        return 0
    then = prefix(pattern, channel=channel, at=restored.at.astimezone(ctx.timezone))
    return restored.gap if filled == then or tx.now <= restored.at else 0
