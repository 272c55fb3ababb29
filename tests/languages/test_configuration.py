"""Mistakes in a configuration are named in Chinese: all that the tests of the configuration know of."""

import pytest

from erpsync.languages import language
from tests.languages.leftovers import left_over
from tests.unit.settings.test_problems import MAIN_MISTAKES

NAMES = "timezone migrate auto runtime stop poll orders stock web status privacy keys warehouses database defaults true"


@pytest.mark.parametrize("mistake", MAIN_MISTAKES)
def test_a_mistake_is_named_in_chinese(mistake: str) -> None:
    written, said = MAIN_MISTAKES[mistake]
    data = written if isinstance(written, str) else written.decode(errors="replace")
    place, _, text = said.partition(": ")

    shown = language("zh").say(f"config/erpsync.yaml:{place}: {text}")

    assert shown.startswith(f"config/erpsync.yaml:{place}: ")
    assert left_over(shown, f"{data} {NAMES}") == []
