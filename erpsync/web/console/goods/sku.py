"""One SKU: the number each shop shows and why, where its units lie, who holds them or waits."""

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from starlette.responses import Response

from erpsync.flows.explain.explain import explain_sku
from erpsync.store.goods import list_goods
from erpsync.store.policies import list_policies
from erpsync.store.views.sku_page import moved_between, refused_numbers, waiting_counts
from erpsync.store.views.values import Json
from erpsync.web.access.door import Guarded
from erpsync.web.access.visit import Visit
from erpsync.web.console.kit import Kit
from erpsync.web.day_chart import daily, ends_of_days

DAYS = 30
SHOWN = 50
"""So many holders, waiting orders and movements are shown."""

LATEST = 30

STATE_WORDS = {
    "right": ("✓", "as it should be"),
    "under_way": ("…", "on its way"),
    "waits": ("!", "waits"),
    "refused": ("×", "refused"),
    "untold": ("–", "told nothing"),
}
PUSH_WORDS = {
    "pending": "a number is due",
    "leased": "a number is being told",
    "waiting": "a number waits",
    "done": "a number was told",
    "dead": "a number was refused",
    "unknown": "a number had no answer",
}
_TONES = {"right": "done", "under_way": "move", "waits": "warn", "refused": "bad", "untold": "mute"}
_WAITING = ("brake", "waits", "fresh", "first_reading", "unreadable", "back_off", "unqueued", "zero")
_NEVER = ("disabled", "no_numbers", "not_pushed", "no_item", "not_configured")


class OneSku:
    """The page of a SKU."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit

    def routes(self) -> list[Guarded]:
        """Return its addresses."""
        return [self._kit.door.page("/stock/{sku:path}", self.sku, role="read")]

    def sku(self, visit: Visit) -> Response:
        """Answer why a SKU shows the number it shows in each shop, and what led there."""
        site, code = self._kit.site, visit.request.path_params["sku"]
        ctx = site.ctx()
        told = explain_sku(ctx, code, site.settings(), latest=SHOWN)
        now = site.store.clock.now()
        bounds = ends(now, ctx.timezone)
        with site.store.read() as connection:
            waiting = waiting_counts(connection, code)
            refused = refused_numbers(connection, code)
            policies = list_policies(connection, sku=code)
            moved = moved_between(connection, code, bounds)
            [goods] = list_goods(connection, sku_code=code)
        on_hand = sum(row["on_hand"] for row in told["stock"])
        moves = [entry for entry in reversed(told["story"]) if entry["about"] == "stock"]
        others = [shown(entry) for entry in reversed(told["story"]) if entry["about"] != "stock"]
        page = {
            **told,
            "levels": [level | {"state": state_of(level)} for level in told["levels"]],
            "title": goods["title"] or next((row["title"] for row in told["listings"] if row["title"]), ""),
            "goods": goods,
            "inside": [row for row in told["bundles"] if row["bundle"] == code],
            "within": [row for row in told["bundles"] if row["sku"] == code],
            "waiting": waiting,
            "letters": {tuple(key): id for key, id in refused.items()},
            "policies": policies,
            "paused_on": {row["channel"] for row in policies if row["paused"] and row["channel"]},
            "chart": daily([at.date() for at in bounds[:-1]], ends_of_days(on_hand, moved)),
            "moves": moves[:SHOWN],
            "others": others[:LATEST],
            "most": SHOWN,
            "warehouses": [place.id for place in ctx.warehouses.values()],
            "channels": sorted(channel.name for channel in ctx.channels.values()),
            "state_words": STATE_WORDS,
            "state_tones": _TONES,
        }
        return self._kit.pages.answer("goods/sku.html", page, visit)


def ends(now: datetime, timezone: ZoneInfo) -> list[datetime]:
    """Return when each of the last days began on the operator's clock, and after them when today ends."""
    today = now.astimezone(timezone).date()
    days = [today - timedelta(days=back) for back in range(DAYS - 1, -2, -1)]
    return [datetime.combine(day, time(), timezone) for day in days]


def state_of(level: Json) -> str:
    """Return how a listing stands, as one of `STATE_WORDS`."""
    codes = {step["what"] for step in flat([level])}
    if codes.intersection(_NEVER) or level["amount"] is None:
        return "untold"
    if "refused" in codes:
        return "refused"
    if level["sure"] and level["told"] == level["amount"]:
        return "right"
    return "waits" if codes.intersection(_WAITING) else "under_way"


def shown(entry: Json) -> Json:
    """Return an entry of the story as it is shown; of a push what became of the number, not when it was due."""
    if entry["about"] != "push":
        return entry
    state = str(entry["what"]).removeprefix("stock ")
    told = {name: value for name, value in entry["detail"].items() if name != "run_at" and value}
    waits = {"reason": state.partition(" for ")[2]} if " for " in state else {}
    return entry | {"push": PUSH_WORDS.get(state.partition(" ")[0].rstrip(","), state), "detail": told | waits}


def flat(steps: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return steps and all that they are made of."""
    return [each for step in steps for each in (step, *flat(step["steps"]))]
