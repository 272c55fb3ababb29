"""Webhooks that could not be stored, kept in memory until the database takes writes again and knows of them."""

import threading
from collections.abc import Mapping
from datetime import datetime

from erpsync.store.status.storage import Lost


class Losses:
    """Counts by channel row id."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._unsaved: dict[int, Lost] = {}

    def note(self, channel_id: int, at: datetime) -> None:
        """Count one."""
        with self._lock:
            before = self._unsaved.get(channel_id)
            self._unsaved[channel_id] = Lost(count=1 + (before.count if before else 0), at=at)

    def unsaved(self) -> dict[int, Lost]:
        """Return what the database does not know of."""
        with self._lock:
            return dict(self._unsaved)

    def saved(self, told: Mapping[int, Lost]) -> None:
        """Forget what the database was told; what came since stays."""
        with self._lock:
            for channel_id, lost in told.items():
                now = self._unsaved.pop(channel_id)
                if now.count > lost.count:
                    self._unsaved[channel_id] = Lost(count=now.count - lost.count, at=now.at)
