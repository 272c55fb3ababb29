"""The trail: who did what, when and why."""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from urllib.parse import urlencode

from starlette.exceptions import HTTPException
from starlette.responses import Response

from erpsync.languages.codes import EVENTS
from erpsync.store.views import NotFound
from erpsync.store.views.trail_page import LOOK_AT, TrailPage, TrailSearch, trail_page
from erpsync.web.access.door import Guarded
from erpsync.web.access.visit import Visit
from erpsync.web.console.kit import Kit

PAGE = 50
FIELDS = ("actor", "kind", "order", "sku", "channel", "since", "until")
LARGEST_ID = 2**63 - 1


class Trail:
    """Every event, narrowed by whatever is asked for."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit

    def routes(self) -> list[Guarded]:
        """Return its addresses."""
        return [self._kit.door.page("/trail", self.trail, role="read")]

    def trail(self, visit: Visit) -> Response:
        """Answer a page of events, newest first."""
        asked = {name: visit.request.query_params.get(name, "").strip() for name in FIELDS}
        after = _event(visit.request.query_params.get("after", ""))
        search = self._search(asked)
        problem = ""
        try:
            with self._kit.site.store.read() as connection:
                found = trail_page(connection, search, limit=PAGE, after=after)
        except NotFound as error:
            found, problem = TrailPage(events=[], following=None), str(error)
        page = {
            "asked": asked,
            "events": found.events,
            "more": _address(asked, after=found.following) if found.following else None,
            "newest": _address(asked) if after else None,
            "looked_back_to": found.looked_back_to,
            "look_at": LOOK_AT,
            "problem": problem,
            "kinds": EVENTS,
            "channels": sorted(channel.name for channel in self._kit.site.ctx().sellers),
        }
        return self._kit.pages.answer("attention/trail.html", page, visit)

    def _search(self, asked: Mapping[str, str]) -> TrailSearch:
        since, until = self._day(asked["since"]), self._day(asked["until"])
        named = {name: asked[name] or None for name in ("actor", "kind", "order", "sku", "channel")}
        return TrailSearch(since=since, until=until + timedelta(days=1) if until else None, **named)

    def _day(self, text: str) -> datetime | None:
        """Return the first moment of a day on the operator's clock."""
        if not text:
            return None
        try:
            day = date.fromisoformat(text)
        except ValueError as error:
            raise HTTPException(400, "a day is written like 2026-03-02") from error
        if not 1971 <= day.year <= 9000:
            raise HTTPException(400, "a day is written like 2026-03-02")
        return datetime.combine(day, time(), tzinfo=self._kit.site.ctx().timezone)


def _event(text: str) -> int | None:
    """Return the event that a page comes after."""
    if not text:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) <= 19 and int(text) <= LARGEST_ID):
        raise HTTPException(400, "there is no such page")
    return int(text)


def _address(asked: Mapping[str, str], **more: object) -> str:
    """Return the address of a page of the same events."""
    query = urlencode({name: value for name, value in {**asked, **more}.items() if value})
    return f"/trail?{query}" if query else "/trail"
