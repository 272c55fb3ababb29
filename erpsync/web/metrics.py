"""`/metrics`: the figures as Prometheus sees them.

Why collected at the scrape and not counted along: the tables are the truth, on every node and after every restart, and
a gauge that is read cannot drift from them. Labels are channels, kinds and states, never orders or SKUs.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from prometheus_client import CollectorRegistry, Metric, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy import text

from erpsync import __version__
from erpsync.core.alarms import OF_ALL, OF_CHANNELS
from erpsync.store.db.engine import sqlite_path
from erpsync.store.status.counts import Figures
from erpsync.store.status.storage import MB
from erpsync.web.site import Look, Sample, Site

Reading = tuple[tuple[str, ...], float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """A metric by name: what it says and by which labels."""

    name: str
    labels: tuple[str, ...]
    help: str


def _one(name: str, help: str, *labels: str) -> Exported:
    return Exported(name=name, labels=labels, help=help)


# Everything that is exported from the figures; the README lists it, the tests compare.
METRICS = (
    _one("erpsync_info", "Version of this daemon; always 1.", "version"),
    _one("erpsync_status_ok", "1 while nothing is beyond its limit, as `erpsync status` judges it."),
    _one(
        "erpsync_status_problems",
        "What is beyond its limit, as `erpsync status` judges it; no channel where it concerns all.",
        "channel",
        "check",
    ),
    _one("erpsync_alarm", "1 while an alarm stands; no channel where it concerns none.", "check", "channel"),
    _one("erpsync_nodes_alive", "Daemons that gave a sign of life within the last seconds."),
    _one("erpsync_channel_up", "1 while the channel answers and accepts our credentials.", "channel"),
    _one("erpsync_channel_paused", "1 while an operator has paused the channel.", "channel"),
    _one("erpsync_orders_freshness_seconds", "Age of the last complete pass over orders, from its start.", "channel"),
    _one("erpsync_cursor_lag_seconds", "Age of the last complete pass over a stream.", "channel", "stream"),
    _one("erpsync_order_latency_seconds", "From placed to stored, orders of the last hour.", "channel", "quantile"),
    _one("erpsync_stock_latency_seconds", "From change to accepted, numbers of the last hour.", "channel", "quantile"),
    _one(
        "erpsync_webhook_latency_seconds", "From received to applied, webhooks of the last hour.", "channel", "quantile"
    ),
    _one("erpsync_channel_blocked_seconds", "For how long the channel wants no call; 0 when it takes them.", "channel"),
    _one("erpsync_orders_imported_24h", "Orders that came in the last 24 hours.", "channel"),
    _one("erpsync_orders_imported_hour", "Orders that came in the last full hour of the operator's clock.", "channel"),
    _one("erpsync_orders_held", "Orders that are held.", "channel", "reason"),
    _one("erpsync_orders_backordered", "Orders with units that no stock covers.", "channel"),
    _one("erpsync_outbox_rows", "Effects that are not done; unknown: sent, no answer.", "channel", "kind", "state"),
    _one("erpsync_outbox_due", "Effects that are due and not done.", "channel"),
    _one("erpsync_outbox_oldest_due_seconds", "Age of the oldest effect that is due.", "channel"),
    _one("erpsync_outbox_unknown_outcomes", "Effects that were sent and never answered.", "channel"),
    _one("erpsync_inbox_pending", "Webhooks that are stored and not applied.", "channel"),
    _one("erpsync_inbox_oldest_seconds", "Age of the oldest webhook that is not applied.", "channel"),
    _one("erpsync_dead_letters", "Rows that only a person can move on.", "channel"),
    _one("erpsync_tasks_open", "Tasks for people; no channel where a task concerns none.", "channel"),
    _one("erpsync_listings_unknown_stock", "Listings that no feeding warehouse has a stock row for.", "channel"),
    _one("erpsync_listings_unmapped", "Listings without a SKU of ours.", "channel"),
    _one("erpsync_listings_drifted", "Listings that show another number than they were told.", "channel"),
    _one("erpsync_windows_unsealed", "Windows of orders that are not proven to be whole.", "channel"),
    _one("erpsync_token_expiry_seconds", "Time until the channel's credentials end.", "channel"),
    _one("erpsync_subscriptions", "Subscribers to events; stopped ones were given up and wait for a person.", "state"),
    _one("erpsync_webhooks_not_stored", "Webhooks that could not be stored, while the last one is recent.", "channel"),
    _one("erpsync_store_writable", "1 while the database takes writes; tried by writing."),
    _one(
        "erpsync_disk_free_bytes",
        "Room on this machine's disks with the database or drop folders.",
        "folder",
    ),
    _one("erpsync_sqlite_wal_bytes", "Size of SQLite's write-ahead log."),
    _one("erpsync_postgresql_oldest_transaction_seconds", "Age of the oldest open transaction of the database."),
    _one("erpsync_postgresql_dead_rows", "Rows that are deleted and not yet cleared away."),
    _one("erpsync_webhooks_total", "Webhook deliveries by what became of them.", "channel", "result"),
)
SUBSCRIBED = ("active", "stopped")
COUNTED = {"erpsync_webhooks_total"}  # by `WebMeters`, not from the figures


class FiguresCollector(Collector):
    """Gives the figures of the moment as gauges."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def describe(self) -> Iterable[Metric]:
        """Return nothing, so that registering counts nothing."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Yield all gauges, then what the process counts about itself."""
        look = self._site.look()
        samples = _house_samples(look) | _channel_samples(look)
        samples |= self._database()
        for metric in METRICS:
            if metric.name not in COUNTED:
                family = GaugeMetricFamily(metric.name, metric.help, labels=metric.labels)
                for labels, value in samples.get(metric.name, ()):
                    family.add_metric(labels, value)
                yield family
        yield from families(self._site.meters())

    def _database(self) -> dict[str, list[Reading]]:
        """Return what only one of the two databases has: a log that may grow, old transactions and dead rows."""
        path = sqlite_path(self._site.store.engine)
        if path is not None:
            wal = path.with_name(path.name + "-wal")
            return {"erpsync_sqlite_wal_bytes": [((), wal.stat().st_size if wal.exists() else 0)]}
        with self._site.store.read() as connection:
            age_s, rows = connection.execute(_POSTGRESQL).one()
        return {
            "erpsync_postgresql_oldest_transaction_seconds": [((), float(age_s))],
            "erpsync_postgresql_dead_rows": [((), float(rows))],
        }


