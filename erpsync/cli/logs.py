"""Logs of a single command: on stderr, and only what went wrong, so that nothing stands beside the result.

Why undone afterwards: the log's configuration belongs to the process, and a program may call `main` more than once.
"""

import logging
import sys
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager

OWN_LOG = ("run", "demo")
"""Commands that set the log of the process up themselves."""


def level_of(args: Namespace) -> int:
    """Return from which level on a command's log is shown: warning, info with --verbose, error with --quiet."""
    if args.debug:
        return logging.DEBUG
    return logging.ERROR if args.quiet else logging.INFO if args.verbose else logging.WARNING


@contextmanager
def quiet_log(command: str, *, level: int) -> Iterator[None]:
    """Send log records from a level on to stderr while the block runs."""
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
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    try:
        yield
    finally:
        structlog.reset_defaults()
