"""Real input: public teaching data that lies beside the repository, not in it."""

import csv
import os
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

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


def real_file(name: str) -> Path:
    """Return a file of the real input; skip where it is not at hand."""
    path = FOLDER / name
    if not path.is_file():
        pytest.skip(f"no {name}: set ERPSYNC_DATA to the folder of the real input")
    return path


def tmall_file() -> Path:
    """Return the 28,010 orders of a Tmall shop of February 2020."""
    return real_file("tmall_orders_2020-02.csv")


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
    return real_file("online_retail_sample.csv")


def fen(amount: Decimal) -> int:
    """Return yuan or pounds as minor units, exact."""
    minor = amount * 100
    assert minor == minor.to_integral_value()
    return int(minor)
