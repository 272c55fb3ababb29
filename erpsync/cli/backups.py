"""`backup` and `restore`.

Why no question is asked: a backup is made by a timer, and a restoring only where there is nothing that it could harm.
"""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, NoReturn

from erpsync.cli.app import App
from erpsync.cli.errors import FAILED, OK
from erpsync.core.instants import stamp

if TYPE_CHECKING:
    from erpsync.flows.backups.checking import Checked
    from erpsync.flows.backups.restore import Restoration, Wish
    from erpsync.flows.context import Context
    from erpsync.settings import Config
    from erpsync.store.db.backup_file import Manifest
    from erpsync.store.db.store import Store


def backup(app: App) -> int:
    """Copy the database into a new file, readable by its owner alone, while the daemon works."""
    from erpsync.cli.build import open_store
    from erpsync.flows.backups.backup import take_backup

    target = Path(app.args.file)
    config = app.config
    store = open_store(config)
    try:
        with _ended_in_order(), app.out.measured("copying the database") as progress:
            manifest = take_backup(store, target.absolute(), progress=progress)
    finally:
        store.close()
    size = target.stat().st_size
    place = _place_of_keys(config)

    def say() -> None:
        at = stamp(manifest.taken_at)
        app.out.line(f"{target} holds the database as it was at {at}, with {_orders(manifest)}: {size} bytes")
        if manifest.key_ids:
            ids = ", ".join(manifest.key_ids)
            app.out.line(f"it opens only with the keys {ids} of {place}, which are not in it: keep them elsewhere")
        else:
            app.out.line("nothing in it is encrypted: no key is needed")

    value = manifest.as_json() | {"file": str(target), "bytes": size, "keys_from": place}
    app.out.value(value, say)
    return OK


def restore(app: App) -> int:
    """Restore a backup where there is no database; with --verify to a temporary place, and remove it again."""
    from erpsync.flows.backups import restore as restoring
    from erpsync.runtime.lock import only_daemon

    config = app.load(secrets=()).require()
    app.out.zone = config.timezone
    file = Path(app.args.file).absolute()
    with _ended_in_order(), app.out.measured("reading the backup") as progress:
        wish = _wish(app, config, file, progress)
        if app.args.verify:
            database = config.sqlite_file
            beside = database if database is not None and database.parent.is_dir() else file
            done = restoring.verify(wish, beside=beside)
        else:
            if config.sqlite_file is not None:
                config.sqlite_file.parent.mkdir(parents=True, exist_ok=True)
            with only_daemon(config.sqlite_file):
                done = restoring.restore(wish)
    app.out.value(_shown(done), partial(_say, app, done))
    return FAILED if done.checked is not None and done.checked.differences else OK


def _wish(app: App, config: "Config", file: Path, progress: Any) -> "Wish":
    from erpsync.cli.build import vault_of
    from erpsync.flows.backups.restore import Wish
    from erpsync.store.db.store import Store

    return Wish(
        file=file,
        url=config.database if config.sqlite_file is None else f"sqlite:///{config.sqlite_file.absolute()}",
        vault=vault_of(config),
        keys_place=_place_of_keys(config),
        context=partial(_context, app, config),
        open=Store.open,
        actor=app.actor,
        progress=progress,
    )


def _context(app: App, config: "Config", store: "Store") -> "Context":
    from erpsync.cli.build import stored_context, with_roles

    return with_roles(stored_context(store, config), config, app.registry)


def _place_of_keys(config: "Config") -> str:
    """Return in words where the keys come from."""
    from erpsync.settings.config import key_file

    if config.privacy is None and config.sqlite_file is not None:
        return f"the key file {key_file(config.sqlite_file)}"
    return "`privacy.keys` of the configuration"


def _shown(done: "Restoration") -> dict[str, Any]:
    followed, checked = done.consequences, done.checked
    shown: dict[str, Any] = {
        "backup": done.manifest.as_json(),
        "age_s": round(followed.age.total_seconds()),
        "numbers_passed": followed.gap,
        "in_doubt": followed.in_doubt,
        "sessions_ended": followed.sessions,
        "tasks": followed.tasks,
    }
    if checked is None:
        return shown
    last = None if checked.last_order_at is None else checked.last_order_at.isoformat()
    found = {"rows": checked.rows, "last_order_at": last, "opened": checked.samples}
    return {"backup": shown["backup"], **found, "differences": list(checked.differences)}


def _say(app: App, done: "Restoration") -> None:
    followed = done.consequences
    if done.checked is not None:
        _say_checked(app, done, done.checked)
        return
    taken_at = stamp(done.manifest.taken_at)
    app.out.line(f"the database is restored as it was at {taken_at}, with {_orders(done.manifest)}")
    if not followed.in_doubt:
        app.out.line("no parcel and no release was under way")
    else:
        app.out.line(
            "1 parcel or release may have been sent since: it is looked for, or a task asks"
            if followed.in_doubt == 1
            else f"{followed.in_doubt} parcels or releases may have been sent since: they are looked for, or tasks ask"
        )
    app.out.line(f"new numbers pass {followed.gap} that may have been given since; all log-ins have ended")
    app.out.line("start the daemon, then do what `erpsync tasks list` says")


def _orders(manifest: "Manifest") -> str:
    return "1 order" if manifest.orders == 1 else f"{manifest.orders} orders"


def _say_checked(app: App, done: "Restoration", checked: "Checked") -> None:
    from erpsync.cli.tables import Column

    manifest = done.manifest.as_json()
    facts = [
        ("taken at", stamp(done.manifest.taken_at)),
        ("made by erpsync", manifest["product"]),
        ("version of the tables", manifest["schema"]),
        ("last order taken in", "" if checked.last_order_at is None else stamp(checked.last_order_at)),
        ("encrypted values opened", str(checked.samples)),
        *((f"rows of {name}", str(count)) for name, count in checked.rows.items()),
    ]
    columns = [Column("what", "what"), Column("found", "found", "text")]
    app.out.rows([{"what": what, "found": found} for what, found in facts], columns)
    for difference in checked.differences:
        app.out.refuse(difference)
    if not checked.differences:
        app.out.line("the backup can be restored: it was, and is removed again")


@contextmanager
def _ended_in_order() -> Iterator[None]:
    """Let SIGTERM end the command as Ctrl-C does, so that what it has begun is removed."""

    def interrupt(number: int, frame: FrameType | None) -> NoReturn:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
