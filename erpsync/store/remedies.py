"""What helps an open dead letter: trying it again, its mended source, or nothing but to drop it.

Why asked of the rows and not kept: the effect or delivery that a letter stands for may have gone since it was written.
"""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Connection, and_, case, exists, or_, select

from erpsync.store.db.lookups import has
from erpsync.store.tables import channel, dead_letter, inbox, outbox


def letter_remedy() -> ColumnElement[str]:
    """Return the SQL expression of a letter's remedy, `replay`, `mend` or `drop`, for queries on `dead_letter`."""
    same = and_(inbox.c.channel_id == dead_letter.c.channel_id, inbox.c.delivery_key == dead_letter.c.key)
    delivered = has(select(inbox.c.id).where(same, inbox.c.state == "dead", inbox.c.body.is_not(None)), of=dead_letter)
    its_effect = outbox.c.id == dead_letter.c.outbox_id
    effect = has(select(outbox.c.id).where(its_effect, outbox.c.state == "dead"), of=dead_letter)
    configured = exists().where(channel.c.id == dead_letter.c.channel_id, channel.c.active).correlate(dead_letter)
    kept = or_(
        and_(dead_letter.c.outbox_id.is_not(None), effect),
        and_(dead_letter.c.kind == "inbox", delivered),
        and_(dead_letter.c.outbox_id.is_(None), dead_letter.c.kind != "inbox", dead_letter.c.body.is_not(None)),
    )
    return case((~configured, "drop"), (dead_letter.c.broken, "mend"), (kept, "replay"), else_="drop")


def letter_remedies(connection: Connection, ids: Sequence[int]) -> dict[int, str]:
    """Return the remedy of each of these dead letters."""
    query = select(dead_letter.c.id, letter_remedy().label("remedy")).where(dead_letter.c.id.in_(ids))
    return {row.id: row.remedy for row in connection.execute(query)} if ids else {}
