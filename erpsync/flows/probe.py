"""Whether the database can be written to: a row is changed and committed, for only that proves it.

Why a number that counts up: SQLite leaves a page alone whose content stays the same.
"""

from sqlalchemy.exc import SQLAlchemyError

from erpsync.store.engine import StoreError, sqlite_path
from erpsync.store.schema import is_current
from erpsync.store.sequence import take_numbers
from erpsync.store.store import Store
from erpsync.store.trouble import cause_of

MARK = "probe"


def write_problem(store: Store) -> str:
    """Write a row and return what kept it from being written, or nothing."""
    try:
        if not is_current(store.engine):
            return "the database has another version's schema; run `erpsync migrate`"
        store.retrying(lambda tx: take_numbers(tx, MARK, 1))
    except (SQLAlchemyError, StoreError, OSError) as error:
        return f"the database cannot be written to: {cause_of(error, sqlite_path(store.engine))}"
    return ""
