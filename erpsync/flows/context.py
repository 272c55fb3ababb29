"""What every use case is given: the store, the policies by row id, and the channels with their connectors.

Why built once: policies come from YAML by name and the tables speak ids; joining them for every batch would be work
done again, and a reload simply builds another context.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import select

from erpsync.core.merging import SameRecipient
from erpsync.core.messages import RoutePolicy
from erpsync.core.parcels import PackingPolicy
from erpsync.core.policy import (
    COMPLETE_DAYS,
    MOST_CHANGED,
    AccountPolicy,
    CountPolicy,
    CourierPolicy,
    OrderPolicy,
    PollPolicy,
    ReleasePolicy,
    SealPolicy,
    StockPolicy,
    WarehousePolicy,
)
from erpsync.core.sourcing import Sourcing
from erpsync.core.specs import Parameter
from erpsync.flows.packing import channel_packing
from erpsync.sdk.roles import MAX_LINES, Connector, OrderReader, TokenHolder, TrackSource, playing
from erpsync.sdk.types import Recipient
from erpsync.store.db.store import Store
from erpsync.store.feed import settled_id
from erpsync.store.registry import OWN, OWN_ID, channels, sync_channels, sync_warehouses, warehouse_ids
from erpsync.store.routes import route_names, sync_routes
from erpsync.store.tables import warehouse

if TYPE_CHECKING:
    from erpsync.core.rules import Book


@dataclass(frozen=True, slots=True, kw_only=True)
class AtRest:
    """What is known of a connector that was not made: its class, and whether its token renews itself."""

    kind: type[Connector]
    renews_token: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """A configured channel with its policies.

    In processes that talk to no platform `connector` is None, and `at_rest` says what they may have to know of it.
    """

    id: int
    name: str
    kind: str
    enabled: bool
    poll: PollPolicy
    orders: OrderPolicy
    stock: StockPolicy
    courier: AccountPolicy = field(default_factory=AccountPolicy)
    connector: Connector | None = None
    at_rest: AtRest | None = None

    def plays(self, role: type) -> bool:
        """Whether this channel's connector plays a role; False where nothing is known of it."""
        if self.connector is not None:
            return isinstance(self.connector, role)
        return self.at_rest is not None and issubclass(self.at_rest.kind, role)

    @property
    def connector_kind(self) -> type[Connector] | None:
        """The class of this channel's connector; None where nothing is known of it."""
        if self.connector is not None:
            return type(self.connector)
        return None if self.at_rest is None else self.at_rest.kind

    @property
    def max_lines(self) -> int:
        """How many lines one record of this channel may have."""
        return MAX_LINES if self.connector is None else int(self.connector.settings.max_lines)

    @property
    def renews_token(self) -> bool:
        """Whether the channel's token renews itself before it ends."""
        holder = playing(self.connector, TokenHolder)
        if holder is not None:
            return holder.tokens.current().refresh_token is not None
        return self.at_rest is not None and self.at_rest.renews_token

    @property
    def carries_recipients(self) -> bool:
        """Whether this channel's orders hold a recipient at all."""
        source = playing(self.connector, OrderReader)
        return source is not None and source.carries_recipients

    def same_recipient(self, recipient: Recipient, placed_at: datetime) -> SameRecipient | None:
        """Return this platform's own answer to who a recipient is that it hides; None where it gives none."""
        source = playing(self.connector, OrderReader) if recipient.ciphertext else None
        token = source.same_recipient(recipient, placed_at) if source is not None else ""
        return SameRecipient(scope=str(self.id), token=token) if token else None

    @property
    def nets_refunds(self) -> bool | None:
        """Whether this channel's totals are without the money given back; None where no connector can tell."""
        source = playing(self.connector, OrderReader)
        return None if source is None else source.nets_refunds


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelSpec:
    """A channel as configured, before it has a row: what `open_context` needs of it."""

    name: str
    kind: str
    enabled: bool = True
    poll: PollPolicy = field(default_factory=PollPolicy)
    orders: OrderPolicy = field(default_factory=OrderPolicy)
    stock: StockPolicy = field(default_factory=StockPolicy)
    courier: AccountPolicy = field(default_factory=AccountPolicy)
    connector: Connector | None = None


OWN_CHANNEL = Channel(
    id=OWN_ID,
    name=OWN,
    kind=OWN,
    enabled=True,
    poll=PollPolicy(),
    orders=OrderPolicy(require_address="always"),
    stock=StockPolicy(push=False),
)


