"""Papers as they come out of the printer: their sheets, what can be read on them, by people and by scanners."""

import random
from dataclasses import replace
from datetime import date

import pytest

from erpsync.papers.errors import BarCodeError, MissingGlyphsError
from erpsync.papers.papers import Papers
from erpsync.papers.records import LabelData, PackData, Party, PickData, PickLine, SlipData, Waybill
from erpsync.papers.samples import SAMPLES
from erpsync.papers.style import SIZES, STYLES, PaperName, PaperStyle, SizeName
from tests.support.papers import (
    FONT,
    GOLDEN,
    GOLDEN_DPI,
    GOLDEN_PAGES,
    PATIENT_S,
    RARE,
    SHOWN_PAPERS,
    Picture,
    bare,
    golden,
    line,
    pictures,
    shown,
    sizes_mm,
    slip,
    texts,
)
from tests.support.sources import ROOT

pytestmark = pytest.mark.concurrent("processes")

DAY = date(2026, 11, 30)
CHINESE = [chr(point) for point in range(0x4E00, 0x9FA6)]
"""Every character of the first Unicode, two thirds of them rare."""


@pytest.mark.parametrize(
    ("size", "mm"), [("100x180", (100, 180)), ("76x130", (76, 130)), ("A5", (148, 210)), ("A4", (210, 297))]
)
@pytest.mark.parametrize("name", STYLES)
def test_every_paper_fits_every_sheet_to_the_tenth_of_a_millimetre(
    papers: Papers, name: PaperName, size: SizeName, mm: tuple[int, int]
) -> None:
    ((width, height),) = sizes_mm(getattr(papers, name)(*SAMPLES[name], style=replace(STYLES[name], size=size)))

    assert abs(width - mm[0]) < 0.05
    assert abs(height - mm[1]) < 0.05


@pytest.mark.parametrize("file", GOLDEN_PAGES)
def test_a_page_looks_as_it_did(papers: Papers, file: str) -> None:
    page = next(pictures(golden(papers, *GOLDEN_PAGES[file]), GOLDEN_DPI))
    kept = Picture.of_png((GOLDEN / f"{file}.png").read_bytes())

    assert page.far_from(kept) < 0.002, "look at it, then: python -m tests.support.papers"


@pytest.mark.parametrize("paper", SHOWN_PAPERS)
def test_the_documentation_shows_a_paper_as_it_is_printed(papers: Papers, paper: PaperName) -> None:
    kept = Picture.of_png((ROOT / "docs" / f"{paper}.png").read_bytes())

    assert shown(papers, paper).far_from(kept) < 0.002, "look at it, then: python -m tests.support.papers"


@pytest.mark.parametrize("name", STYLES)
def test_the_same_data_gives_the_same_bytes_from_any_process(papers: Papers, name: PaperName) -> None:
    first = getattr(papers, name)(*SAMPLES[name])
    getattr(papers, name)(SAMPLES[name][1])
    with Papers((FONT,), limit_s=PATIENT_S) as others:
        assert getattr(others, name)(*SAMPLES[name]) == getattr(papers, name)(*SAMPLES[name]) == first


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_two_hundred_slips_with_rare_characters_are_read_back_by_people_and_by_scanners(papers: Papers) -> None:
    chance = random.Random(20261130)
    slips = [random_slip(chance, number) for number in range(200)]

    pdf = papers.slip(*slips)

    pages = texts(pdf)
    assert len(pages) == 200
    for data, text, picture in zip(slips, pages, pictures(pdf), strict=True):
        assert [word for word in said(data) if bare(word) not in text] == []
        assert picture.codes() == {data.number}


def random_slip(chance: random.Random, number: int) -> SlipData:
    def word(size: int) -> str:
        return "".join(chance.choices(CHINESE, k=size))

    lines = [
        line(sku=f"SKU-{chance.randrange(10**6)}", title=word(20), variant=word(3), qty=chance.randrange(1, 100))
        for _ in range(chance.randrange(1, 6))
    ]
    return slip(
        f"R20261130{number:06}",
        *lines,
        recipient=Party(name=word(3), phone="138****5678", region=word(9), address=word(20)),
        waybill=Waybill(number=f"SF{chance.randrange(10**13):013}", carrier="顺丰速运"),
        orders=(f"{chance.randrange(10**18):018}",),
        notes=(word(12),),
    )


