"""What happened to an order, told apart: what others said, what was decided of it, and what others were told."""

from collections.abc import Iterable

from erpsync.store.views.values import Json

FACTS = frozenset(
    {
        "order.changed",
        "order.filled",
        "order.found_late",
        "order.imported",
        "order.late",
        "order.new",
        "order.refunded",
        "order.shipped",
        "parcel.delivered",
        "parcel.returned",
        "parcel.scanned",
        "shipment.corrected",
        "shipment.missing",
        "shipment.recorded",
        "version.ahead",
        "version.disputed",
    }
)
EFFECTS = frozenset(
    {
        "correction.told",
        "gate.asked",
        "release.recalled",
        "release.told",
        "shipment.told",
    }
)
SEEN = frozenset({"order.recipient_shown"})


def sort_of(entry: Json) -> str:
    """Return what an entry of a story is: fact, decision, effect, stock, trouble or seen."""
    match entry["about"]:
        case "push":
            return "effect"
        case "stock":
            return "stock"
        case "task" | "dead letter":
            return "trouble"
    kind = entry["what"]
    if kind in FACTS:
        return "fact"
    if kind in SEEN:
        return "seen"
    return "effect" if kind in EFFECTS else "decision"


def timeline(story: Iterable[Json]) -> list[Json]:
    """Return the entries of a story, newest first, each with its sort."""
    return [entry | {"sort": sort_of(entry)} for entry in story][::-1]
