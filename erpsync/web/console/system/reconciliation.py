"""Reconciliation: what was compared with the channels, what is proven, and what was found on the way."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from starlette.exceptions import HTTPException
from starlette.responses import Response

from erpsync.flows.context import Channel
from erpsync.flows.reconcile.certificate import prove, with_a_past
from erpsync.sdk.roles import OrderScan
from erpsync.store.views.comparisons import SeenWindow, drift_marks, drifted, lost_parcels, windows_since
from erpsync.web.access.door import Guarded
from erpsync.web.access.visit import Visit
from erpsync.web.console.kit import Kit

SPANS = (1, 3, 7, 14)
SHOWN_DAYS, PROVEN_DAYS = 3, 1
WIDTH, HEIGHT = 960.0, 26.0
GAP = 0.6
TALL = {"sealed": 12.0, "late": 17.0, "open": 24.0, "waiting": 6.0}
"""How high a window is drawn: colour never speaks alone, and what is wrong stands out."""

DIFFERENCES = "erpsync_counter_differences"


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A window in the chart, in its own units."""

    x: float
    y: float
    width: float
    height: float
    window: SeenWindow


@dataclass(frozen=True, slots=True, kw_only=True)
class Strip:
    """One shop's windows over a span; `marks` are where and when drifted numbers were found."""

    channel: str
    provable: bool
    pieces: tuple[Piece, ...]
    marks: tuple[tuple[float, datetime], ...]

    @property
    def states(self) -> dict[str, int]:
        """How many windows are in each state."""
        return {state: sum(piece.window.state == state for piece in self.pieces) for state in TALL}


class Reconciliation:
    """Windows, the certificate, drift, lost parcels and counters."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit

    def routes(self) -> list[Guarded]:
        """Return its addresses."""
        return [self._kit.door.page("/reconciliation", self.reconciliation, role="read")]

    def reconciliation(self, visit: Visit) -> Response:
        """Answer the windows of the last days, the certificate of a span, and what the comparison found."""
        days, proven = _days(visit, "days", SHOWN_DAYS), _days(visit, "proof", PROVEN_DAYS)
        ctx, now = self._kit.site.ctx(), self._kit.site.store.clock.now()
        channels = with_a_past(ctx)
        since = now - timedelta(days=days)
        with self._kit.site.store.read() as connection:
            windows = windows_since(connection, [channel.id for channel in channels], since, now)
            marks = drift_marks(connection, since)
            proof = prove(connection, ctx, channels=channels, since=now - timedelta(days=proven), at=now)
            page = {"drifted": drifted(connection), "parcels": lost_parcels(connection)}
        strips = [
            strip(channel, windows.get(channel.id, ()), marks.get(channel.id, ()), since, now) for channel in channels
        ]
        more = {
            "strips": strips,
            "since": since,
            "days": days,
            "proven": proven,
            "spans": SPANS,
            "midnights": midnights(since, now, ctx.timezone),
            "width": WIDTH,
            "height": HEIGHT,
            "proof": proof,
            "differences": self._differences(),
        }
        return self._kit.pages.answer("system/reconciliation.html", page | more, visit)

    def _differences(self) -> int | None:
        """Return how many counters differed when they were last compared, None when that was not since the start."""
        return next((int(sample.value) for sample in self._kit.site.meters() if sample.name == DIFFERENCES), None)


def _days(visit: Visit, name: str, otherwise: int) -> int:
    text = visit.request.query_params.get(name, "")
    if not text:
        return otherwise
    if text not in {str(span) for span in SPANS}:
        raise HTTPException(400, "there is no such span")
    return int(text)


def strip(
    channel: Channel, windows: Sequence[SeenWindow], marks: Sequence[datetime], since: datetime, until: datetime
) -> Strip:
    """Return the drawing of one shop's windows; what lies outside the span is cut off."""
    return Strip(
        channel=channel.name,
        provable=channel.plays(OrderScan),
        pieces=tuple(_piece(window, since, until) for window in windows),
        marks=tuple((_at(mark, since, until), mark) for mark in marks),
    )


def _piece(window: SeenWindow, since: datetime, until: datetime) -> Piece:
    left, right = _at(window.start_at, since, until), _at(window.end_at, since, until)
    height = TALL[window.state]
    return Piece(x=left, y=HEIGHT - height, width=round(max(right - left - GAP, GAP), 2), height=height, window=window)


def _at(instant: datetime, since: datetime, until: datetime) -> float:
    share = (min(max(instant, since), until) - since) / (until - since)
    return round(share * WIDTH, 2)


def midnights(since: datetime, until: datetime, timezone: ZoneInfo) -> tuple[float, ...]:
    """Return where each midnight of the operator's clock stands."""
    first = since.astimezone(timezone).replace(hour=0, minute=0, second=0, microsecond=0)
    days = (first + timedelta(days=day) for day in range(1, (until - since).days + 2))
    return tuple(_at(midnight, since, until) for midnight in days if midnight < until)
