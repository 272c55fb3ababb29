"""The keys that erpsync.yaml and a channel file may hold, with type, bounds, default and a one-line description.

Why beside `core.policy` and not instead of it: these models say what may be written, policies what decisions take.
The defaults are read from the policies, so there is one number for each.
"""

import base64
import binascii
import re
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, Field, SecretStr

from erpsync.core.policy import BrakePolicy, CountPolicy, LimitPolicy, PollPolicy, StockPolicy
from erpsync.settings.couriers import Account, Couriers
from erpsync.settings.documents import Documents
from erpsync.settings.hints import did_you_mean
from erpsync.settings.keys import Keys as _Keys
from erpsync.settings.order_keys import Orders
from erpsync.settings.own_orders import OWN, OwnOrders
from erpsync.settings.production import Production
from erpsync.settings.releases import Releases
from erpsync.settings.routes import Route
from erpsync.settings.rule_limits import RuleLimits
from erpsync.settings.warehouses import Warehouse, WarehouseId

_POLL, _STOCK, _BRAKE, _LIMITS = PollPolicy(), StockPolicy(), BrakePolicy(), LimitPolicy()
_COUNTS = CountPolicy()
_LISTEN = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+):([0-9]{1,5})")
_HOST = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?)*\.?")
# Beyond these nobody means what is written, and no date or database column holds it.
_DAY_S, _WEEK_S, _YEAR_S, _YEAR_H, _CENTURY_D = 86_400, 604_800, 31_536_000, 8_760, 36_500
_MOST = 1_000_000_000
POSTGRES = "postgresql+psycopg://"
SQLITE = "sqlite:///"


def _timezone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (LookupError, OSError, ValueError):
        raise ValueError(f"is no known time zone{did_you_mean(name, available_timezones())}") from None
    return name


def _listen(text: str) -> str:
    match = _LISTEN.fullmatch(text)
    if match is None or int(match[2]) > 65535:
        raise ValueError("must be HOST:PORT, for example 127.0.0.1:8686 or [::1]:8686")
    return text


def _host_name(name: str) -> str:
    if not _HOST.fullmatch(name):
        raise ValueError("must be the name of a host such as erp.example.com, without scheme and port")
    return name.removesuffix(".")


def _database(url: str) -> str:
    scheme = url.partition(":")[0]
    if scheme in ("postgres", "postgresql") or (scheme.startswith("postgresql+") and not url.startswith(POSTGRES)):
        raise ValueError(f"must begin with {POSTGRES}, begins with {scheme}: write {POSTGRES}…")
    if url.startswith(SQLITE) and url.removeprefix(SQLITE).partition("?")[0] not in ("", ":memory:"):
        return url
    if scheme == "sqlite":
        raise ValueError(f"must name a file, for example {SQLITE}var/erpsync.db; elsewhere orders would not survive")
    if not url.startswith(POSTGRES):
        raise ValueError(f"must begin with {SQLITE} or {POSTGRES}")
    return url


def _channel_id(name: str) -> str:
    if name == OWN:
        raise ValueError("is taken by the daemon itself")
    return name


def key_problem(secret: SecretStr) -> str | None:
    """Return what is wrong with an encryption key, or None. Never holds any of the key."""
    try:
        size = len(base64.b64decode(secret.get_secret_value().strip(), validate=True))
    except (binascii.Error, ValueError):
        return "must be 32 bytes in base64, is not base64 (`openssl rand -base64 32` makes one)"
    return None if size == 32 else f"must be 32 bytes in base64, is {size} (`openssl rand -base64 32` makes one)"


class Poll(_Keys):
    """How often a channel's streams are read."""

    orders_s: float = Field(
        _POLL.orders_s, ge=1, le=_WEEK_S, description="Seconds between two passes over changed orders."
    )
    refunds_s: float = Field(
        _POLL.refunds_s, ge=1, le=_WEEK_S, description="Seconds between two passes over changed refunds."
    )
    listings_s: float = Field(
        _POLL.listings_s, ge=1, le=_WEEK_S, description="Seconds between two readings of the catalogue."
    )
    overlap_s: int = Field(
        _POLL.overlap_s, ge=0, le=86_400, description="Seconds of the time already read that each pass reads again."
    )
    backfill_days: int = Field(
        _POLL.backfill_days, ge=0, le=90, description="Days of orders, by creation, that the first poll reads."
    )
    auth_retry_s: float = Field(
        _POLL.auth_retry_s,
        ge=1,
        le=_WEEK_S,
        description="Seconds between two probes while the channel refuses our credentials.",
    )


class Brake(_Keys):
    """When a wave of unexplained zeros is held back."""

    zero_share: float = Field(
        _BRAKE.zero_share, gt=0, le=1, description="Share of listings on sale that may fall to 0 unexplained in 60 s."
    )
    min_listings: int = Field(
        _BRAKE.min_listings, ge=1, le=_MOST, description="Listings on sale from which the brake works."
    )


