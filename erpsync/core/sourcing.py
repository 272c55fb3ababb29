"""Which warehouses may serve whom, preferred first, and which of them can bring the parts of a unit together.

Why in one place: who waits, what a channel may show and what leaves must mean the same warehouses, and the day an order
has wishes of its own they are asked for here.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from erpsync.core.allocation import Groups
from erpsync.core.orders import KnownOrder


@dataclass(frozen=True, slots=True, kw_only=True)
class Sourcing:
    """The warehouses that serve channels.

    Args:
        by_channel: their row ids by channel, preferred first.
        own: the same for the channel of orders that were made here, which shows nobody a number.
        run: those that releases are made for: each sends what it has itself, and none brings anything together.
        refused: by order id, the warehouses that gave it back, and are not asked again.
        components: where what goes into work orders lies, preferred first.
        wishes: by order id, the warehouses that it is to leave from rather than from others, preferred first.
    """

    by_channel: Mapping[int, tuple[int, ...]]
    own: Mapping[int, tuple[int, ...]] = field(default_factory=dict)
    run: Collection[int] = ()
    components: tuple[int, ...] = ()
    wishes: Mapping[int, tuple[int, ...]] = field(default_factory=dict)
    refused: Mapping[int, frozenset[int]] = field(default_factory=dict)

    def of(self, channel_id: int | None) -> tuple[int, ...]:
        """Return the warehouses that serve a channel; none where it is not configured."""
        return () if channel_id is None else self.by_channel.get(channel_id) or self.own.get(channel_id, ())

    def warehouses_for(self, order: KnownOrder) -> tuple[int, ...]:
        """Return the warehouses that may serve an order, preferred first."""
        return self.preferred(order.id, order.channel_id)

    def preferred(self, order_id: int, channel_id: int | None) -> tuple[int, ...]:
        """Return the warehouses that serve a channel, those that an order wishes for before the others."""
        refused = self.refused.get(order_id, frozenset())
        places = tuple(place for place in self.of(channel_id) if place not in refused)
        wished = tuple(place for place in self.wishes.get(order_id, ()) if place in places)
        return wished + tuple(place for place in places if place not in wished) if wished else places

    def together(self, warehouses: tuple[int, ...]) -> Groups:
        """Return warehouses in groups that can each send a whole unit; people bring parts together between theirs."""
        ours = tuple(place for place in warehouses if place not in self.run)
        return tuple(dict.fromkeys(ours if place in ours else (place,) for place in warehouses))

    @property
    def tears(self) -> bool:
        """Whether a unit of some channel could be promised in parts that nobody can bring together."""
        served = (*self.by_channel.values(), *self.own.values())
        return bool(self.run) and any(len(self.together(places)) > 1 for places in served)

    @property
    def selling(self) -> set[int]:
        """Return the warehouses of which some channel sells."""
        return {place for places in self.by_channel.values() for place in places}
