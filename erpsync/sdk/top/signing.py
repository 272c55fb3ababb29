"""The signature of a call.

Why the sandbox imports this too: both sides are tested against vectors of independent SDKs, so sharing the function
cannot hide a common mistake.
"""

from collections.abc import Callable, Mapping

from pydantic import SecretStr

from erpsync.sdk.signing import hmac_md5, hmac_sha256, md5

SIGN_METHODS: Mapping[str, Callable[[bytes, bytes], str]] = {
    "md5": md5,
    "hmac": hmac_md5,
    "hmac-sha256": hmac_sha256,
}


def sign(params: Mapping[str, str], secret: SecretStr, method: str, *, body: str = "") -> str:
    """Return the upper-case hex signature of a request.

    Args:
        params: all text parameters that are sent, public and business; a `sign` among them is left out.
        method: one of `SIGN_METHODS`.
        body: a raw body that is signed too, for the few calls that have one.

    Source: protocol note taobao.md section 1 [DOC-101617]; vectors in tests/connectors/taobao/sign.json.
    """
    text = "".join(name + value for name, value in sorted(params.items()) if name != "sign") + body
    return SIGN_METHODS[method](text.encode("utf-8"), secret.get_secret_value().encode("utf-8")).upper()