def said(data: SlipData) -> list[str]:
    """Return every text that must stand on a slip."""
    recipient, waybill = data.recipient, data.waybill
    lines = [text for each in data.lines for text in (each.sku, each.title, each.variant, str(each.qty))]
    people = [recipient.name, recipient.phone, recipient.region, recipient.address]
    return [data.number, *lines, *people, waybill.number, waybill.carrier, *data.orders, *data.notes]


def test_a_label_says_its_waybill_to_a_scanner_and_its_sort_code_to_people(papers: Papers) -> None:
    label = LabelData(
        number="R20261130000001", made_on=DAY, waybill=Waybill(number="JDVA09876543210-1-2-", carrier="京东快递",
        sort_code="021-B07-33", parcel=1, parcels=2), sender=Party(name="茶舍"), recipient=Party(name="王小明"),
        cod_minor=30_100,
    )  # fmt: skip
    pdf = papers.label(label)

    assert next(pictures(pdf)).codes() == {"JDVA09876543210-1-2-", "R20261130000001"}
    for word in ("021-B07-33", "京东快递", "第1件，共2件", "王小明", "代收货款¥301.00"):
        assert word in texts(pdf)[0]


@pytest.mark.parametrize("size", SIZES)
def test_codes_are_read_on_every_sheet(papers: Papers, size: SizeName) -> None:
    label = LabelData(number="R20261130000001", made_on=DAY, waybill=Waybill(number="SF1234567890123"),
                      sender=Party(), recipient=Party())  # fmt: skip

    read = next(pictures(papers.label(label, style=PaperStyle(size=size)))).codes()

    assert read == {"SF1234567890123", "R20261130000001"}


def test_a_pick_list_has_a_column_for_each_release_and_says_what_goes_where(papers: Papers) -> None:
    wave = PickData(
        number="W20261130000001",
        made_on=DAY,
        releases=tuple(f"R2026113000{number:04}" for number in range(1, 41)),
        lines=(
            PickLine(sku="CUP-RED", title="杯", shelf="A-01", qtys=(2,) + (0,) * 38 + (7,)),
            PickLine(sku="TEA-500", title="茶", shelf="B-02", qtys=(0, 3) + (0,) * 38),
        ),
    )
    pdf = papers.pick(wave)

    (text,) = texts(pdf)
    assert next(pictures(pdf)).codes() == {"W20261130000001"}
    assert "40张发货单，2种12件" in text
    assert all(release in text for release in wave.releases)
    assert [part[:4] for part in text.split("格")[1:]] == ["1–15", "16–3", "31–4"]
    assert "A-01212杯CUP-RED" in text  # two, in box 1: two
    assert "A-017407杯CUP-RED" in text  # seven, in box 40: seven
    assert "B-02323茶TEA-500" in text


def test_an_order_of_ten_thousand_lines_flows_over_numbered_sheets(papers: Papers) -> None:
    lines = [line(sku=f"SKU-{number:05}", title="茶杯", shelf=f"A-{number:05}") for number in range(10_000)]

    pages = texts(papers.slip(slip("R1", *lines)))

    whole = "".join(pages)
    assert [number for number in range(10_000) if f"SKU-{number:05}" not in whole] == []
    assert pages[0].endswith(f"R11/{len(pages)}")
    assert pages[-1].endswith(f"共10000种10000件R1{len(pages)}/{len(pages)}")


def test_sheets_are_counted_for_each_long_paper_of_a_file(papers: Papers) -> None:
    lines = [line(sku=f"SKU-{number}") for number in range(40)]

    pages = texts(papers.slip(slip("R1"), slip("R2", *lines), slip("R3", *lines)))

    per_slip = (len(pages) - 1) // 2
    assert per_slip > 1
    ends = [f"{number}{sheet}/{per_slip}" for number in ("R2", "R3") for sheet in range(1, per_slip + 1)]
    assert [page.endswith(end) for page, end in zip(pages[1:], ends, strict=True)] == [True] * (2 * per_slip)


@pytest.mark.parametrize(
    "title",
    [
        '#panic("x") #import "@preview/cetz:0.3.0"',
        "= heading *bold* _it_ $x^2$ `raw` <label> @ref",
        '"); #read("/etc/passwd")',
        "\\u{41} // comment /* */ [x] {y} \\",
        "茶·杯 — “引号” ½ №",
    ],
)
def test_markup_in_data_stays_text(papers: Papers, title: str) -> None:
    (text,) = texts(papers.slip(slip("R1", line(title=title))))

    assert bare(title) in text


