"""Kuaidi100's signature.

Why the sandbox imports this too: both sides are tested against vectors, so sharing the function cannot hide a common
mistake.
"""

import hashlib


def sign(*parts: str) -> str:
    """Return the MD5 of the parts, one behind the other, in upper-case hex.

    The parts are param, key, customer of a query; param, t, key, secret of a waybill call; param, salt of a call to us.
    Source: protocol note couriers.md section 2; vectors in tests/connectors/kuaidi100/sign.json.
    """
    return hashlib.md5("".join(parts).encode(), usedforsecurity=False).hexdigest().upper()
