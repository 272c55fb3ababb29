"""What a newer view changes of what people wrote, and what an older one adds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from erpsync.core.notes import Notes, changed, newer, older, told
from tests.support.facts import order

texts = st.none() | st.sampled_from(["", "a", "b"])
all_notes = st.builds(Notes, buyer=texts, buyer_note=texts, seller_note=texts)
KNOWN = Notes(buyer="u1", buyer_note="wrap it", seller_note="send by SF")


def test_a_view_that_carries_no_notes_erases_none() -> None:
    assert newer(KNOWN, order()) == KNOWN


def test_a_note_that_was_taken_back_is_gone_and_the_others_stay() -> None:
    now = newer(KNOWN, order(seller_note=""))

    assert told(now) == {"buyer": "u1", "buyer_note": "wrap it", "seller_note": ""}
    assert changed(KNOWN, now) == ("seller_note",)


def test_an_older_view_tells_only_what_nobody_knows() -> None:
    known = Notes(buyer_note="", seller_note="send by SF")

    assert older(known, order(buyer="u1", buyer_note="old wish", seller_note="old")) == Notes(
        buyer="u1", buyer_note="", seller_note="send by SF"
    )


def test_notes_without_a_word_are_none() -> None:
    assert told(Notes(buyer_note="", seller_note="")) == {}


@pytest.mark.parametrize(
    ("known", "now", "names"),
    [
        (Notes(), Notes(buyer="u1"), ()),
        (Notes(buyer="u1"), Notes(buyer="u2"), ("buyer",)),
        (Notes(), Notes(buyer_note="wrap it"), ("buyer_note",)),
        (Notes(), Notes(seller_note=""), ()),
    ],
    ids=["a buyer becomes known", "another buyer", "a note comes", "nobody wrote anything"],
)
def test_what_reads_otherwise_is_named(known: Notes, now: Notes, names: tuple[str, ...]) -> None:
    assert changed(known, now) == names


@given(all_notes, all_notes, all_notes)
def test_reading_a_view_twice_is_reading_it_once_and_old_ones_in_any_number_change_no_newer_one(
    known: Notes, new: Notes, old: Notes
) -> None:
    now = newer(known, order(buyer=new.buyer, buyer_note=new.buyer_note, seller_note=new.seller_note))
    before = order(buyer=old.buyer, buyer_note=old.buyer_note, seller_note=old.seller_note)
    filled = older(now, before)

    assert newer(now, order(buyer=new.buyer, buyer_note=new.buyer_note, seller_note=new.seller_note)) == now
    assert older(filled, before) == filled
    for name in ("buyer", "buyer_note", "seller_note"):
        assert getattr(now, name) is None or getattr(filled, name) == getattr(now, name)
