"""What may be seen of a recipient by somebody who need not know them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from erpsync.core.masking import mask_name, mask_phone, masked

WHOLE = {
    "name": "王小明",
    "phone": "13812345678",
    "province": "浙江省",
    "city": "杭州市",
    "district": "西湖区",
    "address": "文三路 1 号 2 幢 301",
    "ciphertext": "A7x==",
}


def test_of_a_recipient_only_the_first_sign_the_ends_of_the_number_and_the_city_are_seen() -> None:
    assert masked(WHOLE) == {"name": "王**", "phone": "138****5678", "city": "杭州市"}


def test_what_a_channel_does_not_say_is_left_out() -> None:
    assert masked({"name": "", "phone": "", "province": "上海", "city": ""}) == {"city": "上海"}
    assert masked({"ciphertext": "A7x=="}) == {}


@pytest.mark.parametrize(
    ("phone", "seen"),
    [
        ("13812345678", "138****5678"),
        ("+86 138-1234-5678", "861****5678"),
        ("138****5678", "138****5678"),
        ("0571-88886666", "057****6666"),
        ("８６1381234567", "８６1****4567"),
        ("88886666", "****"),
        ("110", "****"),
        ("", ""),
        (" - ", ""),
    ],
)
def test_the_middle_of_a_number_is_hidden_and_a_short_one_whole(phone: str, seen: str) -> None:
    assert mask_phone(phone) == seen


@pytest.mark.parametrize(("name", "seen"), [("王小明", "王**"), ("Li", "L**"), ("欧阳", "欧**"), (" ", "")])
def test_of_a_name_its_first_sign_is_seen(name: str, seen: str) -> None:
    assert mask_name(name) == seen


@given(st.text(alphabet="0123456789", min_size=11, max_size=20))
def test_four_digits_at_least_are_hidden_whatever_the_number(phone: str) -> None:
    assert sum(sign.isdecimal() for sign in mask_phone(phone)) <= len(phone) - 4


@given(st.dictionaries(st.sampled_from(sorted(WHOLE)), st.text()))
def test_district_street_and_ciphertext_are_never_seen(recipient: dict[str, str]) -> None:
    assert set(masked(recipient)) <= {"name", "phone", "city"}
