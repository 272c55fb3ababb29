"""How accounts with couriers stand: what waits for them, what they refused, what nobody used, and what parcels cost.

Why the cost is that of the newest parcels and not of all of a month: what is summed by zone changes with the zones, so
nothing is kept, and reading a month of a large shop would cost more the longer it sells.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from erpsync.core.facts import UNKNOWN, Unknown
from erpsync.flows.context import Context
from erpsync.sdk.roles import CourierSink, WaybillSource
from erpsync.store.views.couriers import (
    Chosen,
    count_rates,
    count_waybills,
    newest_choices,
    refused_releases,
    stale_waybills,
)
from erpsync.store.views.places import list_channels
from erpsync.store.views.values import Json

SHOWN = 100
PARCELS = 2_000
DAYS = 30
CURRENCY = "CNY"
"""Of rate cards."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An account with a courier.

    Args:
        channel: it, as the list of channels has it.
        enabled: whether its file says so.
        states: how many of its numbers are in each state that has not ended.
        rates: rows of its card.
    """

    channel: Json
    enabled: bool
    states: Mapping[str, int]
    rates: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What parcels into some zones by one courier cost.

    Args:
        zones: those that all of their places belong to; empty where no zone has them, None where that is not known.
        priced: how many have a cost, the courier's or the card's.
        grounds: how often each ground decided.
    """

    zones: tuple[str, ...] | None
    carrier: str
    parcels: int
    priced: int
    cost_minor: int
    currency: str
    grounds: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """How all accounts stand.

    Args:
        refused: releases that no courier takes, oldest first; `refusals` is how many there are.
        stale: numbers that nobody used in time, oldest first; `unused` is how many there are.
        costs: of the newest parcels, `parcels` of them, at most `DAYS` old; dearest sum first.
    """

    accounts: Sequence[Account]
    refused: Sequence[Json]
    refusals: int
    stale: Sequence[Json]
    unused: int
    parcels: int
    costs: Sequence[Cost]


def report(ctx: Context) -> Report:
    """Return how the accounts stand now."""
    now = ctx.store.trusted_now()
    with ctx.store.read() as connection:
        refused, refusals = refused_releases(connection, most=SHOWN)
        stale, unused = stale_waybills(connection, now - timedelta(hours=ctx.couriers.stale_h), most=SHOWN)
        counts, cards = count_waybills(connection), count_rates(connection)
        known = {each["id"]: each for each in list_channels(connection)}
        rows = newest_choices(connection, most=PARCELS)
    since = now - timedelta(days=DAYS)
    recent = [row for row in rows if row.made_at >= since]
    accounts = [
        Account(
            channel=known[each.name],
            enabled=each.enabled,
            states=counts.get(each.id, {}),
            rates=cards.get(each.id, 0),
        )
        for each in sorted(ctx.channels.values(), key=lambda each: each.name)
        if (each.plays(CourierSink) or each.plays(WaybillSource)) and each.name in known
    ]
    return Report(
        accounts=accounts,
        refused=refused,
        refusals=refusals,
        stale=stale,
        unused=unused,
        parcels=len(recent),
        costs=_costs(ctx, recent),
    )


@dataclass(slots=True)
class _Sum:
    parcels: int
    priced: int
    cost_minor: int
    grounds: Counter[str]


def _costs(ctx: Context, rows: Sequence[Chosen]) -> list[Cost]:
    sums: dict[tuple[tuple[str, ...] | None, str, str], _Sum] = {}
    for row in rows:
        choice = json.loads(row.choice) if row.choice else {}
        found = ctx.book.zone_map.of(row.province or UNKNOWN, row.city or UNKNOWN)
        zones = None if isinstance(found, Unknown) else tuple(sorted(found))
        cost = choice.get("cost_minor") if row.cost_minor is None else row.cost_minor
        key = zones, row.carrier, row.currency or CURRENCY
        total = sums.setdefault(key, _Sum(0, 0, 0, Counter()))
        total.parcels += 1
        total.grounds[choice.get("ground", "")] += 1
        if cost is not None:
            total.priced += 1
            total.cost_minor += cost
    made = [
        Cost(
            zones=zones,
            carrier=carrier,
            parcels=total.parcels,
            priced=total.priced,
            cost_minor=total.cost_minor,
            currency=currency,
            grounds=total.grounds,
        )
        for (zones, carrier, currency), total in sums.items()
    ]
    return sorted(made, key=lambda each: (-each.cost_minor, -each.parcels, each.zones or (), each.carrier))
