"""What couriers take for a parcel, by rate card, exact; and what is wrong with a card.

Why a cost that depends on what nobody knows is no cost: a guess would send bulky goods with who only seems cheap. Who
does not measure volumes leaves the divisor empty.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import pairwise

from erpsync.core.regions import short

CURRENCY = "CNY"
"""What all cards are in."""

ELSEWHERE = ""
"""The zone of a row for all places that no other row of its service is for."""

Zones = Mapping[str, Sequence[tuple[str, str]]]
"""By the name of a zone, its (province, city); an empty city is all of the province."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """A row of a rate card, amounts in minor units of the currency that all cards are in.

    Args:
        line: where it stands in its file.
        first_minor: for up to `first_g`; `step_minor` for every further `step_g` that is begun. `step_g` 0: there is no
            further one.
        volume_divisor: cubic centimetres that count as a kilogram; 0 where volume does not count.
        max_g: the most that the row is for; None is no limit. Rows of one zone follow one another by it.
    """

    account: str
    service: str
    zone: str
    first_g: int
    first_minor: int
    step_g: int
    step_minor: int
    volume_divisor: int = 0
    max_g: int | None = None
    line: int = 0


class Lack(StrEnum):
    """Why there is no cost."""

    NO_CARD = "no_card"
    ZONE_NOT_SERVED = "zone_not_served"
    UNKNOWN_ZONE = "unknown_zone"
    TWO_ZONES = "two_zones"
    TOO_HEAVY = "too_heavy"
    UNKNOWN_WEIGHT = "unknown_weight"
    UNKNOWN_VOLUME = "unknown_volume"


def chargeable_g(weight_g: int, volume_cm3: int, divisor: int) -> int:
    """Return what is charged for: what it weighs, or what its volume counts as if that is more, rounded up to grams."""
    return max(weight_g, -(-volume_cm3 * 1000 // divisor)) if divisor else weight_g


def cost(rate: Rate, charged_g: int) -> int:
    """Return what a row takes for a weight that it is for."""
    further = max(0, charged_g - rate.first_g)
    return rate.first_minor + (-(-further // rate.step_g) * rate.step_minor if rate.step_g else 0)


def most_g(rate: Rate) -> int | None:
    """Return the most that a row is for: `max_g`, and without a step no more than `first_g`; None is no limit."""
    if rate.step_g:
        return rate.max_g
    return rate.first_g if rate.max_g is None else min(rate.first_g, rate.max_g)


@dataclass(frozen=True, slots=True)
class Card:
    """The rows of one account and service by zone, lightest first; none where there is no card."""

    by_zone: Mapping[str, tuple[Rate, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, rates: Iterable[Rate]) -> "Card":
        """Return the card of rows in any order."""
        by_zone: dict[str, list[Rate]] = {}
        for rate in rates:
            by_zone.setdefault(rate.zone, []).append(rate)
        return cls({zone: tuple(sorted(rows, key=_upper)) for zone, rows in by_zone.items()})

    def rows(self, zones: frozenset[str] | None) -> tuple[Rate, ...] | Lack:
        """Return the rows that are for a place, or why there is none.

        Args:
            zones: those that the place belongs to; None where that is not known.
        """
        if not self.by_zone:
            return Lack.NO_CARD
        elsewhere = self.by_zone.get(ELSEWHERE, Lack.ZONE_NOT_SERVED)
        if zones is None:
            return Lack.UNKNOWN_ZONE if self.by_zone.keys() != {ELSEWHERE} else elsewhere
        fitting = self.by_zone.keys() & zones
        if len(fitting) > 1:
            return Lack.TWO_ZONES
        return self.by_zone[next(iter(fitting))] if fitting else elsewhere


def quote(rows: Sequence[Rate], weight_g: int | None, volume_cm3: int | None) -> int | Lack:
    """Return what the rows for a place take for a parcel, or why that is not known."""
    if weight_g is None:
        return Lack.UNKNOWN_WEIGHT
    limit = limit_g(rows)
    if limit is not None and weight_g > limit:
        return Lack.TOO_HEAVY
    for rate in rows:
        if rate.volume_divisor and volume_cm3 is None:
            return Lack.UNKNOWN_VOLUME
        charged_g = chargeable_g(weight_g, volume_cm3 or 0, rate.volume_divisor)
        most = most_g(rate)
        if most is None or charged_g <= most:
            return cost(rate, charged_g)
    return Lack.TOO_HEAVY


def least(
    rates: Iterable[Rate], zones: frozenset[str] | None, weight_g: int | None, volume_cm3: int | None
) -> int | None:
    """Return what the cheapest service of an account's card takes for a parcel; None where none has a price for it."""
    by_service: dict[str, list[Rate]] = {}
    for rate in rates:
        by_service.setdefault(rate.service, []).append(rate)
    found = [Card.of(rows).rows(zones) for rows in by_service.values()]
    quotes = [quote(rows, weight_g, volume_cm3) for rows in found if not isinstance(rows, Lack)]
    return min((each for each in quotes if not isinstance(each, Lack)), default=None)


