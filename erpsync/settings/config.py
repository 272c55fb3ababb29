"""The configuration as the rest of the product sees it: frozen, validated, with `core`'s policies.

Why not the pydantic models themselves: decisions take policies, and nobody downstream needs to know of YAML.
"""

import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar
from zoneinfo import ZoneInfo

from pydantic import BaseModel, SecretStr

from erpsync.core.messages import RoutePolicy
from erpsync.core.policy import (
    COMPLETE_DAYS,
    AccountPolicy,
    BrakePolicy,
    CountPolicy,
    CourierPolicy,
    LimitPolicy,
    MergePolicy,
    OrderPolicy,
    ParcelPolicy,
    PollPolicy,
    ReleasePolicy,
    StockPolicy,
    WarehousePolicy,
)
from erpsync.core.specs import Parameter
from erpsync.papers.style import DocumentSettings
from erpsync.settings.documents import TEMPLATES, document_settings
from erpsync.settings.models import SQLITE, ChannelFile, MainFile
from erpsync.settings.order_keys import Orders
from erpsync.settings.problems import ConfigError, Problem
from erpsync.settings.releases import release_policy
from erpsync.settings.routes import route_policy
from erpsync.settings.rule_config import RulesConfig
from erpsync.settings.rule_limits import MOST_CHANGED
from erpsync.settings.specs import spec_sets
from erpsync.settings.warehouses import warehouse_policy
from erpsync.settings.written import Positions

if TYPE_CHECKING:
    from erpsync.core.rules.model import Condition

