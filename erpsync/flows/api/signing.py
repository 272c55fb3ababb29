"""Signatures on what we tell subscribers.

Source: Standard Webhooks specification, "Signature scheme", symmetric; vectors in tests/e2e/standardwebhooks.json.
"""

import base64
import hashlib
import hmac
import secrets
from datetime import datetime

PREFIX = "whsec_"
KEY_BYTES = 32


def new_secret() -> str:
    """Return a fresh secret as both sides keep it."""
    return PREFIX + base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode("ascii")


def signed_headers(secret: str, body: bytes, *, id: str, at: datetime) -> dict[str, str]:
    """Return the three headers that sign a body; `id` is the same each time the same thing is told."""
    key = base64.b64decode(secret.removeprefix(PREFIX))
    timestamp = str(int(at.timestamp()))
    digest = hmac.new(key, f"{id}.{timestamp}.".encode("ascii") + body, hashlib.sha256).digest()
    signature = f"v1,{base64.b64encode(digest).decode('ascii')}"
    return {"webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": signature}
