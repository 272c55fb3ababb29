"""What stands on papers, as whoever asks for them fills it in. Amounts are in minor units, quantities in our units.

Why apart from orders and releases: a paper says what its reader may see. Recipients arrive masked as they are to be
printed, dates as days of the seller's time zone, and nothing here is looked up again.
"""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """Who sends or who receives. `region` is province, city and district in one line."""

    name: str = ""
    phone: str = ""
    region: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waybill:
    """A courier's number for a parcel.

    Args:
        carrier: the courier's name, for people.
        sort_code: where its depots route the parcel, printed large.
        parcel, parcels: which parcel of how many this one is.
    """

    number: str = ""
    carrier: str = ""
    service: str = ""
    sort_code: str = ""
    parcel: int = 1
    parcels: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperLine:
    """Units of one SKU.

    Args:
        variant: colour, size and the like.
        spec: what was written for it, such as an engraving; printed only where the style asks for it.
        price_minor: what one unit costs; None where nobody says, and printed only where the style asks for it.
    """

    sku: str
    title: str
    qty: int
    variant: str = ""
    shelf: str = ""
    spec: str = ""
    price_minor: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SlipData:
    """发货单: what leaves a warehouse in one parcel, and to whom.

    Args:
        number: of the release, said by a bar code, too.
        made_on: the day it was made.
        orders: the orders in it, by the numbers that buyer and shop know.
        notes: of buyer and seller, each one printed.
        wave, slot: the wave it is picked in, and which of its boxes it goes into.
        cod_minor: what the courier has to collect; None for nothing.
        replaces: the number on the paper that it takes the place of.
        copy: which print of it this is; from the second on the paper says so.
        siblings: paid orders to the same recipient that could not join it.
    """

    number: str
    made_on: date
    lines: tuple[PaperLine, ...]
    shop: str = ""
    warehouse: str = ""
    orders: tuple[str, ...] = ()
    sender: Party = Party()
    recipient: Party = Party()
    waybill: Waybill = Waybill()
    notes: tuple[str, ...] = ()
    wave: str = ""
    slot: int | None = None
    cod_minor: int | None = None
    currency: str = "CNY"
    replaces: str = ""
    copy: int = 1
    siblings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PickLine:
    """What to take from one shelf: `qtys` are units for each release of the wave, in their order, 0 for none."""

    sku: str
    title: str
    qtys: tuple[int, ...]
    variant: str = ""
    shelf: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PickData:
    """拣货单: what to take for a wave, one column per release; the lines in the order of the walk."""

    number: str
    made_on: date
    releases: tuple[str, ...]
    lines: tuple[PickLine, ...]
    warehouse: str = ""
    notes: tuple[str, ...] = ()
    copy: int = 1

    def __post_init__(self) -> None:
        if any(len(line.qtys) != len(self.releases) for line in self.lines):
            raise ValueError("every line says a quantity for every release")


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelData:
    """Our own label for a parcel, where a courier lets us print one."""

    number: str
    made_on: date
    waybill: Waybill
    sender: Party
    recipient: Party
    weight_g: int | None = None
    goods: str = ""
    notes: tuple[str, ...] = ()
    cod_minor: int | None = None
    currency: str = "CNY"
    copy: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class CourierLabel:
    """A label that the courier made, in the place of ours: a PDF, a PNG or a JPEG, printed as it came.

    Args:
        number: of the release.
        data: the label of all its parcels; empty where it is not here yet, which cannot be printed.
    """

    number: str
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class PackData:
    """装箱单: what the buyer finds in the box. Amounts are printed only where the style asks for prices.

    Args:
        discount_minor: what was taken off, as a positive amount.
    """

    number: str
    made_on: date
    lines: tuple[PaperLine, ...]
    shop: str = ""
    orders: tuple[str, ...] = ()
    recipient: Party = Party()
    waybill: Waybill = Waybill()
    notes: tuple[str, ...] = ()
    currency: str = "CNY"
    freight_minor: int | None = None
    discount_minor: int | None = None
    total_minor: int | None = None
    copy: int = 1


PaperData = SlipData | PickData | LabelData | CourierLabel | PackData
