"""Logs of a single command: on stderr, and only what went wrong, so that nothing stands beside the result.

Why undone afterwards: the log's configuration belongs to the process, and a program may call `main` more than once.
"""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager

OWN_LOG = ("run", "demo")
"""Commands that set the log of the process up themselves."""


@contextmanager
def quiet_log(command: str, *, debug: bool) -> Iterator[None]:
    """Send warnings and worse (with `debug` everything) to stderr while the block runs."""
    import structlog

    from erpsync.runtime.logging import scrub

    if command in OWN_LOG or structlog.is_configured():
        yield
        return
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            scrub,
            structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG if debug else logging.WARNING),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    try:
        yield
    finally:
        structlog.reset_defaults()
