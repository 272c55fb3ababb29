"""Who packs in the demonstration: waves are made and printed, labels fetched, parcels scanned; who looks after it.

Why some numbers are made up: a recipient whom a shop hides is given to its own couriers alone. A packer gets such a
label on the shop's pages and scans it beside the release.

Why releases that wait for a sibling are named at the end: a wave leaves them alone as long as something may come along,
and when the shops are closed nothing does any more.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import or_, select

from erpsync.cli.demo.stage import goods
from erpsync.core.rates import Rate
from erpsync.flows.context import Context
from erpsync.flows.couriers.acts import book
from erpsync.flows.couriers.labels import label_of
from erpsync.flows.couriers.rates import import_rates
from erpsync.flows.desk.printing import print_papers
from erpsync.flows.desk.scans import leave
from erpsync.flows.desk.stops import stop
from erpsync.flows.desk.waves import make_wave
from erpsync.flows.errors import Refused
from erpsync.flows.inventory.goods import GoodsRow, import_goods
from erpsync.papers.errors import PaperError
from erpsync.papers.papers import Papers
from erpsync.papers.style import DocumentSettings, PaperName
from erpsync.sdk.sandbox.demo import DemoCourier
from erpsync.store.tables import release, warehouse, wave, waybill

ACTOR = "demo"
WAVE = 10
KILOGRAM = 1_000
THEIRS = "JD"
"""The courier of the shop that hides its recipients."""

OF_WAVES: Sequence[PaperName] = ("pick", "slip")


def open_desk(ctx: Context, couriers: Mapping[str, DemoCourier]) -> None:
    """Say what goods weigh, and what each courier costs."""
    weights = {good.code: 200 + 300 * (number % 5) for number, good in enumerate(goods())}
    rows = [GoodsRow(sku=code, cells={"weight_g": str(grams)}, source="demo") for code, grams in weights.items()]
    import_goods(ctx, rows, actor=ACTOR)
    rates = []
    for name, courier in couriers.items():
        first_minor, step_minor = courier.rates()
        rate = Rate(
            account=name,
            service="",
            zone="",
            first_g=KILOGRAM,
            first_minor=first_minor,
            step_g=KILOGRAM,
            step_minor=step_minor,
        )
        rates.append((rate, "demo"))
    import_rates(ctx, rates, bad=(), actor=ACTOR)


class Packers:
    """People at the desks. `left` counts parcels; `unprinted` says why no paper is printed, empty where they are."""

    def __init__(self, documents: DocumentSettings) -> None:
        self.left = 0
        self._documents = documents
        self._papers = Papers(documents.fonts)
        self.unprinted = ""
        try:
            self._papers.look()
        except PaperError as error:
            self.unprinted = str(error)

    def close(self) -> None:
        """Go home."""
        self._papers.close()

    def work(self, ctx: Context, *, most: int = WAVE, last: bool = False) -> None:
        """Pick and print a wave at each desk, and scan what has its label.

        Args:
            last: nothing more comes in, so what waited for company is packed as well.
        """
        self._try_again(ctx)
        for place in ctx.desks:
            number = make_wave(ctx, warehouse=place, most=most, actor=ACTOR)
            waiting = self._waiting(ctx, place) if last and number is None else []
            if waiting:
                self._make(ctx, place, waiting)
        self._print(ctx)
        self._take_out(ctx)
        for row in self._labelled(ctx, most):
            self._scan(ctx, row)

    def _try_again(self, ctx: Context) -> None:
        """Have what a courier refused booked anew, as a person does who has looked into it."""
        refused = select(release.c.number).join(waybill, waybill.c.release_id == release.c.id)
        with ctx.store.read() as connection:
            query = refused.where(waybill.c.state == "refused", release.c.state == "told").distinct()
            numbers = connection.execute(query).scalars().all()
        for number in numbers:
            try:
                book(ctx, number, actor=ACTOR)
            except Refused:  # it has another one by now, or is stopped
                continue

    def _waiting(self, ctx: Context, place: str) -> list[str]:
        free = select(release.c.number).join(warehouse, warehouse.c.id == release.c.warehouse_id)
        with ctx.store.read() as connection:
            query = free.where(warehouse.c.code == place, release.c.state == "told", release.c.wave_id.is_(None))
            return list(connection.execute(query).scalars())

    def _make(self, ctx: Context, place: str, numbers: Sequence[str]) -> None:
        try:
            make_wave(ctx, warehouse=place, numbers=numbers, actor=ACTOR)
        except Refused:  # a refund came in between, the others are picked next time
            return

    def _print(self, ctx: Context) -> None:
        with ctx.store.read() as connection:
            numbers = connection.execute(select(wave.c.number).where(wave.c.state == "open")).scalars().all()
        for number in numbers if not self.unprinted else ():
            for paper in OF_WAVES:
                try:
                    print_papers(ctx, self._papers, self._documents, paper, number, copy=False, actor=ACTOR)
                except Refused:  # all of it is stopped meanwhile
                    continue

    def _take_out(self, ctx: Context) -> None:
        """Take what was printed and recalled out of the pile."""
        with ctx.store.read() as connection:
            recalled = connection.execute(select(release.c.number).where(release.c.state == "recalled")).scalars().all()
        for number in recalled:
            try:
                stop(ctx, number, actor=ACTOR)
            except Refused:  # it was never printed, and stopped by itself
                continue

    def _labelled(self, ctx: Context, most: int) -> Sequence[Any]:
        """Return releases that are picked and have a number, or that no courier of ours takes."""
        picked = (
            select(release.c.id, release.c.number, release.c.account_id, waybill.c.number.label("tracking"))
            .outerjoin(waybill, (waybill.c.release_id == release.c.id) & (waybill.c.state == "booked"))
            .where(release.c.state == "told", release.c.wave_id.is_not(None))
        )
        ready = or_(waybill.c.parcel == 1, release.c.account_id.is_(None))
        with ctx.store.read() as connection:
            return connection.execute(picked.where(ready).order_by(release.c.id).limit(most)).all()

    def _scan(self, ctx: Context, row: Any) -> None:
        try:
            if row.account_id is None:
                leave(ctx, row.number, carrier=THEIRS, tracking=f"JD{row.id:013}", actor=ACTOR)
            else:
                label_of(ctx, row.id)
                leave(ctx, row.tracking, actor=ACTOR)
        except Refused:  # its label is not made yet, or a refund came in between
            return
        self.left += 1
