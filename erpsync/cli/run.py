"""`run` and `demo`."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from erpsync.cli.app import App
from erpsync.cli.check import line_of

if TYPE_CHECKING:
    from erpsync.cli.build import Built
    from erpsync.settings import Config


def run(app: App) -> int:
    """Run the daemon until it is told to stop; with --once until nothing is due."""
    from erpsync.runtime import daemon
    from erpsync.runtime.lock import only_daemon

    loaded = app.load(secrets=True)
    config = loaded.require()
    for note in loaded.notes:
        app.out.note(line_of(note, app.out.speech))
    # The lock comes before the migration: nobody else's daemon may run on tables that are being changed.
    with only_daemon(config.sqlite_file), _built(app, config) as built:
        _log_as_asked(app)
        spare_collector()
        return daemon.run(built, once=app.args.once)


def spare_collector() -> None:
    """Let the garbage collector pass over what is there already, which lives as long as the process.

    Orders taken in make many small objects, and each look through a heap of modules and mappers costs more than they
    do: a fifth of the CPU of large batches.
    """
    gc.collect()
    gc.freeze()


def _log_as_asked(app: App) -> None:
    """Set the log up, from debug on with --verbose, from warning on with --quiet; the daemon sets up no other then."""
    import structlog

    from erpsync.runtime.logging import configure

    if not structlog.is_configured():
        configure(level="warning" if app.args.quiet else "debug" if app.args.verbose else "info")


@contextmanager
def _built(app: App, config: "Config") -> Iterator["Built"]:
    from erpsync.cli.build import open_built

    built = open_built(config, registry=app.registry, load=partial(app.load, secrets=True))
    try:
        yield built
    finally:
        built.close()


def demo(app: App) -> int:
    """Run the demonstration."""
    from erpsync.cli.demo import run as show

    return show(app.args)
