"""The shops: how each stands and why nothing moves, one of them in full, and what people decide about it."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from starlette.responses import Response

from erpsync.core.policy import LimitPolicy
from erpsync.flows.availability.brake import confirm_stock
from erpsync.flows.channels.control import ask_backfill, ask_poll, pause_channel, resume_channel
from erpsync.flows.channels.streams import ASKED, streams_of
from erpsync.flows.context import Channel, Context
from erpsync.flows.errors import Refused
from erpsync.sdk.roles import COURIERS, MessageSink
from erpsync.store.limits import calls_left
from erpsync.store.status.figures import freshness_limit
from erpsync.store.status.latencies import Latencies, shipment_latencies
from erpsync.store.tokens import read_token
from erpsync.store.views import NotFound
from erpsync.web.access.door import Guarded
from erpsync.web.access.visit import Visit
from erpsync.web.acts import Said
from erpsync.web.charts import spark
from erpsync.web.console.kit import Kit
from erpsync.web.console.system.standing import causes
from erpsync.web.console.system.took import STEPS, took_row
from erpsync.web.site import Look

MOST_DAYS = 3650
LONGEST_REASON = 500

Page = dict[str, Any]


class Channels:
    """The pages `/channels` and `/channels/NAME`, and their acts."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit
        self._parcels = kit.site.shared(self._count_parcels)

    def routes(self) -> list[Guarded]:
        """Return their addresses."""
        door = self._kit.door
        one = "/channels/{channel}"
        return [
            door.page("/channels", self.channels, role="read"),
            door.part("/live/channels", self.channels_live, role="read"),
            door.page(one, self.channel, role="read"),
            door.part("/live/channels/{channel}", self.channel_live, role="read"),
            door.act(f"{one}/pause", self.pause, role="operate"),
            door.act(f"{one}/resume", self.resume, role="operate"),
            door.act(f"{one}/poll", self.poll, role="operate"),
            door.act(f"{one}/backfill", self.backfill, role="operate"),
            door.act(f"{one}/confirm", self.confirm, role="operate"),
        ]

    def channels(self, visit: Visit) -> Response:
        """Answer the list."""
        return self._kit.pages.answer("system/channels.html", self._list(), visit)

    def channels_live(self, visit: Visit) -> Response:
        """Answer the part of the list that changes."""
        return self._kit.pages.answer("system/channels_live.html", self._list(), visit)

    def channel(self, visit: Visit) -> Response:
        """Answer one shop."""
        return self._kit.pages.answer("system/channel.html", self._one(visit), visit)

    def channel_live(self, visit: Visit) -> Response:
        """Answer the part of a shop's page that changes."""
        return self._kit.pages.answer("system/channel_live.html", self._one(visit), visit)

    def pause(self, visit: Visit) -> Response:
        """Stop all calls to a shop."""
        return self._kit.acts.carry_out(visit, partial(_pause, visit))

    def resume(self, visit: Visit) -> Response:
        """Let a shop go on."""
        return self._kit.acts.carry_out(visit, partial(_resume, visit))

    def poll(self, visit: Visit) -> Response:
        """Ask for a pass now."""
        return self._kit.acts.carry_out(visit, partial(_poll, visit))

    def backfill(self, visit: Visit) -> Response:
        """Read a shop's past again."""
        return self._kit.acts.carry_out(visit, partial(_backfill, visit))

    def confirm(self, visit: Visit) -> Response:
        """Let the zeros go that the brake holds back."""
        return self._kit.acts.carry_out(visit, partial(_confirm, visit))

    def _list(self) -> Page:
        look = self._kit.site.look()
        channels = [self._standing(look, facts) for facts in look.status["channels"]]
        order = {"bad": 0, "warn": 1, "ok": 2, "off": 3}
        return {"channels": sorted(channels, key=lambda row: (order[row["causes"][0].level], row["name"]))}

    def _standing(self, look: Look, facts: Mapping[str, Any]) -> Page:
        """Return a shop's figures with why it stands as it stands, its budget and its last day."""
        channel = look.ctx.channel(facts["name"])
        row = look.figures.rows[channel.id]
        until = row.blocked_until_at if look.blocked_s(channel.id) else None
        fresh_s = freshness_limit(channel, self._kit.site.limits())
        counts = _counts(look, channel)
        return {
            **facts,
            "causes": causes(facts, until, fresh_s),
            "fresh_limit_s": fresh_s,
            "blocked_until_at": until,
            "budget": self._budget(channel, row, look),
            "spark": spark(counts),
        }

    def _budget(self, channel: Channel, row: Any, look: Look) -> Page | None:
        """Return how many calls may be made now, of how many; None where the configuration is not known."""
        config = self._kit.site.config()
        configured = config.channel(channel.name) if config else None
        if configured is None or not channel.enabled:
            return None
        policy: LimitPolicy = configured.limits
        left = calls_left(row.tokens, row.tokens_at, look.figures.at, policy)
        return {"left": int(left), "burst": policy.burst, "calls_per_s": policy.calls_per_s}

    def _count_parcels(self) -> Latencies:
        store = self._kit.site.store
        with store.read() as connection:
            return shipment_latencies(connection, store.clock.now())

    def _one(self, visit: Visit) -> Page:
        name = visit.request.path_params["channel"]
        look = self._kit.site.look()
        facts = next((facts for facts in look.status["channels"] if facts["name"] == name), None)
        if facts is None:
            raise NotFound(f"no channel {name}")
        channel = look.ctx.channel(name)
        with self._kit.site.store.read() as connection:
            token = read_token(connection, channel.id)
        told = {quantile: took for (id, quantile), took in self._parcels.get().items() if id == channel.id}
        return {
            "c": self._standing(look, facts),
            "streams": _streams(look, channel),
            "queue": _queue(look, channel),
            "latencies": [took_row(step, (facts["latencies"] | {"shipment": told})[step]) for step in STEPS],
            "token": token,
            "renews": channel.renews_token,
            "able": [stream for stream in _readable(channel) if stream in ASKED],
            "backfill_days": channel.poll.backfill_days,
            "hours": list(zip(look.figures.hours, _counts(look, channel), strict=True)),
            "file": self._kit.site.settings().of_channel(name, "id"),
        }


