"""The digest of a row as it was received.

Why over canonical JSON and not over the bytes of the answer: a list call brings many rows in one body, and platforms
change key order and white space between two readings of the same record.
"""

import hashlib
import json

from erpsync.sdk.types import Payload

DIGEST_CHARS = 32


def digest_of(row: Payload) -> str:
    """Return 32 hex characters that are equal when two rows hold the same values, whatever their key order.

    1 and "1" differ. Values JSON does not know (Decimal, datetime) count as their text.
    """
    text = json.dumps(row, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode("ascii")).hexdigest()[:DIGEST_CHARS]
