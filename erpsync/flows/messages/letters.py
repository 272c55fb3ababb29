"""Messages that a platform refused: kept for a person, and sent again as they were."""

from datetime import datetime
from typing import Any

from erpsync.flows.context import Channel
from erpsync.flows.errors import Refused
from erpsync.sdk.errors import ConnectorError
from erpsync.sdk.roles import MessageSink, playing
from erpsync.sdk.types import Message, MessageLevel
from erpsync.store.dead_letters import DeadLetter

MESSAGE = "message"
"""The kind of dead letter."""


def letter_of(channel: Channel, message: Message, error: str) -> DeadLetter:
    """Return the dead letter of a message that was refused."""
    body = {
        "id": message.id,
        "title": message.title,
        "text": message.text,
        "level": message.level.value,
        "at": message.at.isoformat() if message.at else None,
    }
    return DeadLetter(channel_id=channel.id, kind=MESSAGE, key=message.id, error=error, body=body)


def send_again(channel: Channel, body: dict[str, Any]) -> None:
    """Send a message of a dead letter as it was; raises `Refused` when it is not accepted."""
    sink = playing(channel.connector, MessageSink)
    if sink is None:
        raise Refused("sending messages needs the connector; run it where the channels are configured with secrets")
    at = body["at"]
    message = Message(
        id=body["id"],
        title=body["title"],
        text=body["text"],
        level=MessageLevel(body["level"]),
        at=datetime.fromisoformat(at) if at else None,
    )
    try:
        sink.push_message(message)
    except ConnectorError as error:
        raise Refused(f"it was not accepted: {error}") from error
