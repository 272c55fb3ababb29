"""Messages to people: what a department is told, already in its language."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class MessageLevel(StrEnum):
    """How much a message matters to whoever reads it."""

    INFO = "info"
    WARN = "warn"
    ALARM = "alarm"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message to people.

    Args:
        id: the same each time the same message is sent; it has to reach the reader, or the receiving program.
        title: one line.
        text: lines of plain text, without markup; never a buyer's name, phone, address or note.
        at: when what it tells of happened; None where nothing did.
    """

    id: str
    title: str
    text: str
    level: MessageLevel = MessageLevel.INFO
    at: datetime | None = None
