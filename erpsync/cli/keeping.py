"""`migrate`, `schema` and `keys rotate`."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from erpsync.cli.app import App
from erpsync.cli.errors import OK, CommandError

if TYPE_CHECKING:
    from erpsync.settings import Config


def migrate(app: App) -> int:
    """Bring the database to this version, an SQLite file after a copy; make its key file when it needs one."""
    from erpsync.cli.build import open_store, proven_vault
    from erpsync.runtime.lock import only_daemon
    from erpsync.store.db.schema import VERSION, current_version
    from erpsync.store.db.schema import migrate as bring_up

    store = open_store(app.config)
    try:
        before = current_version(store.engine)
        # A daemon of another version may not find its tables changed under it.
        with only_daemon(app.config.sqlite_file if before not in (None, VERSION) else None):
            done = bring_up(store.engine)
        if app.config.privacy is None:
            proven_vault(store, app.config)
    finally:
        store.close()
    text = f"the database is at version {VERSION}" + ("" if done else " already")
    app.out.value({"before": before, "version": VERSION, "changed": done}, text)
    return OK


def schema(app: App) -> int:
    """Print the JSON Schema of both kinds of configuration files."""
    from erpsync.settings import schema as json_schema

    app.out.json(json_schema(app.registry))
    return OK


def rotate(app: App) -> int:
    """Encrypt all personal data with the first key; what was done is kept when it is stopped.

    A key file beside an SQLite database is given a fresh first key before; the daemon must not run meanwhile.
    """
    config = app.load(secrets=()).require()
    done = _rotate_file(app, config) if config.privacy is None else _rotate(app, config)
    app.out.value({"encrypted": done}, f"{done} {'value' if done == 1 else 'values'} encrypted anew")
    return OK


def _rotate_file(app: App, config: "Config") -> int:
    from erpsync.cli.build import proven_vault
    from erpsync.cli.key_file import begin_rotation, end_rotation
    from erpsync.runtime.lock import only_daemon
    from erpsync.settings.config import key_file

    database = config.sqlite_file
    if database is None:
        raise CommandError("there are no keys: the configuration has no privacy block")
    with app.store() as store, only_daemon(database):
        proven_vault(store, config)
        begin_rotation(key_file(database))
        done = _rotate(app, config)
        end_rotation(key_file(database))
    return done


def _rotate(app: App, config: "Config") -> int:
    from erpsync.cli.build import vault_of
    from erpsync.flows.operations.keys import prove_keys
    from erpsync.flows.operations.rotate_keys import rotate_keys

    with app.store(vault_of(config)) as store, app.out.progress("values") as advance:
        if store.vault is not None:
            prove_keys(store, store.vault, "the configuration" if config.privacy is not None else "the key file")
        return rotate_keys(store, progress=_Steps(advance))


class _Steps:
    """Turns `table, done, total` into steps of one bar."""

    def __init__(self, advance: Callable[[int], None]) -> None:
        self._advance = advance
        self._done: dict[str, int] = {}

    def __call__(self, table: str, done: int, total: int) -> None:
        del total
        self._advance(done - self._done.get(table, 0))
        self._done[table] = done
