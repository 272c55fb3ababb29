"""`rules test` says what became of a gift."""

import pytest

from erpsync.cli.rules import _given
from erpsync.flows.explain.rules import WHY_NO_GIFT
from erpsync.store.tables.rules import GIFT_STATES


def test_what_became_of_a_gift_has_its_own_words() -> None:
    said = {state: _given({"sku": "SCARF", "qty": 1, "state": state}) for state in GIFT_STATES}

    assert len(set(said.values())) == len(GIFT_STATES)
    assert said["given"] == "gift of 1 SCARF"
    assert said["replaced"] == "gift of another SKU in place of SCARF, of which there was none in stock"


@pytest.mark.parametrize("state", [state for state in GIFT_STATES if state != "given"])
def test_why_a_gift_is_not_given_is_explained(state: str) -> None:
    assert state in WHY_NO_GIFT


def test_nothing_is_explained_that_becomes_of_no_gift() -> None:
    assert WHY_NO_GIFT.keys() == set(GIFT_STATES) - {"given"}
