"""The shipping desk: what waits to be picked, made into waves; waves under way; what is to be taken out."""

from functools import partial
from typing import Any

from starlette.responses import Response

from erpsync.flows.context import Context
from erpsync.flows.desk.board import board
from erpsync.flows.desk.stops import stop
from erpsync.flows.desk.waves import drop_wave, finish_wave, make_wave
from erpsync.flows.errors import Refused
from erpsync.store.views.values import Json
from erpsync.web.access.door import Guarded
from erpsync.web.access.visit import Visit
from erpsync.web.acts import Said
from erpsync.web.console.desk.papers import why_nothing_prints
from erpsync.web.console.desk.words import WORDS
from erpsync.web.console.kit import Kit
from erpsync.web.console.orders.deeds import short_reason

MOST = 100
LEAVING = ("told", "kept")

Page = dict[str, Any]


class Board:
    """The page `/desk`, and what is done on it."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit
        self._trouble = why_nothing_prints(kit)

    def routes(self) -> list[Guarded]:
        """Return its addresses."""
        door = self._kit.door
        return [
            door.page("/desk", self.desk, role="read"),
            door.act("/waves/make", self.make, role="pack"),
            door.act("/waves/done", self.done, role="pack"),
            door.act("/waves/drop", self.drop, role="pack"),
            door.act("/releases/stop", self.stop, role="pack"),
        ]

    def desk(self, visit: Visit) -> Response:
        """Answer a desk as it is now: the one that is asked for, or the first."""
        ctx = self._kit.site.ctx()
        desks = sorted(ctx.desks)
        asked = visit.request.query_params.get("warehouse", "")
        page: Page = {"desks": desks, "warehouse": asked or next(iter(desks), "")}
        if not desks:
            return self._kit.pages.answer("desk/none.html", page, visit)
        found = board(ctx, page["warehouse"], most=MOST)
        policy = ctx.warehouses[ctx.desks[page["warehouse"]]]
        waves = [bar(wave) for wave in found.waves]
        page |= {
            "board": found,
            "waves": waves,
            "in_waves": sum(wave["left"] for wave in waves if wave["state"] == "open"),
            "printed": sum(wave["left"] for wave in waves if wave["state"] == "printed"),
            "wave_size": min(policy.wave_size, found.to_pick),
            "by_itself": policy.wave_min,
            "trouble": self._trouble(),
        }
        return self._kit.pages.answer("desk/board.html", page | WORDS, visit)

    def make(self, visit: Visit) -> Response:
        """Make a wave of the chosen releases, or of those that are due first."""
        return self._kit.acts.carry_out(visit, partial(self._make, visit))

    def done(self, visit: Visit) -> Response:
        """End a wave although not all of it has left."""
        return self._kit.acts.carry_out(visit, partial(self._done, visit))

    def drop(self, visit: Visit) -> Response:
        """End a wave that is not printed."""
        return self._kit.acts.carry_out(visit, partial(self._drop, visit))

    def stop(self, visit: Visit) -> Response:
        """Note that a release is out of the pile, or that it was too late."""
        return self._kit.acts.carry_out(visit, partial(self._stop, visit))

    def _make(self, visit: Visit, ctx: Context) -> Said:
        form = visit.form
        oldest = bool(form.text("oldest"))
        numbers = () if oldest else form.all("release")
        if not oldest and not numbers:
            raise Refused("no release is chosen: tick those that are meant")
        number = make_wave(ctx, warehouse=form.text("warehouse"), numbers=numbers, actor=visit.actor)
        if number is None:
            raise Refused("no release waits to be picked")
        return Said(text=f"wave {number} is made; print its pick list first")

    def _done(self, visit: Visit, ctx: Context) -> Said:
        number = visit.form.text("wave")
        back = len(finish_wave(ctx, number, actor=visit.actor))
        if not back:
            return Said(text=f"wave {number} is done")
        if back == 1:
            return Said(text=f"wave {number} is done; 1 release of it has not left and waits for another wave")
        return Said(text=f"wave {number} is done; {back} releases of it have not left and wait for another wave")

    def _drop(self, visit: Visit, ctx: Context) -> Said:
        number = visit.form.text("wave")
        drop_wave(ctx, number, actor=visit.actor)
        return Said(text=f"wave {number} is dropped; its releases wait to be picked")

    def _stop(self, visit: Visit, ctx: Context) -> Said:
        number, left = visit.form.text("release"), bool(visit.form.text("left"))
        stop(ctx, number, actor=visit.actor, reason=short_reason(visit), left=left)
        if left:
            return Said(text=f"release {number} has left; a task asks for the parcel back")
        return Said(text=f"release {number} is out of the pile")


def bar(wave: Json) -> Json:
    """Return a wave with how many of its releases are to leave, have left, and are to be taken out."""
    states = wave["states"]
    left = sum(states.get(state, 0) for state in LEAVING)
    return wave | {"left": left, "shipped": states.get("shipped", 0), "recalled": states.get("recalled", 0)}
