"""`/waybills`: couriers' numbers for parcels, booked and void."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query
from starlette.responses import Response

from erpsync.flows.context import Context
from erpsync.flows.couriers.acts import book, set_number, void
from erpsync.store.views.values import Json
from erpsync.store.views.waybills import list_waybills, show_waybill
from erpsync.web.api import examples
from erpsync.web.api.courier_examples import WAYBILL
from erpsync.web.api.deps import Doing, Reader, TheDeps, answer, page
from erpsync.web.api.models import Booked
from erpsync.web.api.orders import After, Limit
from erpsync.web.api.paging import number as id_of

router = APIRouter(tags=["couriers"])

Number = Annotated[str, Path(description="the courier's number, the key of the booking, or the release's number")]
State = Literal["spare", "wanted", "unsure", "handed", "booked", "used", "cancelling", "cancelled", "refused"]


@router.get("/waybills", responses=examples.page_of(WAYBILL))
def list_(
    deps: TheDeps,
    access: Reader,
    *,
    account: Annotated[str | None, Query(description="only of this account")] = None,
    state: Annotated[State | None, Query(description="only those in this state")] = None,
    release: Annotated[str | None, Query(description="only those of this release")] = None,
    limit: Limit = 100,
    after: After = None,
) -> Response:
    """Couriers' numbers for parcels, newest first; what a courier gave to print is in none of them."""
    with deps.reading() as connection:
        rows = list_waybills(
            connection, account=account, state=state, release_number=release, before_id=id_of(after), limit=limit + 1
        )
    return page(rows[:limit], str(rows[limit - 1]["id"]) if len(rows) > limit else None)


@router.get("/waybills/{number}", responses=examples.one(WAYBILL))
def show(number: Number, deps: TheDeps, access: Reader) -> Response:
    """One waybill; of a release or a booking the one of its first parcel, the newest that there is."""
    with deps.reading() as connection:
        return answer(show_waybill(connection, number))


@router.post("/waybills", status_code=201, responses=examples.one(WAYBILL, status=201))
def book_(wanted: Booked, doing: Doing) -> Response:
    """Let a release get a number, also where it was refused; or say with `number` which one its parcel has."""

    def act(ctx: Context) -> Any:
        if wanted.number:
            return set_number(ctx, wanted.release, wanted.number, actor=doing.actor)
        return book(ctx, wanted.release, actor=doing.actor)

    return doing.answer(act, lambda ctx, key: _waybill(ctx, key or wanted.release), status=201)


@router.post("/waybills/{number}/cancel", responses=examples.one(WAYBILL))
def cancel(number: Number, doing: Doing) -> Response:
    """Let a waybill be void, as long as its parcel has not left. The courier is asked behind the answer."""
    return doing.answer(lambda ctx: void(ctx, number, actor=doing.actor), lambda ctx, key: _waybill(ctx, key or number))


def _waybill(ctx: Context, name: str) -> Json:
    with ctx.store.read() as connection:
        return show_waybill(connection, name)