# Both views show every user the rows of its database. Source: PostgreSQL manual, "The Cumulative Statistics System".
_POSTGRESQL = text(
    """
    SELECT
      (SELECT coalesce(max(extract(epoch FROM clock_timestamp() - xact_start)), 0) FROM pg_stat_activity
       WHERE datname = current_database() AND pid <> pg_backend_pid()),
      (SELECT coalesce(sum(n_dead_tup), 0) FROM pg_stat_user_tables)
    """
)


def registry_of(site: Site) -> CollectorRegistry:
    """Return a registry with the figures and the process's own use of memory, files and processor."""
    registry = CollectorRegistry()
    registry.register(FiguresCollector(site))
    ProcessCollector(registry=registry)
    return registry


def families(samples: Iterable[Sample]) -> Iterator[Metric]:
    """Yield metric families of single numbers, those of one name together."""
    by_name: dict[str, CounterMetricFamily | GaugeMetricFamily] = {}
    for sample in samples:
        if sample.name not in by_name:
            make = CounterMetricFamily if sample.kind == "counter" else GaugeMetricFamily
            by_name[sample.name] = make(sample.name, sample.help, labels=tuple(sample.labels))
        by_name[sample.name].add_metric(tuple(sample.labels.values()), sample.value)
    yield from by_name.values()


def _house_samples(look: Look) -> dict[str, list[Reading]]:
    storage = look.status["storage"]
    disks = [disk for disk in storage["disks"] if disk["free_mb"] is not None]
    return {
        "erpsync_store_writable": [((), float(storage["writable"]))],
        "erpsync_disk_free_bytes": [((disk["folder"],), float(disk["free_mb"] * MB)) for disk in disks],
        "erpsync_info": [((__version__,), 1)],
        "erpsync_status_ok": [((), float(look.status["ok"]))],
        "erpsync_status_problems": [(labels, float(n)) for labels, n in _problems(look.status).items()],
        "erpsync_alarm": _alarms(look),
        "erpsync_nodes_alive": [((), look.status["totals"]["nodes"])],
        "erpsync_subscriptions": [((state,), look.figures.subscriptions.get(state, 0)) for state in SUBSCRIBED],
    }


def _problems(status: Mapping[str, Any]) -> Counter[tuple[str, ...]]:
    return Counter((problem["channel"] or "", problem["check"]) for problem in status["problems"])


