"""Signatures that more than one platform makes: digests in hex, and the three headers of Standard Webhooks, symmetric.

Source: Standard Webhooks specification, "Signature scheme" and "Symmetric signatures"; vectors in
tests/connectors/webhook_json/standardwebhooks.json and tests/e2e/standardwebhooks.json.
"""

import base64
import hashlib
import hmac
import secrets
from datetime import datetime

PREFIX = "whsec_"
KEY_BYTES = 32
ID, TIMESTAMP, SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"


def new_secret() -> str:
    """Return a fresh secret as both sides keep it."""
    return PREFIX + base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode("ascii")


def decode_key(secret: str) -> bytes:
    """Return the key in a secret; raises `ValueError`, without the secret, when it is none.

    Base64, `whsec_` before it. Left out by some: the prefix and the padding.
    """
    text = secret.strip().removeprefix(PREFIX).rstrip("=")
    try:
        key = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except ValueError:
        key = b""
    if not key:
        raise ValueError("secret must be base64, with or without whsec_ before it, to sign by Standard Webhooks")
    return key


def sign(key: bytes, body: bytes, *, id: str, timestamp: str) -> str:
    """Return `v1,` and the signature in base64."""
    digest = hmac.new(key, f"{id}.{timestamp}.".encode("ascii") + body, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode('ascii')}"


def signed_headers(key: bytes, body: bytes, *, id: str, at: datetime) -> dict[str, str]:
    """Return the three headers that sign a body; `id` is the same each time the same thing is told."""
    timestamp = str(int(at.timestamp()))
    return {ID: id, TIMESTAMP: timestamp, SIGNATURE: sign(key, body, id=id, timestamp=timestamp)}


def md5(text: bytes, secret: bytes) -> str:
    """Return the MD5 of a text with the secret before and behind it."""
    return hashlib.md5(secret + text + secret, usedforsecurity=False).hexdigest()


def hmac_md5(text: bytes, secret: bytes) -> str:
    """Return the HMAC-MD5 of a text."""
    return hmac.new(secret, text, hashlib.md5).hexdigest()


def hmac_sha256(text: bytes, secret: bytes) -> str:
    """Return the HMAC-SHA256 of a text."""
    return hmac.new(secret, text, hashlib.sha256).hexdigest()
