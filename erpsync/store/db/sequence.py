"""Numbers kept by name: those that count up without ever giving one twice, and marks that are set."""

from typing import TYPE_CHECKING

from sqlalchemy import Connection, select

from erpsync.store.tables import counter

if TYPE_CHECKING:
    from erpsync.store.db.store import Tx


def take_numbers(tx: "Tx", name: str, count: int, *, passed: int = 0) -> range:
    """Return the next `count` numbers of a name, starting at 1.

    Args:
        passed: of a name that nothing is kept of, how many may have been given before, and nobody remembers.
    """
    row = tx.insert(counter).values(name=name, value=passed + count)
    statement = row.on_conflict_do_update(index_elements=["name"], set_={"value": counter.c.value + count}).returning(
        counter.c.value
    )
    last = int(tx.execute(statement).scalar_one())
    return range(last - count + 1, last + 1)


def read_mark(connection: Connection, name: str) -> int | None:
    """Return the number kept under a name, None when there is none."""
    return connection.execute(select(counter.c.value).where(counter.c.name == name)).scalar()


def set_mark(tx: "Tx", name: str, value: int) -> None:
    """Keep a number under a name."""
    row = tx.insert(counter).values(name=name, value=value)
    tx.execute(row.on_conflict_do_update(index_elements=["name"], set_={"value": value}))
