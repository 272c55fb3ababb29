"""What lies at a desk now: what waits to be picked, the waves that are under way, what is to be taken out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from erpsync.flows.context import Context
from erpsync.flows.desk.verdicts import why_recalled
from erpsync.flows.desk.waves import desk_of, free_releases
from erpsync.flows.warehouses.siblings import could_come_along
from erpsync.store.views.releases import list_releases, stop_list, waves_under_way
from erpsync.store.views.values import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A release that is in no wave, as lists show it, and when its oldest order is due.

    `beside` are numbers of paid orders to its recipient that may leave later: it is picked only where a person says so.
    """

    release: Json
    due_at: datetime
    beside: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """A desk as it is now.

    Args:
        to_pick: how many releases are in no wave.
        late: how many of them should have left by now.
        waiting: those of them that are due first.
        waves: those that are under way, the newest first.
        stops: what was printed and must not leave, each with `why`.
    """

    to_pick: int
    late: int
    waiting: Sequence[Waiting]
    waves: Sequence[Json]
    stops: Sequence[Json]


def board(ctx: Context, warehouse: str, *, most: int) -> Board:
    """Return a desk as it is now, `most` of what waits at it; raises `Refused` for a warehouse that is no desk."""
    place, now = desk_of(ctx, warehouse), ctx.store.trusted_now()
    with ctx.store.read() as connection:
        free = sorted(free_releases(connection, ctx, place), key=lambda each: (each.due_at, each.id))
        first = free[:most]
        numbers = [each.number for each in first]
        shown = {each["number"]: each for each in list_releases(connection, numbers=numbers, limit=0)} if first else {}
        beside = could_come_along(connection, ctx, [each.id for each in first])
        return Board(
            to_pick=len(free),
            late=sum(each.due_at < now for each in free),
            waiting=[
                Waiting(
                    release=shown[each.number],
                    due_at=each.due_at,
                    beside=[other.order for other in beside.get(each.id, ())],
                )
                for each in first
            ],
            waves=waves_under_way(connection, place),
            stops=_stops(connection, place),
        )


def _stops(connection: Connection, place: int) -> list[Json]:
    listed = stop_list(connection, [place])
    why = why_recalled(connection, [each["number"] for each in listed]) if listed else {}
    return [each | {"why": why[each["number"]]} for each in listed]


def waits_for_people(ctx: Context) -> Iterator[tuple[str, str, int, str]]:
    """Yield what people should look at: `stops` or `waves`, the desk, how many, and since when the first is there."""
    with ctx.store.read() as connection:
        for warehouse, place in sorted(ctx.desks.items()):
            stops = stop_list(connection, [place])
            if stops:
                yield "stops", warehouse, len(stops), stops[0]["made_at"]
            unprinted = [wave for wave in waves_under_way(connection, place) if wave["state"] == "open"]
            if unprinted:
                yield "waves", warehouse, len(unprinted), unprinted[-1]["made_at"]
