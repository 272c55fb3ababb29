"""Printing at a desk: waves made by hand, what was printed, what stands on record."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select, update

from erpsync.flows.desk.printing import Printed, print_papers
from erpsync.papers.papers import Papers
from erpsync.papers.style import DocumentSettings, PaperName
from erpsync.sdk.types import LabelKind
from erpsync.store.registry import OWN_ID, make_own_channel
from erpsync.store.tables import print_run, release, wave, waybill
from erpsync.store.waybills import keep_label
from tests.support.papers import FONT, PATIENT_S
from tests.support.shop import Town

SETTINGS = DocumentSettings(fonts=(FONT,))


def open_papers() -> Papers:
    """Return what sets pages, with the tests' font and much patience."""
    return Papers(SETTINGS.fonts, limit_s=PATIENT_S)


def print_out(town: Town, papers: Papers, paper: PaperName, number: str, **given: Any) -> Printed:
    """Print as `me`."""
    return print_papers(town.ctx, papers, SETTINGS, paper, number, **({"actor": "me"} | given))


def put_in_wave(town: Town, numbers: Sequence[str], *, wave_number: str = "W202603020001") -> str:
    """Make a wave of these releases, in this order, and return its number."""
    with town.store.begin() as tx:
        row = {"warehouse_id": town.ctx.warehouse_id("SH"), "number": wave_number, "state": "open", "actor": "me"}
        wave_id = tx.execute(wave.insert().values(**row, made_at=tx.now).returning(wave.c.id)).scalar_one()
        for slot, number in enumerate(numbers, 1):
            tx.execute(update(release).where(release.c.number == number).values(wave_id=wave_id, slot=slot))
    return wave_number


def book(town: Town, number: str, waybill_number: str, *, parcels: int = 1) -> None:
    """Let a courier have given numbers for the parcels of a release: the one given, then with the parcel behind it."""
    with town.store.begin() as tx:
        make_own_channel(tx)
        release_id = tx.execute(select(release.c.id).where(release.c.number == number)).scalar_one()
        for parcel in range(1, parcels + 1):
            row = {"account_id": OWN_ID, "release_id": release_id, "parcel": parcel, "key": f"{number}-1"}
            name = waybill_number if parcel == 1 else f"{waybill_number}-{parcel}"
            named = {"carrier": "SF", "service": "标快", "number": name, "sort_code": "755-A12", "state": "booked"}
            tx.execute(waybill.insert().values(**row, **named, made_at=tx.now))


def label_by_courier(town: Town, number: str, data: bytes, *, kind: LabelKind = LabelKind.PDF) -> None:
    """Let the courier have made a label of its own for the first parcel of a release; it is not here yet if empty."""
    with town.store.begin() as tx:
        of = select(waybill.c.id).join(release, release.c.id == waybill.c.release_id).where(release.c.number == number)
        waybill_id = tx.execute(of.order_by(waybill.c.parcel).limit(1)).scalar_one()
        tx.execute(update(waybill).where(waybill.c.id == waybill_id).values(label_kind=kind.value))
        keep_label(tx, waybill_id, handle="h", data=data)


def on_record(town: Town) -> list[tuple[str, int, str]]:
    """Return paper, copy and reason of everything that was printed, in order."""
    with town.store.read() as connection:
        rows = connection.execute(select(print_run).order_by(print_run.c.id))
        return [(row.paper, row.copy, row.reason) for row in rows]


def digests(town: Town) -> list[str]:
    """Return the digests of everything that was printed, in order."""
    with town.store.read() as connection:
        return list(connection.execute(select(print_run.c.digest).order_by(print_run.c.id)).scalars())
