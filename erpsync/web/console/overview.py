"""The overview: what the shop looks like now, and what needs somebody."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from starlette.responses import RedirectResponse, Response

from erpsync.flows.audit.desk import groups
from erpsync.flows.context import Context
from erpsync.flows.desk.board import waits_for_people
from erpsync.store.alarms import list_alarms
from erpsync.store.status.figures import shown_alarm
from erpsync.store.status.latencies import Latencies, shipment_latencies
from erpsync.store.views import OrderFilter, iso, list_orders
from erpsync.store.views.flow import STEPS, Ages, ages, asked_of_people, parcels_by_hour
from erpsync.store.views.goods import titles_of
from erpsync.store.views.values import Json
from erpsync.web.access.door import Guarded
from erpsync.web.access.visit import Visit
from erpsync.web.charts import hourly, spark
from erpsync.web.console.kit import Kit
from erpsync.web.console.system.took import slowest
from erpsync.web.site import Look

LATEST = 12
OVER = 5
"""So many alarms that are over stand below those that are not."""

AGE_WIDTH = 600

Page = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """What flows through, beside the figures of `status`: parcels by the hour, open orders by age, what is asked."""

    look: Look
    parcels: Sequence[int]
    ages: Ages
    asked: Sequence[Json]
    parcel_latencies: Latencies
    alarms: Sequence[Json]


class Overview:
    """The page that people keep open."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit
        self._flow = kit.site.shared(self._count)

    def routes(self) -> list[Guarded]:
        """Return its addresses."""
        door = self._kit.door
        return [door.page("/", self.overview, role="read"), door.part("/live", self.live, role="read")]

    def overview(self, visit: Visit) -> Response:
        """Answer the page; who only packs begins at the desk."""
        if visit.role == "pack":
            return RedirectResponse("/desk", 303)
        return self._kit.pages.answer("overview.html", self._page(), visit)

    def live(self, visit: Visit) -> Response:
        """Answer the part of it that changes."""
        return self._kit.pages.answer("live.html", self._page(), visit)

    def _count(self) -> Flow:
        look = self._kit.site.look()
        within_h = {channel.id: channel.orders.ship_within_h for channel in look.ctx.sellers}
        with self._kit.site.store.read() as connection:
            return Flow(
                look=look,
                parcels=parcels_by_hour(connection, look.figures.hours),
                ages=ages(connection, within_h, look.figures.at),
                asked=[*_awaits_approval(look.ctx), *_waits_at_desks(look.ctx), *asked_of_people(connection)],
                parcel_latencies=shipment_latencies(connection, look.figures.at),
                alarms=[shown_alarm(row) for row in list_alarms(connection, over=True, limit=OVER)],
            )

    def _page(self) -> Page:
        look, flow = self._kit.site.look(), self._flow.get()
        with self._kit.site.store.read() as connection:
            latest = list_orders(connection, OrderFilter(), LATEST)
            titles = titles_of(connection, [order["number"] for order in latest])
        return {"latest": latest, "titles": titles, "asked": flow.asked} | figures_page(look) | flow_page(flow)


def _awaits_approval(ctx: Context) -> Iterator[Json]:
    """Yield that rules ask something of people, if they do."""
    asking = [group.held for group in groups(ctx) if group.asks]
    if asking:
        since = iso(min(held.oldest_at for held in asking))
        yield {"what": "audit", "kind": "", "channel": None, "count": sum(held.count for held in asking)} | {
            "since": since,
            "text": "",
            "source": "",
        }


def _waits_at_desks(ctx: Context) -> Iterator[Json]:
    """Yield what is to be taken out of the pile, and the waves that are to be printed, by desk."""
    for what, desk, count, since in waits_for_people(ctx):
        yield {"what": what, "kind": "", "channel": None, "warehouse": desk, "count": count, "since": since} | {
            "text": "",
            "source": "",
        }


def figures_page(look: Look) -> Page:
    """Return what the overview shows of the figures."""
    figures, ctx = look.figures, look.ctx
    names = {channel.id: channel.name for channel in ctx.channels.values()}
    empty = (0,) * len(figures.hours)
    facts = {channel["name"]: channel for channel in look.status["channels"]}
    return {
        "status": look.status,
        "sparks": {name: spark(figures.hourly.get(id, empty)) for id, name in names.items()},
        "blocked": {name: look.blocked_s(id) for id, name in names.items()},
        "queues": queue_rows(look),
        "problems": [{"text": said(problem, facts), "leads": leads_to(problem)} for problem in look.status["problems"]],
    }


