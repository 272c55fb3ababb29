"""`/channels` and `/dead-letters`."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from starlette.responses import Response

from erpsync.flows.channels.control import ask_backfill, ask_poll, pause_channel, resume_channel
from erpsync.flows.context import Context
from erpsync.flows.operations.dead_letters import drop_letter, replay_letter
from erpsync.store.views import list_channels, list_dead, show_channel
from erpsync.store.views.attention import show_dead
from erpsync.web.api import examples
from erpsync.web.api.deps import Deps, Doing, Reader, TheDeps, answer, page
from erpsync.web.api.models import Backfill, Drop, Pause, Poll
from erpsync.web.api.orders import After, Limit
from erpsync.web.api.paging import number

router = APIRouter()

Channel = Annotated[str, Path(description="the channel's id")]
Letter = Annotated[int, Path(ge=1, lt=2**63, description="the dead letter's id")]


@router.get("/channels", tags=["channels"], responses=examples.page_of(examples.CHANNEL_LISTED))
def list_(deps: TheDeps, access: Reader) -> Response:
    """All channels, on one page."""
    with deps.reading() as connection:
        return page(list_channels(connection), None)


@router.get("/channels/{channel}", tags=["channels"], responses=examples.one(examples.CHANNEL))
def show(channel: Channel, deps: TheDeps, access: Reader) -> Response:
    """One channel with its streams and queues."""
    return answer(_channel(deps.ctx, channel))


def _channel(ctx: Context, name: str) -> dict[str, Any]:
    with ctx.store.read() as connection:
        return show_channel(connection, name)


def _act(deps: Deps, name: str, doing: Doing, act: Callable[[Context], object]) -> Response:
    """Act on a channel that exists (else 404) and answer how it is then."""
    _channel(deps.ctx, name)
    return doing.answer(act, lambda ctx, done: _channel(ctx, name))


@router.post("/channels/{channel}/pause", tags=["channels"], responses=examples.one(examples.CHANNEL))
def pause(channel: Channel, deps: TheDeps, doing: Doing, wish: Pause) -> Response:
    """Stop all calls to a channel until it is resumed; what is due waits."""
    actor = doing.actor
    return _act(deps, channel, doing, lambda ctx: pause_channel(ctx, channel, reason=wish.reason, actor=actor))


@router.post("/channels/{channel}/resume", tags=["channels"], responses=examples.one(examples.CHANNEL))
def resume(channel: Channel, deps: TheDeps, doing: Doing) -> Response:
    """End a pause, and try refused credentials again."""
    return _act(deps, channel, doing, lambda ctx: resume_channel(ctx, channel, actor=doing.actor))


@router.post("/channels/{channel}/poll", tags=["channels"], responses=examples.one(examples.CHANNEL))
def poll(channel: Channel, deps: TheDeps, doing: Doing, wish: Poll | None = None) -> Response:
    """Ask for a pass now; which streams, if not all."""
    streams = wish.streams if wish else None
    return _act(deps, channel, doing, lambda ctx: ask_poll(ctx, channel, streams, actor=doing.actor))


@router.post("/channels/{channel}/backfill", tags=["channels"], responses=examples.one(examples.CHANNEL))
def backfill(channel: Channel, deps: TheDeps, doing: Doing, wish: Backfill | None = None) -> Response:
    """Read a channel's past again."""
    days = wish.days if wish else None
    return _act(deps, channel, doing, lambda ctx: ask_backfill(ctx, channel, days=days, actor=doing.actor))


@router.get("/dead-letters", tags=["dead letters"], responses=examples.page_of(examples.LETTER))
def letters(
    deps: TheDeps,
    access: Reader,
    *,
    channel: Annotated[str | None, Query(description="only of this channel")] = None,
    kind: Annotated[str | None, Query(description="only of this kind, for example order")] = None,
    limit: Limit = 100,
    after: After = None,
) -> Response:
    """Open dead letters, rows that only a person can move on, oldest first."""
    with deps.reading() as connection:
        rows = list_dead(connection, channel_name=channel, kind=kind, limit=limit + 1, after=number(after))
    return page(rows[:limit], str(rows[limit - 1]["id"]) if len(rows) > limit else None)


@router.post("/dead-letters/{letter}/replay", tags=["dead letters"], responses=examples.one(examples.LETTER_ENDED))
def replay(letter: Letter, deps: TheDeps, doing: Doing) -> Response:
    """Try a dead letter again, with the connector's reading of today."""
    _letter(deps.ctx, letter)
    return doing.answer(
        lambda ctx: replay_letter(ctx, letter, actor=doing.actor), lambda ctx, done: _letter(ctx, letter)
    )


@router.post("/dead-letters/{letter}/drop", tags=["dead letters"], responses=examples.one(examples.LETTER_ENDED))
def drop(letter: Letter, deps: TheDeps, doing: Doing, wish: Drop | None = None) -> Response:
    """Give a dead letter up."""
    _letter(deps.ctx, letter)
    reason = wish.reason if wish else ""
    return doing.answer(
        lambda ctx: drop_letter(ctx, letter, actor=doing.actor, reason=reason), lambda ctx, done: _letter(ctx, letter)
    )


def _letter(ctx: Context, id: int) -> dict[str, Any]:
    with ctx.store.read() as connection:
        return show_dead(connection, id)
