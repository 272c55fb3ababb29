"""What a channel was told about a listing, and what keeps it from being told what it should show."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from erpsync.core import advice
from erpsync.core.instants import stamp
from erpsync.flows.availability.fan_out import pushes
from erpsync.flows.availability.freshness import Freshness
from erpsync.flows.availability.levels import Listed
from erpsync.flows.availability.verdict import Verdict, verdict
from erpsync.flows.context import Channel
from erpsync.flows.explain.facts import Queued
from erpsync.flows.explain.shops import not_working
from erpsync.flows.explain.steps import Settings, Step, listed
from erpsync.sdk.roles import StockSink


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """How one channel's listings are told."""

    channel: Channel
    queued: Queued
    fresh: Freshness
    settings: Settings
    now: datetime

    @property
    def name(self) -> str:
        """The channel's name."""
        return self.channel.name

    def headline(self, row: Any, item: Listed) -> str:
        """Return in one sentence what a listing shows and should show."""
        told, code = item.told, row.channel_sku
        if not pushes(self.channel, row.item_ref):
            return f"{self.name} is told no numbers for {code}"
        if item.qty is None:
            return f"{self.name} is told nothing for {code}: how many there are is not known"
        if not told.needs(item.qty):
            return f"{self.name} shows {item.qty} for {code}, as it should"
        if told.accepted is None:
            return f"{self.name} should show {item.qty} for {code} and has accepted no number yet"
        if told.accepted == item.qty:
            return f"{self.name} should show {item.qty} for {code} and was told so, but nobody can be sure of it"
        return f"{self.name} should show {item.qty} for {code} and was told {told.accepted} last"

    def steps(self, row: Any, item: Listed) -> tuple[Step, ...]:
        """Return what the channel was told, and what waits until when."""
        return (*self._told(row, item), *self._waits(row, item))

    def _told(self, row: Any, item: Listed) -> Iterator[Step]:
        told = item.told
        text = f"{self.name} accepted this number last"
        if told.accepted is None:
            text = f"{self.name} has accepted no number for {row.channel_sku} yet"
        elif told.sent_since and not told.sure:
            text = f"{self.name} accepted this number; {listed(told.sent_since)} sent since had no answer"
        elif not told.sure:
            text = f"{self.name} accepted this number, but may show another one by now"
        yield Step(what="told", amount=told.accepted, text=text, since=row.told_at)
        if told.still_late and item.late_until_at is not None:
            until, numbers = item.late_until_at, listed(told.still_late)
            text = f"a call without an answer may still set {numbers} until {stamp(until)}; then it is told once more"
            yield Step(what="late", text=text, until=until)
        if row.shown_qty is not None and row.shown_qty != told.accepted:
            setting = self.settings.of_channel(self.name, "stock.drift")
            text = f"what the catalogue of {self.name} showed when it was read last"
            yield Step(what="shown", amount=row.shown_qty, text=text, since=row.shown_at, setting=setting)

    def _waits(self, row: Any, item: Listed) -> Iterator[Step]:
        if not pushes(self.channel, row.item_ref):
            yield self._never(row)
            return
        if (letter := self.queued.letters.get(row.id)) is not None:
            text = f"{self.name} refuses it: {letter.error} (dead letter {letter.id})"
            ends = Step(what="ends", text=advice.fill(advice.REPLAYS["stock"], id=letter.id))
            yield Step(what="refused", text=text, since=letter.at, steps=(ends,))
        if item.qty is None:
            return
        skus = dict.fromkeys((row.sku_id, *item.skus))
        marks = [self.queued.dirty[sku_id] for sku_id in skus if sku_id in self.queued.dirty]
        queued = self.queued.open.get(row.id)
        if marks:
            since = min(mark.first_at for mark in marks)
            text = f"something changed at {stamp(since)}; the daemon makes a push of it at once, if it runs"
            yield Step(what="changed", text=text, since=since)
        if queued is not None:
            yield self._row(queued, item, item.qty)
        elif item.told.needs(item.qty) and not marks and letter is None:
            text = "nothing is on its way: the next change of its stock, or a start of the daemon, tells it"
            yield Step(what="unqueued", text=text)
        if queued is not None or marks or item.told.needs(item.qty):
            yield from not_working(self.channel, self.queued.channels.get(self.channel.id), self.now, self.settings)

    def _never(self, row: Any) -> Step:
        """Say why a listing is told no numbers at all."""
        kind = self.channel.connector_kind
        if not self.channel.enabled:
            setting = self.settings.of_channel(self.name, "enabled")
            return Step(what="disabled", text=f"{self.name} is switched off in the configuration", setting=setting)
        if kind is None or not issubclass(kind, StockSink):
            setting = self.settings.of_channel(self.name, "connector")
            return Step(what="no_numbers", text=f"the connector of {self.name} tells no numbers", setting=setting)
        if not self.channel.stock.push:
            setting = self.settings.of_channel(self.name, "stock.push")
            return Step(what="not_pushed", text=f"{self.name} is not told stock by its configuration", setting=setting)
        text = f"the item of {row.channel_sku} on {self.name} is not known: it is told once the catalogue was read"
        return Step(what="no_item", text=text)

    def _row(self, row: Any, item: Listed, qty: int) -> Step:
        if row.state == "leased":
            return Step(what="under_way", text=f"a call that tells {self.name} is under way", until=row.lease_until_at)
        if row.state == "waiting" and row.waiting_for != "fresh":
            return self._braked(row) if row.waiting_for == "brake" else self._waiting(row)
        if row.state == "waiting":
            return self._not_fresh(row)
        if row.attempts:
            tries = f"{row.attempts} try" if row.attempts == 1 else f"{row.attempts} tries"
            text = f"{tries} failed, the last with: {row.error}; it is tried again at {stamp(row.run_at)}"
            return Step(what="back_off", text=text, since=row.marked_at, until=row.run_at)
        if row.run_at > self.now:
            setting = self.settings.of_channel(self.name, "stock.settle_s")
            text = f"changes gather until {stamp(row.run_at)}, then it is told"
            return Step(what="settling", text=text, since=row.marked_at, until=row.run_at, setting=setting)
        return self._due(row, item, qty)

    def _due(self, row: Any, item: Listed, qty: int) -> Step:
        match verdict(item, qty, row, self.fresh):
            case Verdict.TOLD:
                return Step(what="told_already", text="a push is due and will find that nothing has to be told")
            case Verdict.NOT_FRESH:
                return self._not_fresh(row)
            case Verdict.ZERO:
                setting = self.settings.of_channel(self.name, "stock.brake")
                text = "no sale and no hold explains this 0: it goes out unless too many fall to 0 within a minute"
                return Step(what="zero", text=text, since=row.marked_at, setting=setting)
            case Verdict.SEND:
                return Step(what="due", text=f"it goes to {self.name} with the next call", since=row.marked_at)

    def _not_fresh(self, row: Any) -> Step:
        cursor, setting = self.fresh.orders, self.settings.of_channel(self.name, "poll.orders_s")
        if not self.fresh.backfilled:
            text = f"the orders of {self.name} are being read for the first time; nothing is told before that is done"
            return Step(what="first_reading", text=text, since=row.marked_at)
        if cursor.unreadable and cursor.failed_at is not None:
            text = (
                f"the orders of {self.name} cannot be read: {cursor.error}; until they are, only lower numbers go out"
            )
            return Step(what="unreadable", text=text, since=cursor.failed_at)
        text = f"it goes out when the orders of {self.name} were read once more, for a sale that is not known yet"
        return Step(what="fresh", text=text, since=row.marked_at, setting=setting)

    def _braked(self, row: Any) -> Step:
        task = self.queued.brakes.get(self.name)
        text = f"too many listings of {self.name} would fall to 0 with no sale: a person is to look at the stock"
        ends = Step(what="ends", text=advice.fill(advice.WAITS["brake"], channel=self.name))
        since = row.marked_at if task is None else task.opened_at
        setting = self.settings.of_channel(self.name, "stock.brake")
        return Step(what="brake", text=text, since=since, setting=setting, steps=(ends,))

    def _waiting(self, row: Any) -> Step:
        text = f"it waits for {row.waiting_for}: {row.error}"
        return Step(what="waits", text=text, since=row.marked_at)
