"""A release and a wave: what is in it, what was printed, what happened, and what can be done."""

from typing import Any

from starlette.responses import Response

from erpsync.store.views.paper_trail import prints_of, story_of
from erpsync.store.views.releases import show_release, show_wave
from erpsync.web.access.door import Guarded
from erpsync.web.access.visit import Visit
from erpsync.web.console.desk.board import bar
from erpsync.web.console.desk.papers import why_nothing_prints
from erpsync.web.console.desk.words import WORDS
from erpsync.web.console.kit import Kit
from erpsync.web.console.orders.details import Details
from erpsync.web.console.orders.timeline import timeline

Page = dict[str, Any]


class OneRelease:
    """The pages of a release and of a wave."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit
        self._trouble = why_nothing_prints(kit)

    def routes(self) -> list[Guarded]:
        """Return their addresses."""
        door = self._kit.door
        return [
            door.page("/releases/{release}", self.release, role="read"),
            door.page("/waves/{wave}", self.wave, role="read"),
        ]

    def release(self, visit: Visit) -> Response:
        """Answer one release."""
        ctx, number = self._kit.site.ctx(), visit.request.path_params["release"]
        with self._kit.site.store.read() as connection:
            shown = show_release(connection, number)
            prints = prints_of(connection, number)
            story = story_of(connection, number, shown["orders"])
        page: Page = {
            "release": shown,
            "prints": prints,
            "timeline": timeline(story),
            "details_in": Details,
            "at_desk": shown["warehouse"] in ctx.desks,
            "trouble": self._trouble(),
        }
        return self._kit.pages.answer("desk/release.html", page | WORDS, visit)

    def wave(self, visit: Visit) -> Response:
        """Answer one wave with its releases by slot."""
        with self._kit.site.store.read() as connection:
            shown = show_wave(connection, visit.request.path_params["wave"])
        page: Page = {"wave": bar(shown), "members": shown["members"], "trouble": self._trouble()}
        return self._kit.pages.answer("desk/wave.html", page | WORDS, visit)
