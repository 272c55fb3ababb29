"""Alarms as rows: which stand, what a look makes of them, and the events that tell of it.

Why each step is a conditional statement: two nodes that look at once, and one that looks again after it died, tell an
alarm once, whoever of them is first.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, or_, select, text, update

from erpsync.core.alarms import Condition, Moves, Standing
from erpsync.core.personal import scrubbed
from erpsync.store.db.store import Tx
from erpsync.store.events import Event, write_events
from erpsync.store.tables import alarm, channel

_STANDS = text("alarm.ended_at IS NULL")
_COLUMNS = ("id", "rule", "subject", "channel_id", "said", "step", "seen_at", "raised_at", "well_at")


def standing_alarms(tx: Tx, host: str) -> list[Standing]:
    """Return the alarms that are not over: of a machine's own trouble, or of what any node sees for an empty name."""
    query = select(*(alarm.c[name] for name in _COLUMNS)).where(_STANDS, alarm.c.host == host).order_by(alarm.c.id)
    return [Standing(**row._mapping) for row in tx.all(query.with_for_update())]


def hosts_with_alarms(connection: Connection) -> set[str]:
    """Return the machines of whose own trouble an alarm stands."""
    return set(connection.execute(select(alarm.c.host).where(_STANDS, alarm.c.host != "").distinct()).scalars())


def carry_out(tx: Tx, moves: Moves, host: str) -> None:
    """Write what a look makes of alarms, with an event for each that is told or over."""
    for condition in moves.seen:
        row = tx.insert(alarm).values(seen_at=tx.now, host=host, **_values(condition), **_key(condition))
        tx.execute(row.on_conflict_do_nothing(index_elements=["rule", "subject"], index_where=text("ended_at IS NULL")))
    events = [event for before, now in moves.raised for event in _raise(tx, before, now)]
    for before, now in moves.same:
        values = {**_values(now), "well_at": None}
        if values["said"] != before.said or before.well_at is not None or now.step != before.step:
            tx.execute(_of(before).values(**values))
    for before in moves.well:
        tx.execute(_of(before).values(well_at=tx.now))
    for before in moves.forgotten:
        tx.execute(delete(alarm).where(alarm.c.id == before.id, _STANDS, alarm.c.raised_at.is_(None)))
    events += [event for before in moves.ended for event in _end(tx, before)]
    write_events(tx, events)


def end_alarms_of(tx: Tx, host: str) -> None:
    """End what stands of a machine's own trouble, none of whose nodes lives: nobody would see it mended."""
    # Scans alarm: those that are not over.
    query = select(*(alarm.c[name] for name in _COLUMNS)).where(_STANDS, alarm.c.host == host).with_for_update()
    gone = [Standing(**row._mapping) for row in tx.all(query)]
    carry_out(
        tx,
        Moves(
            ended=[each for each in gone if each.raised_at is not None],
            forgotten=[each for each in gone if each.raised_at is None],
        ),
        host,
    )


def note_past(tx: Tx, condition: Condition, *, seen_at: datetime, raised_at: datetime) -> bool:
    """Store an alarm that could not be stored when it was raised; False where another node has told of it.

    Its own instants are kept; the event is of now, with them in it. An alarm of this key that stood meanwhile, and may
    be over by now, was the same one.
    """
    same = select(alarm.c.id).where(alarm.c.rule == condition.rule, alarm.c.subject == condition.subject)
    # Scans alarm: a rule's own, of the last months.
    overlaps = or_(alarm.c.ended_at.is_(None), alarm.c.ended_at >= seen_at)
    if tx.execute(same.where(overlaps).limit(1)).first() is not None:
        return False
    values = {**_values(condition), **_key(condition), "seen_at": seen_at, "raised_at": raised_at}
    row = tx.insert(alarm).values(**values)
    fresh = row.on_conflict_do_nothing(index_elements=["rule", "subject"], index_where=text("ended_at IS NULL"))
    if tx.execute(fresh.returning(alarm.c.id)).scalar() is None:
        return False
    write_events(tx, [_raised(condition, seen_at)])
    return True


def list_alarms(connection: Connection, *, over: bool, limit: int) -> Sequence[Any]:
    """Return told alarms with their channel's name, newest first: those that stand, or those that are over as well.

    Args:
        limit: of those that are over, so many at most.
    """
    columns = (*(alarm.c[name] for name in _COLUMNS), alarm.c.level, alarm.c.host, alarm.c.ended_at)
    query = select(*columns, channel.c.name.label("channel")).outerjoin(channel, channel.c.id == alarm.c.channel_id)
    stands = query.where(_STANDS, alarm.c.raised_at.is_not(None)).order_by(alarm.c.raised_at.desc(), alarm.c.id.desc())
    rows = list(connection.execute(stands).all())
    if over and limit:
        # Scans alarm: newest first along its index, and no further than the list is long.
        ended = query.where(alarm.c.ended_at.is_not(None)).order_by(alarm.c.ended_at.desc(), alarm.c.id.desc())
        rows += connection.execute(ended.limit(limit)).all()
    return rows


def lasted(since: datetime, until: datetime) -> int:
    """Return whole seconds, 0 at least."""
    return max(0, (until - since) // timedelta(seconds=1))


def _key(condition: Condition) -> dict[str, Any]:
    return {"rule": condition.rule, "subject": condition.subject}


def _values(condition: Condition) -> dict[str, Any]:
    said = scrubbed(condition.said)
    return {"channel_id": condition.channel_id, "level": condition.level, "step": condition.step, "said": said}


def _of(before: Standing) -> Any:
    return update(alarm).where(alarm.c.id == before.id, _STANDS)


def _raise(tx: Tx, before: Standing, now: Condition) -> list[Event]:
    """Note that an alarm is told, or told again because it got worse; nothing where another node was quicker."""
    first = before.raised_at is None
    not_yet = alarm.c.raised_at.is_(None) if first else alarm.c.step < now.step
    values = {**_values(now), "well_at": None} | ({"raised_at": tx.now} if first else {})
    told = tx.execute(_of(before).where(not_yet).values(**values)).rowcount
    return [_raised(now, before.seen_at)] if told else []


def _raised(condition: Condition, since: datetime) -> Event:
    detail = {
        "check": condition.rule,
        "subject": condition.subject,
        "level": condition.level,
        "text": scrubbed(condition.said),
        "since": since.isoformat(),
    }
    return Event(kind="alarm.raised", channel_id=condition.channel_id, detail=detail)


def _end(tx: Tx, before: Standing) -> list[Event]:
    if not tx.execute(_of(before).values(ended_at=tx.now)).rowcount:
        return []
    until = before.well_at or tx.now
    detail = {
        "check": before.rule,
        "subject": before.subject,
        "text": before.said,
        "since": before.seen_at.isoformat(),
        "lasted_s": lasted(before.seen_at, until),
    }
    return [Event(kind="alarm.ended", channel_id=before.channel_id, detail=detail)]
