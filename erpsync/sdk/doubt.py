"""Whether a call was sent and had no usable answer: its effect may come late, behind that of a later call.

Why beside the error: a call that a second try saved raises none, and its first try can still arrive; and a connector
may call an outcome it does not know "try again", where doing the call twice is the same as doing it once.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(slots=True)
class Doubt:
    """How many tries inside the block were sent and had no usable answer."""

    lost: int = 0


_current: ContextVar[Doubt | None] = ContextVar("doubt", default=None)


@contextmanager
def watching() -> Iterator[Doubt]:
    """Count the tries inside the `with` block, on this thread, that were sent and had no usable answer."""
    doubt = Doubt()
    token = _current.set(doubt)
    try:
        yield doubt
    finally:
        _current.reset(token)


def note_lost() -> None:
    """Note that a try was sent and had no usable answer."""
    doubt = _current.get()
    if doubt is not None:
        doubt.lost += 1
