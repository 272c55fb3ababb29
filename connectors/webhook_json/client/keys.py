"""The key in a Standard Webhooks secret."""

import base64

PREFIX = "whsec_"


def decode_key(secret: str) -> bytes:
    """Return the key; raises `ValueError`, without the secret, when it is none.

    Source: Standard Webhooks specification, "Symmetric signatures": base64, `whsec_` before it. Left out by some shops:
    the prefix and the padding.
    """
    text = secret.strip().removeprefix(PREFIX).rstrip("=")
    try:
        key = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except ValueError:
        key = b""
    if not key:
        raise ValueError("secret must be base64, with or without whsec_ before it, to sign by Standard Webhooks")
    return key