def _readable(channel: Channel) -> Sequence[str]:
    """Return the streams a person may ask for; all where nothing is known of the connector, none of who has none."""
    return streams_of(channel) or (() if any(map(channel.plays, (MessageSink, *COURIERS))) else ASKED)


def _counts(look: Look, channel: Channel) -> Sequence[int]:
    return look.figures.hourly.get(channel.id, (0,) * len(look.figures.hours))


def _streams(look: Look, channel: Channel) -> list[Page]:
    """Return the streams of a shop in the order in which they are read, with where each stands."""
    able = streams_of(channel)
    cursors = {stream: row for (id, stream), row in look.figures.cursors.items() if id == channel.id}
    shown = []
    for stream in dict.fromkeys([*able, *sorted(cursors)]):
        cursor = cursors.get(stream)
        whole = None if cursor is None else cursor.complete_began_at
        lag_s = None if whole is None else max(0.0, (look.figures.at - whole).total_seconds())
        shown.append({"stream": stream, "cursor": cursor, "lag_s": lag_s, "able": stream in able})
    return shown


def _queue(look: Look, channel: Channel) -> list[Page]:
    """Return what is to be sent to a shop, by kind."""
    rows = []
    for (id, kind), queue in sorted(look.figures.queues.items()):
        if id == channel.id and any(queue.states.values()):
            rows.append({"kind": kind, "queue": queue})
    return rows


def _name(visit: Visit) -> str:
    return str(visit.request.path_params["channel"])


def _pause(visit: Visit, ctx: Context) -> Said:
    name, reason = _name(visit), visit.form.text("reason").strip()
    if not reason:
        raise Refused("a reason is needed: whoever finds the shop paused has to know why")
    if len(reason) > LONGEST_REASON:
        raise Refused(f"a reason has {LONGEST_REASON} characters at most, this one has {len(reason)}")
    pause_channel(ctx, name, reason=reason, actor=visit.actor)
    return Said(text=f"{name} is paused")


def _resume(visit: Visit, ctx: Context) -> Said:
    name = _name(visit)
    resume_channel(ctx, name, actor=visit.actor)
    return Said(text=f"{name} works again")


def _poll(visit: Visit, ctx: Context) -> Said:
    name, streams = _name(visit), visit.form.all("stream")
    if not streams:
        raise Refused("nothing was chosen: tick what is to be read")
    ask_poll(ctx, name, streams, actor=visit.actor)
    return Said(text=f"{name} will be read within a few seconds")


def _backfill(visit: Visit, ctx: Context) -> Said:
    name, days = _name(visit), visit.form.text("days").strip()
    if not (days.isascii() and days.isdigit() and len(days) < 6 and 1 <= int(days) <= MOST_DAYS):
        raise Refused(f"days must be a whole number from 1 to {MOST_DAYS}, is {days or 'empty'}")
    last = int(days)
    ask_backfill(ctx, name, days=last, actor=visit.actor)
    if last == 1:
        return Said(text=f"the last day of {name} will be read again, beside what is open")
    return Said(text=f"the last {last} days of {name} will be read again, beside what is open")


def _confirm(visit: Visit, ctx: Context) -> Said:
    name = _name(visit)
    freed = confirm_stock(ctx, name, actor=visit.actor)
    return Said(text=f"{freed} number goes to {name} now" if freed == 1 else f"{freed} numbers go to {name} now")
