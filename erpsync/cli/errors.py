"""What ends a command with one line for people, and which exit code goes with it.

Why one table: scripts branch on exit codes, so what leads to which must be readable in one place.
"""

from collections.abc import Sequence

OK, FAILED, USAGE, BAD_CONFIG, INTERRUPTED = 0, 1, 2, 78, 130


class CommandError(Exception):
    """The command cannot do what was asked; the text says why and what to do."""


class UsageError(Exception):
    """The command was called wrongly; the text says how."""


def one_of(option: str, value: str | None, known: Sequence[str]) -> None:
    """Raise `UsageError` for a value of an option that is none of those it can be."""
    if value is not None and value not in known:
        raise UsageError(f"{option} must be one of {', '.join(known)}, is {value}")


def told(error: BaseException) -> tuple[int, list[str]] | None:
    """Return the exit code and the lines for people of an expected error, None for one nobody expected."""
    from erpsync.settings import ConfigError, RegistryError

    if isinstance(error, UsageError):
        return USAGE, [str(error)]
    if isinstance(error, ConfigError):
        return BAD_CONFIG, [str(problem) for problem in error.problems]
    if isinstance(error, RegistryError):
        return BAD_CONFIG, [str(error)]
    if isinstance(error, CommandError) or type(error) is LookupError:
        return FAILED, [str(error)]
    return _told_by_lower_floors(error)


def _told_by_lower_floors(error: BaseException) -> tuple[int, list[str]] | None:
    from sqlalchemy.exc import DBAPIError

    from erpsync.flows.errors import Refused
    from erpsync.runtime.lock import AlreadyRunningError
    from erpsync.sdk.errors import ConnectorError
    from erpsync.store.db.engine import StoreError, UnusableError
    from erpsync.store.db.privacy import KeysError, PrivacyError
    from erpsync.store.db.trouble import cause_of
    from erpsync.store.views.values import NotFound

    if isinstance(error, UnusableError | KeysError):
        return BAD_CONFIG, [str(error)]
    if isinstance(error, Refused | NotFound | StoreError | PrivacyError | AlreadyRunningError | ConnectorError):
        return FAILED, [str(error)]
    if isinstance(error, DBAPIError) and _cannot_connect(error):
        return FAILED, [f"the database cannot be used: {cause_of(error)}"]
    if isinstance(error, OSError) and error.filename is not None:
        return FAILED, [f"{error.filename}: {(error.strerror or 'cannot be used').lower()}"]
    return None


def _cannot_connect(error: BaseException) -> bool:
    """Whether the database is away, locked or full, or its file is none or damaged (which has no class of its own)."""
    from sqlalchemy.exc import DatabaseError, OperationalError

    return isinstance(error, OperationalError) or type(error) is DatabaseError


def first_line(error: BaseException | None) -> str:
    """Return the first line of an error's text."""
    return str(error).strip().partition("\n")[0]
