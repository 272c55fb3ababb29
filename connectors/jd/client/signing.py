"""The signature of a call.

Why the sandbox imports this too: both sides are tested against vectors of independent SDKs, so sharing the function
cannot hide a common mistake.
"""

from collections.abc import Callable, Mapping

from pydantic import SecretStr

from erpsync.sdk.signing import hmac_md5, hmac_sha256, md5

SIGN_METHODS: Mapping[str, Callable[[bytes, bytes], str]] = {
    "md5": md5,
    "hmacmd5": hmac_md5,
    "hmacsha256": hmac_sha256,
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
