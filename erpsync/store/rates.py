"""Rate cards: what accounts with couriers charge. A card is replaced as a whole."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, delete, select

from erpsync.core.rates import Rate
from erpsync.store.db.bulk import insert_many, new_ids
from erpsync.store.db.store import Tx
from erpsync.store.tables import channel, rate

_OF_CARD = (
    "service",
    "zone",
    "first_g",
    "first_minor",
    "step_g",
    "step_minor",
    "volume_divisor",
    "max_g",
    "line",
)


def replace_cards(tx: Tx, cards: Mapping[int, Sequence[Rate]]) -> None:
    """Let each of these accounts, by id, have this card and nothing of an earlier one."""
    tx.execute(delete(rate).where(rate.c.account_id.in_(sorted(cards))))
    rows = [
        {"account_id": account_id, **{name: getattr(row, name) for name in _OF_CARD}}
        for account_id, card in sorted(cards.items())
        for row in card
    ]
    ids = new_ids(tx, rate, len(rows))
    insert_many(tx, rate, [{"id": id, **row} for id, row in zip(ids, rows, strict=True)])


def cards_of(connection: Connection, account_ids: Iterable[int]) -> dict[int, list[Rate]]:
    """Return the card of each of these accounts, by id, in the order of its file."""
    query = select(rate, channel.c.name).join(channel, channel.c.id == rate.c.account_id)
    found: dict[int, list[Rate]] = {}
    for row in connection.execute(query.where(rate.c.account_id.in_(sorted(account_ids))).order_by(rate.c.id)):
        found.setdefault(row.account_id, []).append(_rate(row))
    return found


def list_rates(connection: Connection, *, account: str | None = None) -> list[Rate]:
    """Return the rows of all cards, or of one account's, in the order of their files."""
    query = select(rate, channel.c.name).join(channel, channel.c.id == rate.c.account_id)
    if account is not None:
        query = query.where(channel.c.name == account)
    # Scans rate: all of it is wanted, and it holds what a few files say.
    return [_rate(row) for row in connection.execute(query.order_by(channel.c.name, rate.c.id))]


def _rate(row: Any) -> Rate:
    return Rate(account=row.name, **{name: getattr(row, name) for name in _OF_CARD})
