"""What a use case says to the person who asked for it."""

from pathlib import Path
from traceback import extract_tb

from sqlalchemy.exc import SQLAlchemyError

from erpsync.sdk.errors import ConnectorError


class Refused(Exception):
    """The request cannot be done; the text says why and, where it helps, what to do instead.

    Args:
        kept: the same without what a file or message said, for what is stored: in a column that has shifted stands
            somebody's name.
    """

    def __init__(self, text: str, *, kept: str = "") -> None:
        super().__init__(text)
        self.kept = kept or text


class FieldRefused(Refused):
    """What was sent has a field that is wrong; the text names it."""


def error_text(error: Exception) -> str:
    """Return what an error says, for logs and tables; of one that may quote the record only where it arose."""
    if isinstance(error, SQLAlchemyError):
        cause = getattr(error, "orig", None) or error
        return f"{type(cause).__name__}: {str(cause).partition(chr(10))[0]}"
    return str(error) if isinstance(error, ConnectorError) else defect_text(error)


def error_repr(error: Exception) -> str:
    """Return what an error says with its class, for logs."""
    return repr(error) if isinstance(error, ConnectorError) else error_text(error)


def defect_text(error: Exception) -> str:
    """Return where an error arose that nobody foresaw; its text is left out because it may quote the record."""
    frames = extract_tb(error.__traceback__)
    place = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{place}; report this defect"
