"""Access tokens that end: the pair in use, and the box a connector takes it from.

Why a box and not a setting: a renewed pair must be used at once, by every thread, and outlive the process; the daemon
keeps it in its store and puts it into the box, the connector only ever looks there.
"""

import threading
from dataclasses import dataclass
from datetime import datetime

from pydantic import SecretStr


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenPair:
    """An access token, what renews it, and when it ends."""

    access_token: SecretStr
    refresh_token: SecretStr | None = None
    expires_at: datetime | None = None


class TokenBox:
    """Holds the pair to be used now; the configured one until it is replaced. Shared by threads.

    Attributes:
        configured: the pair of the settings.
        renewing: held while somebody renews the pair.
        unsaved: whether the pair in use could not be stored yet; until then nothing takes its place.
    """

    def __init__(self, configured: TokenPair) -> None:
        self.configured = configured
        self.renewing = threading.Lock()
        self.unsaved = False
        self._lock = threading.Lock()
        self._pair = configured

    def current(self) -> TokenPair:
        """Return the newest pair."""
        with self._lock:
            return self._pair

    def replace(self, pair: TokenPair, *, instead_of: TokenPair | None = None) -> bool:
        """Use `pair` from now on; with `instead_of` only if that is still the one in use. Whether it is used now."""
        with self._lock:
            if instead_of is not None and self._pair != instead_of:
                return False
            self._pair = pair
            return True
