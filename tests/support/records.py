"""Records as connectors read them: bare heads, and what they become as JSON holds it."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, is_dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from erpsync.sdk.types import Head


def golden(folder: Path, name: str) -> Any:
    """Return a case of a folder's golden files."""
    return json.loads((folder / "golden" / f"{name}.json").read_text(encoding="utf-8"))


def plain(value: object) -> Any:
    """Return a value as JSON would hold it."""

    def text(other: object) -> str:
        assert isinstance(other, datetime)
        return other.isoformat()

    held = asdict(value) if is_dataclass(value) and not isinstance(value, type) else value
    return json.loads(json.dumps(held, default=text))


def bare_head(external_id: str, at: datetime, row: Mapping[str, Any] | None = None) -> Head:
    """Return the head of a row that says nothing but its id."""
    return Head(external_id=external_id, version_at=at, digest="", read_from=at, read_to=at, row=row or {})


def changed(records: Mapping[str, Mapping[str, Any]], read: Callable[..., datetime]) -> Mapping[str, datetime]:
    """Return when a sandbox's records were changed, each instant read as the platform writes it."""
    return {key: read(record["modified"], path="modified") for key, record in records.items()}
