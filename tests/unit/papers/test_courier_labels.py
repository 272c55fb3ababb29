"""Labels that couriers made: joined to one file with ours, as they came, pictures fitted to the sheet."""

from dataclasses import replace
from datetime import date

import pytest

from erpsync.papers.errors import LabelError
from erpsync.papers.papers import Papers
from erpsync.papers.records import CourierLabel, LabelData
from erpsync.papers.samples import SAMPLES
from erpsync.papers.style import STYLES
from tests.support.papers import Picture, bare, pdf_saying, pictures, sizes_mm, texts

pytestmark = pytest.mark.concurrent("processes")

BLACK_SQUARE = Picture(20, 20, bytes(400)).png()


def ours(number: str) -> LabelData:
    """Return a label of ours."""
    [sample, *_] = (each for each in SAMPLES["label"] if isinstance(each, LabelData))
    return replace(sample, number=number, made_on=date(2026, 11, 30))


def theirs(number: str, *pages: str) -> CourierLabel:
    """Return a courier's PDF of these pages."""
    return CourierLabel(number=number, data=pdf_saying(*pages))


def test_labels_of_couriers_and_ours_are_one_file_in_the_order_given(papers: Papers) -> None:
    pdf = papers.label(theirs("R1", "SF-1"), ours("R2"), ours("R3"), theirs("R4", "SF-4a", "SF-4b"), ours("R5"))

    said = texts(pdf)
    wanted = ("SF-1", "R2", "R3", "SF-4a", "SF-4b", "R5")
    assert len(said) == len(wanted)
    assert all(word in page for word, page in zip(wanted, said, strict=True))
    assert sizes_mm(pdf) == {(100.0, 150.0), (100.0, 180.0)}


def test_a_label_that_is_alone_comes_byte_for_byte(papers: Papers) -> None:
    label = theirs("R1", "SF-1")

    assert papers.label(label) == label.data


def test_the_same_labels_are_the_same_file(papers: Papers) -> None:
    labels = [theirs("R1", "SF-1"), ours("R2")]

    assert papers.label(*labels) == papers.label(*labels)


@pytest.mark.parametrize("size", ["100x180", "76x130"])
def test_a_picture_is_put_on_the_sheet_that_is_set_and_a_scanner_reads_it(papers: Papers, size: str) -> None:
    picture = next(pictures(papers.label(ours("R1")), 300))
    style = replace(STYLES["label"], size=size)

    pdf = papers.label(CourierLabel(number="R1", data=picture.png()), style=style)

    [page] = pictures(pdf)
    width, height = map(float, size.split("x"))
    [(wide, high)] = sizes_mm(pdf)
    assert (abs(wide - width) < 0.05, abs(high - height) < 0.05) == (True, True)
    assert page.codes() == picture.codes()


def test_a_picture_keeps_its_proportions(papers: Papers) -> None:
    [page] = pictures(papers.label(CourierLabel(number="R1", data=BLACK_SQUARE)), 72)

    columns = {at % page.width for at, grey in enumerate(page.grey) if grey < 250}
    rows = {at // page.width for at, grey in enumerate(page.grey) if grey < 250}
    assert abs(len(columns) - len(rows)) <= 2


def test_what_is_no_pdf_is_named_and_the_others_are_printed_without_it(papers: Papers) -> None:
    labels = [theirs("R1", "SF-1"), CourierLabel(number="R2", data=b"%PDF-1.4 nothing %%EOF"), theirs("R3", "SF-3")]

    with pytest.raises(
        LabelError, match="label of R2 is no PDF that others can be joined to: print it alone"
    ) as caught:
        papers.label(*labels)
    assert caught.value.number == "R2"

    said = texts(papers.label(*(label for label in labels if label.number != caught.value.number)))
    assert [bare(page) for page in said] == ["SF-1", "SF-3"]


def test_half_a_pdf_is_named(papers: Papers) -> None:
    whole = pdf_saying("SF-1")

    with pytest.raises(LabelError, match="R1"):
        papers.label(CourierLabel(number="R1", data=whole[: len(whole) // 2]), theirs("R2", "SF-2"))


@pytest.mark.parametrize("data", [BLACK_SQUARE[:40], b"\xff\xd8\xff\xd9", b"<html>busy</html>"])
def test_what_is_no_picture_is_named_by_its_number_alone(papers: Papers, data: bytes) -> None:
    with pytest.raises(LabelError, match="label of R1 is no picture that can be printed"):
        papers.label(CourierLabel(number="R1", data=data))
