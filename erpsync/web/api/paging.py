"""Cursors of lists whose rows are told apart by several words."""

import base64
import json

from erpsync.sdk.text import storable
from erpsync.web.api.problems import Problem


def pack(*words: str) -> str:
    """Return a cursor that names a row."""
    return base64.urlsafe_b64encode(json.dumps(words, ensure_ascii=False).encode()).decode("ascii").rstrip("=")


def unpack(cursor: str | None, count: int) -> list[str] | None:
    """Return the words of a cursor; 422 when it is none of this list."""
    if cursor is None:
        return None
    try:
        words = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except ValueError:
        words = None
    if (
        not isinstance(words, list)
        or len(words) != count
        or not all(isinstance(word, str) and word == storable(word) for word in words)
    ):
        raise Problem(422, "after must be what `next` of the page before was")
    return words


def number(cursor: str | None) -> int:
    """Return a cursor that is a number, 0 for none; 422 when it is not."""
    if cursor is None:
        return 0
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) < 19):
        raise Problem(422, "after must be what `next` of the page before was")
    return int(cursor)
