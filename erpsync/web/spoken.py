"""The language of the request that is being answered.

Why a context variable: pages are made in many places, those of errors and refusals too, and each would have to hand the
request on. Threads that answer a request are given its context.
"""

from contextvars import ContextVar

from erpsync.languages import ENGLISH, Language

SPOKEN: ContextVar[Language] = ContextVar("language of the page", default=ENGLISH)


def spoken() -> Language:
    """Return the language of the answer that is being made."""
    return SPOKEN.get()
