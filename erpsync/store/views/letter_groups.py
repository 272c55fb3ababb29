"""Open dead letters by cause, one letter's story, and those that a person may act on together."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, literal_column, select

from erpsync.core import advice
from erpsync.core.causes import cause_of, group_of
from erpsync.store.remedies import letter_remedy
from erpsync.store.tables import channel, dead_letter, event, orders
from erpsync.store.views.feed import tell, with_codes
from erpsync.store.views.values import Json, NotFound, detail, iso, row_json

MOST_GROUPED = 2_000
"""So many open letters, the newest, are put into groups."""

LOOKED_AT = 5_000
"""So many events about no order are looked through for those of a letter."""

# Text, so that SQLite sees that the partial index of open letters fits.
_OPEN = dead_letter.c.state == literal_column("'open'")
_LETTER = ("id", "channel", "kind", "key", "at", "attempts", "error", "source", "remedy", "order")


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterGroup:
    """Open letters of one kind and cause; `ids` are the newest first, `example` is the error of the newest."""

    name: str
    kind: str
    cause: str
    ids: tuple[int, ...]
    channels: tuple[str, ...]
    oldest_at: str
    newest_at: str
    example: str

    @property
    def count(self) -> int:
        """How many letters it holds."""
        return len(self.ids)


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterGroups:
    """The groups, those with most letters first; `total` are all open letters, `grouped` those that were looked at."""

    total: int
    grouped: int
    groups: tuple[LetterGroup, ...]

    def named(self, name: str) -> LetterGroup:
        """Return a group; raises `NotFound`."""
        for group in self.groups:
            if group.name == name:
                return group
        raise NotFound("none of the open dead letters has this cause any more")


def letter_groups(connection: Connection, *, shop: str | None = None) -> LetterGroups:
    """Return the newest open dead letters by kind and cause, of one channel or of all."""
    of_shop = dead_letter.c.channel_id.in_(select(channel.c.id).where(channel.c.name == shop))
    wanted = [_OPEN] if shop is None else [_OPEN, of_shop]
    total = connection.execute(select(func.count()).select_from(dead_letter).where(*wanted)).scalar_one()
    query = (
        select(dead_letter.c.id, dead_letter.c.kind, dead_letter.c.error, dead_letter.c.at, channel.c.name)
        .join(channel, channel.c.id == dead_letter.c.channel_id)
        .where(*wanted)
        # Sorted, not walked backwards: what is open is short, the key leads through everything that ever was.
        .order_by((dead_letter.c.id + 0).desc())
        .limit(MOST_GROUPED)
    )
    rows = connection.execute(query).all()
    by_cause: dict[tuple[str, str], list[Any]] = defaultdict(list)
    for row in rows:
        by_cause[row.kind, cause_of(row.error)].append(row)
    groups = [_group(kind, cause, of_cause) for (kind, cause), of_cause in by_cause.items()]
    # Stable: of two with as many letters the one that got the newest comes first, as it was met first.
    return LetterGroups(total=total, grouped=len(rows), groups=tuple(sorted(groups, key=lambda g: -g.count)))


def _group(kind: str, cause: str, rows: Sequence[Any]) -> LetterGroup:
    instants = [row.at for row in rows]
    return LetterGroup(
        name=group_of(kind, cause),
        kind=kind,
        cause=cause,
        ids=tuple(row.id for row in rows),
        channels=tuple(sorted({row.name for row in rows})),
        oldest_at=iso(min(instants)) or "",
        newest_at=iso(max(instants)) or "",
        example=rows[0].error,
    )


def letters_by_id(connection: Connection, ids: Sequence[int]) -> list[Json]:
    """Return dead letters, newest first, open or not, each with what helps it; ids that are none are left out.

    `order` is our number of the order it is about, None where it names none that is stored.
    """
    if not ids:
        return []
    by_name = (orders.c.channel_id == dead_letter.c.channel_id) & (
        orders.c.external_id == dead_letter.c.order_external_id
    )
    named = orders.alias("named")
    query = (
        select(
            *(dead_letter.c[name] for name in ("id", "kind", "key", "at", "attempts", "error", "source", "state")),
            dead_letter.c.received_at,
            channel.c.name.label("channel"),
            letter_remedy().label("remedy"),
            func.coalesce(named.c.number, orders.c.number).label("order"),
        )
        .join(channel, channel.c.id == dead_letter.c.channel_id)
        .outerjoin(named, named.c.id == dead_letter.c.order_id)
        .outerjoin(orders, by_name)
        .where(dead_letter.c.id.in_(list(ids)))
        .order_by(dead_letter.c.id.desc())
    )
    return [_letter(row) for row in connection.execute(query)]


def _letter(row: Any) -> Json:
    shown = row_json(row, (*_LETTER, "state", "received_at"))
    if row.state != "open":
        return shown | {"remedy": "", "next": ""}
    return shown | {"next": advice.fill(advice.letter(row.kind, row.remedy), id=row.id)}


def show_letter(connection: Connection, id: int) -> Json:
    """Return one dead letter, open or not, with `events`: what was tried and decided; raises `NotFound`."""
    letters = letters_by_id(connection, [id])
    if not letters:
        raise NotFound(f"no dead letter {id}")
    return letters[0] | {"events": _events(connection, id)}


def _events(connection: Connection, id: int) -> list[Json]:
    """Return the events of a letter, newest first; of one about no order those among the latest about none."""
    row = connection.execute(select(dead_letter.c.order_id, dead_letter.c.at).where(dead_letter.c.id == id)).one()
    if row.order_id is not None:
        about = with_codes().where(event.c.order_id == row.order_id, event.c.order_id.is_not(None))
    else:
        # Scans event: those about no order alone, since the letter came, and no further than LOOKED_AT.
        latest = (
            select(event.c.id)
            .where(event.c.order_id.is_(None), event.c.at >= row.at)
            .order_by(event.c.at.desc())
            .limit(LOOKED_AT)
            .subquery()
        )
        about = with_codes().where(event.c.id.in_(select(latest.c.id)))
    query = about.where(event.c.kind.startswith("letter.", autoescape=True)).order_by((event.c.id + 0).desc())
    rows = connection.execute(query.limit(LOOKED_AT)).all()
    return tell(connection, [each for each in rows if _letter_of(each.detail) == id])


def _letter_of(stored: str) -> Any:
    told = detail(stored)
    return told.get("dead_letter") if isinstance(told, dict) else None
