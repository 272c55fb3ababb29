"""A month of a Tmall shop that nobody had, with the columns, shares and rhythms of a real one.

Why not the real one: its licence is unclear, so it is never committed. What is known of it are counts, and those are
kept: how many never paid, how many got all or a part of their money back, which totals, provinces, days and hours
were usual.
"""

import csv
import random
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

COLUMNS = ("订单编号", "总金额", "买家实际支付金额", "收货地址 ", "订单创建时间", "订单付款时间 ", "退款金额")
"""Two of them end in a blank, as in the export."""
ROWS = 28_010
UNPAID, ALL_BACK, PART_BACK = 3_923, 5_132, 514
"""Of so many rows: never paid, all money back, a part of it."""
TOTALS = {
    "37.0": 147, "69.0": 88, "119.0": 65, "45.0": 46, "21.0": 44, "53.0": 42, "85.0": 40, "38.0": 37,
    "101.0": 30, "76.0": 25, "128.0": 25, "43.0": 20, "34.9": 20, "168.0": 17, "160.0": 17, "112.0": 15,
    "77.0": 13, "104.0": 13, "64.8": 12, "81.0": 10, "114.0": 10, "151.0": 9, "238.0": 8, "183.0": 7,
    "152.0": 7, "29.85": 5, "69.82": 5,
}  # fmt: skip
PROVINCES = {
    "上海": 120, "广东省": 88, "江苏省": 76, "浙江省": 74, "北京": 73, "四川省": 72, "山东省": 64,
    "辽宁省": 42, "天津": 41, "湖南省": 39, "河北省": 39, "重庆": 37, "河南省": 34, "云南省": 28,
    "安徽省": 22, "陕西省": 19, "福建省": 17, "山西省": 17, "广西壮族自治区": 16, "江西省": 15, "吉林省": 14,
    "黑龙江省": 14, "贵州省": 12, "内蒙古自治区": 8, "海南省": 6, "甘肃省": 6, "湖北省": 3,
    "新疆维吾尔自治区": 2, "宁夏回族自治区": 2, "青海省": 1, "西藏自治区": 1,
}  # fmt: skip
HOURS = (37, 19, 12, 7, 5, 4, 9, 20, 31, 46, 60, 59, 49, 48, 54, 61, 53, 43, 45, 55, 71, 79, 76, 59)
DAYS = (6, 8, 10, 17, 13, 5, 6, 0, 14, 1, 1, 0, 0, 0, 0, 0, 14, 36, 37, 48, 74, 72, 79, 71, 122, 102, 92, 96, 75)
FIRST = datetime(2020, 2, 1)
PAID_AFTER_S = ((55, 4, 9), (35, 9, 40), (9, 40, 1_800), (1, 1_800, 86_000))
"""Weight, least and most: most pay within seconds, a few only the next day."""
EVERYTHING_AT_ONCE = Decimal("188320.0")
"""Somebody bought for a whole company; one order in the month."""


def write(path: Path, *, rows: int = ROWS, seed: int = 1) -> Path:
    """Write a month of so many orders as the shop's owner would have exported it; equal seeds give equal files."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(month(rows=rows, seed=seed))
    return path


def month(*, rows: int = ROWS, seed: int = 1) -> Iterator[tuple[str, ...]]:
    """Yield the rows of a month, as text."""
    rng = random.Random(f"{seed} {rows}")
    for number, kind in enumerate(_kinds(rng, rows), start=1):
        total = EVERYTHING_AT_ONCE if number == rows // 2 else _total(rng)
        back = {"all": total, "part": _part(rng, total)}.get(kind, Decimal("0.0"))
        paid = Decimal("0.0") if kind == "unpaid" else total - back
        placed_at = _placed_at(rng)
        paid_at = "" if kind == "unpaid" else f"{placed_at + timedelta(seconds=_wait_s(rng)):%Y-%m-%d %H:%M:%S}"
        province = _one(rng, PROVINCES)
        yield str(number), str(total), str(paid), province, f"{placed_at:%Y-%m-%d %H:%M:%S}", paid_at, str(back)


def _kinds(rng: random.Random, rows: int) -> list[str]:
    """Return what became of each order: the shares are exact, who it meets is chance."""
    counts = {"unpaid": UNPAID, "all": ALL_BACK, "part": PART_BACK}
    kinds = [kind for kind, count in counts.items() for _ in range(round(rows * count / ROWS))]
    kinds += ["kept"] * (rows - len(kinds))
    rng.shuffle(kinds)
    return kinds


def _total(rng: random.Random) -> Decimal:
    """Return a usual total, or for one order in eight any other."""
    if rng.random() < 0.87:
        return Decimal(_one(rng, TOTALS))
    return Decimal(max(10, round(rng.lognormvariate(4.6, 0.7) * 10))) / 10


def _part(rng: random.Random, total: Decimal) -> Decimal:
    """Return less than all of it."""
    return max(Decimal("0.1"), min(total - Decimal("0.1"), round(total * rng.randint(1, 9) / 10, 1)))


def _placed_at(rng: random.Random) -> datetime:
    day, hour = _at(rng, DAYS), _at(rng, HOURS)
    return FIRST + timedelta(days=day, hours=hour, minutes=rng.randrange(60), seconds=rng.randrange(60))


def _wait_s(rng: random.Random) -> int:
    _, least, most = rng.choices(PAID_AFTER_S, [weight for weight, _, _ in PAID_AFTER_S])[0]
    return rng.randint(least, most)


def _at(rng: random.Random, weights: Sequence[int]) -> int:
    return rng.choices(range(len(weights)), weights)[0]


def _one(rng: random.Random, weights: dict[str, int]) -> str:
    return rng.choices(list(weights), list(weights.values()))[0]
