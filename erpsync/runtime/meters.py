"""Counts and times of this process, for the metrics page; what can be asked of the database is not counted here.

Why not the metrics library itself: the web server decides how figures are shown, and a daemon without one still counts.
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["counter", "gauge"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Meter:
    """One figure: its name, what it says, and the names of its labels."""

    name: str
    help: str
    kind: Kind = "counter"
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """The value of a figure for one set of labels."""

    name: str
    kind: Kind
    help: str
    labels: Mapping[str, str] = field(default_factory=dict)
    value: float


METERS = {
    meter.name: meter
    for meter in (
        Meter(name="erpsync_polls_total", help="Passes over a stream.", labels=("channel", "stream", "outcome")),
        Meter(name="erpsync_poll_seconds_total", help="Time spent in passes.", labels=("channel", "stream")),
        Meter(name="erpsync_pushes_total", help="Outbox rows handled.", labels=("channel", "kind")),
        Meter(name="erpsync_push_seconds_total", help="Time spent pushing.", labels=("channel", "kind")),
        Meter(name="erpsync_inbox_applied_total", help="Inbox rows applied."),
        Meter(name="erpsync_events_told_total", help="Events that subscribers have taken."),
        Meter(name="erpsync_chain_runs_total", help="Runs of a stage.", labels=("kind",)),
        Meter(name="erpsync_job_failed_total", help="Runs of a stage that ended with an error.", labels=("job",)),
        Meter(name="erpsync_job_missed_total", help="Ticks that came too late to be run."),
        Meter(name="erpsync_job_skipped_total", help="Ticks skipped because the one before was still running."),
        Meter(name="erpsync_lease_changes_total", help="Leases taken and lost.", labels=("change",)),
        Meter(
            name="erpsync_orders_judged_total", help="Orders that were judged again by rules because a look was due."
        ),
        Meter(name="erpsync_reclaimed_rows_total", help="Outbox rows taken back from lost workers."),
        Meter(name="erpsync_tokens_renewed_total", help="Access tokens renewed."),
        Meter(name="erpsync_reservations_expired_total", help="Reservations that ran out."),
        Meter(name="erpsync_counter_differences", kind="gauge", help="Stock counters that differ from their sums."),
        Meter(name="erpsync_windows_sealed_total", help="Windows of orders proven to be whole.", labels=("channel",)),
        Meter(
            name="erpsync_orders_found_late_total",
            help="Orders that only the comparison with the channel found.",
            labels=("channel",),
        ),
        Meter(
            name="erpsync_listings_drifted_total",
            help="Numbers shown that are not what was told.",
            labels=("channel", "kind"),
        ),
        Meter(name="erpsync_channels_isolated", kind="gauge", help="Channels on the pool for slow ones."),
        Meter(name="erpsync_config_last_reload_successful", kind="gauge", help="1 if the last reload was taken."),
        Meter(name="erpsync_config_reloads_total", help="Reloads.", labels=("outcome",)),
        Meter(name="erpsync_started_at_seconds", kind="gauge", help="When the daemon started, in seconds since 1970."),
    )
}


class Meters:
    """Figures of this process; may be used by many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._values: dict[tuple[str, tuple[tuple[str, str], ...]], float] = {}
        self.set("erpsync_config_last_reload_successful", 1)

    def add(self, name: str, value: float = 1, **labels: str) -> None:
        """Count `value` more; `KeyError` when no such figure is known."""
        key = _key(name, labels)
        with self._lock:
            self._values[key] = self._values.get(key, 0.0) + value

    def set(self, name: str, value: float, **labels: str) -> None:
        """Set a gauge."""
        with self._lock:
            self._values[_key(name, labels)] = value

    def value(self, name: str, **labels: str) -> float:
        """Return one value, 0 when it was never counted."""
        with self._lock:
            return self._values.get(_key(name, labels), 0.0)

    def samples(self) -> list[Sample]:
        """Return all values, by name and labels."""
        with self._lock:
            values = sorted(self._values.items())
        return [_sample(METERS[name], dict(labels), value) for (name, labels), value in values]


def _key(name: str, labels: dict[str, str]) -> tuple[str, tuple[tuple[str, str], ...]]:
    meter = METERS[name]
    return name, tuple((label, labels[label]) for label in meter.labels)


def _sample(meter: Meter, labels: Mapping[str, str], value: float) -> Sample:
    return Sample(name=meter.name, kind=meter.kind, help=meter.help, labels=labels, value=value)
