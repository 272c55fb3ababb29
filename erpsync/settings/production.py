"""The keys of erpsync.yaml about what is made here."""

from typing import Annotated

from pydantic import Field

from erpsync.core.policy import ProductionPolicy
from erpsync.settings.keys import Keys


class Places(Keys):
    """Where components, work and finished units are: warehouses of `warehouses`."""

    components: Annotated[list[str], Field(min_length=1)] = Field(
        description="Warehouses where what goes into work orders lies, preferred first."
    )
    wip: str = Field(description="Where components are while they are worked on; `sellable: false`.")
    out: str = Field(description="Desk that finished units go to, where their item names no other.")


class MadeToOrder(Keys):
    """How orders become work orders."""

    wait_minutes: int = Field(
        0, ge=0, le=10_080, description="So long an order has been paid before work is planned for it."
    )


class Production(Keys):
    """What is made here."""

    places: Places = Field(description="Where components, work and finished units are.")
    made_to_order: MadeToOrder = Field(default_factory=MadeToOrder, description="How orders become work orders.")
    over_percent: int = Field(
        0, ge=0, le=100, description="Of a work order's quantity, how much more may be reported as made."
    )


def production_policy(production: Production) -> ProductionPolicy:
    """Return what is made here, as decisions take it."""
    places = production.places
    return ProductionPolicy(
        components=tuple(places.components),
        wip=places.wip,
        out=places.out,
        wait_minutes=production.made_to_order.wait_minutes,
        over_percent=production.over_percent,
    )
