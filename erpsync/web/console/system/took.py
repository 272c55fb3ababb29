"""How long things took, as rows with bars."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import log10

from erpsync.store.status.latencies import Latencies

STEPS = ("order", "stock", "webhook", "shipment")
WIDTH = 120
LONGEST_S = 3600.0
"""As long as the longest bar stands for. Bars grow with the logarithm: a second and an hour are seen beside another."""

Quantiles = Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Took:
    """A step: seconds by quantile (`0.5`, `0.95`, `0.99`), none where nothing took it; whose they are; bars."""

    step: str
    channel: str
    took: Quantiles
    bars: Mapping[str, float]


def took_row(step: str, took: Quantiles, channel: str = "") -> Took:
    """Return a step's row."""
    return Took(step=step, channel=channel, took=took, bars={name: width(s) for name, s in took.items()})


def slowest(step: str, latencies: Latencies, names: Mapping[int, str]) -> Took:
    """Return a step's row of the shop that it takes longest with: by 95 of a hundred."""
    worst = max(
        (id for id, quantile in latencies if quantile == "0.95" and id in names),
        key=lambda id: latencies[id, "0.95"],
        default=None,
    )
    if worst is None:
        return took_row(step, {})
    return took_row(step, {quantile: s for (id, quantile), s in latencies.items() if id == worst}, names[worst])


def width(seconds: float) -> float:
    """Return how long the bar of a span is."""
    share = log10(1 + 10 * min(seconds, LONGEST_S)) / log10(1 + 10 * LONGEST_S)
    return round(max(1.5, WIDTH * share), 1)