def test_nothing_comes_between_chinese_and_latin_in_an_address(papers: Papers) -> None:
    import pypdfium2

    pdf = papers.slip(slip("R1", recipient=Party(name="王", address="18号A座1203室")))

    with pypdfium2.PdfDocument(pdf) as document:
        assert "18号A座1203室" in document[0].get_textpage().get_text_range()


def test_a_long_code_breaks_rather_than_run_over_its_edge(papers: Papers) -> None:
    import pypdfium2

    pdf = papers.slip(slip("R1", line(sku="S" * 200, title="T" * 90)), style=PaperStyle(size="76x130"))

    with pypdfium2.PdfDocument(pdf) as document:
        page = document[0]
        text = page.get_textpage()
        rights = [text.get_charbox(place)[2] for place in range(text.count_chars())]
        assert max(rights) < page.get_width() - 6
    assert "S" * 200 in texts(pdf)[0]


@pytest.mark.parametrize(
    ("title", "missing"),
    [
        ("新年🎁礼盒", ("🎁",)),
        ("𠮷野家 😀", ("😀", "𠮷")),
        ("אבא", ("א", "ב")),
        ("❤️ tea", ("❤",)),
        ("\ue000", ("\ue000",)),
    ],
)
def test_a_character_that_the_font_lacks_is_named_and_nothing_is_printed(
    papers: Papers, title: str, missing: tuple[str, ...]
) -> None:
    with pytest.raises(MissingGlyphsError) as caught:
        papers.slip(slip("R1"), slip("R2", line(title=title)), slip("R3"))

    assert caught.value.characters == tuple(sorted(missing))
    assert caught.value.numbers == ("R2",)
    assert f"U+{ord(missing[0]):04X}" in str(caught.value)


def test_a_character_that_the_template_does_not_print_is_not_missed(papers: Papers) -> None:
    (text,) = texts(papers.pick(PickData(number="W1", made_on=DAY, releases=("R1",), warehouse="上海",
                                         lines=(PickLine(sku="S", title="杯", qtys=(0,), variant="🎁"),))))  # fmt: skip

    assert "上海" in text


def test_a_second_font_gives_what_the_first_one_lacks() -> None:
    with Papers((FONT, RARE), limit_s=PATIENT_S) as papers:
        (text,) = texts(papers.slip(slip("R1", recipient=Party(name="𠮷田", address="东京"))))

    assert "𠮷田" in text


def test_a_copy_a_replacement_and_siblings_are_told_on_the_slip(papers: Papers) -> None:
    told = slip("R2", copy=2, replaces="R1", siblings=("2026113000009",), slot=7, wave="W1")
    again = replace(told, copy=1, replaces="", siblings=())

    text, plain = texts(papers.slip(told, again))

    assert "补打2" in text
    assert "替换R1，旧单作废" in text
    assert "同一收件人另有已付款订单未合并：2026113000009" in text
    assert "7格" in text
    assert all(word not in plain for word in ("补打", "替换", "未合并"))


def test_an_english_paper_says_its_own_words_in_english(papers: Papers) -> None:
    data = slip("R2", copy=3, replaces="R1", siblings=("R9",), cod_minor=100)
    (text,) = texts(papers.slip(data, style=PaperStyle(size="A5", lang="en", head="Tea House", foot="Thank you")))

    for word in ("Packing slip", "copy 3", "replaces R1, which is void", "Collect ¥1.00", "Tea House", "Thank you"):
        assert bare(word) in text
    assert "发货单" not in text


def test_a_packing_list_adds_up_where_prices_are_asked_for(papers: Papers) -> None:
    data = PackData(number="R1", made_on=DAY, lines=(line(qty=3, price_minor=4_500),), freight_minor=800,
                    discount_minor=500, total_minor=13_800)  # fmt: skip
    dear, silent = (texts(papers.pack(data, style=replace(STYLES["pack"], prices=on)))[0] for on in (True, False))

    for word in ("¥45.00×3¥135.00", "运费¥8.00", "优惠-¥5.00", "合计¥138.00"):
        assert word in dear
    assert "¥" not in silent
    assert "共3件" in silent


def test_a_waybill_number_that_no_bar_code_can_say_is_refused(papers: Papers) -> None:
    label = LabelData(number="R1", made_on=DAY, waybill=Waybill(number="顺丰1"), sender=Party(), recipient=Party())

    with pytest.raises(BarCodeError, match="'顺丰1' cannot be a bar code"):
        papers.label(label)


def test_no_paper_at_all_is_refused(papers: Papers) -> None:
    with pytest.raises(ValueError, match="no slip to make"):
        papers.slip()
