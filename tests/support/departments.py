"""A shop whose departments are told through a WeCom robot, with everything it says kept."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import Any

from connectors.wecom_bot.connector import WecomBotConnector
from connectors.wecom_bot.sandbox import KEY, WecomRobot
from connectors.wecom_bot.settings import WecomBotSettings
from erpsync.core.facts import EVENT_FACTS
from erpsync.core.messages import RoutePolicy
from erpsync.core.policy import WarehousePolicy
from erpsync.flows.context import ChannelSpec, Context, open_context
from erpsync.flows.messages.tell import push_messages
from erpsync.sdk.clock import ManualClock
from erpsync.sdk.http import HttpClient
from erpsync.sdk.sandbox import SandboxRequest, SandboxResponse
from erpsync.store.db.store import Store
from erpsync.store.events import Event, write_events
from erpsync.store.views import list_tasks
from erpsync.store.views.routes import list_routes
from tests.support.shop import NOON, SHANGHAI, VAULT, Shop, ShopConnector
from tests.support.whens import when

ROBOT = "robot"


def route(id: str = "sales", *, kinds: Sequence[str] = ("order.",), **more: Any) -> RoutePolicy:
    """Return a route in English to the robot; `more` are its keys, and conditions by the names of their facts."""
    asked = {key: more.pop(key) for key in list(more) if key in {*EVENT_FACTS, "any", "all", "not"}}
    about = when(event=list(kinds), **asked)
    return RoutePolicy(**{"id": id, "to": ROBOT, "language": "en", "when": about} | more)


@dataclass
class Departments:
    """A store with a shop and a robot."""

    url: str
    routes: Sequence[RoutePolicy]
    clock: ManualClock = field(default_factory=lambda: ManualClock(NOON))
    on_the_way_s: float = 0
    """So long each message takes to the robot."""

    def __post_init__(self) -> None:
        self.shop = Shop(clock=self.clock)
        self.robot = WecomRobot(clock=self.clock)
        self.store = Store.open(self.url, clock=self.clock, vault=VAULT)
        self.ctx = self.open(self.routes)

    def connector(self) -> WecomBotConnector:
        settings = {"gateway": "http://robot.invalid/cgi-bin/webhook/send", "key": KEY}
        http = HttpClient(clock=self.clock, mount=self._carried, rng=Random(0))
        return WecomBotConnector(WecomBotSettings.model_validate(settings), http, self.clock)

    def _carried(self, request: SandboxRequest) -> SandboxResponse:
        if self.on_the_way_s:
            self.clock.advance(seconds=self.on_the_way_s)
        return self.robot.handle(request)

    def open(self, routes: Sequence[RoutePolicy], *, store: Store | None = None) -> Context:
        """Put routes in force."""
        specs = [
            ChannelSpec(name="shop", kind="shop", connector=ShopConnector(self.shop, self.clock)),
            ChannelSpec(name=ROBOT, kind="wecom_bot", connector=self.connector()),
        ]
        places = [WarehousePolicy(id="SH"), WarehousePolicy(id="GZ", priority=2)]
        return open_context(store or self.store, warehouses=places, channels_=specs, timezone=SHANGHAI, routes=routes)

    def happen(self, *kinds: str, count: int = 1, channel: bool = False, **detail: Any) -> None:
        """Let events happen, all of a call in one commit."""
        id = self.ctx.channel("shop").id if channel else None
        events = [Event(kind=kind, detail=detail, channel_id=id) for kind in kinds for _ in range(count)]
        with self.store.begin() as tx:
            write_events(tx, events)

    def tell(self) -> float | None:
        """Tell what is due; return in how many seconds there is more."""
        while (next_s := push_messages(self.ctx)) == 0:
            pass
        return next_s

    def go_on(self, seconds: float, *, step_s: float = 1) -> None:
        """Let time go by, telling all the while."""
        for _ in range(int(seconds / step_s)):
            self.tell()
            self.clock.advance(seconds=step_s)
        self.tell()

    def state(self, id: str = "sales") -> dict[str, Any]:
        """Return how a route stands."""
        with self.store.read() as connection:
            return next(row for row in list_routes(connection, self.ctx.routes) if row["id"] == id)

    def tasks(self) -> list[str]:
        """Return what people are asked to do."""
        with self.store.read() as connection:
            return [task["kind"] for task in list_tasks(connection)]

    def most_in_a_minute(self) -> int:
        """Return the most messages that were accepted within any 60 s."""
        at: list[datetime] = self.robot.at
        return max((sum(0 <= (other - one).total_seconds() < 60 for other in at) for one in at), default=0)