class Stock(_Keys):
    """What number a channel is told."""

    push: bool = Field(_STOCK.push, description="Whether the channel is told stock at all.")
    warehouses: Annotated[list[WarehouseId], Field(min_length=1)] | None = Field(
        None, description="Warehouses that feed this channel; without it all sellable ones."
    )
    buffer: int = Field(_STOCK.buffer, ge=0, le=_MOST, description="Units of each SKU that this channel is never told.")
    ratio: float = Field(_STOCK.ratio, gt=0, le=1, description="Share of available units that this channel is told.")
    cap: int | None = Field(
        None, ge=0, le=_MOST, description="The most that this channel is told of a listing, in its units."
    )
    settle_s: float = Field(
        _STOCK.settle_s, ge=0, le=_DAY_S, description="Seconds that changes of a SKU gather before a push."
    )
    urgent_below: int = Field(
        _STOCK.urgent_below,
        ge=0,
        le=_MOST,
        description="Available units below which a change is pushed without settling.",
    )
    late_call_s: float | None = Field(
        None,
        ge=1,
        le=300,
        description="Seconds a call that had no answer may still take effect; else 60, or twice the client's time-out.",
    )
    brake: Brake = Field(default_factory=Brake, description="When a wave of unexplained zeros is held back.")
    drift: Literal["repair", "report"] = Field(
        _STOCK.drift, description="Whether a number changed on the channel is told again, or reported as a task."
    )


class Limits(_Keys):
    """The channel's call budget."""

    calls_per_s: float = Field(
        _LIMITS.calls_per_s, ge=0.01, le=1_000_000, description="Calls per second to the channel, on average."
    )
    burst: int = Field(
        _LIMITS.burst, ge=1, le=1_000_000, description="Calls that may go out at once after a quiet time."
    )


class Defaults(_Keys):
    """Values for every channel, overridden key by key in its own file."""

    poll: Poll = Field(default_factory=Poll, description="As `poll` of a channel.")
    orders: Orders = Field(default_factory=Orders, description="As `orders` of a channel.")
    stock: Stock = Field(default_factory=Stock, description="As `stock` of a channel.")
    limits: Limits = Field(default_factory=Limits, description="As `limits` of a channel.")


class Web(_Keys):
    """The daemon's HTTP server."""

    listen: Annotated[str, AfterValidator(_listen)] = Field(
        "127.0.0.1:8686", description="HOST:PORT of webhooks, API, metrics and console; port 0 takes any free one."
    )
    plain_http: bool = Field(
        False,
        description="Whether console and API answer other machines without TLS: passwords can be read on the way.",
    )
    allowed_hosts: list[Annotated[str, AfterValidator(_host_name)]] = Field(
        default_factory=list,
        description="Names that console, API and /status.json answer to, besides localhost, `listen` and IP addresses.",
    )
    public_url: Annotated[str, Field(pattern=r"^https?://[^\s/?#]+(/[^\s?#]*)?$", max_length=500)] | None = Field(
        None, description="Address at which people reach the console; messages then lead there."
    )
    local_targets: list[Annotated[str, AfterValidator(_listen)]] = Field(
        default_factory=list,
        description="HOST:PORT of this machine, or link-local, that subscriptions may be told events at.",
    )


class Runtime(_Keys):
    """The daemon process."""

    stop_s: float = Field(5, ge=0, le=600, description="Seconds that running calls get when the daemon stops.")


class Reconcile(_Keys):
    """Comparing with the channel."""

    seal_after_s: float = Field(
        3600, ge=1, le=_WEEK_S, description="Seconds after which a window of orders is read again and sealed."
    )


class Counts(_Keys):
    """How far a warehouse's count may be from what is known; one that rises beyond both waits for a person."""

    ask_units: int = Field(
        _COUNTS.ask_units, ge=0, le=_MOST, description="Units by which a warehouse's count may differ unasked."
    )
    ask_share: float = Field(
        _COUNTS.ask_share,
        ge=0,
        le=1_000_000,
        description="The same as a share of the smaller number; only beyond both is a person asked.",
    )


class Privacy(_Keys):
    """Encryption of recipients' data. A key is 32 bytes in base64."""

    keys: Annotated[list[SecretStr], Field(min_length=1)] = Field(
        description="Encryption keys; the first one encrypts, all of them decrypt."
    )
    index_key: SecretStr = Field(description="Key of the hash by which a phone number is looked up.")
    retention_days: int = Field(
        180, ge=1, le=_CENTURY_D, description="Days that recipients' data and raw payloads are kept."
    )


