"""How much each kind of event matters to whoever is told."""

ALARMS = frozenset({"alarm.raised", "brake.held", "channel.down"})
WARNINGS = frozenset(
    {
        "channel.paused",
        "clock.off",
        "config.refused",
        "gate.asked",
        "letter.opened",
        "letter.replay_failed",
        "order.backordered",
        "order.found_late",
        "order.held",
        "order.late",
        "order.refunded",
        "order.taken_back",
        "parcel.returned",
        "release.kept",
        "release.recalled",
        "scan.refused",
        "session.refused",
        "shipment.dropped",
        "shipment.held",
        "shipment.missing",
        "stock.count_fell",
        "stock.count_rose",
        "stock.drifted",
        "subscription.stopped",
        "task.opened",
        "token.expiring",
        "version.ahead",
        "version.disputed",
        "waybill.refused",
        "waybill.unknown",
        "waybill.used",
        "window.reopened",
    }
)


def level_of(kind: str, *, said: object = None) -> str:
    """Return how much an event matters: `info`, `warn` or `alarm`.

    Args:
        said: what an alarm says of itself; one that only warns is no more than that.
    """
    if kind in ALARMS and said == "warn":
        return "warn"
    return "alarm" if kind in ALARMS else "warn" if kind in WARNINGS else "info"
