"""How often something may be tried by each who tries: so many at once, then one every so often.

Why in memory and bounded: it only slows down, what must hold on every node is counted in the database, and strangers
decide how many there are of them.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable

MOST_KEYS = 4096


class Throttle:
    """Budgets by key; the one that was not used for longest is forgotten when there are too many.

    Args:
        burst: how many tries at once.
        every_s: after how many seconds there is another one.
        monotonic: returns seconds that never jump.
    """

    def __init__(self, *, burst: int, every_s: float, monotonic: Callable[[], float]) -> None:
        self._burst = burst
        self._every_s = every_s
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._spent: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait_s(self, key: str) -> float:
        """Return in how many seconds the next try may be made, 0 for now."""
        with self._lock:
            spent = self._now_spent(key)
            return max(0.0, (spent - self._burst + 1) * self._every_s)

    def take(self, key: str) -> bool:
        """Take one try out of a budget; whether there was one."""
        with self._lock:
            spent = self._now_spent(key)
            if spent > self._burst - 1:
                return False
            self._spent[key] = (spent + 1, self._monotonic())
            self._spent.move_to_end(key)
            if len(self._spent) > MOST_KEYS:
                self._spent.popitem(last=False)
            return True

    def _now_spent(self, key: str) -> float:
        spent, since_s = self._spent.get(key, (0.0, 0.0))
        return max(0.0, spent - (self._monotonic() - since_s) / self._every_s)
