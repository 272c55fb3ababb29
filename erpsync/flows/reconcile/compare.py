"""Comparing a channel with what we hold, in its own time and with a small share of its call budget."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from erpsync.flows.context import Channel, Context
from erpsync.flows.reconcile.drift import find_drift
from erpsync.flows.reconcile.lost_parcels import look_for_shipments
from erpsync.flows.reconcile.windows import seal_windows


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciled:
    """What one comparison found: windows scanned and sealed, orders missed, drifted numbers by kind, lost parcels."""

    scanned: int = 0
    sealed: int = 0
    missed: int = 0
    drifted: Mapping[str, int] = field(default_factory=dict)
    parcels: int = 0
    more: bool = False


def reconcile(ctx: Context, channel: Channel, *, stopping: Callable[[], bool] = lambda: False) -> Reconciled:
    """Compare a channel's past, its numbers and its parcels with ours; a run is short, `more` says more is due."""
    sealing = seal_windows(ctx, channel, stopping=stopping)
    drifted = find_drift(ctx, channel)
    parcels = 0 if stopping() else look_for_shipments(ctx, channel)
    return Reconciled(
        scanned=sealing.scanned,
        sealed=sealing.sealed,
        missed=sealing.missed,
        drifted=drifted,
        parcels=parcels,
        more=sealing.more,
    )
