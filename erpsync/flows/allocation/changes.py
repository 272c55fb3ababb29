"""What changes about stock: orders as they were and are, units that left, and what planning made of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from erpsync.core.allocation import Allocation
from erpsync.core.orders import KnownOrder
from erpsync.flows.allocation.departures import Departure
from erpsync.store.tasks import Task


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """An order as it was and as it was decided to be (or, until then, as somebody wants it to be).

    Args:
        left: by line id, channel units that left without us (`shipped_elsewhere`).
        leaving: by line id, channel units that leave now in a parcel of ours.
        departure: where and when they left, if a warehouse reports it.
        ruled: what the rules changed beside holds, for its event: `marks` and `gifts`; empty where nothing.
    """

    before: KnownOrder | None
    after: KnownOrder
    left: Mapping[int, int] = field(default_factory=dict)
    leaving: Mapping[int, int] = field(default_factory=dict)
    departure: Departure | None = None
    ruled: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What planning did, for events: takes by order id, units still short by order id.

    Args:
        lacks: by order id, the units by SKU that are short now and were not before.
    """

    takes: Mapping[int, list[Allocation]]
    short: Mapping[int, int]
    tasks: tuple[Task, ...]
    lacks: Mapping[int, Mapping[int, int]] = field(default_factory=dict)