def _no_rules() -> "Book":
    """Return the rules of who has none; most commands never ask for them, and need not read what judges them."""
    from erpsync.core.rules import NO_RULES

    return NO_RULES


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """Store, channels and warehouses, joined by row ids.

    Args:
        own: the channel of orders that were made here. It is not among `channels`: it has no connector, so there is
            nothing to read there and nobody to tell.
        complete_days: so long after its last parcel left an order that was made here is completed.
        specs: the parameters of each set of rules by which is read how a line is to be made, by its name.
        book: the seller's rules; `rule_lines` says by id where each is written, as file and line.
        most_changed: a reload of rules that would change the holds of more open orders is refused.
    """

    store: Store
    timezone: ZoneInfo
    channels: Mapping[int, Channel]
    warehouses: Mapping[int, WarehousePolicy]
    sourcing: Sourcing
    sealing: SealPolicy = field(default_factory=SealPolicy)
    counting: CountPolicy = field(default_factory=CountPolicy)
    own: Channel = OWN_CHANNEL
    complete_days: int = COMPLETE_DAYS
    releases: ReleasePolicy = field(default_factory=ReleasePolicy)
    couriers: CourierPolicy = field(default_factory=CourierPolicy)
    specs: Mapping[str, Sequence[Parameter]] = field(default_factory=dict)
    book: "Book" = field(default_factory=_no_rules)
    rule_lines: Mapping[str, str] = field(default_factory=dict)
    most_changed: int = MOST_CHANGED
    local_targets: frozenset[str] = frozenset()
    routes: Sequence[RoutePolicy] = ()
    console_url: str = ""

    def with_book(self, book: "Book") -> "Context":
        """Return the same with other rules, to try them."""
        return replace(self, book=book)

    def may_tell(self, host: str, port: int) -> bool:
        """Whether events may be told to a local address: it is listed as HOST:PORT."""
        name = host.lower().strip("[]").removesuffix(".")
        return f"{name}:{port}" in self.local_targets

    def route(self, id: str) -> RoutePolicy:
        """Return a route by its id; `LookupError` when it is not configured."""
        for route in self.routes:
            if route.id == id:
                return route
        raise LookupError(f"route {id} is not configured")

    def channel(self, name: str) -> Channel:
        """Return a channel by name; `LookupError` when it is not configured."""
        for channel in self.channels.values():
            if channel.name == name:
                return channel
        raise LookupError(f"channel {name} is not configured")

    def seller(self, channel_id: int) -> Channel | None:
        """Return the channel that orders are of, our own one too; None for one that is configured no more."""
        return self.own if channel_id == self.own.id else self.channels.get(channel_id)

    @property
    def sellers(self) -> list[Channel]:
        """Return the channels that orders may be of, our own one last."""
        return [*self.channels.values(), self.own]

    @property
    def is_told_of_parcels(self) -> bool:
        """Whether any account says where parcels are, so that it is worth noting which there are."""
        return any(channel.plays(TrackSource) for channel in self.channels.values())

    def runner(self, warehouse_id: int) -> Channel | None:
        """Return the channel of the system that runs a warehouse; None where there is none, or it is not configured."""
        policy = self.warehouses.get(warehouse_id)
        name = policy.channel if policy else None
        return next((channel for channel in self.channels.values() if name and channel.name == name), None)

    @property
    def packing(self) -> PackingPolicy:
        """Return how orders leave, by channel id, our own channel's too."""
        ids = {channel.name: channel.id for channel in self.channels.values()}
        return PackingPolicy(
            by_channel={channel.id: channel_packing(channel.orders) for channel in self.sellers},
            across=tuple(frozenset(ids[name] for name in names if name in ids) for names in self.releases.across),
        )

    @property
    def desks(self) -> dict[str, int]:
        """Return the row ids of the warehouses where people pick and pack, by code."""
        return {policy.id: row_id for row_id, policy in self.warehouses.items() if policy.desk}

    def run_by(self, channel: Channel) -> dict[str, int]:
        """Return the row ids of the warehouses that a channel runs, by code."""
        return {policy.id: row_id for row_id, policy in self.warehouses.items() if policy.channel == channel.name}

    def warehouse_id(self, code: str) -> int:
        """Return a warehouse's row id by its code; `LookupError` when it is not configured."""
        for warehouse_id, policy in self.warehouses.items():
            if policy.id == code:
                return warehouse_id
        raise LookupError(f"warehouse {code} is not configured; there are {', '.join(sorted(self.codes()))}")

    def codes(self) -> list[str]:
        """Return the codes of all warehouses."""
        return [policy.id for policy in self.warehouses.values()]


class Rows(NamedTuple):
    """The row ids of channels by name, of warehouses by code."""

    channels: Mapping[str, int]
    warehouses: Mapping[str, int]