Policy = TypeVar("Policy")
RETENTION_DAYS = 180


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivacySettings:
    """Encryption of recipients' data: the first key encrypts, all decrypt. Keys are 32 bytes in base64."""

    keys: tuple[SecretStr, ...]
    index_key: SecretStr
    retention_days: int = RETENTION_DAYS


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusLimits:
    """Beyond which limits `erpsync status` fails, per channel; None is no limit."""

    freshness_s: float | None = 900
    cursor_lag_s: float | None = 3600
    queue_age_s: float | None = 600
    queue_depth: int | None = 10_000
    dead_letters: int | None = 0
    tasks: int | None = None
    unknown_stock: int | None = None
    token_expiry_days: float | None = 3
    disk_free_mb: int | None = 500
    oversold: int | None = 0
    lasting_drift: int | None = 0
    silence_s: float | None = 1800


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelConfig:
    """One configured shop, warehouse or courier account.

    Args:
        settings: an instance of the connector's `Settings`.
        makeable: whether a connector can be made of them; not while they hold a placeholder for a secret that they do
            not take. Not compared.
        retention_days: how long recipients' data and raw payloads of this channel are kept.
        file: where it is configured, for people; not compared.
    """

    id: str
    connector: str
    settings: Any
    enabled: bool = True
    poll: PollPolicy = field(default_factory=PollPolicy)
    orders: OrderPolicy = field(default_factory=OrderPolicy)
    stock: StockPolicy = field(default_factory=StockPolicy)
    limits: LimitPolicy = field(default_factory=LimitPolicy)
    courier: AccountPolicy = field(default_factory=AccountPolicy)
    retention_days: int = RETENTION_DAYS
    makeable: bool = field(default=True, compare=False)
    file: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Everything erpsync.yaml, the channel files and rules.yaml say.

    Args:
        folder: the folder of erpsync.yaml, absolute.
        database: URL with an absolute path or with a password; never printed.
        privacy: None without a `privacy` block; then the store keeps a key file beside its SQLite database.
        web_public_url: where people reach the console, without a slash at its end; empty where nobody said.
        routes: in the order in which they are written.
        web_hosts: names that the web server answers to besides its own, in lower case.
        web_plain_http: whether console and API answer other machines without TLS.
        channels: in the order of their files, disabled ones too.
        order_defaults: how orders leave that were made here: as `defaults.orders` says.
        specs: the parameters of each set of rules by which is read how a line is to be made, by its name.
        most_changed: the holds of so many open orders a reload may change, and is refused beyond.
        kept: the same as text without secrets, for those who ask while the files are bad; not compared.
        written: where each setting is written; not compared.
    """

    folder: Path
    database: str = field(repr=False)
    timezone: ZoneInfo = field(default_factory=lambda: ZoneInfo("Asia/Shanghai"))
    migrate: Literal["manual", "auto"] = "manual"
    web_host: str = "127.0.0.1"
    web_port: int = 8686
    web_hosts: tuple[str, ...] = ()
    web_plain_http: bool = False
    web_local_targets: tuple[str, ...] = ()
    web_public_url: str = ""
    warehouses: tuple[WarehousePolicy, ...] = ()
    stop_s: float = 5
    seal_after_s: float = 3600
    counts: CountPolicy = field(default_factory=CountPolicy)
    complete_days: int = COMPLETE_DAYS
    order_defaults: OrderPolicy = field(default_factory=OrderPolicy)
    releases: ReleasePolicy = field(default_factory=ReleasePolicy)
    couriers: CourierPolicy = field(default_factory=CourierPolicy)
    specs: Mapping[str, tuple[Parameter, ...]] = field(default_factory=dict)
    routes: tuple[RoutePolicy, ...] = ()
    documents: DocumentSettings = field(default_factory=DocumentSettings)
    privacy: PrivacySettings | None = None
    status: StatusLimits = field(default_factory=StatusLimits)
    channels: tuple[ChannelConfig, ...] = ()
    rules: RulesConfig = field(default_factory=RulesConfig)
    most_changed: int = MOST_CHANGED
    kept: str = field(default="", compare=False, repr=False)
    written: Positions = field(default_factory=Positions, compare=False, repr=False)

    def channel(self, id: str) -> ChannelConfig | None:
        """Return the channel of that id, enabled or not."""
        return next((channel for channel in self.channels if channel.id == id), None)

    @property
    def templates(self) -> Path:
        """Where the seller's own templates of papers lie, if he has any."""
        return self.folder / TEMPLATES

    @property
    def sqlite_file(self) -> Path | None:
        """The database file, or None on PostgreSQL."""
        return sqlite_file(self.database, self.folder)


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """What loading gave. `config` is None exactly when there are `problems`; `notes` refuse nothing.

    Args:
        unusable: folders and files that this user cannot work in, if they were looked at; they refuse nothing either.
    """

    config: Config | None
    problems: tuple[Problem, ...] = ()
    notes: tuple[Problem, ...] = ()
    unusable: tuple[Problem, ...] = ()

    def require(self) -> Config:
        """Return the configuration; raises `ConfigError` with all problems when there is none."""
        if self.config is None:
            raise ConfigError(self.problems)
        return self.config


FIXED = {
    "folder": "the folder of the configuration",
    "database": "database",
    "privacy": "privacy",
    "web_host": "web.listen",
    "web_port": "web.listen",
}
"""What only a restart changes, by the name the operator knows it by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Diff:
    """What a reload changes: ids of channels, and the names of those other `Config` fields that differ."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    others: tuple[str, ...] = ()

    @property
    def fixed(self) -> list[str]:
        """What differs and only a restart changes; a reload is refused for it."""
        return sorted({FIXED[name] for name in self.others if name in FIXED})


def changed_channels(old: Config, new: Config) -> Diff:
    """Return what differs between two configurations, by resolved values: a new secret counts as a change."""
    before = {channel.id: channel for channel in old.channels}
    after = {channel.id: channel for channel in new.channels}
    names = [field.name for field in fields(Config) if field.compare and field.name != "channels"]
    return Diff(
        added=tuple(id for id in after if id not in before),
        removed=tuple(id for id in before if id not in after),
        changed=tuple(id for id in after if id in before and before[id] != after[id]),
        others=tuple(name for name in names if getattr(old, name) != getattr(new, name)),
    )


