"""What is printed at a desk: read again first, on record before anybody has it, never twice unnoticed."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event as sa_event
from sqlalchemy import select

from erpsync.flows.desk import printing
from erpsync.flows.errors import Refused
from erpsync.flows.warehouses.stop_answers import take_answer
from erpsync.papers.papers import Papers
from erpsync.sdk.errors import TransientError
from erpsync.sdk.types import Sender
from erpsync.store.releases import read_head
from erpsync.store.tables import event, release, wave
from erpsync.store.views.values import NotFound
from tests.support import looking
from tests.support.desk import DESK, build_desk, states, work
from tests.support.own_orders import make
from tests.support.papers import RARE, bare, texts
from tests.support.printing import (
    SETTINGS,
    book,
    digests,
    label_by_courier,
    on_record,
    open_papers,
    print_out,
    put_in_wave,
)
from tests.support.shop import Town

pytestmark = pytest.mark.concurrent("processes")


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


def three(town: Town) -> list[str]:
    """Let two more orders come; return the releases of all three."""
    town.shop.place("o2", ("A", 1))
    town.shop.place("o3", ("A", 3))
    work(town)
    return list(states(town))


def first_printed_at(town: Town, number: str) -> Any:
    with town.store.read() as connection:
        return connection.execute(select(release.c.printed_at).where(release.c.number == number)).scalar_one()


def test_a_slip_says_what_goes_where_and_names_the_recipient_masked(town: Town, papers: Papers) -> None:
    number = only(town)

    done = print_out(town, papers, "slip", number)
    [page] = texts(done.pdf)

    for said in (number, "o1", "请放快递柜", "老客户", "王**", "138****1111", "杭州市", "shop", "SH"):
        assert bare(said) in page
    assert "13800001111" not in page
    assert "解放路" not in page
    assert (done.copies, done.releases, dict(done.left_out)) == ({number: 1}, (number,), {})


def test_a_print_is_on_record_with_its_order_and_marks_the_release(town: Town, papers: Papers) -> None:
    number = only(town)
    print_out(town, papers, "slip", number)

    assert on_record(town) == [("slip", 1, "")]
    assert first_printed_at(town, number) is not None
    with town.store.read() as connection:
        row = connection.execute(select(event).where(event.c.kind == "release.printed")).one()
    assert (row.actor, number in row.detail) == ("me", True)


def test_the_same_slip_printed_again_bears_its_copy_and_has_the_same_digest(town: Town, papers: Papers) -> None:
    number = only(town)
    first = print_out(town, papers, "slip", number)
    at = first_printed_at(town, number)
    town.advance(60)

    again = print_out(town, papers, "slip", number)

    assert again.copies == {number: 2}
    assert bare("补打 2") in texts(again.pdf)[0]
    assert bare("补打") not in texts(first.pdf)[0]
    assert len(set(digests(town))) == 1
    assert first_printed_at(town, number) == at


def test_what_was_printed_is_left_alone_unless_a_copy_is_wanted(town: Town, papers: Papers) -> None:
    number = only(town)
    print_out(town, papers, "slip", number, copy=False)

    with pytest.raises(Refused, match=f"this paper of release {number} was printed before"):
        print_out(town, papers, "slip", number, copy=False)
    assert on_record(town) == [("slip", 1, "")]


def test_a_label_bears_the_waybill_and_the_whole_recipient(town: Town, papers: Papers) -> None:
    number = only(town)
    book(town, number, "SF1234567890123", parcels=2)

    first, second = texts(print_out(town, papers, "label", number).pdf)

    for said in ("SF1234567890123", "顺丰速运", "755-A12", "王小明", "13800001111", "解放路 1 号", "第 1 件，共 2 件"):
        assert bare(said) in first
    assert "SF1234567890123-2" in second


def test_the_sender_is_that_of_the_warehouse(database_url: str, papers: Papers) -> None:
    sender = Sender(
        name="张三", phone="0571-88886666", province="浙江省", city="杭州市", address="文一西路 969 号", company="茶舍"
    )
    town = build_desk(database_url, warehouses=[replace(DESK, sender=sender)])
    town.shop.place("o1", ("A", 1))
    work(town)

    [page] = texts(print_out(town, papers, "slip", only(town)).pdf)

    for said in ("茶舍 张三", "0571-88886666", "浙江省 杭州市", "文一西路 969 号"):
        assert bare(said) in page
    town.store.close()


def test_a_label_without_a_waybill_is_refused(town: Town, papers: Papers) -> None:
    number = only(town)

    with pytest.raises(Refused, match=f"release {number} has no waybill number yet"):
        print_out(town, papers, "label", number)
    assert on_record(town) == []


def test_the_label_of_a_courier_comes_as_it_is(town: Town, papers: Papers) -> None:
    number = only(town)
    book(town, number, "SF1234567890123")
    label_by_courier(town, number, b"%PDF-1.4 theirs")

    done = print_out(town, papers, "label", number)

    assert (done.pdf, on_record(town)) == (b"%PDF-1.4 theirs", [("label", 1, "")])
    assert printing.print_again(town.ctx, papers, SETTINGS, replace(done, pdf=b"")) == done.pdf


def test_a_second_label_needs_a_reason_which_is_kept(town: Town, papers: Papers) -> None:
    """Row 37: a second copy says that it is one."""
    number = only(town)
    book(town, number, "SF1234567890123")
    print_out(town, papers, "label", number)

    with pytest.raises(Refused, match=f"a second label of release {number} needs a reason"):
        print_out(town, papers, "label", number)
    again = print_out(town, papers, "label", number, reason="it was torn")

    assert on_record(town) == [("label", 1, ""), ("label", 2, "it was torn")]
    assert bare("补打 2") in texts(again.pdf)[0]


def test_an_order_is_read_again_before_its_first_paper_and_not_before_a_copy(town: Town, papers: Papers) -> None:
    number = only(town)
    town.advance(60)
    town.shop.reads.clear()
    print_out(town, papers, "slip", number)
    town.advance(60)
    print_out(town, papers, "slip", number)

    assert town.shop.reads == ["o1"]


def test_a_cancel_that_nobody_had_read_stops_the_paper(town: Town, papers: Papers) -> None:
    """Row 36: read again before its first paper."""
    number = only(town)
    town.shop.change("o1", state="cancelled")
    town.advance(60)

    with pytest.raises(Refused, match=f"release {number} is to be stopped"):
        print_out(town, papers, "slip", number)
    work(town)

    assert list(states(town).values()) == ["stopped"]
    with pytest.raises(Refused, match=f"release {number} is stopped"):
        print_out(town, papers, "slip", number)
    assert on_record(town) == []


def test_what_cannot_be_read_again_is_not_printed(town: Town, papers: Papers) -> None:
    number = only(town)
    town.advance(60)
    town.shop.trouble["complete"] = [TransientError("no answer")]

    with pytest.raises(Refused, match="could not be read again on shop: no answer"):
        print_out(town, papers, "slip", number)
    assert (on_record(town), first_printed_at(town, number)) == ([], None)


def test_a_wave_prints_the_others_in_the_order_of_its_boxes(town: Town, papers: Papers) -> None:
    one, two, three_ = three(town)
    number = put_in_wave(town, [three_, one, two])
    town.shop.change("o2", state="cancelled")
    town.advance(60)

    done = print_out(town, papers, "slip", number)

    pages = texts(done.pdf)
    assert [name in page for name, page in zip((three_, one), pages, strict=True)] == [True, True]
    assert bare("3 格") not in pages[0]
    assert dict(done.left_out) == {two: f"release {two} is to be stopped: take its papers out"}
    assert done.copies == {three_: 1, one: 1, number: 1}
    with town.store.read() as connection:
        row = connection.execute(select(wave)).one()
    assert (row.state, row.printed_at is None) == ("printed", False)


def test_a_wave_printed_anew_prints_what_it_had_left_out(town: Town, papers: Papers) -> None:
    numbers = three(town)
    wave_number = put_in_wave(town, numbers)
    town.advance(60)
    town.shop.hidden.add("o2")
    print_out(town, papers, "slip", wave_number, copy=False)
    town.shop.hidden.clear()

    done = print_out(town, papers, "slip", wave_number, copy=False)

    assert done.copies == {numbers[1]: 1, wave_number: 2}
    assert set(done.left_out) == {numbers[0], numbers[2]}


def test_a_shop_that_does_not_answer_is_asked_once_for_a_whole_wave(town: Town, papers: Papers) -> None:
    wave_number = put_in_wave(town, three(town))
    town.advance(60)
    town.shop.trouble["complete"] = [TransientError("no answer")]

    with pytest.raises(Refused, match=f"nothing of wave {wave_number} is printed"):
        print_out(town, papers, "slip", wave_number)
    assert town.shop.trouble["complete"] == []


def test_a_pick_list_has_a_column_for_each_box_and_leaves_empty_what_must_not_leave(town: Town, papers: Papers) -> None:
    one, two, three_ = three(town)
    wave_number = put_in_wave(town, [one, two, three_])
    town.shop.change("o2", state="cancelled")
    town.advance(60)

    [page] = texts(print_out(town, papers, "pick", wave_number).pdf)

    assert bare("2 张发货单，1 种 5 件") in page
    assert one in page
    assert two not in page
    assert on_record(town) == [("pick", 1, "")]
    assert (first_printed_at(town, one) is None, first_printed_at(town, two)) == (False, None)


def test_a_pick_list_is_of_a_wave_and_a_number_must_be_known(town: Town, papers: Papers) -> None:
    with pytest.raises(Refused, match="a pick list is of a wave"):
        print_out(town, papers, "pick", only(town))
    with pytest.raises(NotFound, match="there is no release and no wave R1"):
        print_out(town, papers, "slip", "R1")


def test_a_character_that_no_font_has_leaves_its_paper_out_with_a_task(database_url: str, papers: Papers) -> None:
    town = build_desk(database_url)
    town.shop.place("o1", ("A", 1), seller_note="\U00020bb7")
    town.shop.place("o2", ("A", 1))
    work(town)
    rare, plain = states(town)
    done = print_out(town, papers, "slip", put_in_wave(town, [rare, plain]))

    assert next(iter(done.copies)) == plain
    assert "U+20BB7" in done.left_out[rare]
    assert looking.tasks(town) == ["paper"]

    with Papers((*SETTINGS.fonts, RARE)) as better:
        print_out(town, better, "slip", rare)
    assert looking.tasks(town) == []
    town.store.close()


def test_papers_without_packages_or_font_leave_no_trace(town: Town, tmp_path: Path) -> None:
    number = only(town)
    with Papers((tmp_path / "none.ttf",)) as fontless, pytest.raises(Refused, match=r"none\.ttf"):
        print_out(town, fontless, "slip", number)
    assert (on_record(town), first_printed_at(town, number)) == ([], None)


def test_a_slip_says_which_paper_it_takes_the_place_of(town: Town, papers: Papers) -> None:
    old = only(town)
    print_out(town, papers, "slip", old)
    town.shop.change("o1", lines=[town.shop.orders["o1"]["lines"][0] | {"qty": 1}])
    work(town)
    with town.store.begin() as tx:  # as a person who has taken the paper out
        [release_id] = tx.execute(select(release.c.id)).scalars()
        take_answer(tx, town.ctx, read_head(tx, release_id), stopped=True, reason="out of the pile")
    work(town)

    [new] = [number for number, state in states(town).items() if state == "told"]
    [page] = texts(print_out(town, papers, "slip", new).pdf)

    assert bare(f"替换 {old}") in page


def test_a_packing_list_says_prices_and_the_total_where_all_of_the_order_is_in_it(town: Town, papers: Papers) -> None:
    style = replace(SETTINGS.styles["pack"], prices=True)
    settings = replace(SETTINGS, styles={**SETTINGS.styles, "pack": style})

    done = printing.print_papers(town.ctx, papers, settings, "pack", only(town), actor="me")

    [page] = texts(done.pdf)
    assert "¥10.00" in page
    assert page.count("¥20.00") == 2


def test_what_was_handed_out_can_be_had_again_until_something_changes(town: Town, papers: Papers) -> None:
    number = only(town)
    done = print_out(town, papers, "slip", number)

    assert printing.print_again(town.ctx, papers, SETTINGS, replace(done, pdf=b"")) == done.pdf
    known = printing.last_printed(town.ctx, "slip", number, actor="me")
    assert printing.print_again(town.ctx, papers, SETTINGS, known) == done.pdf
    book(town, number, "SF1234567890123")
    with pytest.raises(Refused, match=f"what stands on that paper of {number} has changed since"):
        printing.print_again(town.ctx, papers, SETTINGS, known)
    assert on_record(town) == [("slip", 1, "")]


def test_a_wave_takes_as_many_statements_to_print_whatever_its_size(database_url: str, papers: Papers) -> None:
    town = build_desk(database_url)
    counted = []
    for first, last in ((0, 1), (1, 8)):
        for nth in range(first, last):
            town.shop.place(f"o{nth}", ("A", 1))
        work(town)
        told = list(states(town))[first:last]
        number = put_in_wave(town, told, wave_number=f"W20260302000{last}")
        statements: list[str] = []
        sa_event.listen(
            town.store.engine, "before_cursor_execute", lambda *given, seen=statements: seen.append(given[2])
        )
        print_out(town, papers, "slip", number)
        counted.append(len(statements))
    town.store.close()
    assert counted[1] - 1 <= 2 * counted[0]


def test_a_wave_prints_labels_but_those_that_were_printed_need_a_reason(town: Town, papers: Papers) -> None:
    one, two, three_ = three(town)
    for nth, name in enumerate((one, two, three_)):
        book(town, name, f"SF123456789012{nth}")
    print_out(town, papers, "label", two)
    wave_number = put_in_wave(town, [one, two, three_])

    done = print_out(town, papers, "label", wave_number)

    assert set(done.releases) == {one, three_}
    assert dict(done.left_out) == {two: f"a second label of release {two} needs a reason"}


def test_cash_to_collect_stands_on_slip_and_label(database_url: str, papers: Papers) -> None:
    town = build_desk(database_url)
    make(town, kind="cod", lines=[{"sku": "A", "qty": 2, "price_minor": 1000}])
    work(town)
    number = only(town)
    book(town, number, "SF1234567890123")

    pages = [texts(print_out(town, papers, paper, number).pdf)[0] for paper in ("slip", "label")]

    assert all("代收货款" in page and "¥20.00" in page for page in pages)
    town.store.close()
