"""The number of a listing, step by step: what lies where, what is taken off it and why, and what that makes.

Why the amounts are not computed here: they are those of `availability.levels`, which makes the number that is pushed.
What is added here are words, places of settings, and the orders behind a sum.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from erpsync.core.allocation import StockKey
from erpsync.core.availability import NOTHING_OWN, Derivation, Own, Share, Shelf
from erpsync.core.instants import stamp
from erpsync.flows.availability.levels import Basis
from erpsync.flows.context import Context
from erpsync.flows.explain.facts import Facts
from erpsync.flows.explain.steps import Settings, Step, Written, biggest, first, orders, units

_HELD = ("allocated", "kept", "reserved", "released", "other")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sum:
    """How the numbers of one channel's listings are said."""

    ctx: Context
    basis: Basis
    facts: Facts
    settings: Settings

    @property
    def channel(self) -> str:
        """The channel's name."""
        return self.basis.channel.name

    def steps(self, row: Any, derived: Derivation) -> tuple[Step, ...]:
        """Return how the number of a listing (its row) comes about; the last step is the number."""
        return (*self._made(row, derived), self._level(row, derived))

    def _made(self, row: Any, derived: Derivation) -> Iterator[Step]:
        if derived.paused:
            yield from map(self._paused, derived.paused)
            return
        if derived.unknown:
            yield from map(self._unknown, derived.unknown)
            return
        if len(derived.parts) == 1 and row.sku_id in derived.parts:
            yield from self._plain(row.sku_id, derived)
        else:
            yield from self._bundle(row, derived)
        yield from self._together(derived)
        yield from self._cap(row, derived)

    def _level(self, row: Any, derived: Derivation) -> Step:
        text = f"what {self.channel} should show for {row.channel_sku}"
        if derived.qty is None:
            text = f"{self.channel} is told nothing for {row.channel_sku}"
        return Step(what="level", amount=derived.qty, text=text)

    def _paused(self, sku_id: int) -> Step:
        code = self.facts.codes[sku_id]
        return Step(
            what="paused",
            amount=0,
            text=f"people have paused {code} on {self.channel}: it shows 0, whatever there is",
            steps=self._set_by(sku_id, channel=True),
        )

    def _unknown(self, sku_id: int) -> Step:
        code = self.facts.codes[sku_id]
        if not self.ctx.sourcing.of(self.basis.channel.id):
            text = f"no warehouse feeds {self.channel}, so nothing is known of {code} there"
            return Step(what="unknown", text=text, setting=self._of_channel("warehouses"))
        text = f"no warehouse that feeds {self.channel} has a count of {code}: unknown is not zero, so nothing is told"
        return Step(what="unknown", text=text, steps=tuple(self._elsewhere(sku_id)))

    def _plain(self, sku_id: int, derived: Derivation) -> Iterator[Step]:
        factor, share = derived.parts[sku_id], derived.shares[sku_id]
        yield self._share(sku_id, share)
        if factor > 1:
            code = self.facts.codes[sku_id]
            text = f"one on {self.channel} is {factor} of {code}: {share.qty} divided by {factor}, rounded down"
            yield Step(what="factor", amount=derived.whole, text=text)

    def _bundle(self, row: Any, derived: Derivation) -> Iterator[Step]:
        codes = self.facts.codes
        for sku_id, share in derived.shares.items():
            needed = derived.parts[sku_id]
            text = f"one {row.channel_sku} on {self.channel} takes {needed} of {codes[sku_id]}: enough for so many"
            yield Step(what="part", amount=share.qty // needed, text=text, steps=(self._share(sku_id, share),))
        least = min(derived.shares, key=lambda sku_id: derived.shares[sku_id].qty // derived.parts[sku_id])
        yield Step(what="limit", amount=derived.whole, text=f"{codes[least]} allows the least of {row.channel_sku}")

    def _together(self, derived: Derivation) -> Iterator[Step]:
        if derived.together is not None and derived.together < derived.whole:
            text = "what cannot be sent whole: its units lie in warehouses that bring nothing together"
            yield Step(what="together", amount=derived.together - derived.whole, text=text)

    def _cap(self, row: Any, derived: Derivation) -> Iterator[Step]:
        before = derived.whole if derived.together is None else min(derived.whole, derived.together)
        own = self._own(row.sku_id)
        cap = self.basis.channel.stock.cap if own.cap is None else own.cap
        if cap is None or derived.qty is None or derived.qty == before:
            return
        text = f"{self.channel} is told {cap} of {row.channel_sku} at most"
        setting, steps = self._origin(row.sku_id, own.cap is not None, "cap")
        yield Step(what="cap", amount=derived.qty - before, text=text, setting=setting, steps=steps)

    def _share(self, sku_id: int, share: Share) -> Step:
        text = f"of {self.facts.codes[sku_id]} may be shown on {self.channel}"
        steps = (*self._warehouses(sku_id), *self._taken_off(sku_id, share), *self._beside(sku_id))
        return Step(what="share", amount=share.qty, text=text, steps=steps)

    def _warehouses(self, sku_id: int) -> Iterator[Step]:
        for place_id in self.ctx.sourcing.of(self.basis.channel.id):
            place, shelf = self.facts.places[place_id], self.basis.shelves[sku_id].get(place_id)
            if shelf is None:
                yield Step(what="uncounted", text=f"{place} has no count of {self.facts.codes[sku_id]}")
            else:
                steps = tuple(self._shelf(StockKey(sku_id, place_id), shelf))
                yield Step(what="warehouse", amount=shelf.available, text=f"free to promise in {place}", steps=steps)

    def _shelf(self, key: StockKey, shelf: Shelf) -> Iterator[Step]:
        place, code = self.facts.places[key.warehouse_id], self.facts.codes[key.sku_id]
        yield self._on_hand(key, shelf, place)
        if shelf.reserved:
            steps = tuple(self._held(key, shelf))
            yield Step(what="held", amount=-shelf.reserved, text=f"held in {place}", steps=steps)
        if shelf.safety_stock:
            yield self._safety(key, shelf, place)
        left = shelf.on_hand - shelf.reserved - shelf.safety_stock
        if shelf.paused:
            text = f"people have paused {code} in {place}: nothing of it is promised"
            yield Step(what="paused", amount=-left, text=text, steps=self._set_by(key.sku_id, place=key.warehouse_id))
        elif left < 0:
            text = f"{place} is short of {units(-left)}: nothing below 0 is promised"
            yield Step(what="short", amount=-left, text=text)

    def _on_hand(self, key: StockKey, shelf: Shelf, place: str) -> Step:
        row = self.facts.shelves.get(key)
        counted_at = row.counted_at if row is not None else None
        text = f"on hand in {place}, never counted since it is known"
        if counted_at is not None:
            text = f"on hand in {place}, counted last at {stamp(counted_at)}"
        return Step(what="on_hand", amount=shelf.on_hand, text=text, since=counted_at)

    def _held(self, key: StockKey, shelf: Shelf) -> Iterator[Step]:
        held = self.facts.held.get(key, {})
        for why in _HELD:
            if wanted := held.get(why):
                named, more = biggest(wanted)
                total = sum(wanted.values())
                yield Step(what=why, amount=-total, text=_held_for(why, wanted), orders=named, more_orders=more)
        rest = shelf.reserved - sum(sum(wanted.values()) for wanted in held.values())
        if rest > 0:
            text = "counted as reserved although nobody holds them: a defect, which the log names"
            yield Step(what="unaccounted", amount=-rest, text=text)
        elif rest < 0:
            text = "held although they are not counted as reserved: a defect, which the log names"
            yield Step(what="unaccounted", amount=-rest, text=text)

    def _safety(self, key: StockKey, shelf: Shelf, place: str) -> Step:
        keep = self.facts.kept.get(key)
        if keep is not None and keep.safety is not None:
            text = f"safety stock of {self.facts.codes[key.sku_id]} that {place} never promises"
            steps = self._set_by(key.sku_id, place=key.warehouse_id)
            return Step(what="safety", amount=-shelf.safety_stock, text=text, steps=steps)
        setting = self.settings.of_warehouse(place, "safety_stock")
        text = f"safety stock that {place} never promises of any SKU"
        return Step(what="safety", amount=-shelf.safety_stock, text=text, setting=setting)

    def _taken_off(self, sku_id: int, share: Share) -> Iterator[Step]:
        own, policy, code = self._own(sku_id), self.basis.channel.stock, self.facts.codes[sku_id]
        if own.safety:
            text = f"{units(own.safety)} of {code} that are kept from {self.channel}"
            steps = self._set_by(sku_id, channel=True)
            yield Step(what="kept_back", amount=share.offered - share.available, text=text, steps=steps)
        if policy.ratio != 1:
            text = f"{self.channel} is offered a share of {policy.ratio:g} of that, rounded down"
            setting = self._of_channel("ratio")
            yield Step(what="ratio", amount=share.shared - share.offered, text=text, setting=setting)
        if share.buffer:
            setting, steps = self._origin(sku_id, own.buffer is not None, "buffer")
            text = f"buffer of {code} that {self.channel} is never told"
            yield Step(what="buffer", amount=-share.buffer, text=text, setting=setting, steps=steps)
        if share.unpaid:
            yield self._unpaid(sku_id, share)
        left = share.shared - share.buffer - share.unpaid
        if left < 0:
            yield Step(what="below_zero", amount=-left, text="nothing below 0 is shown")

    def _unpaid(self, sku_id: int, share: Share) -> Step:
        wanted = self.facts.unpaid.get((self.basis.channel.id, sku_id), {})
        named, more = biggest(wanted)
        text = f"in {orders(len(wanted))} of {self.channel} not paid yet and holding nothing; they count for three days"
        return Step(what="unpaid", amount=-share.unpaid, text=text, orders=named, more_orders=more)

    def _beside(self, sku_id: int) -> Iterator[Step]:
        """Yield what counts nothing here and is asked for all the same."""
        if waiting := self.facts.waiting.get(sku_id):
            named, more = first(waiting)
            owed = sum(other.qty for other in waiting)
            text = f"{units(owed)} are owed to {orders(len(waiting))}; what arrives goes there first"
            yield Step(what="owed", text=text, orders=named, more_orders=more)
        yield from self._elsewhere(sku_id)

    def _elsewhere(self, sku_id: int) -> Iterator[Step]:
        feeding = self.ctx.sourcing.of(self.basis.channel.id)
        for key, row in sorted(self.facts.shelves.items()):
            if key.sku_id != sku_id or key.warehouse_id in feeding or not row.on_hand:
                continue
            place, policy = self.facts.places[key.warehouse_id], self.ctx.warehouses.get(key.warehouse_id)
            if policy is None:
                text = f"{units(row.on_hand)} more lie in {place}, which is configured no more"
                yield Step(what="elsewhere", text=text)
            elif not policy.sellable:
                text, setting = f"{units(row.on_hand)} more lie in {place}, of which nothing is sold", "sellable"
                yield Step(what="elsewhere", text=text, setting=self.settings.of_warehouse(place, setting))
            else:
                text = f"{units(row.on_hand)} more lie in {place}, which does not feed {self.channel}"
                yield Step(what="elsewhere", text=text, setting=self._of_channel("warehouses"))

    def _own(self, sku_id: int) -> Own:
        return self.basis.own.get(sku_id, NOTHING_OWN)

    def _of_channel(self, key: str) -> Written | None:
        return self.settings.of_channel(self.channel, f"stock.{key}")

    def _origin(self, sku_id: int, is_own: bool, key: str) -> tuple[Written | None, tuple[Step, ...]]:
        """Return where a value comes from: the channel's file, or who set it for the SKU."""
        return (None, self._set_by(sku_id, channel=True)) if is_own else (self._of_channel(key), ())

    def _set_by(self, sku_id: int, *, channel: bool = False, place: int | None = None) -> tuple[Step, ...]:
        setter = self.facts.set_by.get((sku_id, self.basis.channel.id if channel else None, place))
        code = self.facts.codes[sku_id]
        if setter is None:
            return (Step(what="set_for_sku", text=f"set for {code} by `erpsync policies import`"),)
        text = f"set for {code} by {setter.actor} at {stamp(setter.at)} (`erpsync policies list --sku {code}`)"
        return (Step(what="set_for_sku", text=text, since=setter.at),)


def _held_for(why: str, wanted: dict[str | None, int]) -> str:
    said = {
        "allocated": f"allocated to {orders(len(wanted))}",
        "kept": f"kept for {orders(len(wanted))} on hold, until the hold ends or the order does",
        "reserved": f"reserved for {orders(len(wanted))} not paid yet, until the time for that is over",
        "released": f"handed over to the warehouse for {orders(len(wanted))}",
        "other": f"held for other purposes than orders: {units(sum(wanted.values()))}",
    }
    return said[why]
