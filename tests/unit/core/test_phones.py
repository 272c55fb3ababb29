"""Which texts are whole phone numbers."""

import pytest

from erpsync.core.phones import spellings


@pytest.mark.parametrize(
    "text",
    ["13800001111", "138 0000 1111", "138-0000-1111", "+86 138-0000-1111", "008613800001111", "1３８００００１１１１"],
)
def test_a_mobile_number_is_one_however_it_is_written(text: str) -> None:
    assert spellings(text) == ("13800001111",)


@pytest.mark.parametrize("text", ["010-1234 5678", "(010) 12345678", "+86 10 12345678", "+86 010 12345678"])
def test_a_landline_is_looked_for_with_and_without_the_codes_before_it(text: str) -> None:
    assert spellings(text) == ("01012345678", "861012345678", "1012345678")


@pytest.mark.parametrize("text", ["18400001111-1234", "18400001111 转 1234", "0571-88886666-802", "18400001111,88"])
def test_a_number_with_an_extension_is_one_with_its_extension(text: str) -> None:
    assert spellings(text) == (text,)


def test_a_number_abroad_begins_with_a_plus() -> None:
    assert spellings("+44 20 7946 0018") == ("+442079460018",)


@pytest.mark.parametrize(
    "text",
    ["", "1111", "0000 1111", "138****1111", "12800001111", "2910447700000007", "S13800001111", "SF1400022331", "+86"],
)
def test_a_part_of_a_number_and_other_numbers_are_none(text: str) -> None:
    assert spellings(text) == ()


@pytest.mark.parametrize("text", ["A-12", "order 7#3", "x12"])
def test_what_ends_like_an_extension_and_is_no_number_before_is_none(text: str) -> None:
    assert spellings(text) == ()
