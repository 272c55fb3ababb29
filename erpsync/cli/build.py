"""The composition root: a configuration becomes a store, connectors and a context.

Why commands see the database's rows and the daemon makes them: an edited configuration comes into force when the
daemon loads it, with all that follows from it; a command that looks must not put half of it in force before.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from erpsync.core.policy import SealPolicy
from erpsync.flows.channels.clocks import PlatformClock
from erpsync.flows.channels.credentials import load_tokens
from erpsync.flows.context import AtRest, ChannelSpec, Context, assemble, open_context, read_rows
from erpsync.flows.operations.keys import prove_keys, refuse_without_keys
from erpsync.flows.packing import leaving_as
from erpsync.sdk.clock import Clock
from erpsync.sdk.http import HttpClient, HttpResponse, Limiter
from erpsync.sdk.roles import Connector, TokenHolder
from erpsync.sdk.sandbox.base import SandboxRequest, SandboxResponse
from erpsync.settings import ChannelConfig, Config, Loaded, Registry, changed_channels
from erpsync.settings.config import key_file
from erpsync.settings.folders import folders
from erpsync.store.db.privacy import Vault, decode_key, make_or_read_keys, read_keys
from erpsync.store.db.schema import VERSION, SchemaError, current_version, is_current, migrate
from erpsync.store.db.store import Store
from erpsync.store.limits import SharedLimiter
from erpsync.store.status.storage import SILENT, Disk, measure
from erpsync.web.probe import Probe

if TYPE_CHECKING:  # a command that only looks does without the daemon's parts, and is a quarter of a second sooner
    from erpsync.runtime.parts import Face, Server

Handle = Callable[[SandboxRequest], SandboxResponse]


class Loader(Protocol):
    """Reads the configuration's files again."""

    def __call__(self) -> Loaded: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a context is built with besides its configuration.

    Args:
        mounts: sandboxes that play the platform of a channel in-process, by channel name.
        sealing: when a stretch counts as proven, where the configuration's hours would be too long (the demonstration).
        notice: what every page of the console says at its top.
    """

    store: Store
    registry: Registry
    mounts: Mapping[str, Handle]
    sealing: SealPolicy | None = None
    notice: str = ""


class Built:
    """A configuration in force: its store, connectors and context, and how to put another one in force."""

    def __init__(self, config: Config, around: Surroundings, load: Loader) -> None:
        self.config = config
        self.store = around.store
        self._around = around
        self._load = load
        self._connectors: dict[str, Connector] = {}
        self._room = Probe(lambda: measure(folders(self.config)), silent=SILENT)
        self.ctx = self._put_in_force(config, {})

    def load(self) -> Loaded:
        """Read the configuration's files again and change nothing."""
        return self._load()

    def rebuild(self, config: Config) -> Context:
        """Put another configuration in force: new connectors for changed channels only; nothing changes on an error.

        Another database, other keys or another address of the web server need a restart.
        """
        diff = changed_channels(self.config, config)
        kept = {name: it for name, it in self._connectors.items() if name not in {*diff.changed, *diff.removed}}
        gone = [it for name, it in self._connectors.items() if name not in kept]
        self.ctx = self._put_in_force(config, kept)
        self.config = config
        for connector in gone:
            connector.close()
        return self.ctx

    def server(self, face: "Face") -> "Server | None":
        """Return the web server for the daemon, not started yet."""
        from erpsync.web.server import WebServer

        return WebServer(face, notice=self._around.notice)

    def disks(self) -> Sequence[Disk]:
        """Return how much room the disks of this machine have; a drive that hangs does not tell."""
        return self._room.answer()

    def close(self) -> None:
        """Close connectors and database."""
        for connector in self._connectors.values():
            connector.close()
        self.store.close()

    def _put_in_force(self, config: Config, kept: Mapping[str, Connector]) -> Context:
        """Make what is missing in `kept`, then the rows, and return the context: connectors first, they may fail."""
        budgets: dict[str, _Budget] = {}
        fresh: dict[str, Connector] = {}
        for channel in config.channels:
            if channel.enabled and channel.id not in kept:
                budgets[channel.id] = _Budget()
                fresh[channel.id] = self._connect(channel, budgets[channel.id])
        ctx = _opened(self.store, config, self._around.sealing)
        for row in ctx.channels.values():
            if row.name in budgets:
                limits = next(channel.limits for channel in config.channels if channel.id == row.name)
                budgets[row.name].limiter = SharedLimiter(self.store, row.id, limits)
                budgets[row.name].clock = PlatformClock(self.store, row.id, row.name)
        self._connectors = {**kept, **fresh}
        ctx = with_connectors(ctx, self._connectors)
        load_tokens(ctx)
        return ctx

    def _connect(self, config: ChannelConfig, budget: "_Budget") -> Connector:
        clock = self.store.clock
        mount = self._around.mounts.get(config.id)
        http = HttpClient(clock=clock, limiter=budget, mount=mount, heard=budget.heard)
        return self._around.registry.load(config.connector)(config.settings, http, clock)


