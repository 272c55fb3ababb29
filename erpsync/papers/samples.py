"""Made-up papers that a template is tried on: with everything on them, with next to nothing, and with many lines."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from erpsync.papers.records import (
    LabelData,
    PackData,
    PaperData,
    PaperLine,
    Party,
    PickData,
    PickLine,
    SlipData,
    Waybill,
)
from erpsync.papers.style import PaperName

_DAY = date(2026, 11, 11)
_MANY = 60
_SENDER = Party(name="杭州茶舍", phone="0571-88886666", region="浙江省 杭州市 余杭区", address="文一西路 969 号 3 幢")
_RECIPIENT = Party(
    name="王**", phone="138****5678", region="广东省 深圳市 南山区", address="科技园南路 18 号 A 座 1203"
)
_WAYBILL = Waybill(number="SF1234567890123", carrier="顺丰速运", service="标快", sort_code="755-A12-088", parcels=2)
_LINES = (
    PaperLine(
        sku="TEA-LJ-250", title="明前龙井茶叶 250 克礼盒装", variant="特级", qty=2, shelf="A-01-03", price_minor=12_800
    ),
    PaperLine(
        sku="CUP-RED",
        title="手工陶瓷茶杯",
        variant="红",
        qty=1,
        shelf="B-12-01",
        spec="刻字：平安喜乐",
        price_minor=4_500,
    ),
)
_LONG_LINE = PaperLine(
    sku="SET-2026-SPRING-LIMITED-EDITION-0001",
    title="春季限定礼盒（" + "茶叶、茶杯、茶巾与" * 30 + "）",
    qty=12,
    shelf="C-07-22",
)

_SLIP = SlipData(
    number="R20261111000123",
    made_on=_DAY,
    lines=(*_LINES, _LONG_LINE),
    shop="茶舍旗舰店",
    warehouse="SH",
    orders=("2026111100001", "2026111100002"),
    sender=_SENDER,
    recipient=_RECIPIENT,
    waybill=_WAYBILL,
    notes=("请放在快递柜", "老客户，多放一张贺卡"),
    wave="W20261111000007",
    slot=3,
    cod_minor=30_100,
    replaces="R20261111000098",
    copy=2,
    siblings=("2026111100009",),
)
_PICK = PickData(
    number="W20261111000007",
    made_on=_DAY,
    releases=tuple(f"R20261111000{number}" for number in range(120, 136)),
    lines=tuple(
        PickLine(
            sku=f"SKU-{number:03}",
            title=_LINES[number % 2].title,
            variant=_LINES[number % 2].variant,
            shelf=f"A-{number:02}-01",
            qtys=tuple(int((number + column) % 5 == 0) * (1 + column % 3) for column in range(16)),
        )
        for number in range(12)
    ),
    warehouse="SH",
    notes=("先取冷藏",),
    copy=2,
)
_LABEL = LabelData(
    number="R20261111000123",
    made_on=_DAY,
    waybill=_WAYBILL,
    sender=_SENDER,
    recipient=_RECIPIENT,
    weight_g=1_250,
    goods="茶叶 2，茶杯 1",
    notes=("易碎",),
    cod_minor=30_100,
    copy=2,
)
_PACK = PackData(
    number="R20261111000123",
    made_on=_DAY,
    lines=(*_LINES, _LONG_LINE),
    shop="茶舍旗舰店",
    orders=("2026111100001", "2026111100002"),
    recipient=_RECIPIENT,
    waybill=_WAYBILL,
    notes=("感谢您的惠顾",),
    freight_minor=800,
    discount_minor=500,
    total_minor=30_400,
    copy=2,
)

SAMPLES: dict[PaperName, Sequence[PaperData]] = {
    "slip": (
        _SLIP,
        SlipData(number="R20261111000124", made_on=_DAY, lines=(replace(_LINES[0], shelf="", variant=""),)),
        replace(_SLIP, number="R20261111000125", lines=_LINES * (_MANY // 2)),
    ),
    "pick": (
        _PICK,
        PickData(
            number="W20261111000008",
            made_on=_DAY,
            releases=("R20261111000140",),
            lines=(PickLine(sku="CUP-RED", title="手工陶瓷茶杯", qtys=(1,)),),
        ),
        replace(_PICK, number="W20261111000009", lines=_PICK.lines * (_MANY // 12)),
    ),
    "label": (
        _LABEL,
        LabelData(
            number="R20261111000124",
            made_on=_DAY,
            waybill=Waybill(number="77123456789012", carrier="申通快递"),
            sender=Party(),
            recipient=_RECIPIENT,
        ),
    ),
    "pack": (
        _PACK,
        PackData(number="R20261111000124", made_on=_DAY, lines=(replace(_LINES[0], price_minor=None),)),
        replace(_PACK, number="R20261111000125", lines=_LINES * (_MANY // 2)),
    ),
}
"""By the name of the paper. No person, shop or number of them exists."""
