"""A town whose database is backed up, lost, and had again from its backup."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy.engine import make_url

from erpsync.flows.backups.backup import take_backup
from erpsync.flows.backups.restore import Restoration, Wish, restore
from erpsync.sdk.clock import Clock
from erpsync.store.db.backup_file import Manifest
from erpsync.store.db.privacy import Vault
from erpsync.store.db.store import Store
from tests.support.shop import VAULT, Town


def say_nothing(done: int, of: int) -> None:
    """Show no progress."""


def back_up(town: Town, file: Path) -> Manifest:
    """Back a town's database up."""
    return take_backup(town.store, file, progress=say_nothing)


def url_of(store: Store) -> str:
    """Return the address of a database."""
    return store.engine.url.render_as_string(hide_password=False)


def lose(url: str) -> None:
    """Remove a database and all that it holds; on PostgreSQL an empty one is left."""
    if url.startswith("sqlite"):
        file = Path(url.removeprefix("sqlite:///"))
        for each in file.parent.glob(f"{file.name}*"):
            each.unlink()
        return
    parts = make_url(url)
    with psycopg.connect(**_there(parts), autocommit=True) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")


def _there(parts: Any) -> dict[str, Any]:
    return {"host": parts.query["host"], "user": parts.username, "dbname": parts.database}


def wish(town: Town, file: Path, *, url: str | None = None, vault: Vault | None = VAULT, **changes: Any) -> Wish:
    """Return what restores a backup into a town's database, by the town's clock."""
    clock: Clock = town.clock
    made = Wish(
        file=file,
        url=url or url_of(town.store),
        vault=vault,
        keys_place="the key file",
        context=lambda store: replace(town.ctx, store=store),
        open=lambda address: Store.open(address, clock=clock),
        actor="me",
        progress=say_nothing,
    )
    return replace(made, **changes)


def lose_and_restore(town: Town, file: Path) -> Restoration:
    """Lose a town's database and restore a backup in its place; the town has to be built again."""
    url = url_of(town.store)
    town.store.close()
    lose(url)
    return restore(wish(town, file, url=url))
