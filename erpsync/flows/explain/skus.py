"""A SKU: the number of each listing that shows it, how it comes about, and what waits."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import select

from erpsync.flows.availability.freshness import Freshness
from erpsync.flows.availability.levels import Basis, Listed, derived, listed, load_basis
from erpsync.flows.context import Context
from erpsync.flows.explain.facts import Facts, Queued, read_facts, read_queued
from erpsync.flows.explain.steps import Settings, Step
from erpsync.flows.explain.sums import Sum
from erpsync.flows.explain.telling import Telling
from erpsync.store.db.store import Tx
from erpsync.store.tables import channel, listing, sku
from erpsync.store.views.sku_story import LATEST, tell_sku
from erpsync.store.views.values import Json, NotFound


def explain_sku(tx: Tx, ctx: Context, code: str, settings: Settings, *, latest: int = LATEST) -> Json:
    """Return the story of a SKU (see `tell_sku`) with `summary` and `levels`: the number of each listing, step by step.

    Raises `NotFound`.
    """
    sku_id = tx.execute(select(sku.c.id).where(sku.c.code == code)).scalar()
    if sku_id is None:
        raise NotFound(f"no SKU {code}")
    off = {shop.name for shop in ctx.channels.values() if not shop.enabled}
    levels = _levels(tx, ctx, sku_id, settings)
    told = tell_sku(tx.connection, code, latest=latest, off=off)
    return {"sku": code, "summary": _summary(code, levels), "levels": levels} | told


def _levels(tx: Tx, ctx: Context, sku_id: int, settings: Settings) -> list[Json]:
    query = select(listing, channel.c.name.label("channel")).join(channel, channel.c.id == listing.c.channel_id)
    by_name = query.order_by(channel.c.name, listing.c.channel_sku, listing.c.item_ref)
    rows = tx.all(by_name.where(listing.c.sku_id == sku_id))
    configured = [row for row in rows if row.channel_id in ctx.channels]
    bases = {basis.channel.id: basis for basis in _bases(tx, ctx, configured)}
    skus = {sku_id} | {part for basis in bases.values() for needs in basis.needs.values() for part in needs}
    facts = read_facts(tx, skus, bases.keys())
    queued = read_queued(tx.connection, configured, skus)
    steps: dict[int, Step] = {}
    for channel_id, basis in bases.items():
        of_channel = [row for row in configured if row.channel_id == channel_id]
        steps |= _of_channel(tx, ctx, of_channel, basis, facts, queued, settings)
    return [_shown(row, steps.get(row.id)) for row in rows]


def _bases(tx: Tx, ctx: Context, rows: Sequence[Any]) -> Iterator[Basis]:
    for channel_id in dict.fromkeys(row.channel_id for row in rows):
        yield load_basis(tx, ctx, ctx.channels[channel_id], [row for row in rows if row.channel_id == channel_id])


def _of_channel(
    tx: Tx, ctx: Context, rows: Sequence[Any], basis: Basis, facts: Facts, queued: Queued, settings: Settings
) -> Mapping[int, Step]:
    """Return a step for each of a channel's listings, by id."""
    made = Sum(ctx=ctx, basis=basis, facts=facts, settings=settings)
    fresh = Freshness(tx, basis.channel)
    telling = Telling(channel=basis.channel, queued=queued, fresh=fresh, settings=settings, now=tx.now)
    items = listed(tx, ctx, rows, basis)
    return {row.id: _step(row, items[row.id], made, telling) for row in rows}


def _step(row: Any, item: Listed, made: Sum, telling: Telling) -> Step:
    steps = (*made.steps(row, derived(row, made.basis)), *telling.steps(row, item))
    return Step(what="listing", amount=item.qty, text=telling.headline(row, item), steps=steps)


def _shown(row: Any, step: Step | None) -> Json:
    """Return a listing with its step; one of a channel that is configured no more has no number."""
    gone = Step(what="not_configured", text=f"{row.channel} is configured no more, and is told nothing")
    names = {name: getattr(row, name) for name in ("channel", "channel_sku", "item_ref", "factor")}
    return names | {"told": row.told_qty, "sure": row.told_sure} | (step or gone).shown()


def _summary(code: str, levels: Sequence[Json]) -> str:
    if not levels:
        return f"{code} is listed on no channel"
    if len(levels) == 1:
        return str(levels[0]["text"])
    wrong = sum(level["amount"] is None or not level["sure"] or level["told"] != level["amount"] for level in levels)
    if not wrong:
        return f"{code} stands on {len(levels)} listings, and each shows what it should"
    if wrong == 1:
        return f"{code} stands on {len(levels)} listings; 1 waits for the right number"
    return f"{code} stands on {len(levels)} listings; {wrong} wait for the right number"
