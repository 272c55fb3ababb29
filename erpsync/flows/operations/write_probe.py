"""Whether the database can be written to: a row is changed and committed, for only that proves it.

Why a number that counts up: SQLite leaves a page alone whose content stays the same.
"""

from collections.abc import Mapping
from functools import partial

from sqlalchemy import case, update
from sqlalchemy.exc import SQLAlchemyError

from erpsync.store.db.engine import StoreError, sqlite_path
from erpsync.store.db.schema import SchemaError, is_current
from erpsync.store.db.sequence import take_numbers
from erpsync.store.db.store import Store, Tx
from erpsync.store.db.trouble import cause_of
from erpsync.store.status.storage import LOST_FOR, Lost
from erpsync.store.tables import channel

MARK = "probe"


def write_problem(store: Store, lost: Mapping[int, Lost] | None = None) -> str:
    """Write a row and return what kept it from being written, or nothing.

    Args:
        lost: webhooks that could not be stored, noted with it, by channel row id.
    """
    try:
        store.verify()
        if not is_current(store.engine):
            return "the database has an older version's schema; run `erpsync migrate`"
        store.retrying(partial(_write, lost=lost or {}))
    except SchemaError:
        return "the database is not of this erpsync's version; `erpsync status` says what to do"
    except (SQLAlchemyError, StoreError, OSError) as error:
        return f"the database cannot be written to: {cause_of(error, sqlite_path(store.engine))}"
    return ""


def _write(tx: Tx, *, lost: Mapping[int, Lost]) -> None:
    take_numbers(tx, MARK, 1)
    for channel_id, loss in sorted(lost.items()):
        before = case((channel.c.not_stored_at > loss.at - LOST_FOR, channel.c.not_stored), else_=0)
        values = {"not_stored": before + loss.count, "not_stored_at": loss.at}
        tx.execute(update(channel).where(channel.c.id == channel_id).values(**values))
