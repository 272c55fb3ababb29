"""The signature of a call.

Why the sandbox imports this too: both sides are tested against vectors of independent SDKs, so sharing the function
cannot hide a common mistake.
"""

import hashlib
import hmac
from collections.abc import Callable, Mapping

from pydantic import SecretStr


def _md5(text: bytes, secret: bytes) -> str:
    return hashlib.md5(secret + text + secret, usedforsecurity=False).hexdigest()


def _hmac_md5(text: bytes, secret: bytes) -> str:
    return hmac.new(secret, text, hashlib.md5).hexdigest()


def _hmac_sha256(text: bytes, secret: bytes) -> str:
    return hmac.new(secret, text, hashlib.sha256).hexdigest()


SIGN_METHODS: Mapping[str, Callable[[bytes, bytes], str]] = {
    "md5": _md5,
    "hmacmd5": _hmac_md5,
    "hmacsha256": _hmac_sha256,
}


def sign(params: Mapping[str, str], secret: SecretStr, method: str) -> str:
    """Return the upper-case hex signature of a request.

    Args:
        params: all parameters as they are sent; `sign` and empty ones are left out.
        method: one of `SIGN_METHODS`.

    Source: protocol note jd.md section 1 [JOSDOC]; vectors in tests/connectors/jd/sign.json.
    """
    text = "".join(name + value for name, value in sorted(params.items()) if name != "sign" and value)
    return SIGN_METHODS[method](text.encode("utf-8"), secret.get_secret_value().encode("utf-8")).upper()
