"""Printing while something else happens: two at once, a cancel while pages are set, a process that dies."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

import pytest
from sqlalchemy import select

from erpsync.flows.desk import printing
from erpsync.flows.errors import Refused
from erpsync.papers.papers import Papers
from erpsync.papers.records import SlipData
from erpsync.papers.style import PaperStyle
from erpsync.store.tables import release
from tests.support.depot import read_shop
from tests.support.desk import build_desk, states, work
from tests.support.dying import At, Crash, dying
from tests.support.papers import bare, texts
from tests.support.printing import SETTINGS, book, on_record, open_papers, print_out
from tests.support.shop import Town

pytestmark = pytest.mark.concurrent("threads")


@pytest.fixture(scope="module")
def papers() -> Iterator[Papers]:
    with open_papers() as made:
        yield made


@pytest.fixture
def town(database_url: str) -> Iterator[Town]:
    """A desk in SH that has got o1, two of A with notes."""
    town = build_desk(database_url)
    town.shop.place("o1", ("A", 2), buyer_note="请放快递柜", seller_note="老客户", buyer="b1", city="杭州市")
    work(town)
    yield town
    town.store.close()


def only(town: Town) -> str:
    [number] = states(town)
    return number


def first_printed_at(town: Town, number: str) -> Any:
    with town.store.read() as connection:
        return connection.execute(select(release.c.printed_at).where(release.c.number == number)).scalar_one()


def test_two_who_print_at_once_get_two_copies_with_different_numbers(town: Town, papers: Papers) -> None:
    number = only(town)

    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(lambda who: print_out(town, papers, "slip", number, actor=who), ("li", "wu")))

    assert sorted(each.copies[number] for each in done) == [1, 2]
    assert {bare("补打 2") in texts(each.pdf)[0]: each.copies[number] for each in done} == {False: 1, True: 2}
    assert on_record(town) == [("slip", 1, ""), ("slip", 2, "")]


def test_two_who_print_one_label_at_once_get_one(town: Town, papers: Papers) -> None:
    number = only(town)
    book(town, number, "SF1234567890123")

    def one(who: str) -> int:
        try:
            return print_out(town, papers, "label", number, actor=who).copies[number]
        except Refused:
            return 0

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(one, ("li", "wu"))) == [0, 1]
    assert on_record(town) == [("label", 1, "")]


class Stops:
    """Lets something happen while pages are set."""

    def __init__(self, papers: Papers, during: Callable[[], object]) -> None:
        self._papers = papers
        self._during: Callable[[], object] | None = during

    def slip(self, *slips: SlipData, style: PaperStyle) -> bytes:
        """Return slips as a PDF, what was to happen done."""
        happening, self._during = self._during, None
        pdf = self._papers.slip(*slips, style=style)
        if happening is not None:
            happening()
        return pdf


def cancelled(town: Town) -> Callable[[], object]:
    def cancel() -> None:
        town.shop.change("o1", state="cancelled")
        read_shop(town)

    return cancel


def test_a_cancel_while_pages_are_set_keeps_the_paper_back(town: Town, papers: Papers) -> None:
    number = only(town)

    with pytest.raises(Refused, match=f"release {number} is to be stopped"):
        print_out(town, cast("Papers", Stops(papers, cancelled(town))), "slip", number)
    assert (on_record(town), first_printed_at(town, number)) == ([], None)


@pytest.mark.parametrize(("at", "kept"), [("before", []), ("behind", [("slip", 1, "")])])
def test_who_dies_at_the_commit_leaves_a_row_or_none_and_the_next_print_counts_on(
    town: Town, papers: Papers, at: At, kept: list[tuple[str, int, str]]
) -> None:
    number = only(town)

    with pytest.raises(Crash):
        printing.print_papers(dying(town, at), papers, SETTINGS, "slip", number, actor="me")

    assert on_record(town) == kept
    assert print_out(town, papers, "slip", number).copies == {number: 1 + len(kept)}