def _alarms(look: Look) -> list[Reading]:
    """Return 0 or 1 for every rule, of each enabled channel and of what all of them stand on."""
    names = [channel["name"] for channel in look.status["channels"] if channel["state"] != "disabled"]
    standing = {(alarm["check"], alarm["channel"] or "") for alarm in look.status["alarms"]}
    known = {(check, name) for name in names for check in OF_CHANNELS} | {(check, "") for check in OF_ALL}
    return [(labels, float(labels in standing)) for labels in sorted(known | standing)]


def _channel_samples(look: Look) -> dict[str, list[Reading]]:
    names = {channel.id: channel.name for channel in look.ctx.channels.values()}
    shown = look.status["channels"]
    samples = {metric: _from(shown, read) for metric, read in _READERS.items()}
    samples["erpsync_tasks_open"] = [((names.get(id or 0, ""),), n) for id, n in look.figures.tasks.items()]
    for what, quantiles in look.figures.latencies.items():
        metric = f"erpsync_{what}_latency_seconds"
        samples[metric] = [((names[id], quantile), took) for (id, quantile), took in quantiles.items() if id in names]
    samples["erpsync_channel_blocked_seconds"] = [((names[id],), look.blocked_s(id)) for id in names]
    hourly = look.figures.hourly
    samples["erpsync_orders_imported_hour"] = [((names[id],), hourly[id][-2] if id in hourly else 0) for id in names]
    samples["erpsync_windows_unsealed"] = [((names[id],), look.figures.unsealed.get(id, 0)) for id in names]
    return samples | _split_samples(shown, look.figures, names)


_READERS: Mapping[str, Callable[[Mapping[str, Any]], float | None]] = {
    "erpsync_channel_up": lambda c: None if c["state"] == "disabled" else c["state"] not in ("down", "auth_failed"),
    "erpsync_channel_paused": lambda c: c["state"] == "paused",
    "erpsync_orders_freshness_seconds": lambda c: c["freshness_s"],
    "erpsync_orders_imported_24h": lambda c: c["orders_24h"],
    "erpsync_orders_backordered": lambda c: c["backordered_orders"],
    "erpsync_outbox_due": lambda c: c["queue"]["due"],
    "erpsync_outbox_oldest_due_seconds": lambda c: c["queue"]["oldest_due_s"] or 0,
    "erpsync_outbox_unknown_outcomes": lambda c: c["unknown_outcomes"],
    "erpsync_webhooks_not_stored": lambda c: c["not_stored"],
    "erpsync_inbox_pending": lambda c: c["inbox"],
    "erpsync_inbox_oldest_seconds": lambda c: c["inbox_oldest_s"] or 0,
    "erpsync_dead_letters": lambda c: c["dead_letters"],
    "erpsync_listings_unknown_stock": lambda c: c["unknown_stock"],
    "erpsync_listings_unmapped": lambda c: c["unmapped_listings"],
    "erpsync_listings_drifted": lambda c: c["drifted_listings"],
    "erpsync_token_expiry_seconds": lambda c: None if c["token_days"] is None else c["token_days"] * 86_400,
}


def _from(channels: Iterable[Mapping[str, Any]], read: Callable[[Mapping[str, Any]], float | None]) -> list[Reading]:
    return [((channel["name"],), float(value)) for channel in channels if (value := read(channel)) is not None]


def _split_samples(
    channels: Iterable[Mapping[str, Any]], figures: Figures, names: Mapping[int, str]
) -> dict[str, list[Reading]]:
    """Return the samples that have a second label beside the channel."""
    lags: list[Reading] = [
        ((channel["name"], stream), progress["lag_s"])
        for channel in channels
        for stream, progress in channel["streams"].items()
        if progress["lag_s"] is not None
    ]
    rows: list[Reading] = [
        ((names[id], kind, state), float(queue.states[state]))
        for (id, kind), queue in figures.queues.items()
        if id in names
        for state in ("pending", "leased", "waiting")
    ]
    open_queues = [(names[id], kind, queue) for (id, kind), queue in figures.queues.items() if id in names]
    rows += [((name, kind, "unknown"), float(queue.unknown)) for name, kind, queue in open_queues]
    held: list[Reading] = [((names[id], reason), float(n)) for (id, reason), n in figures.held.items() if id in names]
    return {"erpsync_cursor_lag_seconds": lags, "erpsync_outbox_rows": rows, "erpsync_orders_held": held}
