"""`/releases`, `/waves` and `/scans`: what is picked, packed and leaves at a desk."""

from dataclasses import asdict
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query
from starlette.responses import Response

from erpsync.flows.context import Context
from erpsync.flows.desk.scans import Left, leave, look_up
from erpsync.flows.desk.stops import stop
from erpsync.flows.desk.waves import drop_wave, finish_wave, make_wave
from erpsync.store.views.releases import list_releases, list_waves, show_release, show_wave
from erpsync.store.views.values import Json
from erpsync.web.api import examples
from erpsync.web.api.deps import Deps, PackDoing, Reader, TheDeps, answer, page
from erpsync.web.api.models import NewWave, Scan, Stopped
from erpsync.web.api.orders import After, Limit
from erpsync.web.api.problems import Problem

router = APIRouter(tags=["desk"])

Release = Annotated[str, Path(description="the release's number")]
Wave = Annotated[str, Path(description="the wave's number")]
Place = Annotated[str | None, Query(description="only of this warehouse")]
WaveState = Literal["open", "printed", "done", "dropped"]


@router.get("/releases", responses=examples.page_of(examples.RELEASE))
def list_(
    deps: TheDeps,
    access: Reader,
    *,
    warehouse: Place = None,
    state: Annotated[str | None, Query(description="only in this state, for example told or recalled")] = None,
    unpicked: Annotated[bool, Query(description="only those at a desk that are in no wave")] = False,
    limit: Limit = 100,
    after: After = None,
) -> Response:
    """What warehouses have to send, newest first, without the recipients."""
    places = _places(deps, warehouse) or (deps.ctx.desks.values() if unpicked else ())
    states = [] if state is None else [state]
    with deps.reading() as connection:
        rows = list_releases(
            connection, warehouse_ids=places, states=states, unpicked=unpicked, after=after, limit=limit + 1
        )
    return page(rows[:limit], rows[limit - 1]["number"] if len(rows) > limit else None)


@router.get("/releases/{number}", responses=examples.one(examples.RELEASE))
def show(number: Release, deps: TheDeps, access: Reader) -> Response:
    """One release."""
    with deps.reading() as connection:
        return answer(show_release(connection, number))


@router.post("/releases/{number}/stop", responses=examples.one(examples.RELEASE))
def stop_(number: Release, deps: TheDeps, doing: PackDoing, said: Stopped) -> Response:
    """Say that a release is out of the pile and does not leave; its units are free again.

    One that nobody recalled is held for a person.
    """

    def act(ctx: Context) -> Any:
        stop(ctx, number, actor=doing.actor, reason=said.reason, left=said.left)

    return doing.answer(act, lambda ctx, done: _release(ctx, number))


@router.get("/waves", responses=examples.page_of(examples.WAVE_LISTED))
def waves(
    deps: TheDeps,
    access: Reader,
    *,
    warehouse: Place = None,
    state: Annotated[WaveState | None, Query(description="only in this state")] = None,
    limit: Limit = 100,
    after: After = None,
) -> Response:
    """Waves, newest first."""
    places = _places(deps, warehouse)
    states = [] if state is None else [state]
    with deps.reading() as connection:
        rows = list_waves(connection, warehouse_ids=places, states=states, after=after, limit=limit + 1)
    return page(rows[:limit], rows[limit - 1]["number"] if len(rows) > limit else None)


@router.post("/waves", status_code=201, responses=examples.one(examples.WAVE, status=201))
def make(wanted: NewWave, doing: PackDoing) -> Response:
    """Put releases of a desk that are in no wave into one, in the order of picking; null when none waits."""

    def act(ctx: Context) -> str | None:
        numbers = list(wanted.releases)
        return make_wave(ctx, warehouse=wanted.warehouse, numbers=numbers, most=wanted.most, actor=doing.actor)

    return doing.answer(act, lambda ctx, number: None if number is None else _wave(ctx, number), status=201)


@router.get("/waves/{number}", responses=examples.one(examples.WAVE))
def wave(number: Wave, deps: TheDeps, access: Reader) -> Response:
    """One wave with its releases in the order of picking."""
    return answer(_wave(deps.ctx, number))


@router.post("/waves/{number}/done", responses=examples.one(examples.WAVE))
def done(number: Wave, doing: PackDoing) -> Response:
    """End a printed wave; what has not left is in no wave any more. One of which all has left is done by itself."""
    return doing.answer(lambda ctx: finish_wave(ctx, number, actor=doing.actor), lambda ctx, _: _wave(ctx, number))


@router.post("/waves/{number}/drop", responses=examples.one(examples.WAVE))
def drop(number: Wave, doing: PackDoing) -> Response:
    """End a wave that is not printed; its releases are in none any more."""
    return doing.answer(lambda ctx: drop_wave(ctx, number, actor=doing.actor), lambda ctx, _: _wave(ctx, number))


@router.post("/scans", responses=examples.one(examples.SCANNED))
def scan(read: Scan, doing: PackDoing) -> Response:
    """Say what a scanned code is and what may be done with it; with `leave` its parcel leaves.

    What must not leave is a 409 that says in one sentence what to do instead.
    """

    def act(ctx: Context) -> Left | None:
        if not read.leave:
            return None
        return leave(ctx, read.code, carrier=read.carrier, tracking=read.tracking, actor=doing.actor)

    return doing.answer(act, lambda ctx, left: _scanned(ctx, read.code, left))


def _scanned(ctx: Context, code: str, left: Left | None) -> Json:
    seen = asdict(look_up(ctx, code))
    shown = seen.pop("shown")
    return seen | {"left": None if left is None else asdict(left), "shown": shown}


def _places(deps: Deps, warehouse: str | None) -> list[int]:
    try:
        return [] if warehouse is None else [deps.ctx.warehouse_id(warehouse)]
    except LookupError as error:
        raise Problem(422, str(error)) from error


def _release(ctx: Context, number: str) -> Json:
    with ctx.store.read() as connection:
        return show_release(connection, number)


def _wave(ctx: Context, number: str) -> Json:
    with ctx.store.read() as connection:
        return show_wave(connection, number)