def build(
    folder: Path,
    main: MainFile,
    channels: Iterable[tuple[ChannelFile, Any, bool, str]],
    rules: RulesConfig,
    whens: Iterable["Condition | None"],
) -> Config:
    """Return the configuration.

    Args:
        channels: file, settings, `makeable` and file name of each channel.
        whens: of what each route tells.
    """
    host, _, port = main.web.listen.rpartition(":")
    return Config(
        folder=folder,
        database=absolute_database(main.database, folder),
        timezone=ZoneInfo(main.timezone),
        migrate=main.migrate,
        web_host=host.strip("[]"),
        web_port=int(port),
        web_plain_http=main.web.plain_http,
        web_hosts=tuple(name.lower() for name in main.web.allowed_hosts),
        web_local_targets=tuple(target.lower().replace("[", "").replace("]", "") for target in main.web.local_targets),
        web_public_url=(main.web.public_url or "").rstrip("/"),
        warehouses=tuple(map(warehouse_policy, main.warehouses)),
        stop_s=main.runtime.stop_s,
        seal_after_s=main.reconcile.seal_after_s,
        counts=policy(CountPolicy, main.counts),
        complete_days=main.orders.complete_days,
        order_defaults=order_policy(main.defaults.orders),
        releases=release_policy(main.releases),
        couriers=policy(CourierPolicy, main.couriers),
        specs=spec_sets(main.production.specs) if main.production else {},
        routes=tuple(route_policy(route, when) for route, when in zip(main.routes, whens, strict=True) if when),
        documents=document_settings(main.documents),
        privacy=policy(PrivacySettings, main.privacy) if main.privacy else None,
        status=policy(StatusLimits, main.status),
        channels=tuple(_channel(main, *channel) for channel in channels),
        rules=rules,
        most_changed=main.rules.most_changed,
    )


def is_loopback(host: str) -> bool:
    """Whether an address to listen on is reached from this machine only."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _channel(main: MainFile, file: ChannelFile, settings: Any, makeable: bool, name: str) -> ChannelConfig:
    stock = (main.defaults.stock, file.stock)
    brake = policy(BrakePolicy, *(layer.brake for layer in stock))
    retention_days = main.privacy.retention_days if main.privacy else RETENTION_DAYS
    return ChannelConfig(
        id=file.id,
        connector=file.connector,
        enabled=file.enabled,
        poll=policy(PollPolicy, main.defaults.poll, file.poll),
        orders=order_policy(main.defaults.orders, file.orders),
        stock=policy(StockPolicy, *stock, brake=brake),
        limits=policy(LimitPolicy, main.defaults.limits, file.limits),
        courier=policy(AccountPolicy, file.courier),
        retention_days=file.retention_days or retention_days,
        settings=settings,
        makeable=makeable,
        file=name,
    )


def order_policy(*layers: Orders) -> OrderPolicy:
    """Return how orders are numbered, packed and told by layers, later ones winning key by key."""
    least = [layer.partial_min for layer in layers if "partial_min" in layer.model_fields_set]
    return policy(
        OrderPolicy,
        *layers,
        merge=policy(MergePolicy, *(layer.merge for layer in layers)),
        parcel=policy(ParcelPolicy, *(layer.parcel for layer in layers)),
        partial_min=Decimal(str(least[-1])) if least else OrderPolicy().partial_min,
    )


def policy(kind: type[Policy], *layers: BaseModel, **more: Any) -> Policy:
    """Return a frozen policy of what the layers say, later ones winning key by key; else its own defaults."""
    values: dict[str, Any] = {}
    for layer in layers:
        for name in layer.model_fields_set:
            value = getattr(layer, name)
            values[name] = tuple(value) if isinstance(value, list) else value
    return kind(**{**values, **more})


def absolute_database(url: str, folder: Path) -> str:
    """Return the URL with a relative SQLite file taken from `folder`."""
    if not url.startswith(SQLITE):
        return url
    return SQLITE + str(folder / url.removeprefix(SQLITE))


def sqlite_file(url: str, folder: Path) -> Path | None:
    """Return the file of a database URL, a relative one taken from `folder`; None on PostgreSQL."""
    if not url.startswith(SQLITE):
        return None
    return folder / url.removeprefix(SQLITE).partition("?")[0]


def key_file(database: Path) -> Path:
    """Return where the keys of an SQLite database without a `privacy` block lie."""
    return database.with_name(database.name + ".keys")
