"""How long something takes: the median of a few runs, fewer of what takes long."""

import gc
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

ROUNDS, ENOUGH_S = 3, 3.0
MS = "ms"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """Something to be measured. `run` returns how many of `unit` it was: milliseconds, or what is done in a second."""

    name: str
    unit: str
    run: Callable[[], float]


def seconds(work: Callable[[], object]) -> float:
    """Return the seconds that one run takes."""
    gc.collect()
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def time_of(name: str, work: Callable[[], object]) -> Measure:
    """Return how to measure the milliseconds that something takes; its first run counts only if it takes long."""

    def run() -> float:
        found = [seconds(work)]
        while len(found) <= ROUNDS and sum(found) < ENOUGH_S:
            found.append(seconds(work))
        return 1000 * statistics.median(found[1:] or found)

    return Measure(name=name, unit=MS, run=run)


def rate_of(name: str, unit: str, work: Callable[[], tuple[int, float]], *, rounds: int = 3) -> Measure:
    """Return how to measure what is done in a second; `work` returns how many it did and the seconds it took."""

    def run() -> float:
        return statistics.median(done / took_s for done, took_s in (work() for _ in range(rounds)))

    return Measure(name=name, unit=unit, run=run)
