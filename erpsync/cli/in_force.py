"""The configuration in force, for commands that only look while the files on disk are bad.

Why only for those: a command that changes something by a configuration that is being mended would put half of an
intention into the database.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from erpsync.settings import Config, Registry
    from erpsync.store.db.store import Store


class NothingKnown(Exception):
    """There is no configuration in force to go by; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InForce:
    """A configuration that a daemon works by, or worked by last, since when."""

    config: "Config"
    since: datetime


def read_in_force(place: Path, registry: "Registry", environ: Mapping[str, str]) -> InForce:
    """Return what is in force for the bad configuration at `place`; raises `NothingKnown`."""
    from sqlalchemy.exc import SQLAlchemyError

    from erpsync.cli.errors import first_line
    from erpsync.settings.rescue import find_database
    from erpsync.store.db.engine import StoreError
    from erpsync.store.db.store import BORDER_WAIT_S, Store

    database = find_database(place, environ)
    if database is None:
        raise NothingKnown("which database it means cannot be told")
    try:
        store = Store.open(database, wait_s=BORDER_WAIT_S)
        try:
            since, text = _kept(store)
        finally:
            store.close()
    except (SQLAlchemyError, StoreError) as error:
        raise NothingKnown(
            f"the database cannot be used: {first_line(getattr(error, 'orig', None) or error)}"
        ) from error
    return InForce(config=_restored(text, database, registry, environ), since=since)


def _kept(store: "Store") -> tuple[datetime, str]:
    from erpsync.store.db.schema import is_current
    from erpsync.store.nodes import configuration_in_force

    if not is_current(store.engine):
        raise NothingKnown("there is no database of this version")
    with store.read() as connection:
        in_force = configuration_in_force(connection, store.clock.now())
    if in_force is None:
        raise NothingKnown("no daemon of this database has told its configuration")
    return in_force


def _restored(text: str, database: str, registry: "Registry", environ: Mapping[str, str]) -> "Config":
    from erpsync.settings.rescue import restore

    try:
        loaded = restore(text, database=database, registry=registry, environ=environ)
    except ValueError as error:
        raise NothingKnown(f"what the database holds of it cannot be read: {error}") from error
    if loaded.config is None:
        first = loaded.problems[0]
        raise NothingKnown(f"what the database holds of it cannot be used here: {first.path}: {first.text}")
    return loaded.config
