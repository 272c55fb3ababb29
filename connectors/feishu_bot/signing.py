"""The signature of a Feishu bot's call."""

import base64
import hashlib
import hmac


def sign(secret: str, timestamp: str) -> str:
    """Return the signature in base64: the key holds timestamp and secret, what is signed is nothing at all.

    Args:
        timestamp: seconds since 1970.

    Source: protocol note notify.md section 3; vectors in tests/connectors/feishu_bot/sign.json.
    """
    key = f"{timestamp}\n{secret}".encode()
    return base64.b64encode(hmac.new(key, b"", hashlib.sha256).digest()).decode("ascii")
