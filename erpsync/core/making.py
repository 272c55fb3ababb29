"""What a work order needs and uses: netting, its parts, what may be reported of its steps, and when it is done.

Why used and scrapped are told from the sums of steps and not added up report by report: rounded for each report they
would depend on how the job was cut, and taking a report back would not give what was before.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from erpsync.core.bom import BomLine, gross


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """What is wanted of a SKU that is made, and what comes.

    Args:
        wanted_qty: units for which work may begin: their orders are ready, not held, and have waited long enough.
        kept_qty: all units that nothing covers yet, those of held orders too; no work for them is given up.
        coming_qty: units that open work orders will still make.
    """

    wanted_qty: int = 0
    kept_qty: int = 0
    coming_qty: int = 0

    @property
    def short_qty(self) -> int:
        """Units that no work order makes yet."""
        return max(0, self.wanted_qty - self.coming_qty)

    @property
    def excess_qty(self) -> int:
        """Units that nobody waits for any more."""
        return max(0, self.coming_qty - self.kept_qty)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A component of a work order; `step_no` is where it goes in, None at its first step."""

    line: BomLine
    step_no: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """How many units came out of a step good, and how many were lost at it."""

    no: int
    good_qty: int = 0
    scrap_qty: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """Units of a component in what was finished, and in what was lost."""

    used_qty: int = 0
    scrapped_qty: int = 0


def needed(parts: Iterable[Part], yields: int, qty: int) -> dict[int, int]:
    """Return the units of each component that so many units of the product need, by SKU."""
    units: dict[int, int] = {}
    for part in parts:
        units[part.line.sku_id] = units.get(part.line.sku_id, 0) + gross(qty, part.line, yields)
    return units


def spent(parts: Iterable[Part], yields: int, steps: Sequence[Step]) -> dict[int, Spent]:
    """Return what became of each component so far, by SKU; steps in order.

    A unit that is lost at a step takes with it what goes in up to there.
    """
    done = done_qty(steps)
    found: dict[int, Spent] = {}
    for part in parts:
        lost = sum(step.scrap_qty for step in steps if part.step_no is None or step.no >= part.step_no)
        used, before = gross(done, part.line, yields), found.get(part.line.sku_id, Spent())
        found[part.line.sku_id] = Spent(
            used_qty=before.used_qty + used,
            scrapped_qty=before.scrapped_qty + gross(done + lost, part.line, yields) - used,
        )
    return found


def done_qty(steps: Sequence[Step]) -> int:
    """Return the units that came out of the last step."""
    return steps[-1].good_qty if steps else 0


def lost_qty(steps: Iterable[Step]) -> int:
    """Return the units that were lost at any step."""
    return sum(step.scrap_qty for step in steps)


def most(qty: int, over_percent: int) -> int:
    """Return how many units of a work order may be begun, those beyond its quantity counted."""
    return qty + qty * over_percent // 100


def waiting_at(steps: Sequence[Step], no: int, most_qty: int) -> int:
    """Return how many units may still go through a step: what came out of the step before it, less what went through.

    Below 0 where more went through than came in, which no report may leave behind.

    Args:
        most_qty: how many units may go into the first step.
    """
    at = next(place for place, step in enumerate(steps) if step.no == no)
    came = steps[at - 1].good_qty if at else most_qty
    return came - steps[at].good_qty - steps[at].scrap_qty


def is_done(steps: Sequence[Step], qty: int) -> bool:
    """Return whether a work order made or lost all its units, and none is between two steps."""
    through = done_qty(steps) + lost_qty(steps)
    return through >= qty and all(waiting_at(steps, step.no, qty) == 0 for step in steps[1:])


def changed(steps: Iterable[Step], no: int, good_qty: int, scrap_qty: int) -> list[Step]:
    """Return the steps after so many units more came out of one of them, or fewer."""
    return [
        Step(no=step.no, good_qty=step.good_qty + good_qty, scrap_qty=step.scrap_qty + scrap_qty)
        if step.no == no
        else step
        for step in steps
    ]


def lacking(needs: Mapping[int, int], held: Mapping[int, int]) -> dict[int, int]:
    """Return the units of each component that are not held yet, by SKU."""
    return {sku_id: qty - held.get(sku_id, 0) for sku_id, qty in needs.items() if qty > held.get(sku_id, 0)}
