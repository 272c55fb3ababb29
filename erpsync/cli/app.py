"""What a command is given: its arguments, its output, and the configuration and database when it asks for them.

Why on demand: most commands need no secret and some no database, and each resolves only what it uses.
"""

import getpass
import os
import sys
from argparse import Namespace
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from erpsync.cli.errors import CommandError
from erpsync.cli.output import Output
from erpsync.languages import ENGLISH, Language

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from erpsync.flows.context import Context
    from erpsync.settings import Config, Loaded, Registry
    from erpsync.store.db.privacy import Vault
    from erpsync.store.db.store import Store


class App:
    """One run of a command.

    Args:
        environ: environment variables: where the configuration is, its `${ENV}` secrets, who calls.
        speech: the language of what people read; JSON is not in it.

    Attributes:
        bad_files: what is wrong with the configuration's files, where a command goes by the one in force.
    """

    def __init__(
        self,
        args: Namespace,
        environ: Mapping[str, str],
        *,
        stdin: TextIO | None = None,
        speech: Language = ENGLISH,
    ) -> None:
        self.args = args
        self.environ = environ
        self.out = Output(as_json=args.json, quiet=args.quiet, speech=speech)
        self.stdin = stdin or sys.stdin
        self._config: Config | None = None
        self._registry: Registry | None = None
        self.bad_files = ""

    @property
    def actor(self) -> str:
        """Who acts, for events: the administrator behind sudo, else the user."""
        named = self.environ.get("SUDO_USER")
        if named:
            return named
        try:
            return getpass.getuser()
        except (KeyError, OSError):
            return f"uid {os.getuid()}"

    @property
    def place(self) -> Path:
        """Where the configuration is: --config, else $ERPSYNC_CONFIG, else ./config, else /etc/erpsync."""
        from erpsync.settings import find_config

        return find_config(self.args.config, self.environ)

    @property
    def registry(self) -> "Registry":
        """The installed connectors."""
        from erpsync.settings import installed

        if self._registry is None:
            self._registry = installed()
        return self._registry

    def load(self, *, secrets: "bool | Collection[str]", folders: bool = False) -> "Loaded":
        """Read the configuration; `secrets` and `folders` as `settings.load` takes them."""
        from erpsync.settings import load

        return load(self.place, registry=self.registry, environ=self.environ, secrets=secrets, folders=folders)

    @property
    def config(self) -> "Config":
        """The configuration without its secrets; raises `ConfigError`.

        A command that only looks goes by the one in force while the files are bad, and says so.
        """
        if self._config is None:
            loaded = self.load(secrets=False)
            self._config = loaded.config or self._config_in_force(loaded)
            self.out.zone = self._config.timezone
        return self._config

    def _config_in_force(self, loaded: "Loaded") -> "Config":
        from erpsync.cli.commands import only_looks
        from erpsync.cli.in_force import NothingKnown, read_in_force
        from erpsync.cli.tables import local

        if not only_looks(self.args.command.name):
            return loaded.require()
        try:
            in_force = read_in_force(self.place, self.registry, self.environ)
        except NothingKnown as error:
            self.out.refuse(f"the configuration is bad, and none in force is known: {error}")
            return loaded.require()
        first, *more = loaded.problems
        self.bad_files = f"{first}" + (f" (and {len(more)} more)" if more else "")
        since = local(in_force.since.isoformat(), in_force.config.timezone)
        self.out.refuse(
            f"the configuration on disk is bad: {self.bad_files}; this goes by the one in force since {since}"
        )
        return in_force.config

    @contextmanager
    def store(self, vault: "Vault | None" = None, *, wait_s: float | None = None) -> Iterator["Store"]:
        """Yield the database, at this version; raises `StoreError` when it is at another.

        Args:
            wait_s: how long it is waited for at most; half a minute if not given.
        """
        from erpsync.cli.build import open_store
        from erpsync.store.db.schema import is_current

        store = open_store(self.config, vault=vault, wait_s=wait_s)
        try:
            if not is_current(store.engine):
                raise self._not_migrated(store)
            yield store
        finally:
            store.close()

    def _not_migrated(self, store: "Store") -> Exception:
        from erpsync.store.db.engine import StoreError
        from erpsync.store.db.schema import VERSION, current_version

        stored = current_version(store.engine)
        state = "there is no database yet" if stored is None else f"the database is at version {stored}, not {VERSION}"
        return StoreError(f"{state}; run erpsync --config {self.place} migrate")

    @contextmanager
    def looking(self) -> Iterator["Store"]:
        """Yield the database to look at.

        A channel or warehouse that nobody knows is refused first: a mistyped filter must not look like an empty shop.
        """
        from erpsync.store.registry import OWN, channels, warehouse_ids

        with self.store() as store:
            with store.read() as connection:
                stored, places = channels(connection), warehouse_ids(connection)
            self._known("channel", stored, (OWN, *(channel.id for channel in self.config.channels)))
            self._known("warehouse", places, (warehouse.id for warehouse in self.config.warehouses))
            yield store

    @contextmanager
    def reading(self) -> Iterator["Connection"]:
        """Yield a connection that sees one state of the database and cannot change it; else as `looking`."""
        with self.looking() as store, store.read() as connection:
            yield connection

    def _known(self, what: str, stored: Iterable[str], configured: Iterable[str]) -> None:
        from erpsync.settings.hints import did_you_mean, one_of

        name, known = getattr(self.args, what, None), {*stored, *configured}
        if name is not None and name not in known:
            raise CommandError(f"no {what} {name}{did_you_mean(name, known) or f'; there are {one_of(known)}'}")

    @contextmanager
    def ctx(self, vault: "Vault | None" = None) -> Iterator["Context"]:
        """Yield the context for a command that talks to no platform, with the keys where rules or specs need them."""
        from erpsync.cli.build import command_context

        with self.store(vault or self._keys_of_rules()) as store:
            yield command_context(store, self.config)

    @contextmanager
    def acting(self) -> Iterator["Context"]:
        """Yield the same, with what each channel can do: what is left for the daemon to do depends on that."""
        from erpsync.cli.build import with_roles

        with self.ctx() as ctx:
            yield with_roles(ctx, self.config, self.registry)

    @contextmanager
    def looking_by_rules(self, *, others: bool = False) -> Iterator["Context"]:
        """Yield the context for a command that looks at what rules say; it changes nothing.

        Args:
            others: rules of another file are tried, so the keys are needed although there may be none in force.
        """
        from erpsync.cli.build import stored_context

        with self.store(self._keys_of_rules(others=others)) as store:
            yield stored_context(store, self.config)

    def _keys_of_rules(self, *, others: bool = False) -> "Vault | None":
        """Return the keys for personal data, which rules and specs ask about; None where there are none, or no keys."""
        from erpsync.cli.build import vault_of

        if not (self.config.rules.rules or self.config.specs or others):
            return None
        if self.bad_files:  # then no secret can be read; a key file can
            return vault_of(self.config) if self.config.privacy is None else None
        return vault_of(self.load(secrets=()).require())
