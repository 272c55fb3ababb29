"""Which courier takes a parcel: the first that somebody wishes for, else the cheapest, else the preferred one.

Why what is not known refuses: a parcel of unknown weight may be beyond the limit that an account has, and a courier
finds that out at his counter. Whoever does not weigh sets no limits, and then nothing is refused for it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from erpsync.core.rates import Card, Lack, limit_g, quote

NO_CARD = Card()
NO_COURIER = "no_courier"
"""The reason that holds a parcel which no courier takes."""


class Refusal(StrEnum):
    """Why an account does not take a parcel."""

    CARRIER_NOT_ALLOWED = "carrier_not_allowed"
    WAYBILL_KIND = "waybill_kind"
    COD = "cod"
    OTHER_WAREHOUSE = "other_warehouse"
    NOT_COVERED = "not_covered"
    ZONE_NOT_SERVED = "zone_not_served"
    UNKNOWN_ZONE = "unknown_zone"
    TOO_HEAVY = "too_heavy"
    UNKNOWN_WEIGHT = "unknown_weight"
    TOO_BIG = "too_big"
    UNKNOWN_VOLUME = "unknown_volume"


class Ground(StrEnum):
    """What decided."""

    WISH = "wish"
    CHEAPEST = "cheapest"
    PRIORITY = "priority"


@dataclass(frozen=True, slots=True, kw_only=True)
class Consignment:
    """A parcel as couriers see it.

    Args:
        zones: those that its place belongs to; None where that is not known.
        carriers: couriers that the channels of its orders allow; None is any.
        waybill_kind: whose ciphertext stands for the recipient, such as `taobao`; empty where he is known.
        cod: whether the courier is to collect money.
        warehouse: where it is fetched.
    """

    zones: frozenset[str] | None
    weight_g: int | None
    volume_cm3: int | None
    carriers: frozenset[str] | None = None
    waybill_kind: str = ""
    cod: bool = False
    warehouse: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A service of a courier account.

    Args:
        carrier: our code of the courier.
        priority: 1 is preferred to 2.
        zones: those that it serves; None is everywhere.
        covers: what the courier itself says about the place; None where it was not asked.
        max_weight_g, max_volume_cm3: the most that it takes; None is no limit. Those of its rates count as well.
        waybill_kinds: ciphertexts that it can open; a recipient who is known (`""`) is among them where it can.
        card: its rows of the rate card.
        warehouses: those where it fetches parcels; empty is all.
    """

    account: str
    service: str
    carrier: str
    priority: int = 1
    zones: frozenset[str] | None = None
    covers: bool | None = None
    max_weight_g: int | None = None
    max_volume_cm3: int | None = None
    cod: bool = False
    waybill_kinds: frozenset[str] = frozenset({""})
    card: Card = NO_CARD
    warehouses: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """An offer that does not take the parcel."""

    account: str
    service: str
    reason: Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class Because:
    """Why it is this courier.

    Args:
        carrier: the wish that was met, if that decided.
        unmet: wishes that nobody offers, those before the one that was met.
        lacks: why some that would take it have no cost.
        refused: those that do not take it.
    """

    ground: Ground
    carrier: str = ""
    unmet: tuple[str, ...] = ()
    lacks: tuple[tuple[str, str, Lack], ...] = ()
    refused: tuple[Refused, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Who takes the parcel. `cost_minor` is None where it is not known."""

    account: str
    service: str
    carrier: str
    cost_minor: int | None
    because: Because


@dataclass(frozen=True, slots=True, kw_only=True)
class NoCourier:
    """That nobody takes the parcel: it is held with `NO_COURIER`, and each offer says why."""

    refused: tuple[Refused, ...]


def choose(parcel: Consignment, offers: Iterable[Offer], wishes: Sequence[str]) -> Choice | NoCourier:
    """Return who takes a parcel.

    Where costs are known for some that are left, one of those is cheapest; equal ones go by priority, then by name.

    Args:
        wishes: couriers by our codes, a person's before those of rules, first choice first.
    """
    taking: list[tuple[Offer, int | Lack]] = []
    refused: list[Refused] = []
    for offer in sorted(offers, key=lambda offer: (offer.account, offer.service)):
        answer = judge(parcel, offer)
        if isinstance(answer, Refusal):
            refused.append(Refused(account=offer.account, service=offer.service, reason=answer))
        else:
            taking.append((offer, answer))
    if not taking:
        return NoCourier(refused=tuple(refused))
    offered = {offer.carrier for offer, _ in taking}
    met = next((wish for wish in wishes if wish in offered), "")
    unmet = tuple(wishes[: wishes.index(met)]) if met else tuple(wishes)
    left = [(offer, answer) for offer, answer in taking if not met or offer.carrier == met]
    best, answer = min(left, key=_rank)
    known = not isinstance(answer, Lack)
    because = Because(
        ground=Ground.WISH if met else Ground.CHEAPEST if known else Ground.PRIORITY,
        carrier=met,
        unmet=unmet,
        lacks=tuple((offer.account, offer.service, lack) for offer, lack in left if isinstance(lack, Lack)),
        refused=tuple(refused),
    )
    return Choice(
        account=best.account,
        service=best.service,
        carrier=best.carrier,
        cost_minor=None if isinstance(answer, Lack) else answer,
        because=because,
    )


def _rank(taking: tuple[Offer, int | Lack]) -> tuple[bool, int, int, str, str]:
    offer, answer = taking
    unknown = isinstance(answer, Lack)
    return (unknown, 0 if isinstance(answer, Lack) else answer, offer.priority, offer.account, offer.service)


def judge(parcel: Consignment, offer: Offer) -> int | Lack | Refusal:
    """Return what an offer costs, why that is not known, or why it does not take the parcel: the first that does."""
    if parcel.carriers is not None and offer.carrier not in parcel.carriers:
        return Refusal.CARRIER_NOT_ALLOWED
    if parcel.waybill_kind not in offer.waybill_kinds:
        return Refusal.WAYBILL_KIND
    if parcel.cod and not offer.cod:
        return Refusal.COD
    if offer.warehouses and parcel.warehouse not in offer.warehouses:
        return Refusal.OTHER_WAREHOUSE
    if offer.covers is False:
        return Refusal.NOT_COVERED
    if offer.zones is not None and not (parcel.zones and parcel.zones & offer.zones):
        return Refusal.UNKNOWN_ZONE if parcel.zones is None else Refusal.ZONE_NOT_SERVED
    if over := _over(parcel.weight_g, offer.max_weight_g):
        return over[0]
    if over := _over(parcel.volume_cm3, offer.max_volume_cm3):
        return over[1]
    return _priced(parcel, offer)


def _over(measure: int | None, most: int | None) -> tuple[Refusal, Refusal] | None:
    """Return what is said of a weight, and of a volume, that is beyond the most or not known; None where it fits."""
    if most is None:
        return None
    if measure is None:
        return Refusal.UNKNOWN_WEIGHT, Refusal.UNKNOWN_VOLUME
    return (Refusal.TOO_HEAVY, Refusal.TOO_BIG) if measure > most else None


def _priced(parcel: Consignment, offer: Offer) -> int | Lack | Refusal:
    rows = offer.card.rows(parcel.zones)
    if isinstance(rows, Lack):
        return Refusal(rows.value) if rows in (Lack.ZONE_NOT_SERVED, Lack.UNKNOWN_ZONE) else rows
    answer = quote(rows, parcel.weight_g, parcel.volume_cm3)
    if answer is Lack.UNKNOWN_WEIGHT and limit_g(rows) is not None:
        return Refusal.UNKNOWN_WEIGHT
    return Refusal.TOO_HEAVY if answer is Lack.TOO_HEAVY else answer
