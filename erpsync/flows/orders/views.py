"""Views of a channel's orders, brought into what is known of them: which of a batch count, and what they make of it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum, auto

from erpsync.core.notes import newer, older
from erpsync.core.orders import KnownOrder, Merged, carries, first_seen, merge, ordered, unbooked
from erpsync.core.readings import Verdict, is_further, judge
from erpsync.core.some_lines import adds, completed, with_added
from erpsync.flows.allocation.changes import Change
from erpsync.flows.context import Channel, Context
from erpsync.flows.orders.notes import with_notes
from erpsync.flows.orders.numbering import free_numbers
from erpsync.flows.records.batch import OrderRecord
from erpsync.flows.records.unread import Read
from erpsync.store.db.bulk import new_ids
from erpsync.store.db.store import Tx
from erpsync.store.encrypted import recipient_index
from erpsync.store.orders import new_line_ids
from erpsync.store.restored import read_restored
from erpsync.store.tables import orders

Records = Mapping[str, OrderRecord]
Known = Mapping[str, KnownOrder]


class Use(Enum):
    """What becomes of a record."""

    COUNTS = auto()
    ADDS_LINES = auto()
    """It is older, and shows lines that nobody has seen: another part of the order came first."""
    NO_NEWS = auto()
    DISPUTED = auto()
    NOTHING_WANTED = auto()
    READ_AGAIN = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """An order of a batch: as it is stored, and as its views have it.

    Args:
        before: None when the order is new.
        record: the record that counts; None when the order is decided anew as it is known.
        late: an older record of which lines were taken.
    """

    before: KnownOrder | None
    merged: Merged
    record: OrderRecord | None = None
    late: OrderRecord | None = None

    @property
    def order(self) -> KnownOrder:
        """The order as its views have it."""
        return self.merged.order

    @property
    def wanted(self) -> Change:
        """What its views want of it."""
        return Change(before=self.before, after=self.order, left=self.merged.left_behind)


def latest(incoming: Iterable[OrderRecord]) -> dict[str, OrderRecord]:
    """Return the newest record of each order, by external id, in the order in which they came."""
    newest: dict[str, OrderRecord] = {}
    for record in incoming:
        before = newest.get(record.order.external_id)
        if before is None or _turn(record) >= _turn(before):
            newest[record.order.external_id] = record
    return newest


def _turn(record: OrderRecord) -> tuple[datetime, datetime]:
    return (record.order.version_at, record.raw.read_from)


def by_use(stored: Known, records: Records, *, rereads: bool) -> dict[Use, dict[str, OrderRecord]]:
    """Return the records by what becomes of them beside what is known.

    Args:
        rereads: whether the channel can be asked for one order again.
    """
    by_use: dict[Use, dict[str, OrderRecord]] = {use: {} for use in Use}
    for external_id, record in records.items():
        by_use[_use_of(stored.get(external_id), record, rereads=rereads)][external_id] = record
    return by_use


def _use_of(before: KnownOrder | None, record: OrderRecord, *, rereads: bool) -> Use:
    order = record.order
    if before is None:
        return Use.COUNTS if ordered(order) else Use.NOTHING_WANTED
    further, back = is_further(order.state, before.state), is_further(before.state, order.state)
    match judge(before.reading, record.reading, further=further, rereads=rereads, back=back):
        case Verdict.DISPUTED:
            return Use.DISPUTED
        case Verdict.READ_AGAIN:
            return Use.READ_AGAIN
        case Verdict.OLDER if adds(before, order):
            return Use.ADDS_LINES
        case Verdict.SAME | Verdict.OLDER:
            return Use.NO_NEWS
    return Use.COUNTS


def merge_views(
    tx: Tx, ctx: Context, channel: Channel, stored: Known, counting: Records, late: Records
) -> dict[str, View]:
    """Return the orders as the records make them, by external id; new ones have their ids and numbers.

    What has left already of a new one touches no stock, unless it came and left while the database was lost.

    Args:
        late: older records, of which only lines are taken that are not known.
    """
    new = [external_id for external_id in counting if external_id not in stored]
    ids = dict(zip(new, new_ids(tx, orders, len(new)), strict=True))
    line_ids = iter(new_line_ids(tx, _count_new_lines(stored, counting)))
    numbers = free_numbers(tx, ctx, channel, len(new))
    restored, overlap = read_restored(tx.connection), timedelta(seconds=channel.poll.overlap_s)
    views: dict[str, View] = {}
    for key, record in counting.items():
        order, reading, before = record.order, record.reading, stored.get(key)
        if before is not None:
            merged = _with_recipient(tx, merge(before, completed(before, order), reading, line_ids), record)
            noted, changes = with_notes(tx, merged.order, order, newer, before=before)
            merged = replace(merged, order=noted, changes=tuple(dict.fromkeys((*merged.changes, *changes))))
        else:
            number = next(numbers)
            seen = first_seen(order, reading, id=ids[key], channel_id=channel.id, number=number, ids=line_ids)
            unknown_since = restored is not None and restored.hides(order.placed_at, overlap=overlap)
            merged = unbooked(seen) if unknown_since else Merged(order=seen)
            merged = replace(merged, order=with_notes(tx, merged.order, order, newer)[0])
        views[key] = View(before=before, merged=merged, record=record)
    line_ids = iter(new_line_ids(tx, _count_new_lines(stored, late)))
    for key, record in late.items():
        merged = with_added(stored[key], record.order, line_ids)
        noted, _ = with_notes(tx, merged.order, record.order, older)
        views[key] = View(before=stored[key], merged=replace(merged, order=noted), late=record)
    return views


def _count_new_lines(stored: Known, records: Records) -> int:
    count = 0
    for external_id, record in records.items():
        before = stored.get(external_id)
        seen = {line.external_id for line in before.of_channel} if before else set()
        count += sum(1 for line in record.order.lines if line.external_id not in seen)
    return count


def _with_recipient(tx: Tx, merged: Merged, record: OrderRecord) -> Merged:
    """Note a changed recipient by its keyed hash, so that nothing has to be decrypted to compare."""
    recipient = record.order.recipient
    if not carries(recipient) or recipient_index(tx.vault, recipient) == merged.order.recipient_index:
        return merged
    return replace(merged, changes=(*merged.changes, "recipient"))


def as_read(views: Iterable[View]) -> list[Read]:
    """Return each record that counts, with its order as it was known and its row id."""
    return [(view.record, view.before, view.order.id) for view in views if view.record is not None]


def as_read_late(views: Iterable[View]) -> list[Read]:
    """Return each older record of which lines were taken, as `as_read`."""
    return [(view.late, view.before, view.order.id) for view in views if view.late is not None]
