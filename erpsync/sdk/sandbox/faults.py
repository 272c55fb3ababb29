"""What goes wrong on a sandbox platform, decided by a seed.

Why a plan object and not random calls in the sandboxes: a failing run is repeated from its seed, and a test can order
one exact fault (`force`) without touching chance.
"""

import random
import threading
from collections import Counter
from collections.abc import Collection
from enum import StrEnum


class Fault(StrEnum):
    """Kinds of faults. `..._after` means that the effect was done and only the answer is lost or useless."""

    TIMEOUT_BEFORE = "timeout_before"
    TIMEOUT_AFTER = "timeout_after"
    ERROR_5XX_BEFORE = "error_5xx_before"
    ERROR_5XX_AFTER = "error_5xx_after"
    HTML_200 = "html_200"
    THROTTLE = "throttle"
    CUT_BODY = "cut_body"
    DUPLICATE = "duplicate"
    LATE = "late"
    EXPIRED_TOKEN = "expired_token"  # noqa: S105 - the name of a fault
    PLATFORM_ERROR = "platform_error"
    NO_NUMBER = "no_number"
    LATE_LABEL = "late_label"
    BAD_LABEL = "bad_label"


COURIER_FAULTS = (Fault.NO_NUMBER, Fault.LATE_LABEL, Fault.BAD_LABEL)
"""A booking that is accepted without a number, a label that is not made yet, and one that is none."""

PLATFORM_FAULTS = (Fault.DUPLICATE, Fault.LATE, Fault.EXPIRED_TOKEN, Fault.PLATFORM_ERROR, *COURIER_FAULTS)
"""Faults that only the concrete sandbox can play; it asks `plan.strikes(Fault.LATE)` where they would happen."""

TRANSPORT_FAULTS = tuple(kind for kind in Fault if kind not in PLATFORM_FAULTS)
"""Faults that `Sandbox.handle` plays around `answer`, one at most per request."""


class FaultPlan:
    """A seeded source of faults.

    Args:
        seed: equal seeds give equal faults for equal requests.
        rate: chance between 0 and 1 that a request meets a transport fault, and that `strikes` says yes.
        kinds: the kinds that may happen by chance; `force` may name any kind.

    `rate` may be set at any time; 0 ends the faults. `struck` counts the faults played so far.
    """

    def __init__(self, seed: int = 0, rate: float = 0.0, kinds: Collection[str] = tuple(Fault)) -> None:
        self.rate = rate
        self.kinds = frozenset(Fault(kind) for kind in kinds)
        self.struck: Counter[Fault] = Counter()
        self.rng = random.Random(seed)  # noqa: S311 - repeatable chance is the point
        self._forced: list[tuple[Fault, int]] = []
        self._transport = tuple(kind for kind in TRANSPORT_FAULTS if kind in self.kinds)
        self._lock = threading.Lock()

    def force(self, kind: str, *, after: int = 0, times: int = 1) -> None:
        """Play `kind` on the next `times` occasions, once `after` occasions have passed unharmed.

        An occasion is a request for transport faults, and a question `strikes(kind)` for platform faults.
        """
        with self._lock:
            self._forced.extend((Fault(kind), after) for _ in range(times))

    def clear(self) -> None:
        """End all faults: those by chance and those forced but not played yet."""
        with self._lock:
            self.rate = 0.0
            self._forced.clear()

    def draw(self) -> Fault | None:
        """Return the transport fault of this request, or None."""
        with self._lock:
            forced = self._due(frozenset(TRANSPORT_FAULTS))
            if forced is None and self._transport and self.rng.random() < self.rate:
                forced = self.rng.choice(self._transport)
            return self._count(forced)

    def strikes(self, kind: str) -> bool:
        """Return whether a platform fault of this kind happens now."""
        wanted = Fault(kind)
        with self._lock:
            struck = self._due(frozenset({wanted}))
            if struck is None and wanted in self.kinds and self.rng.random() < self.rate:
                struck = wanted
            return self._count(struck) is not None

    def choose(self, statuses: tuple[int, ...]) -> int:
        """Return one of `statuses` by the plan's chance."""
        with self._lock:
            return self.rng.choice(statuses)

    def _due(self, kinds: frozenset[Fault]) -> Fault | None:
        """Return the first forced fault among `kinds` that is due; the first one that is not counts down instead."""
        for index, (kind, after) in enumerate(self._forced):
            if kind not in kinds:
                continue
            if after == 0:
                del self._forced[index]
                return kind
            self._forced = [(k, max(0, n - 1)) if k in kinds else (k, n) for k, n in self._forced]
            return None
        return None

    def _count(self, kind: Fault | None) -> Fault | None:
        if kind is not None:
            self.struck[kind] += 1
        return kind
