"""Scanning: parcels that leave the desk, and those that are taken out of the pile.

Why the answer is a page and not kept for whoever sends the form again: a parcel leaves once by itself, and whoever
scans it twice has to hear that.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from starlette.responses import Response

from erpsync.flows.context import Context
from erpsync.flows.desk.scans import Scanned, leave, look_up
from erpsync.flows.desk.stops import stop
from erpsync.flows.errors import Refused
from erpsync.sdk.carriers import CARRIERS
from erpsync.store.views.releases import show_wave
from erpsync.store.views.trail import TrailFilter, iter_trail
from erpsync.store.views.values import Json
from erpsync.web.access.door import Guarded
from erpsync.web.access.visit import Visit
from erpsync.web.acts import on_record
from erpsync.web.console.desk.board import bar
from erpsync.web.console.desk.words import WORDS
from erpsync.web.console.kit import Kit

LAST = 12
AMONG = 120
"""So many of a person's newest events are looked through for the last scans."""

_DONE = ("order.shipped", "release.stopped")
_OF_SCANS = (*_DONE, "scan.refused")

Page = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a scan is answered with.

    Args:
        tone: `ok` it counts, `ask` something is to be said first, `no` it must not be.
        asks: what is to be said: `carrier`, `tracking`.
        goods: what is in it.
    """

    tone: str
    text: str
    release: str = ""
    wave: str = ""
    wave_left: int = 0
    asks: Sequence[str] = ()
    goods: Sequence[Json] = ()


class Scans:
    """The page `/desk/scan`."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit

    def routes(self) -> list[Guarded]:
        """Return its addresses."""
        door = self._kit.door
        return [
            door.page("/desk/scan", self.ready, role="pack"),
            door.act("/desk/scanned", self.scan, role="pack"),
        ]

    def ready(self, visit: Visit) -> Response:
        """Answer the page that waits for a scan."""
        return self._page(visit, visit.request.query_params.get("do", ""), None)

    def scan(self, visit: Visit) -> Response:
        """Answer what a code is, and carry out what it is scanned for."""
        ctx, what = on_record(self._kit.site.ctx(), visit), visit.form.text("do")
        return self._page(visit, what, _take_out(ctx, visit) if what == "stop" else _leave(ctx, visit))

    def _page(self, visit: Visit, what: str, answer: Answer | None) -> Response:
        page: Page = {
            "what": "stop" if what == "stop" else "leave",
            "answer": answer,
            "asked": answer if answer and answer.asks else None,
            "carrier": visit.form.text("carrier"),
            "carriers": CARRIERS.values(),
            "last": self._last(visit),
        }
        return self._kit.pages.answer("desk/scan.html", page | WORDS, visit)

    def _last(self, visit: Visit) -> list[Page]:
        """Return what the visitor scanned last."""
        with self._kit.site.store.read() as connection:
            newest = list(iter_trail(connection, TrailFilter(actor=visit.actor), AMONG))
        return list(islice(_scans(newest), LAST))


def _scans(events: Sequence[Json]) -> Iterator[Page]:
    for event in events:
        if event["kind"] in _OF_SCANS:
            detail = event["detail"]
            yield {
                "at": event["at"],
                "ok": event["kind"] in _DONE,
                "what": detail["why"] if event["kind"] == "scan.refused" else event["kind"],
                "release": detail.get("release", ""),
                "label": detail.get("label", ""),
                "order": event["order"],
            }


def _leave(ctx: Context, visit: Visit) -> Answer:
    """Let a parcel leave; `release` in the form is the one whose courier's label is scanned now."""
    code, release = visit.form.text("code"), visit.form.text("release")
    if not release:
        return _left(ctx, look_up(ctx, code), code, visit)
    seen, label = look_up(ctx, release), look_up(ctx, code)
    if _is_ours(label, code):
        text = f"{label.number} is one of our numbers; scan the label of the courier for release {release}"
        return replace(_asking(seen, visit), text=text)
    return _left(ctx, seen, release, visit, tracking=code)


def _is_ours(seen: Scanned, code: str) -> bool:
    """Whether a code is the number of a release or a wave, and not a courier's that leads to one."""
    return seen.kind in ("release", "wave") and seen.number.casefold() == code.strip().casefold()


def _left(ctx: Context, seen: Scanned, code: str, visit: Visit, *, tracking: str = "") -> Answer:
    carrier = visit.form.text("carrier")
    if seen.kind == "wave":
        return Answer(tone="ask", text=seen.text, wave=seen.number)
    answer = _asking(seen, visit, tracking)
    if answer.asks:
        return answer
    try:
        left = leave(ctx, code, carrier=carrier, tracking=tracking, actor=visit.actor)
    except Refused as error:
        return replace(answer, tone="no", text=str(error))
    carrier = left.carrier
    text = f"release {left.release} leaves with {carrier} {left.tracking}"
    return replace(answer, tone="ok", text=text, wave=left.wave or "", wave_left=left.wave_left)


def _asking(seen: Scanned, visit: Visit, tracking: str = "") -> Answer:
    """Return what is still to be said of a release before it may leave; no question where nothing is."""
    said = {"carrier": visit.form.text("carrier"), "tracking": tracking}
    asks = tuple(each for each in seen.asks if not said[each])
    shown, number = seen.shown or {}, seen.number
    text = f"release {number} has no label of ours: scan the label of the courier"
    if "carrier" in asks:
        text = f"release {number} has no label of ours: choose the courier, and scan its label"
    return Answer(
        tone="ask",
        text=text,
        release=number if seen.kind == "release" else "",
        wave=shown.get("wave") or "",
        asks=("carrier", "tracking") if "carrier" in asks else asks,
        goods=shown.get("lines", ()),
    )


def _take_out(ctx: Context, visit: Visit) -> Answer:
    """Note that a release that must not leave is in hand."""
    seen = look_up(ctx, visit.form.text("code"))
    shown, number = seen.shown or {}, seen.number
    answer = Answer(tone="no", text=seen.text, goods=shown.get("lines", ()))
    if seen.kind != "release":
        return answer
    answer = replace(answer, release=number, wave=shown.get("wave") or "")
    if shown["state"] != "recalled":
        if "stop" not in seen.may:
            return answer
        text = f"release {number} may leave, nobody has recalled it; its page stops it all the same"
        return replace(answer, text=text)
    try:
        stop(ctx, number, actor=visit.actor)
    except Refused as error:
        return replace(answer, text=str(error))
    text = f"release {number} is out of the pile; put its goods back on the shelf"
    return replace(answer, tone="ok", text=text, wave_left=_still_to_leave(ctx, answer.wave))


def _still_to_leave(ctx: Context, wave: str) -> int:
    if not wave:
        return 0
    with ctx.store.read() as connection:
        return int(bar(show_wave(connection, wave))["left"])
