"""What becomes of each seeded order: nearly all have ended; those that are open lie mostly in the last days."""

import random
from dataclasses import dataclass

ENDED = ("completed", "shipped", "cancelled")


@dataclass(frozen=True, slots=True)
class Fate:
    """An order's status, why it is held, and whether it was paid."""

    status: str
    reason: str = ""
    ready: bool = True

    @property
    def phase(self) -> str:
        """What of the status is stored."""
        return "ready" if self.status in ("allocated", "backordered", "released") else self.status

    @property
    def state(self) -> str:
        """What the channel says."""
        if self.status in ENDED:
            return self.status
        return "paid" if self.ready else "unpaid"


UNPAID = Fate("unpaid", ready=False)
ALLOCATED = Fate("allocated")
BACKORDERED = Fate("backordered")
RELEASED = Fate("released")
PARTLY = Fate("partially_shipped")
OPEN = (
    *(UNPAID, ALLOCATED, Fate("held", "operator"), BACKORDERED, RELEASED, Fate("held", "refund_open"), PARTLY),
    *(Fate("held", "unmapped_sku"), UNPAID, Fate("held", "do_not_ship"), ALLOCATED, Fate("held", "bad_line")),
    *(Fate("held", "incomplete_address"), BACKORDERED, Fate("held", "do_not_ship", ready=False), UNPAID, ALLOCATED),
    *(UNPAID, RELEASED, ALLOCATED, PARTLY, UNPAID, BACKORDERED, ALLOCATED, UNPAID, ALLOCATED),
)
"""Open orders take these in turn. No order is `open`: what is ready and mapped holds units or waits for them."""


class Fates:
    """The fate of each order by its place in time: three in a hundred are open, most of them among the newest."""

    def __init__(self, chance: random.Random, orders: int) -> None:
        self._chance = chance
        wanted = max(orders * 3 // 100, min(orders // 4, len(OPEN)))
        recent = range(max(0, orders - 2 * wanted), orders)
        late = chance.sample(recent, min(len(recent), wanted * 9 // 10))
        early = chance.sample(range(recent.start), min(recent.start, wanted - len(late)))
        self._open = {place: OPEN[n % len(OPEN)] for n, place in enumerate(sorted([*early, *late]))}
        self._recent = recent.start

    def of(self, place: int) -> Fate:
        """Return the fate of the order at this place."""
        if place in self._open:
            return self._open[place]
        if self._chance.random() < 0.08:
            return Fate("cancelled")
        return Fate("shipped" if place >= self._recent or self._chance.random() < 0.02 else "completed")
