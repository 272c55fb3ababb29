"""What the nodes of a parcel come to, whatever order they were told in, and how often its courier is asked.

Why "delivered" is final unless "returned" is told: couriers go on to write after a delivery (a signature, a survey),
and none of that takes the parcel out of the buyer's hands. A parcel that went back is signed for as well, by its
sender, so "returned" is final even before "delivered".
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from erpsync.sdk.types import TrackNode, TrackState

_FINAL = (TrackState.RETURNED, TrackState.DELIVERED)
_BACK = (TrackState.RETURNING, TrackState.RETURNED)

WATCHED_S = 6 * 3600.0
"""A parcel whose news are pushed is asked about no more often than this: only for what was lost on the way."""

_PACE = ((timedelta(hours=6), 0.0), (timedelta(days=2), 2 * 3600.0), (timedelta(days=7), 6 * 3600.0))
_RARELY_S = 24 * 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """The sum of a parcel's nodes; instants are the courier's, `state` is None where nothing was told.

    Args:
        scanned_at: when the courier first had it in hand.
        comes_back: whether it is on its way back, or was.
    """

    state: TrackState | None = None
    place: str = ""
    last_at: datetime | None = None
    scanned_at: datetime | None = None
    delivered_at: datetime | None = None
    returned_at: datetime | None = None
    comes_back: bool = False

    @property
    def ended(self) -> bool:
        """Whether nothing more is to be asked."""
        return self.state in _FINAL


def stand(nodes: Iterable[TrackNode]) -> Standing:
    """Return what the nodes of one parcel come to; their order does not matter."""
    known = sorted(nodes, key=lambda node: (node.at, node.key))
    if not known:
        return Standing()
    final = next((state for state in _FINAL if any(node.state is state for node in known)), None)
    last = [node for node in known if final is None or node.state is final][-1]
    return Standing(
        state=last.state,
        place=last.place,
        last_at=last.at,
        scanned_at=next((node.at for node in known if node.state.scanned), None),
        delivered_at=_first(known, TrackState.DELIVERED),
        returned_at=_first(known, TrackState.RETURNED),
        comes_back=any(node.state in _BACK for node in known),
    )


def _first(nodes: Iterable[TrackNode], state: TrackState) -> datetime | None:
    return next((node.at for node in nodes if node.state is state), None)


def ask_again_s(age: timedelta, *, least_s: float, watched: bool) -> float:
    """Return seconds until a parcel is asked about again: often while it is young, then ever more rarely.

    Args:
        age: since it left.
        least_s: what its courier allows at most.
    """
    pace_s = next((pace_s for until, pace_s in _PACE if age < until), _RARELY_S)
    return min(max(pace_s, least_s, WATCHED_S if watched else 0.0), max(_RARELY_S, least_s))
