"""Parcels that a file or another system reports: recorded like any other, and a letter where they fit nothing."""

from collections.abc import Sequence
from typing import Any

from erpsync.flows.context import Channel, Context
from erpsync.flows.errors import Refused
from erpsync.flows.shipments.record import Parcel, ShipLine, ShipResult, record_parcels
from erpsync.sdk.types import ShipmentReportPage
from erpsync.store.db.store import Tx
from erpsync.store.dead_letters import DeadLetter, add_dead_letters, close_dead_letters, close_file_letters


def apply_reports(tx: Tx, *, ctx: Context, channel: Channel, page: ShipmentReportPage) -> None:
    """Record the parcels a file or a warehouse reports; those that cannot be become dead letters with their line."""
    parcels = [
        Parcel(
            order=report.order,
            carrier=report.carrier,
            tracking=report.tracking,
            lines=[ShipLine(line=line.line_external_id, qty=line.qty) for line in report.lines],
            actor=f"channel {channel.name}",
        )
        for report in page.reports
    ]
    answers = _record_reported(tx, ctx, channel, parcels)
    letters = [
        DeadLetter(
            channel_id=channel.id,
            kind="shipment_report",
            key=report.key,
            error=answer.kept,
            source=report.source,
            body=_body(parcel),
        )
        for report, parcel, answer in zip(page.reports, parcels, answers, strict=True)
        if isinstance(answer, Refused)
    ]
    letters += [
        DeadLetter(
            channel_id=channel.id,
            kind="shipment_report",
            key=bad.key,
            error=str(bad.error),
            source=bad.error.source,
            broken=True,
            body={"row": dict(bad.row)},
        )
        for bad in page.bad
    ]
    taken = [r.key for r, answer in zip(page.reports, answers, strict=True) if not isinstance(answer, Refused)]
    close_dead_letters(tx, channel.id, "shipment_report", taken, state="superseded")
    close_file_letters(tx, channel.id, page.begins, kept=[letter.key for letter in letters])
    add_dead_letters(tx, letters)


def refuse_giant(channel: Channel, lines: int) -> None:
    """Raise `Refused` for a parcel of more lines than one of this channel may have."""
    if lines > channel.max_lines:
        raise Refused(f"{lines} lines, more than max_lines ({channel.max_lines})")


def _record_reported(tx: Tx, ctx: Context, channel: Channel, parcels: Sequence[Parcel]) -> list[ShipResult | Refused]:
    """Record parcels of a report; one of too many lines is refused by itself."""
    answers: dict[int, ShipResult | Refused] = {}
    for number, parcel in enumerate(parcels):
        try:
            refuse_giant(channel, len(parcel.lines))
        except Refused as refused:
            answers[number] = refused
    rest = [number for number in range(len(parcels)) if number not in answers]
    answers |= dict(zip(rest, record_parcels(tx, ctx, [parcels[number] for number in rest]), strict=True))
    return [answers[number] for number in range(len(parcels))]


def _body(parcel: Parcel) -> dict[str, Any]:
    return {
        "order": parcel.order,
        "carrier": parcel.carrier,
        "tracking": parcel.tracking,
        "lines": [[line.line, line.qty] for line in parcel.lines],
    }
