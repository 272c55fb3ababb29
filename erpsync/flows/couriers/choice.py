"""Choosing who takes each release: what accounts offer for it, by wishes, cards and names.

Why the choice is kept with its reasons: whoever asks why a parcel went by that courier asks days later, when cards and
accounts are others.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, select, update

from erpsync.core.couriers import NO_COURIER, Because, Choice, Consignment, NoCourier, Offer, Refused
from erpsync.core.couriers import choose as choose_courier
from erpsync.core.facts import UNKNOWN, On, Unknown
from erpsync.core.orders import KnownOrder, OrderKind
from erpsync.core.rates import Card, Rate
from erpsync.flows.context import Channel, Context
from erpsync.flows.couriers.accounts import region_of, uncovered
from erpsync.flows.couriers.requests import measures_of, recipient_of
from erpsync.flows.rules.parcels import Contents, SeenParcel, judge_parcels
from erpsync.sdk.roles import CourierSink, WaybillSource, playing
from erpsync.store.db.bulk import in_parts
from erpsync.store.db.store import Tx
from erpsync.store.order_rules import OFF, StoredMark, marks_of
from erpsync.store.orders import lock_order_ids
from erpsync.store.rates import cards_of
from erpsync.store.releases import orders_in, pieces_of
from erpsync.store.tables import orders, release
from erpsync.store.tasks import Task, close_tasks, open_tasks
from erpsync.store.waybills import BOOKABLE

_NO_WISH = StoredMark(value="")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Taken:
    """A release with its orders, and the place they go to."""

    id: int
    number: str
    warehouse_id: int
    orders: Sequence[KnownOrder]
    weight_g: int | None
    province: str | None
    city: str | None


def choose_couriers(tx: Tx, ctx: Context, release_ids: Iterable[int]) -> set[int]:
    """Choose who takes each release that has nobody yet, and return those that have somebody now.

    Whoever calls has the releases' orders locked. One that nobody takes stays as it is, with a task that says why. In a
    process without connectors, or without the keys for recipients, none is chosen: nobody there knows what is offered.
    """
    if not can_choose(ctx):
        return set()
    waiting = _waiting(tx, ctx, release_ids)
    if not waiting:
        return set()
    accounts = _accounts(ctx)
    offers = _offers(tx.connection, accounts)
    ruled = _ruled(tx, ctx, waiting)
    wishes = _wishes(tx, waiting, ruled)
    ids = {account.name: account.id for account in accounts}
    away = uncovered(tx, ids, {taken.orders[0].region for taken in waiting})
    measures = measures_of(tx, [taken.id for taken in waiting])
    chosen, refused = set(), []
    for taken in waiting:
        weight_g, volume_cm3 = measures.get(taken.id, (None, None))
        parcel = _consignment(tx, ctx, taken, weight_g if taken.weight_g is None else taken.weight_g, volume_cm3)
        wished = wishes[taken.id]
        place = region_of(taken.orders[0].region)
        here = [replace(each, covers=False) if (each.account, place) in away else each for each in offers]
        choice = choose_courier(parcel, here, list(wished))
        said = _said_by_rules(ctx, ruled.get(taken.id))
        if isinstance(choice, NoCourier):
            refused.append((taken, choice, said))
        else:
            chosen.add(taken.id)
            by = wished.get(choice.because.carrier, "")
            _keep(tx, taken, choice, ids[choice.account], parcel.weight_g, {"wished_by": by, **said})
    _ask(tx, refused, offered=digest_of_offers(tx.connection, ctx) if refused else "")
    close_tasks(tx, NO_COURIER, [taken.number for taken in waiting if taken.id in chosen], by="erpsync")
    return chosen


def can_choose(ctx: Context) -> bool:
    """Whether this process knows what accounts offer, and there are any."""
    accounts = _accounts(ctx)
    return bool(accounts) and ctx.store.vault is not None and all(account.connector for account in accounts)


def _accounts(ctx: Context) -> list[Channel]:
    return [
        channel
        for channel in ctx.channels.values()
        if channel.enabled and (channel.plays(CourierSink) or channel.plays(WaybillSource))
    ]


def digest_of_offers(connection: Connection, ctx: Context) -> str:
    """Return what differs when another choice may come of it: accounts, cards, rules, what shops allow."""
    offers = [
        (
            (offer.account, offer.service, offer.carrier, offer.priority, offer.cod, sorted(offer.waybill_kinds)),
            sorted(offer.warehouses),
            sorted(offer.card.by_zone.items()),
        )
        for offer in _offers(connection, _accounts(ctx))
    ]
    allowed = [(seller.name, seller.orders.couriers) for seller in ctx.sellers]
    return sha256(repr((offers, allowed, ctx.book.digest)).encode()).hexdigest()[:12]


def _waiting(tx: Tx, ctx: Context, release_ids: Iterable[int]) -> list[_Taken]:
    """Return the open releases that nobody takes yet, of warehouses whose parcels bear our numbers."""
    ours = release.c.warehouse_id.in_(sorted(ctx.booked_for))
    query = select(release).where(release.c.account_id.is_(None), release.c.state.in_(BOOKABLE), ours)
    rows = [
        row
        for part in in_parts(release_ids)
        for row in tx.all(query.where(release.c.id.in_(part)).order_by(release.c.id))
    ]
    together = orders_in(tx, [row.id for row in rows])
    known = lock_order_ids(tx, [id for ids in together.values() for id in ids])
    places = {row.id: row for row in _places(tx, known)}
    return [
        _Taken(
            id=row.id,
            number=row.number,
            warehouse_id=row.warehouse_id,
            orders=[known[id] for id in together[row.id]],
            weight_g=row.weight_g,
            province=places[together[row.id][0]].province,
            city=places[together[row.id][0]].city,
        )
        for row in rows
    ]


def _places(tx: Tx, order_ids: Iterable[int]) -> list[Any]:
    query = select(orders.c.id, orders.c.province, orders.c.city)
    return [row for part in in_parts(order_ids) for row in tx.all(query.where(orders.c.id.in_(part)))]


def _offers(connection: Connection, accounts: Sequence[Channel]) -> list[Offer]:
    """Return what accounts offer: each of their couriers by each service that is set, else that of their card."""
    cards = cards_of(connection, [account.id for account in accounts])
    offers: list[Offer] = []
    for account in accounts:
        sink = playing(account.connector, CourierSink)
        by_service: dict[str, list[Rate]] = {}
        for row in cards.get(account.id, ()):
            by_service.setdefault(row.service, []).append(row)
        told = sink or playing(account.connector, WaybillSource)
        carriers = sorted(told.carriers()) if told is not None else []
        services = account.courier.services or sorted(by_service) or [""]
        kinds = [(carrier, service) for carrier in carriers for service in services]
        offers += [
            Offer(
                account=account.name,
                service=service,
                carrier=carrier,
                priority=account.courier.priority,
                cod=account.courier.cod,
                waybill_kinds=frozenset({""}) | (sink.ciphertexts_of if sink else frozenset()),
                card=Card.of(by_service.get(service, ())),
                warehouses=frozenset(account.courier.warehouses),
            )
            for carrier, service in kinds
        ]
    return offers


def _ruled(tx: Tx, ctx: Context, waiting: Sequence[_Taken]) -> dict[int, SeenParcel]:
    """Return what the rules about parcels say of each release; nothing where there are none."""
    if not ctx.book.ledgers[On.PARCEL].rules:
        return {}
    pieces = pieces_of(tx.connection, [taken.id for taken in waiting])
    contents = [
        Contents(orders=taken.orders, warehouse_id=taken.warehouse_id, pieces=pieces[taken.id]) for taken in waiting
    ]
    seen = judge_parcels(tx.connection, ctx, contents, now=tx.trusted_now)
    return {taken.id: each for taken, each in zip(waiting, seen, strict=True)}


def _wishes(tx: Tx, waiting: Sequence[_Taken], ruled: Mapping[int, SeenParcel]) -> dict[int, dict[str, str]]:
    """Return by release which couriers it is to go with, first choice first, and the rule that wishes for each.

    A person's wish, which is no rule's, goes before that of a rule about parcels, and this before that of a rule about
    orders. The orders of a release wish for the same ones.
    """
    first = {taken.id: taken.orders[0].id for taken in waiting}
    marks = marks_of(tx.connection, first.values())
    wishes: dict[int, dict[str, str]] = {}
    for id, order_id in first.items():
        mark = marks.get(order_id, {}).get("carrier", _NO_WISH)
        of_order = [(carrier, mark.rule) for carrier in mark.value.split() if mark.value != OFF]
        carriers, rule = ruled[id].carrier if id in ruled else ((), "")
        of_parcel = [(carrier, rule) for carrier in carriers]
        wished = wishes[id] = {}
        for carrier, by in (*of_order, *of_parcel) if mark.actor else (*of_parcel, *of_order):
            wished.setdefault(carrier, by)
    return wishes


def _said_by_rules(ctx: Context, seen: SeenParcel | None) -> dict[str, Any]:
    """Return which rules about parcels matched, or could not be answered, by what."""
    if seen is None:
        return {}
    telling = (each for each in seen.verdict.because if each.outcome != "not")
    return {"rules": [[each.rule, each.outcome, seen.decided(ctx, each)] for each in telling]}


def _consignment(tx: Tx, ctx: Context, taken: _Taken, weight_g: int | None, volume_cm3: int | None) -> Consignment:
    sellers = [ctx.seller(order.channel_id) for order in taken.orders]
    allowed: frozenset[str] | None = None
    for seller in sellers:
        if seller is not None and seller.orders.couriers is not None:
            these = frozenset(seller.orders.couriers)
            allowed = these if allowed is None else allowed & these
    hidden = recipient_of(tx, taken.orders[0]).ciphertext
    province, city = taken.province or UNKNOWN, taken.city or UNKNOWN
    zones = ctx.book.zone_map.of(province, city)
    return Consignment(
        zones=None if isinstance(zones, Unknown) else zones,
        weight_g=weight_g,
        volume_cm3=volume_cm3,
        carriers=allowed,
        waybill_kind=sellers[0].kind if hidden and sellers[0] is not None else "",
        cod=any(order.kind is OrderKind.COD for order in taken.orders),
        warehouse=ctx.warehouses[taken.warehouse_id].id,
    )


def _keep(
    tx: Tx, taken: _Taken, choice: Choice, account_id: int, weight_g: int | None, by_rules: Mapping[str, Any]
) -> None:
    values = {"account_id": account_id, "carrier": choice.carrier, "service": choice.service, "weight_g": weight_g}
    said = {"cost_minor": choice.cost_minor, **_because(choice.because), **by_rules}
    tx.execute(update(release).where(release.c.id == taken.id).values(**values, choice=json.dumps(said)))


def _because(because: Because) -> dict[str, Any]:
    return {
        "ground": because.ground.value,
        "unmet": list(because.unmet),
        "lacks": [[account, service, lack.value] for account, service, lack in because.lacks],
        "refused": _refused(because.refused),
    }


def _refused(refused: Sequence[Refused]) -> list[list[str]]:
    return [[each.account, each.service, each.reason.value] for each in refused]


def _ask(tx: Tx, refused: Sequence[tuple[_Taken, NoCourier, Mapping[str, Any]]], *, offered: str) -> None:
    """Say why nobody takes a release. It stays where it is: a person may send it by whom he likes."""
    tasks = []
    for taken, answer, by_rules in refused:
        said = {"ground": NO_COURIER, "refused": _refused(answer.refused), **by_rules}
        said |= {"offered": offered, "at": tx.now.isoformat()}
        tx.execute(update(release).where(release.c.id == taken.id).values(choice=json.dumps(said)))
        each = "; ".join(f"{one.account} {one.service}".strip() + f" {one.reason.value}" for one in answer.refused)
        text = (
            f"no courier takes release {taken.number} ({each or 'none is configured'}); mend it and it is chosen "
            f"again, or send it by another one"
        )
        tasks.append(Task(kind="no_courier", key=taken.number, reason=text, order_id=taken.orders[0].id))
    open_tasks(tx, tasks)