class _Budget:
    """A channel's call budget and clock, of a row that a new channel gets only after its connector was made."""

    limiter: Limiter | None = None
    clock: PlatformClock | None = None

    def heard(self, answer: HttpResponse) -> None:
        if self.clock is not None:
            self.clock.heard(answer)

    def acquire(self, lane: str) -> None:
        if self.limiter is None:
            raise RuntimeError("a connector called its platform while it was being made")
        self.limiter.acquire(lane)


def open_built(
    config: Config,
    *,
    registry: Registry,
    load: Loader,
    mounts: Mapping[str, Handle] | None = None,
    clock: Clock | None = None,
    sealing: SealPolicy | None = None,
    notice: str = "",
) -> Built:
    """Return a configuration (with its secrets) in force, its database brought to this version first.

    Raises `SchemaError` when that is left to `erpsync migrate`: on PostgreSQL, unless `migrate: auto`, and where the
    database of a key file is missing. Raises `KeysError` when the keys are not those of the database.
    """
    store = open_store(config, clock=clock)
    try:
        _refuse_to_begin_anew(store, config)
        _bring_up(store, config)
        store.vault = proven_vault(store, config)
        around = Surroundings(store=store, registry=registry, mounts=mounts or {}, sealing=sealing, notice=notice)
        return Built(config, around, load)
    except BaseException:
        store.close()
        raise


def _refuse_to_begin_anew(store: Store, config: Config) -> None:
    """Raise for a database that is not there, or empty, though what lies beside it says that there was one."""
    file = config.sqlite_file
    if file is None or current_version(store.engine) is not None:
        return
    left = [path for path in (key_file(file), file.with_name(f"{file.name}-wal")) if path.exists()]
    if left:
        raise SchemaError(
            f"the database {file} is not there or empty, but {left[0].name} beside it is of one that was: put it back,"
            f" or run erpsync --config {config.folder} migrate to begin with an empty one"
        )


def _bring_up(store: Store, config: Config) -> None:
    if not store.is_sqlite and config.migrate != "auto" and not is_current(store.engine):
        raise SchemaError(
            f"the database is at version {current_version(store.engine) or 'none'}, not {VERSION};"
            f" run erpsync --config {config.folder} migrate, or set migrate: auto"
        )
    migrate(store.engine)


def _opened(store: Store, config: Config, sealing: SealPolicy | None = None) -> Context:
    """Return the context of a configuration, its rows made equal to it first."""
    ctx = open_context(
        store,
        warehouses=config.warehouses,
        channels_=specs(config),
        timezone=config.timezone,
        sealing=sealing or SealPolicy(after_s=config.seal_after_s),
        counting=config.counts,
        routes=config.routes,
    )
    return _with_settings(ctx, config)


