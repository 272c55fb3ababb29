"""What all views share: how instants and details are written, and the error for names that nothing has."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

Json = dict[str, Any]


class NotFound(LookupError):
    """Nothing, or more than one thing, has the name that was given; the text says which."""


def iso(at: datetime | None) -> str | None:
    """Return an instant in ISO 8601, UTC, ending in Z; None stays None."""
    return None if at is None else at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def detail(stored: str) -> Any:
    """Return an event's detail as JSON value."""
    return json.loads(stored)


def row_json(row: Any, names: Iterable[str]) -> Json:
    """Return the named columns of a row, instants as `iso` writes them."""
    values = {name: getattr(row, name) for name in names}
    return {name: iso(value) if isinstance(value, datetime) else value for name, value in values.items()}
