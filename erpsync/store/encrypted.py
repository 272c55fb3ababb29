"""What rows hold encrypted and what it is sealed for: recipients, with keyed hashes to find them, and secrets."""

from typing import Any

from erpsync.sdk.types import Recipient
from erpsync.store.db.privacy import Vault


def recipient_row(channel_id: int, external_id: str) -> str:
    """Return the identity a recipient is sealed for."""
    return f"orders|{channel_id}|{external_id}"


def recipient_columns(vault: Vault, recipient: Recipient, *, row: str) -> dict[str, Any]:
    """Return the columns of an order that say who gets the parcel, sealed for `row`."""
    value = _plain(recipient)
    return {
        "recipient": vault.seal(value, row=row),
        "recipient_index": vault.index(value),
        "phone_index": vault.phone_index(recipient.phone),
    }


def recipient_index(vault: Vault, recipient: Recipient) -> bytes:
    """Return the keyed hash by which a changed recipient is noticed without opening the known one."""
    return vault.index(_plain(recipient))


def _plain(recipient: Recipient) -> dict[str, str]:
    return {name: getattr(recipient, name) for name in Recipient.__dataclass_fields__}


def subscription_row(subscription_id: int) -> str:
    """Return the identity a subscription's secret is sealed for."""
    return f"subscription|{subscription_id}"
