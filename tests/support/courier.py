"""A courier without a wire: books parcels, finds and voids what it booked, tells numbers; and a desk that uses it.

What it does wrong is put into `Courier.trouble` beforehand, as with `tests.support.shop`; a `late` label is made after
the booking. A key that is
booked twice has two numbers, unless the account takes a key once.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from erpsync.core.policy import WarehousePolicy
from erpsync.core.rates import Rate
from erpsync.flows.context import ChannelSpec, open_context
from erpsync.flows.couriers.push import push_waybills
from erpsync.flows.inventory import counts
from erpsync.sdk.clock import ManualClock
from erpsync.sdk.errors import ConnectorError, RejectedError
from erpsync.sdk.http import HttpClient
from erpsync.sdk.roles import Connector, CourierSink, WaybillSource
from erpsync.sdk.types import (
    BookedNumber,
    Booking,
    BookingRequest,
    CheckReport,
    Cursor,
    LabelKind,
    Region,
    Repeat,
    Sender,
    SpareNumber,
    Waybill,
    WaybillPage,
)
from erpsync.store.tables import release, waybill
from tests.support.desk import work
from tests.support.shop import SHANGHAI, ShopSettings, Town, build_town

SENDER = Sender(name="王掌柜", phone="02160000000", province="上海", city="上海市", address="解放路 1 号")
DESK = WarehousePolicy(id="SH", desk=True, sender=SENDER)
LABEL = b"%PDF-1.4\n%%EOF"


@dataclass
class Courier:
    """The courier's side: every number it gave, by key; `paid` are all of them, one per booking that it took."""

    clock: ManualClock
    carriers: frozenset[str] = frozenset({"SF"})
    idempotent: bool = False
    left: int | None = None
    away: frozenset[str] = frozenset()
    asked: list[str] = field(default_factory=list)
    answers: bool = True
    label: bytes = LABEL
    late: bool = False
    trouble: dict[str, list[ConnectorError]] = field(default_factory=dict)
    booked: dict[str, list[str]] = field(default_factory=dict)
    requests: list[BookingRequest] = field(default_factory=list)
    void: list[str] = field(default_factory=list)
    says_void: bool | None = True
    reports: list[BookedNumber | SpareNumber] = field(default_factory=list)
    before: Callable[[], object] | None = None
    calls: int = 0

    @property
    def paid(self) -> list[str]:
        """All numbers that were given."""
        return [number for numbers in self.booked.values() for number in numbers]

    def fail(self, call: str) -> None:
        """Raise what was prepared for this call, once each."""
        if self.trouble.get(call):
            raise self.trouble[call].pop(0)

    def take(self, request: BookingRequest) -> Waybill:
        """Take a booking; a second one of a key is another number where nobody promised that it is not."""
        numbers = self.booked.setdefault(request.key, [])
        if not numbers or not self.idempotent:
            numbers.append(f"SF{len(self.paid) + 1:013}")
        return self.waybill(request.key)

    def waybill(self, key: str) -> Waybill:
        """Return the newest waybill of a key."""
        number = self.booked[key][-1]
        kind = LabelKind.PDF
        label = b"" if self.late else self.label
        carrier = next((request.carrier for request in self.requests if request.key == key), "SF")
        return Waybill(
            key=key, carrier=carrier, number=number, label_kind=kind, label=label, cost_minor=1200, handle="h"
        )


class BuyingConnector(Connector, WaybillSource):
    """Tells numbers of a courier, and books none."""

    Settings = ShopSettings

    def __init__(self, courier: Courier, clock: ManualClock) -> None:
        super().__init__(ShopSettings(), HttpClient(clock=clock), clock)
        self.courier = courier

    def check(self) -> CheckReport:
        """Say that all is well."""
        return CheckReport()

    def carriers(self) -> frozenset[str]:
        """Return SF alone, unless told otherwise."""
        return self.courier.carriers

    def pull_waybills(self, cursor: Cursor) -> Iterator[WaybillPage]:
        """Yield all numbers since the mark."""
        start = int(cursor.mark or 0)
        yield WaybillPage.of(self.courier.reports[start:], mark=str(len(self.courier.reports)))


