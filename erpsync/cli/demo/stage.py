"""The stage of the demonstration: a temporary folder with a real configuration, the shops and couriers it names.

Why real files: the demonstration then runs what a user runs, from the YAML on.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from inspect import getmembers, isabstract, isclass
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import yaml

from erpsync.cli.demo.departments import routes
from erpsync.sdk.clock import Clock
from erpsync.sdk.roles import Connector
from erpsync.sdk.sandbox import Fault, FaultPlan, SandboxServer, serve
from erpsync.sdk.sandbox.demo import DemoCourier, DemoGroup, DemoShop, Good
from erpsync.settings import Registry

FAULT_RATE = 0.035  # asked three times per call (wire, credentials, platform), so one call in ten goes wrong
LOST_BOOKINGS = (1, 3)
"""The calls to each courier that are accepted and not answered, whatever chance does beside them."""
THINGS = (
    ("亚麻衬衫", "LINEN", 12_900),
    ("纯棉T恤", "TEE", 5_900),
    ("帆布鞋", "SHOE", 9_900),
    ("手冲咖啡壶", "KETTLE", 16_800),
    ("羊毛袜", "SOCK", 2_900),
    ("儿童雨衣", "RAIN", 8_800),
    ("龙井茶", "TEA", 26_800),
    ("露营灯", "LAMP", 7_900),
)
RARE = {"listings_s": 30, "auth_retry_s": 1}
KINDS = ("S", "M", "L", "XL", "XXL")
ZONE = "Asia/Shanghai"
DESKS: Mapping[str, Mapping[str, str]] = {
    "SH": {"name": "上海仓", "phone": "021-60000000", "province": "上海", "city": "上海市", "address": "解放路1号"},
    "GZ": {"name": "广州仓", "phone": "020-80000000", "province": "广东省", "city": "广州市", "address": "中山路2号"},
}
Played = TypeVar("Played", DemoShop, DemoCourier, DemoGroup)


def goods() -> list[Good]:
    """Return the forty SKUs that all shops share."""
    return [
        Good(code=f"{code}-{kind}", title=f"{title} {kind}", price_minor=price)
        for title, code, price in THINGS
        for kind in KINDS
    ]


def demo_of(connector: type[Connector], played: type[Played]) -> type[Played] | None:
    """Return the shop, courier or group in the module `demo` beside a connector, None where there is none."""
    package = connector.__module__.partition(".connector")[0]
    if find_spec(f"{package}.demo") is None:
        return None
    module = import_module(f"{package}.demo")
    kinds = [kind for _, kind in getmembers(module, isclass) if issubclass(kind, played) and not isabstract(kind)]
    return next(iter(kinds), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """The folder; shops, couriers and groups by channel name; the server their platforms are reached at."""

    folder: Path
    shops: Mapping[str, DemoShop]
    couriers: Mapping[str, DemoCourier]
    groups: Mapping[str, DemoGroup]
    server: SandboxServer
    faults: Sequence[FaultPlan]

    def close(self) -> None:
        """Stop serving."""
        self.server.close()


def build(folder: Path, registry: Registry, clock: Clock, *, seed: int, port: int) -> Stage:
    """Write a configuration with a channel per shop, courier and group of the demonstration, and open the shops."""
    shops: dict[str, DemoShop] = {}
    faults: list[FaultPlan] = []
    for name, kind in _played(registry, DemoShop):
        plan = FaultPlan(seed + len(faults), FAULT_RATE)
        rng = random.Random(f"{seed} {name}")  # noqa: S311 repeatable chance is the point
        shops[_channel(name)] = kind(folder=folder / name, clock=clock, rng=rng, faults=plan)
        faults.append(plan)
    couriers: dict[str, DemoCourier] = {}
    for name, courier in _played(registry, DemoCourier):
        plan = FaultPlan(seed + len(faults), FAULT_RATE)
        for after in LOST_BOOKINGS:
            plan.force(Fault.TIMEOUT_AFTER, after=after)
        couriers[_channel(name)] = courier(clock=clock, faults=plan)
        faults.append(plan)
    groups: dict[str, DemoGroup] = {}
    for name, group in _played(registry, DemoGroup):
        plan = FaultPlan(seed + len(faults), FAULT_RATE)
        groups[_channel(name)] = group(clock=clock, faults=plan)
        faults.append(plan)
    wired: dict[str, DemoShop | DemoCourier | DemoGroup] = {**shops, **couriers, **groups}
    platforms = {name: each.sandbox for name, each in wired.items() if each.sandbox is not None}
    server = serve(platforms, "127.0.0.1", 0)
    _write(folder, wired, server, port, routes(list(groups), clock.now(), ZoneInfo(ZONE)))
    for name, shop in shops.items():
        shop.connect(f"http://127.0.0.1:{port}/hooks/{name}")
        shop.list_goods(goods())
    return Stage(folder=folder, shops=shops, couriers=couriers, groups=groups, server=server, faults=faults)


def _played(registry: Registry, kind: type[Played]) -> Iterator[tuple[str, type[Played]]]:
    """Yield what connectors offer of a kind, by the connector's name."""
    for name in registry.names():
        found = demo_of(registry.load(name), kind)
        if found is not None:
            yield name, found


def _channel(connector: str) -> str:
    return f"demo-{connector.replace('_', '-')}"


def _write(
    folder: Path,
    wired: Mapping[str, DemoShop | DemoCourier | DemoGroup],
    server: SandboxServer,
    port: int,
    routes_: Sequence[Mapping[str, Any]],
) -> None:
    (folder / "channels").mkdir(parents=True, exist_ok=True)
    main: dict[str, Any] = {
        "database": "sqlite:///erpsync.db",
        "timezone": ZONE,
        "web": {"listen": f"127.0.0.1:{port}"},
        "warehouses": [
            {"id": name, "priority": priority, "desk": True, "sender": dict(sender)}
            for priority, (name, sender) in enumerate(DESKS.items(), 1)
        ],
        "defaults": {
            "poll": {"orders_s": 1, "refunds_s": 1, "overlap_s": 5, "backfill_days": 0} | RARE,
            "stock": {"settle_s": 0.2, "urgent_below": 5},
            "limits": {"calls_per_s": 200, "burst": 400},
        },
    }
    main |= {"routes": [*routes_]} if routes_ else {}
    (folder / "erpsync.yaml").write_text(yaml.safe_dump(main, allow_unicode=True), encoding="utf-8")
    for name, each in wired.items():
        url = server.url(name) if each.sandbox is not None else ""
        _write_channel(folder, name, each.connector, each.settings(url))


def _write_channel(folder: Path, name: str, connector: str, settings: Mapping[str, Any]) -> None:
    channel = {"id": name, "connector": connector, "settings": dict(settings)}
    text = yaml.safe_dump(channel, allow_unicode=True)
    (folder / "channels" / f"{name}.yaml").write_text(text, encoding="utf-8")
