"""`/events` and `/subscriptions`: what happened, asked for or told."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from starlette.responses import Response

from erpsync.flows.api.subscriptions import Wanted, go_back, restart, reveal_secret, subscribe, unsubscribe
from erpsync.flows.context import Context
from erpsync.store.feed import settled_id
from erpsync.store.views.feed import list_events, list_subscriptions, newest_event, show_subscription
from erpsync.store.views.routes import list_routes
from erpsync.web.api import examples
from erpsync.web.api.deps import Admin, AdminDoing, Reader, TheDeps, answer, page
from erpsync.web.api.models import GoBack, Subscription
from erpsync.web.api.orders import Limit
from erpsync.web.api.paging import number
from erpsync.web.api.problems import Problem

router = APIRouter()

LOOK_AT = 20_000
"""So many events one page with `kind` looks through at most."""

Id = Annotated[int, Path(ge=1, lt=2**63, description="the subscription's id")]


@router.get("/events", tags=["events"], responses=examples.page_of(examples.EVENT, following="4712"))
def list_(
    deps: TheDeps,
    access: Reader,
    *,
    after: Annotated[str, Query(description="the cursor to go on after: `next` of the page before; 0 is all")] = "0",
    kind: Annotated[
        list[str], Query(description="only these kinds; one that ends in a dot means all that begin so", max_length=50)
    ] = [],  # noqa: B006 - FastAPI copies it
    limit: Limit = 100,
) -> Response:
    """Events, oldest first. `next` is always there: ask with it again for what comes later.

    Events of one order are in the order in which they happened. With `kind` a page may be short, even empty, before the
    end is reached: `next` tells how far it has looked, and it is reached when `next` stays the same.
    """
    start, until = number(after), settled_id(deps.site.store)
    if start > until:
        _refuse_ahead(deps, start)
    if kind:  # a rare kind must not make one page walk all there ever was
        until = min(until, start + LOOK_AT)
    with deps.reading() as connection:
        events = list_events(connection, after=start, until=until, kinds=kind, limit=limit)
    last = events[-1]["id"] if len(events) == limit else max(start, until)
    return page(events, str(last))


def _refuse_ahead(deps: TheDeps, start: int) -> None:
    """Refuse a cursor behind which there is nothing yet: after a restore a consumer would hear nothing for weeks."""
    with deps.reading() as connection:
        newest = newest_event(connection)
    if start > newest:
        raise Problem(422, f"after is {start}, ahead of the newest event {newest}: go on after {newest}, or 0 for all")


@router.get("/routes", tags=["events"], responses=examples.page_of(examples.ROUTE))
def routes(deps: TheDeps, access: Reader) -> Response:
    """Which department is told of what, and whether it gets through; on one page."""
    with deps.reading() as connection:
        return page(list_routes(connection, deps.ctx.routes), None)


@router.get("/subscriptions", tags=["events"], responses=examples.page_of(examples.SUBSCRIPTION))
def subscriptions(deps: TheDeps, access: Reader) -> Response:
    """All subscriptions, on one page."""
    with deps.reading() as connection:
        return page(list_subscriptions(connection), None)


@router.get("/subscriptions/{id}", tags=["events"], responses=examples.one(examples.SUBSCRIPTION))
def show(id: Id, deps: TheDeps, access: Reader) -> Response:
    """One subscription."""
    return answer(_subscription(deps.ctx, id))


def _subscription(ctx: Context, id: int) -> dict[str, Any]:
    with ctx.store.read() as connection:
        return show_subscription(connection, id)


@router.post(
    "/subscriptions", tags=["events"], status_code=201, responses=examples.one(examples.SUBSCRIPTION, status=201)
)
def create(wish: Subscription, deps: TheDeps, doing: AdminDoing) -> Response:
    """Tell an address of events: signed POSTs (Standard Webhooks), in order, each at least once.

    A call counts as taken with any 2xx within 10 s; else it is repeated, and what comes behind it waits. 410 ends it,
    and so do three days without success; a task then asks a person. The secret is at `/subscriptions/{id}/secret`.
    """
    after = None if wish.after is None else number(wish.after)
    wanted = Wanted(url=wish.url, kinds=tuple(wish.kinds), after=after)
    return doing.answer(
        lambda ctx: subscribe(ctx, wanted, actor=doing.actor),
        lambda ctx, id: _made(ctx, id, wanted),
        status=201,
    )


def _made(ctx: Context, id: int | None, wanted: Wanted) -> dict[str, Any]:
    """Return the subscription just made; after a crash in between it is the newest one of this address."""
    with ctx.store.read() as connection:
        if id is not None:
            return show_subscription(connection, id)
        return [row for row in list_subscriptions(connection) if row["url"] == wanted.url][-1]


@router.get("/subscriptions/{id}/secret", tags=["events"], responses=examples.one(examples.SECRET))
def secret(id: Id, deps: TheDeps, access: Admin) -> Response:
    """The secret that signs the calls; leaves an audit event."""
    _subscription(deps.ctx, id)
    return answer({"id": id, "secret": reveal_secret(deps.ctx, id, actor=access.actor)})


@router.post("/subscriptions/{id}/replay", tags=["events"], responses=examples.one(examples.SUBSCRIPTION))
def replay(id: Id, wish: GoBack, deps: TheDeps, doing: AdminDoing) -> Response:
    """Tell again what came after a cursor, or leave out what cannot be taken, beginning at once."""
    _subscription(deps.ctx, id)
    after = number(wish.after)
    return doing.answer(
        lambda ctx: go_back(ctx, id, after=after, actor=doing.actor), lambda ctx, done: _subscription(ctx, id)
    )


@router.post("/subscriptions/{id}/resume", tags=["events"], responses=examples.one(examples.SUBSCRIPTION))
def resume(id: Id, deps: TheDeps, doing: AdminDoing) -> Response:
    """Go on with an address that was given up, at once and where it stands."""
    _subscription(deps.ctx, id)
    return doing.answer(lambda ctx: restart(ctx, id, actor=doing.actor), lambda ctx, done: _subscription(ctx, id))


@router.delete("/subscriptions/{id}", tags=["events"], status_code=204)
def end(id: Id, deps: TheDeps, access: Admin) -> Response:
    """Tell an address nothing more."""
    _subscription(deps.ctx, id)
    unsubscribe(deps.ctx, id, actor=access.actor)
    return Response(status_code=204)