def read_rows(store: Store) -> Rows:
    """Return what channels and warehouses there are."""
    with store.read() as connection:
        channel_ids = {name: row.id for name, row in channels(connection).items()}
        return Rows(channel_ids, warehouse_ids(connection))


def open_context(
    store: Store,
    *,
    warehouses: Sequence[WarehousePolicy],
    channels_: Sequence[ChannelSpec],
    timezone: ZoneInfo,
    sealing: SealPolicy | None = None,
    counting: CountPolicy | None = None,
    routes: Sequence[RoutePolicy] = (),
) -> Context:
    """Return the context for a configuration, its channel and warehouse rows made equal to it first."""
    fed = _fed(warehouses, channels_)
    if _differ(store, warehouses, channels_, fed):
        with store.begin() as tx:
            sync_channels(tx, [(spec.name, spec.kind) for spec in channels_])
            sync_warehouses(tx, warehouses, fed)
    _begin_routes(store, routes)
    return assemble(
        store,
        read_rows(store),
        warehouses=warehouses,
        channels_=channels_,
        timezone=timezone,
        sealing=sealing,
        counting=counting,
        routes=routes,
    )


def _begin_routes(store: Store, routes: Sequence[RoutePolicy]) -> None:
    """Let new routes begin now, and those end that are configured no more."""
    names = {route.id for route in routes}
    with store.read() as connection:
        stored = route_names(connection)
    if stored != names:
        newest = settled_id(store)
        store.retrying(lambda tx: sync_routes(tx, names, newest=newest))


def assemble(
    store: Store,
    rows: Rows,
    *,
    warehouses: Sequence[WarehousePolicy],
    channels_: Sequence[ChannelSpec],
    timezone: ZoneInfo,
    sealing: SealPolicy | None = None,
    counting: CountPolicy | None = None,
    routes: Sequence[RoutePolicy] = (),
) -> Context:
    """Return the context for a configuration as far as it has rows; the store is not asked."""
    built = [_channel(rows.channels[spec.name], spec) for spec in channels_ if spec.name in rows.channels]
    places = {rows.warehouses[place.id]: place for place in warehouses if place.id in rows.warehouses}
    selling = sorted(places.items(), key=lambda item: (item[1].priority, item[1].id))
    return Context(
        store=store,
        timezone=timezone,
        channels={channel.id: channel for channel in built},
        warehouses=places,
        sourcing=Sourcing(
            by_channel={
                channel.id: tuple(row_id for row_id, place in selling if _feeds(place, channel.stock))
                for channel in built
            },
            own={OWN_ID: tuple(row_id for row_id, place in selling if _feeds(place, OWN_CHANNEL.stock))},
            run=frozenset(row_id for row_id, place in selling if place.channel or place.desk),
        ),
        sealing=sealing or SealPolicy(),
        counting=counting or CountPolicy(),
        routes=tuple(routes),
    )


def _feeds(place: WarehousePolicy, stock: StockPolicy) -> bool:
    """Whether a channel of this policy sells what lies there."""
    return place.sellable and (stock.warehouses is None or place.id in stock.warehouses)


def _fed(warehouses: Sequence[WarehousePolicy], specs: Sequence[ChannelSpec]) -> set[str]:
    """Return the codes of the warehouses that serve a channel which sells; one that only runs a warehouse does not."""
    runners = {place.channel for place in warehouses}
    selling = [spec.stock for spec in specs if spec.name not in runners]
    return {place.id for place in warehouses if any(_feeds(place, stock) for stock in selling)}


def _differ(
    store: Store, warehouses: Sequence[WarehousePolicy], specs: Sequence[ChannelSpec], fed: Collection[str]
) -> bool:
    """Whether the rows are not what is configured."""
    columns = (
        warehouse.c.code,
        warehouse.c.priority,
        warehouse.c.safety_stock,
        warehouse.c.sellable,
        warehouse.c.feeds,
    )
    with store.read() as connection:
        shops = {(row.name, row.connector, row.active) for row in channels(connection).values() if row.id != OWN_ID}
        places = {tuple(row) for row in connection.execute(select(*columns))}
    return shops != {(spec.name, spec.kind, True) for spec in specs} or places != {
        (w.id, w.priority, w.safety_stock, w.sellable, w.id in fed) for w in warehouses
    }


def _channel(row_id: int, spec: ChannelSpec) -> Channel:
    return Channel(
        id=row_id,
        name=spec.name,
        kind=spec.kind,
        enabled=spec.enabled,
        poll=spec.poll,
        orders=spec.orders,
        stock=spec.stock,
        courier=spec.courier,
        connector=spec.connector,
    )
