"""The label of a release: what the courier gave with its number, or makes later, kept sealed.

Why a label that is not there yet is no trouble of the waybill: the number is the parcel's whatever is printed, and a
label may be asked for again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from erpsync.flows.context import Context
from erpsync.flows.errors import Refused, error_text
from erpsync.sdk.errors import AuthError, ConnectorError, RateLimitedError, TimedOut, TransientError
from erpsync.sdk.labels import demand_label
from erpsync.sdk.roles import CourierSink, playing
from erpsync.sdk.types import Booking, LabelKind
from erpsync.store.db.store import Tx
from erpsync.store.waybills import booking_of, keep_label, label_kind_of, lock_waybills_of, opened_label


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """A release's number, with the labels of all its parcels in one; without bytes where the courier makes none.

    Args:
        numbers: of its parcels, the first one that of the booking.
        sort_code: what sorts the parcel on its way.
    """

    carrier: str
    numbers: tuple[str, ...]
    sort_code: str
    kind: LabelKind
    data: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    label: Label
    waybill_id: int
    account_id: int
    booking: Booking


def label_of(ctx: Context, release_id: int) -> Label:
    """Return the label of a release, fetched from the courier where none is kept; the vault must be open.

    Raises `Refused` with the reason where there is none yet: no number, not made yet, what came is no label.
    """
    return _fetched(ctx, ctx.store.retrying(lambda tx: _read(tx, release_id)))


def fetch_labels(ctx: Context, releases: Mapping[str, int]) -> dict[str, str]:
    """Have the labels of releases at hand, given by number with their ids; return by number why one cannot be had.

    An account that does not answer, or may not be asked, is asked once.
    """
    why: dict[str, str] = {}
    silent: dict[int, str] = {}
    for number, release_id in releases.items():
        try:
            kept = ctx.store.retrying(partial(_read, release_id=release_id))
        except Refused as error:
            why[number] = str(error)
            continue
        if kept.account_id in silent:
            why[number] = silent[kept.account_id]
            continue
        try:
            _fetched(ctx, kept)
        except Refused as error:
            why[number] = str(error)
            if isinstance(error.__cause__, TimedOut | RateLimitedError | AuthError):
                silent[kept.account_id] = f"the courier gives no label: {error_text(error.__cause__)}"
    return why


def _fetched(ctx: Context, kept: _Kept) -> Label:
    if kept.label.kind is LabelKind.NONE or kept.label.data:
        return kept.label
    account = ctx.channels.get(kept.account_id)
    sink = None if account is None else playing(account.connector, CourierSink)
    number = kept.booking.number
    if sink is None:
        raise Refused(f"the label of waybill {number} is not here yet, and it is fetched by the daemon alone")
    try:
        data = demand_label(sink.label(kept.booking), kept.label.kind)
    except TransientError as error:
        raise Refused(f"the courier has not made the label of waybill {number} yet: {error}") from error
    except ConnectorError as error:
        raise Refused(f"the courier gives no label of waybill {number}: {error}") from error
    handle = kept.booking.handle
    ctx.store.retrying(lambda tx: keep_label(tx, kept.waybill_id, handle=handle, data=data))
    label = kept.label
    return Label(carrier=label.carrier, numbers=label.numbers, sort_code=label.sort_code, kind=label.kind, data=data)


def _read(tx: Tx, release_id: int) -> _Kept:
    rows = [row for row in lock_waybills_of(tx, [release_id]).get(release_id, []) if row.live]
    if not rows:
        raise Refused("there is no waybill")
    if not rows[0].number:
        raise Refused(f"the waybill is {rows[0].state} and has no number yet")
    if rows[0].state == "cancelling":
        raise Refused(f"waybill {rows[0].number} is to be void")
    _, data = opened_label(tx, rows[0].id)
    label = Label(
        carrier=rows[0].carrier,
        numbers=tuple(row.number for row in rows),
        sort_code=rows[0].sort_code,
        kind=label_kind_of(rows[0]),
        data=data,
    )
    return _Kept(label=label, waybill_id=rows[0].id, account_id=rows[0].account_id, booking=booking_of(tx, rows))
