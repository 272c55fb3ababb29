"""Who lives, who is to do what, and the leases this node holds.

On SQLite there is one daemon, and the OS lock on the file is its lease: no rows are written. On PostgreSQL each pass
over a stream runs under a lease row; among the living nodes one is preferred per channel (highest hash of node and
channel), the others give it a few seconds, so that leases spread without a leader.
"""

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import structlog
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from erpsync import __version__
from erpsync.runtime.meters import Meters
from erpsync.store.db.engine import StoreError, sqlite_path
from erpsync.store.db.store import Store
from erpsync.store.db.trouble import cause_of
from erpsync.store.leases import LEASE_S, Lease, end_leases, renew_lease, take_lease
from erpsync.store.nodes import Refusal, beat, leave, living, take_configuration
from erpsync.store.tables import node

log = structlog.get_logger("erpsync.runtime.presence")

MARGIN_S = 3.0


@dataclass(slots=True)
class Held:
    """A lease of this node; `lease` is None where none is needed. It ends by itself when it cannot be renewed."""

    lease: Lease | None
    good_until_s: float

    def good(self, now_s: float) -> bool:
        """Whether this node may still act on it."""
        return self.lease is None or now_s < self.good_until_s


class Presence:
    """This node among the others.

    What it says goes by the border, which waits a few seconds at most: a database that cannot be had, or is busy with
    this daemon's own work, keeps nobody from knowing that the daemon turns.

    `tried_at_s` is when a beat ended last, `problem` why it failed, if it did. `configuration` is what this node works
    by, as text for those who ask; `refusal` the reload that it did not take. Both are told with the next beat.
    """

    def __init__(self, store: Store, meters: Meters) -> None:
        self._store = store
        self._border = store.at_border()
        self._meters = meters
        self._lock = threading.Lock()
        self._held: dict[str, Held] = {}
        self._living: tuple[str, ...] = (store.owner,)
        self.tried_at_s: float | None = None
        self.problem = ""
        self.configuration = ""
        self.refusal: Refusal | None = None
        self._told = ""

    def beat(self) -> bool:
        """Say that this node lives, see who else does, and prolong its leases; return whether another one is gone."""
        try:
            gone = self._beat()
        except (SQLAlchemyError, StoreError, OSError) as error:
            self.problem = cause_of(error, sqlite_path(self._store.engine))
            raise
        finally:
            self.tried_at_s = self._store.clock.monotonic()
        self.problem = ""
        return gone

    def _beat(self) -> bool:
        beat(self._border, version=__version__, refusal=self.refusal)
        if (text := self.configuration) != self._told:
            take_configuration(self._border, text)
            self._told = text
        if self._store.is_sqlite:
            return False
        before = set(self._living)
        with self._border.read() as connection:
            alive = connection.execute(select(node.c.id).where(living(self._store.clock.now()))).scalars()
            self._living = tuple(sorted({*alive, self._store.owner}))
        for held in list(self._held.values()):
            self._renew(held)
        return not before <= set(self._living)

    def preferred(self, channel: str) -> bool:
        """Whether this node is the one that should serve a channel."""
        return max(self._living, key=lambda name: _weight(name, channel)) == self._store.owner

    @contextmanager
    def lease(self, key: str) -> Iterator[Held | None]:
        """Hold a lease for the length of the block; None while another node holds it."""
        if self._store.is_sqlite:
            yield Held(None, 0.0)
            return
        began_s = self._store.clock.monotonic()
        lease = take_lease(self._store, key)
        if lease is None:
            yield None
            return
        self._meters.add("erpsync_lease_changes_total", change="taken")
        held = Held(lease, began_s + LEASE_S - MARGIN_S)
        with self._lock:
            self._held[key] = held
        try:
            yield held
        finally:
            with self._lock:
                self._held.pop(key, None)
            end_leases(self._store, key=key)

    def good(self, held: Held) -> bool:
        """Whether a lease may still be acted on."""
        return held.good(self._store.clock.monotonic())

    def leave(self) -> None:
        """End all leases of this node, so that no other one has to wait, and take it off the list of the living."""
        end_leases(self._border)
        leave(self._border)

    def _renew(self, held: Held) -> None:
        if held.lease is None:
            return
        began_s = self._store.clock.monotonic()
        if renew_lease(self._border, held.lease):
            held.good_until_s = began_s + LEASE_S - MARGIN_S
            return
        with self._lock:
            ours = self._held.get(held.lease.key) is held
        if ours:
            held.good_until_s = 0.0
            self._meters.add("erpsync_lease_changes_total", change="lost")
            log.warning("lease.lost", lease=held.lease.key)


def _weight(name: str, channel: str) -> bytes:
    return hashlib.blake2b(f"{name}\0{channel}".encode(), digest_size=8).digest()
