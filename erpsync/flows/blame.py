"""Whose fault an error is: the record's, so that a person has to look at it, or everybody's, so that it passes.

Why a list of what passes and not of what does not: a defect of ours shows on a record as any class of error, while what
a database, a disk or a channel says when it is away has classes of its own. A record that is buried for one of those
is an order lost.
"""

from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, SQLAlchemyError, StatementError

from erpsync.sdk.errors import ConnectorError, PayloadError, RejectedError
from erpsync.store.db.engine import StoreError
from erpsync.store.db.privacy import PrivacyError
from erpsync.store.leases import LeaseLostError

_TOO_MUCH = "54"
"""The class of what exceeds a limit of the server, such as a name that is too long for an index; psycopg takes it for
an operational error. Source: PostgreSQL manual, appendix A."""


def is_of_record(error: Exception) -> bool:
    """Whether an error tells of the record it arose at; any other is tried again and buries nothing."""
    if isinstance(error, ConnectorError):
        return isinstance(error, PayloadError | RejectedError)
    if isinstance(error, SQLAlchemyError):
        return _is_of_data(error)
    return not isinstance(error, StoreError | LeaseLostError | PrivacyError | OSError | MemoryError)


def is_of_database(error: Exception) -> bool:
    """Whether the database was away, busy or locked: no try of the channel, so none is counted."""
    return isinstance(error, SQLAlchemyError | StoreError) and not is_of_record(error)


def _is_of_data(error: SQLAlchemyError) -> bool:
    if isinstance(error, DBAPIError):
        code = getattr(error.orig, "sqlstate", None) or ""
        return isinstance(error, DataError | IntegrityError) or code.startswith(_TOO_MUCH)
    return isinstance(error, StatementError) and error.orig is not None  # a value that no column takes
