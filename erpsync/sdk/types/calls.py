"""Calls that platforms make to us, and what a check of a channel found."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from erpsync.sdk.types.payload import Payload
from erpsync.sdk.types.records import Raw


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookRequest:
    """An HTTP request as it came in; header names are lower case.

    Args:
        path: what stands behind the channel in the address, without the slash before it: a platform that signs nothing
            is given a secret there.
    """

    headers: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes
    received_at: datetime
    path: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookRecord:
    """One record a webhook carries: `kind` is `order`, `refund` or `track`."""

    kind: str
    raw: Raw


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownMessage:
    """What a signed webhook says under a type that the connector does not know."""

    type: str
    payload: Payload


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookResult:
    """What a webhook says.

    Args:
        key: identity of the delivery: equal keys are the same delivery.
        records: raw records to apply.
        hints: names of streams to poll now (`orders`, `refunds`, `listings`).
        unknown: what is of no type known here; it is kept, counted and told once.
    """

    key: str
    records: tuple[WebhookRecord, ...] = ()
    hints: tuple[str, ...] = ()
    unknown: tuple[UnknownMessage, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookReply:
    """The answer the platform wants to see for a stored webhook."""

    body: bytes = b'{"ok":true}'
    content_type: str = "application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckReport:
    """What `Connector.check` found: notes for people, the platform clock's lead over ours, token expiry."""

    notes: tuple[str, ...] = ()
    clock_ahead_s: float | None = None
    token_expires_at: datetime | None = None