def limit_g(rows: Sequence[Rate]) -> int | None:
    """Return the most that any of the rows for a place is for; None is no limit."""
    return most_g(rows[-1])


def _upper(rate: Rate) -> tuple[bool, int]:
    most = most_g(rate)
    return (most is None, most or 0)


class Fault(StrEnum):
    """What is wrong with a card."""

    UNKNOWN_ZONE = "unknown_zone"
    BELOW_LEAST = "below_least"
    OVERLAP = "overlap"
    GAP = "gap"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What is wrong, in which line.

    Args:
        other: the line that it does not go with; 0 where there is none.
        what: what is wrong with it: the zone, the field, the weights or the place.
    """

    line: int
    fault: Fault
    other: int = 0
    what: str = ""


_NOT_BELOW = {"first_g": 1, "first_minor": 0, "step_g": 0, "step_minor": 0, "volume_divisor": 0, "max_g": 1}


def problems(rates: Iterable[Rate], zones: Zones) -> list[Problem]:
    """Return what is wrong with a card: zones that are none, rows for one weight or place twice, weights without a row.

    That a service has no row for some place is no fault: it does not go there.
    """
    rates = list(rates)
    found = [problem for rate in rates for problem in _alone(rate, zones)]
    services: dict[tuple[str, str], list[Rate]] = {}
    for rate in rates:
        services.setdefault((rate.account, rate.service), []).append(rate)
    for rows in services.values():
        bands: dict[str, list[Rate]] = {}
        for rate in rows:
            bands.setdefault(rate.zone, []).append(rate)
        for of_zone in bands.values():
            found += _weights(of_zone)
        found += _places(bands, zones)
    return sorted(found, key=lambda problem: (problem.line, problem.fault, problem.other))


def _alone(rate: Rate, zones: Zones) -> Iterator[Problem]:
    if rate.zone != ELSEWHERE and rate.zone not in zones:
        yield Problem(line=rate.line, fault=Fault.UNKNOWN_ZONE, what=rate.zone)
    for name, least in _NOT_BELOW.items():
        value = getattr(rate, name)
        if value is not None and value < least:
            yield Problem(line=rate.line, fault=Fault.BELOW_LEAST, what=name)
    if not rate.step_g and rate.max_g is not None and rate.max_g > rate.first_g:
        yield Problem(line=rate.line, fault=Fault.GAP, what=f"{rate.first_g}-{rate.max_g}")


def _weights(of_zone: Sequence[Rate]) -> Iterator[Problem]:
    """Yield rows of one zone that are for the same weights."""
    for lower, upper in pairwise(sorted(of_zone, key=lambda rate: (*_upper(rate), rate.line))):
        if most_g(lower) == most_g(upper):
            yield Problem(line=upper.line, fault=Fault.OVERLAP, other=lower.line, what=upper.zone)


def _places(bands: Mapping[str, Sequence[Rate]], zones: Zones) -> Iterator[Problem]:
    """Yield rows whose zones have a place in common: it would have two prices."""
    names = sorted(name for name in bands if name in zones)
    for at, one in enumerate(names):
        for other in names[at + 1 :]:
            if shared := _shared(zones[one], zones[other]):
                first, second = sorted((bands[one][0].line, bands[other][0].line))
                yield Problem(line=second, fault=Fault.OVERLAP, other=first, what=shared)


def _shared(one: Sequence[tuple[str, str]], other: Sequence[tuple[str, str]]) -> str:
    """Return a place that two zones have in common, nothing if there is none."""
    for province, city in one:
        for province_too, city_too in other:
            if short(province) == short(province_too) and (not city or not city_too or short(city) == short(city_too)):
                return f"{province}/{city or city_too}" if city or city_too else province
    return ""