def flow_page(flow: Flow) -> Page:
    """Return what the overview shows of what flows through."""
    figures, ctx = flow.look.figures, flow.look.ctx
    names = {channel.id: channel.name for channel in ctx.sellers}
    counts = {names[id]: numbers for id, numbers in figures.hourly.items() if id in names}
    latencies = {**figures.latencies, "shipment": flow.parcel_latencies}
    return {
        "chart": hourly(counts, figures.hours, ctx.timezone, flow.parcels),
        "took": [slowest(step, latencies[step], names) for step in ("order", "stock", "webhook", "shipment")],
        "ages": age_rows(flow.ages),
        "next_due": flow.ages.next,
        "alarms": flow.alarms,
    }


def age_rows(ages: Ages) -> list[Page]:
    """Return the steps of the time that is left, each with its orders and its piece of the bar."""
    rows: list[Page] = [
        {"step": step, "to_send": ages.to_send.get(step, 0), "held": ages.held.get(step, 0)} for step in STEPS
    ]
    total, x = sum(row["to_send"] + row["held"] for row in rows), 0.0
    for row in rows:
        row["total"] = row["to_send"] + row["held"]
        row["x"], row["width"] = round(x, 2), round(AGE_WIDTH * row["total"] / total, 2) if total else 0
        x += row["width"]
    return rows


_LEADS = {
    "auth": "/channels/{channel}",
    "brake": "/channels/{channel}",
    "clock": "/channels/{channel}",
    "cursor_lag": "/channels/{channel}",
    "down": "/channels/{channel}",
    "freshness": "/channels/{channel}",
    "not_stored": "/channels/{channel}",
    "queue_age": "/channels/{channel}",
    "queue_depth": "/channels/{channel}",
    "token": "/channels/{channel}",
    "nothing_arrived": "/channels/{channel}",
    "oversell": "/tasks",
    "drift": "/tasks?channel={channel}",
    "dead_letters": "/dead-letters?channel={channel}",
    "tasks": "/tasks?channel={channel}",
    "unknown_outcomes": "/tasks?channel={channel}",
    "unknown_stock": "/listings?channel={channel}",
    "reload": "/configuration?compare=1#disk",
}
"""By check that failed, the page where it is mended."""


def leads_to(problem: Mapping[str, Any]) -> str:
    """Return the page on which a problem is mended, nothing for one that no page mends."""
    return _LEADS.get(problem["check"], "").format(channel=quote(problem["channel"] or "", safe=""))


def said(problem: Mapping[str, Any], facts: Mapping[str, Mapping[str, Any]]) -> str:
    """Return a problem in one sentence; where a command is named for the command line, the page has the button."""
    name = problem["channel"]
    if problem["check"] == "brake":
        return f"{name}: the brake holds numbers back ({facts[name]['braked']}) until somebody looks at the stock"
    if problem["check"] == "unknown_outcomes":
        return f"{name}: what was sent has had no answer ({facts[name]['unknown_outcomes']}): the tasks say what to do"
    return str(problem["text"])


def queue_rows(look: Look) -> list[Page]:
    """Return the queues that hold anything, by channel and kind, each with how long its oldest has been due."""
    at, rows = look.figures.at, []
    ids = {channel.name: channel.id for channel in look.ctx.channels.values()}
    for channel in look.status["channels"]:
        name = channel["name"]
        for kind, row in channel["queue"]["kinds"].items():
            oldest = look.figures.queues[ids[name], kind].oldest_at
            age_s = None if oldest is None else max(0.0, (at - oldest).total_seconds())
            rows.append({"channel": name, "kind": kind, "oldest_s": age_s, **row})
        if channel["inbox"]:
            empty = {"leased": 0, "waiting": 0, "unknown": 0, "waiting_for": {}}
            age_s = channel["inbox_oldest_s"]
            rows.append({"channel": name, "kind": "webhook", "pending": channel["inbox"], "oldest_s": age_s, **empty})
    return sorted(rows, key=lambda row: (row["channel"], row["kind"]))
