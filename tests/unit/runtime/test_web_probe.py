"""Questions that may hang: asked once for all who ask, and answered when the answer is due."""

import threading

import pytest

from erpsync.web.probe import Probe


def test_many_who_ask_make_one_question_and_an_answer_counts_for_a_while() -> None:
    asked: list[int] = []
    probe = Probe(lambda: asked.append(1) or "fine", silent="silence", keep_s=600)

    assert [probe.answer() for _ in range(5)] == ["fine"] * 5
    assert asked == [1]


def test_an_answer_that_counts_no_more_is_asked_for_anew() -> None:
    answers = iter(["full", "fine"])
    probe = Probe(lambda: next(answers), silent="silence", keep_s=0)

    assert [probe.answer(), probe.answer()] == ["full", "fine"]


def test_whoever_waits_hears_of_the_silence_and_the_next_ones_do_not_wait_again() -> None:
    hanging = threading.Event()
    probe = Probe(lambda: hanging.wait() and "late", silent="silence", keep_s=0, answer_s=0.01)

    assert [probe.answer() for _ in range(3)] == ["silence"] * 3
    hanging.set()
    while probe.answer() == "silence":
        pass
    assert probe.answer() in ("late", "silence")


def test_a_defect_in_the_question_is_no_good_answer() -> None:
    def defect() -> str:
        raise ValueError("a defect")

    probe = Probe(defect, silent="silence")

    with pytest.raises(ValueError, match="a defect"):
        probe.answer()
