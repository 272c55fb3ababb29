"""What rows hold encrypted and what it is sealed for: people, with keyed hashes to find them, and secrets.

Why the identities stand together: whoever seals, opens or rotates a value has to name the same one, or it stays shut.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Table

from erpsync.core.merging import SameRecipient, merge_key
from erpsync.sdk.types import Recipient
from erpsync.store.db.privacy import Vault
from erpsync.store.regions import regions
from erpsync.store.tables import (
    dead_letter,
    inbox,
    key_proof,
    line_spec,
    order_line,
    orders,
    payload,
    subscription,
    token,
    track_node,
    variant,
    waybill,
)

PROOF_ROW = "key_proof|1"


def recipient_row(channel_id: int, external_id: str) -> str:
    """Return the identity a recipient is sealed for."""
    return f"orders|{channel_id}|{external_id}"


def notes_row(channel_id: int, external_id: str) -> str:
    """Return the identity an order's notes are sealed for."""
    return f"notes|{channel_id}|{external_id}"


def line_row(order_id: int, external_id: str) -> str:
    """Return the identity a line's properties are sealed for."""
    return f"order_line|{order_id}|{external_id}"


def line_spec_row(line_id: int) -> str:
    """Return the identity that what a person said of a line is sealed for."""
    return f"line_spec|{line_id}"


def variant_row(sku_id: int) -> str:
    """Return the identity a variant's spec is sealed for."""
    return f"variant|{sku_id}"


def payload_row(channel_id: int, kind: str, external_id: str) -> str:
    """Return the identity a raw payload is sealed for."""
    return f"payload|{channel_id}|{kind}|{external_id}"


def inbox_row(channel_id: int, delivery_key: str) -> str:
    """Return the identity a webhook's body is sealed for."""
    return f"inbox|{channel_id}|{delivery_key}"


def token_row(channel_id: int) -> str:
    """Return the identity a channel's pair of tokens is sealed for."""
    return f"token|{channel_id}"


def subscription_row(subscription_id: int) -> str:
    """Return the identity a subscription's secret is sealed for."""
    return f"subscription|{subscription_id}"


def dead_letter_row(channel_id: int, kind: str, key: str) -> str:
    """Return the identity a dead letter's body is sealed for."""
    return f"dead_letter|{channel_id}|{kind}|{key}"


def waybill_row(waybill_id: int) -> str:
    """Return the identity that what a courier gave to a booking is sealed for."""
    return f"waybill|{waybill_id}"


def track_node_row(track_id: int, key: str) -> str:
    """Return the identity that what a courier says of a parcel is sealed for."""
    return f"track_node|{track_id}|{key}"


@dataclass(frozen=True, slots=True)
class Sealed:
    """A column of sealed values, the identity each is sealed for, and the column that numbers its rows."""

    table: Table
    column: str
    row: Callable[[Any], str]
    key: str = "id"

    @property
    def numbered(self) -> Column[Any]:
        """The column that numbers the rows."""
        return self.table.c[self.key]


SEALED = (
    Sealed(orders, "recipient", lambda r: recipient_row(r.channel_id, r.external_id)),
    Sealed(orders, "notes", lambda r: notes_row(r.channel_id, r.external_id)),
    Sealed(order_line, "properties", lambda r: line_row(r.order_id, r.external_id)),
    Sealed(line_spec, "spec", lambda r: line_spec_row(r.line_id), "line_id"),
    Sealed(variant, "spec", lambda r: variant_row(r.sku_id), "sku_id"),
    Sealed(payload, "body", lambda r: payload_row(r.channel_id, r.kind, r.external_id)),
    Sealed(inbox, "body", lambda r: inbox_row(r.channel_id, r.delivery_key)),
    Sealed(token, "pair", lambda r: token_row(r.channel_id)),
    Sealed(subscription, "secret", lambda r: subscription_row(r.id)),
    Sealed(waybill, "label", lambda r: waybill_row(r.id)),
    Sealed(track_node, "text", lambda r: track_node_row(r.track_id, r.key)),
    Sealed(dead_letter, "body", lambda r: dead_letter_row(r.channel_id, r.kind, r.key)),
)
"""All of them, the proof of the keys aside."""
PROOF = Sealed(key_proof, "sealed", lambda r: PROOF_ROW)


def recipient_columns(
    vault: Vault, recipient: Recipient, *, row: str, same: SameRecipient | None = None
) -> dict[str, Any]:
    """Return the columns of an order that say who gets the parcel, sealed for `row`; province to district in clear.

    Args:
        same: the platform's own answer to who it is, where it hides that.
    """
    value = _plain(recipient)
    return {
        "recipient": vault.encrypt(value, row=row),
        "recipient_index": vault.index(value),
        "phone_index": vault.phone_index(recipient.phone),
        "merge_index": merge_index(vault, recipient, same=same),
        "province": recipient.province,
        "city": recipient.city,
        "district": recipient.district,
    }


NO_RECIPIENT: dict[str, Any] = dict.fromkeys(
    ("recipient", "recipient_index", "phone_index", "merge_index", "province", "city", "district")
)
"""The same columns of an order of which nobody said who gets it."""


def recipient_index(vault: Vault, recipient: Recipient) -> bytes:
    """Return the keyed hash by which a changed recipient is noticed without opening the known one."""
    return vault.index(_plain(recipient))


def merge_index(vault: Vault, recipient: Recipient, *, same: SameRecipient | None = None) -> bytes | None:
    """Return the keyed hash by which orders of one recipient at one door are found; None for one never merged."""
    key = merge_key(recipient, regions=regions(), same=same)
    return None if key is None else vault.index(["merge", key])


def buyer_index(vault: Vault, channel_id: int, buyer: str) -> bytes:
    """Return the keyed hash by which the orders of one buyer on one channel are found."""
    return vault.index(["buyer", channel_id, buyer])


def _plain(recipient: Recipient) -> dict[str, str]:
    return {name: getattr(recipient, name) for name in Recipient.__dataclass_fields__}
