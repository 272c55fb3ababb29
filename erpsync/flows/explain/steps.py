"""What an explanation is made of: steps with an amount, a sentence, and where each comes from.

Why a tree: the same steps are printed as indented text, answered as JSON and shown on a page, and whoever wants the
number alone reads the first line.

Sentences are whole: one f-string each, values in their places and counts by `counted`, so that they can be translated
by their templates. None is put together from parts.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from erpsync.store.views.values import Json, iso

NAMED = 5
"""How many orders a step names; of the others it says how many there are."""

Written = tuple[str, int | None]
"""A file of the configuration and the line in it; None where the line is not known."""


class Settings(Protocol):
    """Where settings are written; None where nobody has written one and its default counts."""

    def of_channel(self, name: str, key: str) -> Written | None:
        """Return where a setting of a channel (`stock.ratio`) is written."""
        ...

    def of_warehouse(self, name: str, key: str = "id") -> Written | None:
        """Return where a setting of a warehouse (`safety_stock`) is written."""
        ...


class Unwritten:
    """No settings in files: of a configuration that was put together by hand."""

    def of_channel(self, name: str, key: str) -> Written | None:
        """Return that it is nowhere."""
        del name, key
        return None

    def of_warehouse(self, name: str, key: str = "id") -> Written | None:
        """Return that it is nowhere."""
        del name, key
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Units:
    """Units that an order holds, wants or waits for; what is no order names none."""

    order: str | None
    qty: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of a derivation.

    Args:
        what: its code, for programs.
        text: one sentence, for people.
        amount: units that it adds, or takes off when negative; of a sum what comes out. None where it counts nothing.
        since: since when it is so.
        until: when it ends by itself, where that is known.
        setting: where the setting that makes it so is written.
        orders: those with the most units.
        more_orders: how many more there are.
        steps: what it is made of.
    """

    what: str
    text: str
    amount: int | None = None
    since: datetime | None = None
    until: datetime | None = None
    setting: Written | None = None
    orders: tuple[Units, ...] = ()
    more_orders: int = 0
    steps: tuple["Step", ...] = ()

    def shown(self) -> Json:
        """Return the step as JSON value."""
        file, line = self.setting or (None, None)
        return {
            "what": self.what,
            "amount": self.amount,
            "text": self.text,
            "since": iso(self.since),
            "until": iso(self.until),
            "setting": None if file is None else {"file": file, "line": line},
            "orders": [{"order": share.order, "units": share.qty} for share in self.orders],
            "more_orders": self.more_orders,
            "steps": [step.shown() for step in self.steps],
        }


def counted(number: int, one: str, many: str) -> str:
    """Return a number with its noun: `1 unit`, `3 units`."""
    return f"{number} {one}" if number == 1 else f"{number} {many}"


def units(number: int) -> str:
    """Return a number of units."""
    return f"{number} unit" if number == 1 else f"{number} units"


def orders(number: int) -> str:
    """Return a number of orders."""
    return f"{number} order" if number == 1 else f"{number} orders"


def biggest(wanted: Mapping[str | None, int]) -> tuple[tuple[Units, ...], int]:
    """Return the orders with the most units, and how many more there are; what is no order comes last."""
    ordered = sorted(wanted.items(), key=lambda item: (item[0] is None, -item[1], item[0] or ""))
    named = tuple(Units(order=order, qty=qty) for order, qty in ordered[:NAMED])
    return named, len(ordered) - len(named)


def first(waiting: Sequence[Units]) -> tuple[tuple[Units, ...], int]:
    """Return the first of those that wait, and how many more there are."""
    return tuple(waiting[:NAMED]), max(0, len(waiting) - NAMED)


def listed(names: Iterable[object]) -> str:
    """Return names in a row: `A, B and C`."""
    *others, last = [str(name) for name in names] or [""]
    return f"{', '.join(others)} and {last}" if others else last
