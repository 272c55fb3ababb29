"""What a signed body is stored as, whatever stands in it.

Why nothing is refused here: the sender's signature is right, so the body is news; what cannot be read is kept byte by
byte and becomes a dead letter, which a later version may be able to read.
"""

import base64
import hashlib
import json
from collections.abc import Iterable
from typing import Any

from erpsync.sdk.types import Payload

BODY = "body_base64"
MAX_DEPTH = 50
TYPES = ("order", "refund")
DIGEST_CHARS = 16


def payload_of(body: bytes) -> Payload:
    """Return the JSON object in a body; the bytes under `body_base64` where there is none that can be kept."""
    try:
        document = json.loads(body.decode("utf-8-sig"), parse_constant=_refuse)
    except (ValueError, RecursionError):
        document = None
    if isinstance(document, dict) and BODY not in document and _can_be_kept(document):
        return document
    return {BODY: base64.b64encode(body).decode("ascii")}


def unknown_type(payload: Payload) -> str:
    """Return the type of a message that is neither order nor refund; nothing where none is named."""
    type = payload.get("type")
    return type if isinstance(type, str) and type not in TYPES else ""


def body_digest(body: bytes) -> str:
    """Return 16 hex characters that name a body."""
    return hashlib.sha256(body).hexdigest()[:DIGEST_CHARS]


def unread_key(payload: Payload, body: bytes) -> str:
    """Return the name of a body that cannot be read: equal for equal bodies, with the id it may carry before it."""
    data = payload.get("data")
    own = data.get("external_id") if isinstance(data, dict) else None
    named = str(own) if isinstance(own, str | int) else ""
    shown = named if named.isprintable() and len(named) <= 100 else ""
    return f"{shown or 'body'}#{body_digest(body)}"


def _can_be_kept(document: dict[str, Any]) -> bool:
    """Return whether the document can be written as UTF-8 again (no half characters) and is of sane depth."""
    level: Iterable[Any] = [document]
    for _ in range(MAX_DEPTH):
        level = [child for value in level for child in _children(value)]
        if not level:
            break
    else:
        return False
    try:
        json.dumps(document, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _children(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