class Status(_Keys):
    """Beyond which limits `erpsync status` fails, per channel. An empty value is no limit."""

    freshness_s: float | None = Field(
        900,
        ge=1,
        le=_YEAR_S,
        description="Seconds since the last complete pass over orders, or three poll intervals if longer.",
    )
    cursor_lag_s: float | None = Field(
        3600, ge=1, le=_YEAR_S, description="Seconds that the order cursor may lie behind now."
    )
    queue_age_s: float | None = Field(
        600, ge=1, le=_YEAR_S, description="Age in seconds of the oldest effect that is due."
    )
    queue_depth: int | None = Field(10_000, ge=0, le=_MOST, description="Effects that are due and not yet sent.")
    dead_letters: int | None = Field(0, ge=0, le=_MOST, description="Dead letters.")
    tasks: int | None = Field(None, ge=0, le=_MOST, description="Open tasks for people.")
    unknown_stock: int | None = Field(
        None, ge=0, le=_MOST, description="Listings that no warehouse has a stock row for."
    )
    token_expiry_days: float | None = Field(
        3, ge=0, le=_CENTURY_D, description="Days that the channel's credentials must still last."
    )
    disk_free_mb: int | None = Field(
        500,
        ge=0,
        le=_MOST,
        description="Megabytes that must be free where the database and the drop folders of this machine lie.",
    )
    oversold: int | None = Field(
        0, ge=0, le=_MOST, description="Orders that were promised units which are not there, and counts below promises."
    )
    lasting_drift: int | None = Field(
        0, ge=0, le=_MOST, description="Listings that keep showing another number than they were told."
    )
    silence_s: float | None = Field(
        1800,
        ge=60,
        le=_YEAR_S,
        description="Seconds without an order from which a silence may be strange, by the shop's own past.",
    )


class MainFile(_Keys):
    """erpsync.yaml."""

    database: Annotated[str, AfterValidator(_database)] = Field(
        "sqlite:///var/erpsync.db", description=f"URL of the database: {SQLITE}FILE or {POSTGRES}USER@HOST/NAME."
    )
    timezone: Annotated[str, AfterValidator(_timezone)] = Field(
        "Asia/Shanghai", description="Time zone for people's eyes and order numbers; stored times are UTC."
    )
    migrate: Literal["manual", "auto"] = Field(
        "manual", description="Whether `run` brings a PostgreSQL database to this version; SQLite it always does."
    )
    web: Web = Field(default_factory=Web, description="The daemon's HTTP server.")
    warehouses: list[Warehouse] = Field(default_factory=list, description="The places that hold stock.")
    runtime: Runtime = Field(default_factory=Runtime, description="The daemon process.")
    reconcile: Reconcile = Field(default_factory=Reconcile, description="Comparing with the channels.")
    routes: list[Route] = Field(
        default_factory=list, max_length=100, description="Which department is told of what, and how."
    )
    counts: Counts = Field(default_factory=Counts, description="How far warehouses' counts are believed.")
    rules: RuleLimits = Field(default_factory=RuleLimits, description="How much rules.yaml may change at once.")
    orders: OwnOrders = Field(
        default_factory=OwnOrders, description="Orders that were made here; those of channels: `defaults.orders`."
    )
    releases: Releases = Field(default_factory=Releases, description="How orders become parcels of one warehouse.")
    couriers: Couriers = Field(default_factory=Couriers, description="When accounts with couriers need somebody.")
    production: Production | None = Field(None, description="What is made here; without it nothing is.")
    documents: Documents = Field(default_factory=Documents, description="Papers for the warehouse and the buyer.")
    privacy: Privacy | None = Field(
        None, description="Encryption keys; without it a key file is made beside an SQLite database."
    )
    status: Status = Field(default_factory=Status, description="Beyond which limits `erpsync status` fails.")
    defaults: Defaults = Field(
        default_factory=Defaults, description="Values for every channel, overridden key by key in its file."
    )


class ChannelFile(_Keys):
    """channels/*.yaml."""

    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$"), AfterValidator(_channel_id)] = Field(
        description="The channel's name: lower-case letters, digits, hyphens or underscores, at most 63."
    )
    connector: str = Field(description="The platform's connector, for example taobao or csv_drop.")
    enabled: bool = Field(True, description="Whether the channel works; a disabled one is checked without its secrets.")
    poll: Poll = Field(default_factory=Poll, description="How often its streams are read.")
    orders: Orders = Field(
        default_factory=Orders, description="How its orders are numbered, reserved, checked, packed and told."
    )
    stock: Stock = Field(default_factory=Stock, description="What number it is told.")
    limits: Limits = Field(default_factory=Limits, description="Its call budget.")
    courier: Account = Field(default_factory=Account, description="How an account with a courier is chosen.")
    retention_days: int | None = Field(
        None,
        ge=1,
        le=_CENTURY_D,
        description="Days that its recipients' data and raw payloads are kept; else as `privacy` says.",
    )
    settings: Any = Field(None, description="The connector's own keys.")
