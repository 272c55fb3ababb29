"""Until when a call may begin, said by who decided to make it and looked at right before it is sent.

Why: between the two a call waits for its budget, and a process may be stopped for minutes. By then the lease has passed
on and somebody else has sent the parcel, or the order that was read has been cancelled since.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from erpsync.sdk.clock import Clock
from erpsync.sdk.errors import TooLateError


@dataclass(slots=True, kw_only=True)
class _Limit:
    clock: Clock
    seconds: float
    until_s: float
    renew: Callable[[], bool] | None

    @property
    def left_s(self) -> float:
        return self.until_s - self.clock.monotonic()

    def holds(self) -> bool:
        """Whether a call may begin; past its time, whether it was renewed."""
        if self.left_s > 0:
            return True
        now_s = self.clock.monotonic()
        if self.renew is None or not self.renew():
            return False
        self.until_s = now_s + self.seconds
        return self.left_s > 0


_limits: ContextVar[tuple[_Limit, ...]] = ContextVar("limits", default=())


@contextmanager
def to_be_sent_within(clock: Clock, seconds: float, *, renew: Callable[[], bool] | None = None) -> Iterator[None]:
    """Let no call inside the `with` block begin later than `seconds` from now; limits of outer blocks hold as well.

    Args:
        renew: asked when the time is up; True lets calls begin for as long again, counted from the question.
    """
    limit = _Limit(clock=clock, seconds=seconds, until_s=clock.monotonic() + seconds, renew=renew)
    token = _limits.set((*_limits.get(), limit))
    try:
        yield
    finally:
        _limits.reset(token)


def left_s() -> float:
    """Return the seconds within which a call may still begin, come what may; infinite where nobody said."""
    return min((limit.left_s for limit in _limits.get() if limit.renew is None), default=float("inf"))


def refuse_late(own_left_s: float = float("inf")) -> None:
    """Raise `TooLateError` when nothing may begin any more.

    Args:
        own_left_s: seconds that the call itself has left.
    """
    # `left_s` comes last: renewing asks the database, which may take long.
    if own_left_s <= 0 or not all(limit.holds() for limit in _limits.get()) or left_s() <= 0:
        raise TooLateError("not sent: its time was up before it could be")
