"""The signature of a DingTalk robot's call."""

import base64
import hashlib
import hmac


def sign(secret: str, timestamp_ms: str) -> str:
    """Return the signature in base64. Whoever puts it into a query encodes it once, and only once.

    The secret is used as it is written, SEC and all. Source: protocol note notify.md section 2; vectors in
    tests/connectors/dingtalk_bot/sign.json.
    """
    text = f"{timestamp_ms}\n{secret}".encode()
    return base64.b64encode(hmac.new(secret.encode(), text, hashlib.sha256).digest()).decode("ascii")
