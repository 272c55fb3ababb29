"""The composition root: what a reload changes, and what a command leaves alone."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from erpsync.cli.build import Built, command_context, open_built, open_store, stored_context, with_roles
from erpsync.core.parcels import ChannelPacking
from erpsync.core.policy import (
    CourierPolicy,
    MergePolicy,
    OrderPolicy,
    ParcelPolicy,
    PollPolicy,
    ReleasePolicy,
    WarehousePolicy,
)
from erpsync.core.rules import NO_RULES
from erpsync.sdk.clock import ManualClock
from erpsync.sdk.roles import Connector, ConnectorSettings, OrderSource
from erpsync.sdk.sandbox import SandboxRequest, SandboxResponse
from erpsync.sdk.types import CheckReport
from erpsync.settings import ChannelConfig, Config, Loaded, Registry
from erpsync.settings.rules import load_rules
from erpsync.store.db.schema import migrate
from erpsync.store.tables import channel, warehouse


class ShopSettings(ConnectorSettings):
    """Settings of the shop below."""

    broken: bool = False


class Shop(Connector):
    """A connector that counts how often it was closed."""

    Settings: ClassVar[type[ConnectorSettings]] = ShopSettings

    def __init__(self, settings: Any, http: Any, clock: Any) -> None:
        super().__init__(settings, http, clock)
        if settings.broken:
            raise ValueError("cannot be made")
        self.closed = 0

    def check(self) -> CheckReport:
        self.http.request("GET", "http://shop.test/", repeatable=True)
        return CheckReport()

    def close(self) -> None:
        self.closed += 1


REGISTRY = Registry.of({"shop": Shop})


def configured(folder: Path, *names: str, **changes: Any) -> Config:
    """Return a configuration of shops on an SQLite file."""
    values = {
        "folder": folder,
        "database": f"sqlite:///{folder}/var/erpsync.db",
        "warehouses": (WarehousePolicy(id="SH"), WarehousePolicy(id="GZ", priority=2)),
        "channels": tuple(ChannelConfig(id=name, connector="shop", settings=ShopSettings()) for name in names),
    }
    return Config(**values | changes)


def build(config: Config, mounts: Mapping[str, Any] | None = None) -> Built:
    return open_built(config, registry=REGISTRY, load=lambda: Loaded(config=config), mounts=mounts, clock=ManualClock())


@pytest.fixture
def built(tmp_path: Path) -> Iterator[Built]:
    built = build(configured(tmp_path, "a", "b"))
    yield built
    built.close()


def connectors(built: Built) -> dict[str, Any]:
    return {each.name: each.connector for each in built.ctx.channels.values()}


def changed(config: Config, name: str, **changes: Any) -> Config:
    """Return the configuration with one channel configured otherwise."""
    return replace(config, channels=tuple(replace(c, **changes) if c.id == name else c for c in config.channels))


def test_a_first_start_makes_database_and_keys_beside_it(built: Built, tmp_path: Path) -> None:
    assert {file.name for file in (tmp_path / "var").glob("*.db*")} >= {"erpsync.db", "erpsync.db.keys"}
    assert built.store.vault is not None
    assert set(connectors(built)) == {"a", "b"}


def test_a_reload_makes_new_connectors_for_changed_channels_only(built: Built) -> None:
    before = connectors(built)
    built.rebuild(changed(built.config, "b", poll=PollPolicy(orders_s=5)))
    after = connectors(built)

    assert after["a"] is before["a"]
    assert after["b"] is not before["b"]
    assert (before["a"].closed, before["b"].closed) == (0, 1)
    assert built.ctx.channel("b").poll.orders_s == 5


def test_a_reload_changes_how_orders_leave_those_made_here_too(built: Built) -> None:
    before = built.ctx.packing
    merge, parcel = MergePolicy(orders=3, weight_g=5000), ParcelPolicy(max_weight_g=20_000, max_units=9)
    leaving = OrderPolicy(partial="ready", partial_min=Decimal("9.90"), merge=merge, parcel=parcel, couriers=("SF",))
    config = replace(
        changed(built.config, "b", orders=leaving),
        order_defaults=OrderPolicy(number="X{seq}", merge=MergePolicy(orders=1)),
        releases=ReleasePolicy(across=(frozenset({"a", "b"}),)),
        couriers=CourierPolicy(stale_h=9),
    )

    ctx = built.rebuild(config)

    a, b = ctx.channel("a").id, ctx.channel("b").id
    assert not before.may_share(a, b)
    assert ctx.packing.may_share(a, b)
    assert ctx.packing.of(a) == before.of(b) == ChannelPacking()
    got = ctx.packing.of(b)
    assert (got.partial, got.merge_orders, got.merge_weight_g) == ("ready", 3, 5000)
    assert (got.max_weight_g, got.max_units) == (20_000, 9)
    assert [got.partial_min_minor[code] for code in ("CNY", "JPY", "KWD")] == [990, 10, 9900]
    assert (ctx.packing.of(ctx.own.id).merge_orders, ctx.own.orders.number) == (1, OrderPolicy().number)
    assert ctx.couriers.stale_h == 9


def test_a_reload_takes_channels_up_and_lets_them_go(built: Built, tmp_path: Path) -> None:
    before = connectors(built)
    built.rebuild(configured(tmp_path, "b", "c"))

    assert set(connectors(built)) == {"b", "c"}
    assert before["a"].closed == 1
    with built.store.read() as connection:
        active = {row.name: row.active for row in connection.execute(select(channel.c.name, channel.c.active))}
    assert active == {"a": False, "b": True, "c": True}


def test_a_disabled_channel_has_no_connector_and_its_old_one_is_closed(built: Built) -> None:
    before = connectors(built)
    built.rebuild(changed(built.config, "a", enabled=False))

    assert connectors(built)["a"] is None
    assert before["a"].closed == 1


def test_a_reload_that_fails_changes_nothing(built: Built, tmp_path: Path) -> None:
    before, ctx, config = connectors(built), built.ctx, built.config
    worse = changed(configured(tmp_path, "a", "c"), "c", settings=ShopSettings(broken=True))

    with pytest.raises(ValueError, match="cannot be made"):
        built.rebuild(worse)

    assert (built.ctx, built.config, connectors(built)) == (ctx, config, before)
    assert [each.closed for each in before.values()] == [0, 0]
    with built.store.read() as connection:
        assert connection.execute(select(channel.c.name)).scalars().all() == ["a", "b"]


def test_calls_go_through_the_channels_budget_to_where_it_is_mounted(tmp_path: Path) -> None:
    calls: list[str] = []

    def answer(request: SandboxRequest) -> SandboxResponse:
        calls.append(request.path)
        return SandboxResponse()

    built = build(configured(tmp_path, "a"), mounts={"a": answer})
    connectors(built)["a"].check()
    with built.store.read() as connection:
        tokens = connection.execute(select(channel.c.tokens)).scalar_one()
    built.close()

    assert (calls, tokens) == (["/"], 35)  # a quick channel takes a quarter of a second's calls at once


def test_a_command_does_not_put_an_edited_configuration_in_force(built: Built) -> None:
    edited = replace(built.config, warehouses=(WarehousePolicy(id="SH", safety_stock=9), WarehousePolicy(id="GZ")))
    command_context(built.store, edited)

    with built.store.read() as connection:
        assert connection.execute(select(warehouse.c.safety_stock)).scalars().all() == [0, 0]


def test_a_command_before_the_first_start_makes_the_rows_it_needs(tmp_path: Path) -> None:
    config = configured(tmp_path, "a")
    store = open_store(config)
    migrate(store.engine)

    assert stored_context(store, config).codes() == []
    assert sorted(command_context(store, config).codes()) == ["GZ", "SH"]
    store.close()


def test_what_a_channel_can_do_is_known_without_making_its_connector(built: Built) -> None:
    config = changed(built.config, "a", settings=ShopSettings(broken=True))
    ctx = with_roles(stored_context(built.store, config), config, REGISTRY)

    assert (ctx.channel("a").plays(Shop), ctx.channel("a").plays(OrderSource)) == (True, False)
    assert ctx.channel("a").connector is None


def test_a_context_carries_the_rules_of_its_configuration_compiled_with_where_each_is_written(tmp_path: Path) -> None:
    file = tmp_path / "rules.yaml"
    file.write_text("rules:\n  - {id: big, when: {total: {ge: 50}}, then: {hold: x}}\n", encoding="utf-8")
    rules = load_rules(file, timezone=ZoneInfo("Asia/Shanghai")).require()
    config = configured(tmp_path, "shop", rules=rules, most_changed=7)
    store = open_store(config)
    migrate(store.engine)

    made, stored, bare = command_context(store, config), stored_context(store, config), configured(tmp_path, "shop")

    for ctx in (made, stored):
        assert (ctx.book.effects, ctx.rule_lines, ctx.most_changed) == ({"hold"}, {"big": "rules.yaml:2"}, 7)
    assert stored_context(store, bare).book is NO_RULES
    store.close()
