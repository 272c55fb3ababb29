"""Real input: a British shop's invoices, committed (see NOTICE), and a Tmall month, which may not be.

The real month is read where $ERPSYNC_DATA, or `shared/data` beside the checkout, holds it; elsewhere one of its shape
is made.
"""

import atexit
import csv
import gzip
import os
import shutil
import tempfile
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import NamedTuple

from tests.support import tmall_month

COMMITTED = Path(__file__).resolve().parents[1] / "data"
FOLDER = Path(os.environ.get("ERPSYNC_DATA") or Path(__file__).resolve().parents[3] / "shared" / "data")
SOAK = bool(os.environ.get("ERPSYNC_SOAK"))


class TmallOrder(NamedTuple):
    """A row of the Tmall file, its times in Beijing; `paid_at` is empty for what nobody paid."""

    number: str
    total: Decimal
    paid: Decimal
    province: str
    placed_at: str
    paid_at: str
    refunded: Decimal

    @property
    def all_refunded(self) -> bool:
        """Whether the buyer got all of the money back."""
        return bool(self.paid_at) and self.refunded >= self.total


def tmall_file(folder: Path = FOLDER) -> Path:
    """Return a month of a Tmall shop, 28,010 orders: the real one where it is at hand, else one of its shape."""
    real = folder / "tmall_orders_2020-02.csv"
    return real if real.is_file() else made_month()


@cache
def made_month() -> Path:
    """Return a month of the same shape, made once per process and removed with it."""
    folder = Path(tempfile.mkdtemp(prefix="erpsync-month-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return tmall_month.write(folder / "tmall_orders_2020-02.csv")


@cache
def _rows(path: Path) -> tuple[tuple[str, ...], ...]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return tuple(tuple(row) for row in list(csv.reader(file))[1:])


def tmall_orders() -> list[TmallOrder]:
    """Return the rows of the Tmall file."""
    return [
        TmallOrder(number, Decimal(total), Decimal(paid), province, placed_at, paid_at, Decimal(refunded))
        for number, total, paid, province, placed_at, paid_at, refunded in _rows(tmall_file())
    ]


def retail_file() -> Path:
    """Return the 2,455 invoice lines of a British shop of December 2010."""
    return COMMITTED / "online_retail_sample.csv"


class RetailLine(NamedTuple):
    """An invoice line of the same shop of September 2011; credit notes begin with C. The customer may be empty."""

    invoice: str
    stock_code: str
    qty: int
    at: str
    price: Decimal
    customer: str

    @property
    def is_credit(self) -> bool:
        """Whether goods came back."""
        return self.invoice.startswith("C")


def retail_month() -> list[RetailLine]:
    """Return the invoice lines of 46 customers and 60 unknown ones; all 50,226 where they are at hand for a soak."""
    whole = FOLDER / "online_retail_2011-09.csv.gz"
    path = whole if SOAK and whole.is_file() else COMMITTED / "online_retail_2011-09.csv"
    text = (gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()).decode("utf-8-sig")
    return [
        RetailLine(
            row["InvoiceNo"],
            row["StockCode"],
            int(row["Quantity"]),
            row["InvoiceDate"],
            Decimal(row["UnitPrice"]),
            row["CustomerID"].removesuffix(".0"),
        )
        for row in csv.DictReader(text.splitlines())
    ]


def fen(amount: Decimal) -> int:
    """Return yuan or pounds as minor units, exact."""
    minor = amount * 100
    assert minor == minor.to_integral_value()
    return int(minor)
