"""The digest of a call.

Why the sandbox imports this too: both sides are tested against vectors of independent SDKs, so sharing the function
cannot hide a common mistake.
"""

import base64
import hashlib
from collections.abc import Callable, Mapping
from urllib.parse import quote_plus

from cryptography.hazmat.primitives.hashes import SM3, Hash


def _md5(text: str) -> str:
    return base64.b64encode(hashlib.md5(text.encode(), usedforsecurity=False).digest()).decode("ascii")


def _standard_md5(text: str) -> str:
    """Return the digest of the text as Java's URLEncoder writes it: a star stays, a tilde does not."""
    return _md5(quote_plus(text, safe="*").replace("~", "%7E"))


def _sm3(text: str) -> str:
    hashing = Hash(SM3())
    hashing.update(text.encode())
    return hashing.finalize().hex()


DIGESTS: Mapping[str, Callable[[str], str]] = {"md5": _standard_md5, "simple_md5": _md5, "sm3": _sm3}


def digest(data: str, timestamp_ms: str, checkword: str, method: str) -> str:
    """Return the digest of a call's data, exactly as they are posted.

    Source: protocol note couriers.md section 1.1; vectors in tests/connectors/sf/digest.json.
    """
    return DIGESTS[method](data + timestamp_ms + checkword)
