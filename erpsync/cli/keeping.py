"""`migrate`, `schema` and `keys rotate`."""

from collections.abc import Callable

from erpsync.cli.app import App
from erpsync.cli.errors import OK


def migrate(app: App) -> int:
    """Bring the database to this version, an SQLite file after a copy; make its key file when it needs one."""
    from erpsync.cli.build import open_store, vault_of
    from erpsync.store.schema import VERSION, current_version
    from erpsync.store.schema import migrate as bring_up

    store = open_store(app.config)
    try:
        before = current_version(store.engine)
        done = bring_up(store.engine)
    finally:
        store.close()
    if app.config.privacy is None:
        vault_of(app.config, make=True)
    text = f"the database is at version {VERSION}" + ("" if done else " already")
    app.out.value({"before": before, "version": VERSION, "changed": done}, text)
    return OK


def schema(app: App) -> int:
    """Print the JSON Schema of both kinds of configuration files."""
    from erpsync.settings import schema as json_schema

    app.out.json(json_schema(app.registry))
    return OK


def rotate(app: App) -> int:
    """Encrypt all personal data with the first key; what was done is kept when it is stopped."""
    from erpsync.cli.build import vault_of
    from erpsync.flows.rekey import rotate_keys

    config = app.load(secrets=True).require()
    with app.store(vault_of(config)) as store, app.out.progress("values") as advance:
        done = rotate_keys(store, progress=_Steps(advance))
    app.out.value({"encrypted": done}, f"{done} values encrypted anew")
    return OK


class _Steps:
    """Turns `table, done, total` into steps of one bar."""

    def __init__(self, advance: Callable[[int], None]) -> None:
        self._advance = advance
        self._done: dict[str, int] = {}

    def __call__(self, table: str, done: int, total: int) -> None:
        del total
        self._advance(done - self._done.get(table, 0))
        self._done[table] = done
