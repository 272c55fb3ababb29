"""What a test asks of an explanation: its steps by their codes, and whether its sums come out."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]
SUMS = ("share", "warehouse", "held")
"""Steps whose amount is the sum of their steps, those without an amount being remarks."""


@dataclass(frozen=True)
class Written:
    """Settings that all stand in one file, each key on a line of its own."""

    def of_channel(self, name: str, key: str) -> tuple[str, int | None] | None:
        return f"{name}.yaml", len(key)

    def of_warehouse(self, name: str, key: str = "id") -> tuple[str, int | None] | None:
        return "erpsync.yaml", len(key)


def flat(steps: list[Json]) -> Iterator[Json]:
    """Yield the steps and all that they are made of."""
    for step in steps:
        yield step
        yield from flat(step["steps"])


def codes(steps: list[Json]) -> list[str]:
    """Return the codes of the steps and of all that they are made of."""
    return [step["what"] for step in flat(steps)]


def one(steps: list[Json], what: str) -> Json:
    """Return the only step of a code, however deep."""
    (found,) = [step for step in flat(steps) if step["what"] == what]
    return found


def amounts(steps: list[Json], *whats: str) -> dict[str, int]:
    """Return the amounts of the only steps of these codes."""
    return {what: one(steps, what)["amount"] for what in whats}


def wrong_sums(steps: list[Json]) -> list[str]:
    """Return the texts of sums that are not what their steps add up to."""
    return [
        f"{step['text']}: {step['amount']} is not {[each['amount'] for each in step['steps']]}"
        for step in flat(steps)
        if step["what"] in SUMS and step["steps"]
        if step["amount"] != sum(each["amount"] or 0 for each in step["steps"])
    ]


def named(step: Json) -> list[tuple[str, int]]:
    """Return the orders of a step with their units."""
    return [(each["order"], each["units"]) for each in step["orders"]]
