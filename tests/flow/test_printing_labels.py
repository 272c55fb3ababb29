"""Labels that couriers made, printed at a desk: in one file with ours, never ours in their place, on record as any."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from sqlalchemy import update

from erpsync.flows.desk import printing
from erpsync.flows.errors import Refused
from erpsync.papers.papers import Papers
from erpsync.sdk.errors import NoAnswerError, RejectedError, TransientError
from erpsync.sdk.types import LabelKind
from erpsync.store.tables import waybill
from tests.support.courier import Courier, build_courier_desk, push, release_one
from tests.support.desk import build_desk, states, work
from tests.support.papers import Picture, bare, pdf_saying, texts
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

PICTURE = Picture(20, 20, bytes(400)).png()


@pytest.fixture(scope="module")
def papers() -> Iterator[Papers]:
    with open_papers() as made:
        yield made


@pytest.fixture
def town(database_url: str) -> Iterator[Town]:
    """A desk in SH that has got three orders, each booked with a courier."""
    town = build_desk(database_url)
    for name in ("o1", "o2", "o3"):
        town.shop.place(name, ("A", 1), name=f"王{name}")
    work(town)
    for nth, number in enumerate(states(town)):
        book(town, number, f"SF123456789012{nth}")
    yield town
    town.store.close()


def test_a_wave_has_couriers_labels_and_ours_in_one_file_in_the_order_of_its_boxes(town: Town, papers: Papers) -> None:
    one, two, three = states(town)
    label_by_courier(town, one, pdf_saying("one of SF"))
    label_by_courier(town, three, PICTURE, kind=LabelKind.PICTURE)
    wave_number = put_in_wave(town, [three, two, one])

    done = print_out(town, papers, "label", wave_number)

    pages = texts(done.pdf)
    assert (pages[0], bare("SF1234567890121") in pages[1], pages[2]) == ("", True, "oneofSF")
    assert (list(done.releases), done.left_out) == ([three, two, one], {})
    assert sorted(on_record(town)) == [("label", 1, "")] * 4
    assert printing.print_again(town.ctx, papers, SETTINGS, replace(done, pdf=b"")) == done.pdf


def test_the_digest_on_record_is_that_of_the_label_that_the_courier_made(town: Town, papers: Papers) -> None:
    number, *_ = states(town)
    label_by_courier(town, number, pdf_saying("one of SF"))
    first = print_out(town, papers, "label", number)
    print_out(town, papers, "label", number, reason="it was torn")
    label_by_courier(town, number, pdf_saying("another one"))
    print_out(town, papers, "label", number, reason="it was changed")

    one, same, other = digests(town)
    assert (one == same, one == other) == (True, False)
    with pytest.raises(Refused, match=f"what stands on that paper of {number} has changed since"):
        printing.print_again(town.ctx, papers, SETTINGS, first)


def test_data_for_a_print_component_is_never_replaced_by_a_label_of_ours(town: Town, papers: Papers) -> None:
    number, *_ = states(town)
    label_by_courier(town, number, b'{"data":"sealed"}', kind=LabelKind.PRINT_DATA)

    with pytest.raises(Refused, match=f"the label of release {number} is printed by the courier's print component"):
        print_out(town, papers, "label", number)
    assert on_record(town) == []


def test_of_a_wave_only_the_label_that_is_not_made_yet_is_left_out(town: Town, papers: Papers) -> None:
    one, two, three = states(town)
    label_by_courier(town, two, b"")
    wave_number = put_in_wave(town, [one, two, three])

    done = print_out(town, papers, "label", wave_number)

    assert list(done.releases) == [one, three]
    [(left, why)] = done.left_out.items()
    assert (left, "the label of waybill SF1234567890121 is not here yet" in why) == (two, True)


def test_a_label_that_cannot_be_joined_is_left_out_of_the_wave_and_printed_alone(town: Town, papers: Papers) -> None:
    one, two, three = states(town)
    label_by_courier(town, two, b"%PDF-1.4 broken %%EOF")
    wave_number = put_in_wave(town, [one, two, three])

    done = print_out(town, papers, "label", wave_number)

    assert list(done.releases) == [one, three]
    assert "print it alone" in done.left_out[two]
    assert print_out(town, papers, "label", two).pdf == b"%PDF-1.4 broken %%EOF"


def test_a_picture_that_is_none_is_refused_and_nothing_is_on_record(town: Town, papers: Papers) -> None:
    number, *_ = states(town)
    label_by_courier(town, number, PICTURE[:-20], kind=LabelKind.PICTURE)

    with pytest.raises(Refused, match=f"the courier's label of {number} is no picture that can be printed"):
        print_out(town, papers, "label", number)
    assert on_record(town) == []


def test_a_label_whose_number_is_to_be_void_is_not_printed(town: Town, papers: Papers) -> None:
    one, two, _ = states(town)
    label_by_courier(town, one, pdf_saying("one of SF"))
    with town.store.begin() as tx:
        tx.execute(update(waybill).values(state="cancelling"))

    for number in (one, two):
        with pytest.raises(Refused, match=f"of release {number} is to be void"):
            print_out(town, papers, "label", number)


def booked(database_url: str) -> tuple[Town, Courier, str]:
    """Return a desk with two parcels that a courier booked whose labels were not made in time, in a wave."""
    town, courier = build_courier_desk(database_url)
    numbers = [release_one(town, name, 1) for name in ("o1", "o2")]
    courier.trouble["label"] = [TransientError("not made yet") for _ in numbers]
    courier.late = True
    push(town)
    return town, courier, put_in_wave(town, numbers)


def test_labels_that_are_made_late_are_fetched_when_they_are_printed(database_url: str, papers: Papers) -> None:
    town, courier, wave_number = booked(database_url)
    courier.label = pdf_saying("late")

    done = print_out(town, papers, "label", wave_number)

    assert texts(done.pdf) == ["late", "late"]
    town.store.close()


def test_a_courier_that_does_not_answer_is_asked_for_one_label_of_a_wave(database_url: str, papers: Papers) -> None:
    town, courier, wave_number = booked(database_url)
    courier.trouble["label"] = [NoAnswerError("no answer"), RejectedError("asked again")]

    with pytest.raises(Refused, match=f"nothing of wave {wave_number} is printed"):
        print_out(town, papers, "label", wave_number)

    assert len(courier.trouble["label"]) == 1
    town.store.close()


def test_a_courier_that_refuses_one_label_gives_the_others(database_url: str, papers: Papers) -> None:
    town, courier, wave_number = booked(database_url)
    courier.label = pdf_saying("late")
    courier.trouble["label"] = [RejectedError("no such label")]

    done = print_out(town, papers, "label", wave_number)

    assert len(done.releases) == 1
    [why] = done.left_out.values()
    assert "no such label" in why
    town.store.close()
