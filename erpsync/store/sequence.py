"""Numbers that count up, per name, without ever giving one twice."""

from sqlalchemy.dialects import postgresql, sqlite

from erpsync.store.store import Tx
from erpsync.store.tables import counter


def take_numbers(tx: Tx, name: str, count: int) -> range:
    """Return the next `count` numbers of a name, starting at 1."""
    dialect = sqlite if tx.dialect == "sqlite" else postgresql
    row = dialect.insert(counter).values(name=name, value=count)
    statement = row.on_conflict_do_update(index_elements=["name"], set_={"value": counter.c.value + count}).returning(
        counter.c.value
    )
    last = int(tx.execute(statement).scalar_one())
    return range(last - count + 1, last + 1)