class CourierConnector(BuyingConnector, CourierSink):
    """Books with a `Courier`."""

    settle_s = 30

    def __init__(self, courier: Courier, clock: ManualClock, repeat: Repeat, remembers_s: int | None) -> None:
        super().__init__(courier, clock)
        self.repeat, self.remembers_s = repeat, remembers_s
        self.idempotent = courier.idempotent

    def book(self, request: BookingRequest) -> Waybill | None:
        """Take a booking."""
        happening, self.courier.before = self.courier.before, None
        if happening is not None:
            happening()
        self.courier.calls += 1
        self.courier.requests.append(request)
        self.courier.fail("book before")
        got = self.courier.take(request)
        self.courier.fail("book after")
        return got if self.courier.answers else None

    def find_booking(self, request: BookingRequest) -> Waybill | None:
        """Return the newest waybill of a key."""
        self.courier.fail("find")
        return self.courier.waybill(request.key) if self.courier.booked.get(request.key) else None

    def cancel_booking(self, booking: Booking) -> bool | None:
        """Answer as prepared."""
        self.courier.fail("cancel")
        self.courier.void.append(booking.number or booking.key)
        return self.courier.says_void

    def label(self, booking: Booking) -> bytes:
        """Return a label, where one was booked."""
        self.courier.fail("label")
        if not booking.number:
            raise RejectedError("no such booking")
        return self.courier.label


class TellingConnector(CourierConnector):
    """Says how many numbers are `left`, one less for each booking, and where it does not go: cities that are `away`."""

    def book(self, request: BookingRequest) -> Waybill | None:
        """Take a booking while there are numbers."""
        if self.courier.left == 0:
            raise RejectedError("no numbers left")
        got = super().book(request)
        if self.courier.left is not None:
            self.courier.left -= 1
        return got

    def balance(self) -> int | None:
        """Return how many numbers are left."""
        self.courier.asked.append("balance")
        self.courier.fail("balance")
        return self.courier.left

    def covers(self, region: Region) -> bool | None:
        """Answer by the city."""
        self.courier.asked.append(region.city)
        self.courier.fail("covers")
        return region.city not in self.courier.away


def build_courier_desk(
    url: str,
    *,
    town: Town | None = None,
    courier: Courier | None = None,
    repeat: Repeat = Repeat.LOOK_FIRST,
    remembers_s: int | None = None,
    idempotent: bool = False,
    books: bool = True,
    tells: bool = False,
    make: Callable[[Town], Connector] | None = None,
    desk: WarehousePolicy = DESK,
    **options: Any,
) -> tuple[Town, Courier]:
    """Return a town with a desk that has 10 of A, and an account `sf`; given ones keep what they know (a restart)."""
    built = build_town(url, town=town, warehouses=[desk], **options)
    courier = courier or Courier(clock=built.clock, idempotent=idempotent)
    specs = [
        ChannelSpec(name=c.name, kind=c.kind, poll=c.poll, orders=c.orders, stock=c.stock, connector=c.connector)
        for c in built.ctx.channels.values()
    ]
    sink: Connector = BuyingConnector(courier, built.clock)
    if books:
        kind = TellingConnector if tells else CourierConnector
        sink = kind(courier, built.clock, repeat, remembers_s)
    if make is not None:
        sink = make(built)
    specs.append(ChannelSpec(name="sf", kind="courier", connector=sink))
    built.ctx = open_context(built.store, warehouses=[desk], channels_=specs, timezone=SHANGHAI)
    if town is None:
        counts.set_stock(built.ctx, warehouse="SH", sku="A", on_hand=10, actor="me")
    return built, courier


def rate(zone: str, first: int, *, account: str = "sf", service: str = "", **more: int) -> Rate:
    """Return a row of a card, in fen: the first kilogram costs `first`, each further one 2 yuan."""
    given = {"first_g": 1000, "step_g": 1000, "step_minor": 200} | more
    return Rate(account=account, service=service, zone=zone, first_minor=first, **given)


def release_one(town: Town, name: str = "o1", qty: int = 2, **given: Any) -> str:
    """Let an order be released to the desk, which chooses its courier; return the release's number."""
    town.shop.place(name, ("A", qty), name=f"王{name}", **given)  # people of their own, or they shared a parcel
    work(town)
    with town.store.read() as connection:
        return str(connection.execute(select(release.c.number).order_by(release.c.id.desc()).limit(1)).scalar_one())


def push(town: Town, *, most: int = 10) -> None:
    """Carry out the courier's errands that are due."""
    for _ in range(most):
        if not push_waybills(town.ctx, town.channel("sf")):
            return
    raise AssertionError("it never comes to rest")


def rows(town: Town, *columns: str) -> list[Any]:
    """Return these columns of every waybill, in the order of their ids; the value itself where it is one column."""
    with town.store.read() as connection:
        found = connection.execute(select(*(waybill.c[name] for name in columns)).order_by(waybill.c.id)).all()
    return [row[0] if len(columns) == 1 else tuple(row) for row in found]


def states(town: Town) -> list[str]:
    """Return the state of every waybill."""
    return rows(town, "state")