def _with_settings(ctx: Context, config: Config) -> Context:
    """Return the context with what its configuration says besides rows: its rules, compiled, above all."""
    return replace(
        ctx,
        complete_days=config.complete_days,
        own=replace(ctx.own, orders=leaving_as(ctx.own.orders, config.order_defaults)),
        releases=config.releases,
        couriers=config.couriers,
        specs=config.specs,
        local_targets=frozenset(config.web_local_targets),
        console_url=config.web_public_url,
        book=config.rules.book(config.timezone),
        rule_lines=config.rules.places,
        most_changed=config.most_changed,
    )


def specs(config: Config) -> list[ChannelSpec]:
    """Return the channels of a configuration as the context wants them, without connectors."""
    return [
        ChannelSpec(
            name=channel.id,
            kind=channel.connector,
            enabled=channel.enabled,
            poll=channel.poll,
            orders=channel.orders,
            stock=channel.stock,
            courier=channel.courier,
        )
        for channel in config.channels
    ]


def with_connectors(ctx: Context, connectors: Mapping[str, Connector]) -> Context:
    """Return the context with these connectors, by channel name, in place."""
    return replace(
        ctx,
        channels={
            row_id: replace(channel, connector=connectors.get(channel.name)) for row_id, channel in ctx.channels.items()
        },
    )


def with_roles(ctx: Context, config: Config, registry: Registry) -> Context:
    """Return the context with what its enabled channels can do, told by their classes: no secret is needed for that."""
    roles = {channel.id: _at_rest(channel, registry) for channel in config.channels if channel.enabled}
    return replace(
        ctx,
        channels={row_id: replace(it, at_rest=roles.get(it.name)) for row_id, it in ctx.channels.items()},
    )


def _at_rest(channel: ChannelConfig, registry: Registry) -> AtRest:
    kind = registry.load(channel.connector).played_by(channel.settings)
    return AtRest(kind=kind, renews_token=issubclass(kind, TokenHolder) and kind.renews(channel.settings))


def command_context(store: Store, config: Config) -> Context:
    """Return the context for a command that talks to no platform.

    Only a channel or warehouse that has no row yet is a reason to write what is configured.
    """
    rows = read_rows(store)
    missing = {channel.id for channel in config.channels} - rows.channels.keys()
    missing |= {place.id for place in config.warehouses} - rows.warehouses.keys()
    if missing:
        return _opened(store, config)
    return stored_context(store, config)


def stored_context(store: Store, config: Config) -> Context:
    """Return the context as far as it has rows; nothing is written."""
    ctx = assemble(
        store,
        read_rows(store),
        warehouses=config.warehouses,
        channels_=specs(config),
        timezone=config.timezone,
        sealing=SealPolicy(after_s=config.seal_after_s),
        counting=config.counts,
        routes=config.routes,
    )
    return _with_settings(ctx, config)


def open_store(
    config: Config, *, vault: Vault | None = None, clock: Clock | None = None, wait_s: float | None = None
) -> Store:
    """Return the store of a configuration; nothing is connected yet."""
    return Store.open(config.database, clock=clock, vault=vault, wait_s=wait_s)


def vault_of(config: Config) -> Vault | None:
    """Return the keys for personal data, None where there is no key file; `config` must have its secrets."""
    if config.privacy is not None:
        keys = [decode_key(key.get_secret_value()) for key in config.privacy.keys]
        return Vault(keys, decode_key(config.privacy.index_key.get_secret_value()))
    if config.sqlite_file is None:
        return None
    path = key_file(config.sqlite_file)
    return read_keys(path) if path.exists() else None


def proven_vault(store: Store, config: Config) -> Vault | None:
    """Return the keys of a database, proven to be its own; the key file of an SQLite database is made if it needs one.

    Raises `KeysError` when they are others, or missing although something is sealed: then no key file is made.
    """
    vault = vault_of(config)
    if vault is None:
        if config.sqlite_file is None:
            return None
        path = key_file(config.sqlite_file)
        refuse_without_keys(store, path)
        vault = make_or_read_keys(path)
    prove_keys(store, vault, "the configuration" if config.privacy is not None else "the key file")
    return vault
