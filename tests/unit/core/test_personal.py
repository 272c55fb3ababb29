"""What people are shown of a payload names nobody."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from erpsync.core.personal import HIDDEN, is_personal_name, looks_personal, masked

RESIDENT = "11010519491231002X"  # the example number of GB 11643


@pytest.mark.parametrize(
    "name",
    [
        "receiver_name",
        "receiverMobile",
        "buyerNick",
        "consigneeInfo",
        "fullAddress",
        "open_uid",
        "oaid",
        "buyer_memo",
        "receivername",
        "contact-phone",
        "access_token",
        "id_card",
        "email",
        "收件人",
        "收货地址",
        "买家留言",
        "手机",
        "身份证号",
    ],
)
def test_what_stands_under_a_name_for_people_is_hidden(name: str) -> None:
    assert masked({name: "Anything"}) == {name: HIDDEN}


@pytest.mark.parametrize(
    "name", ["tid", "total", "status", "num_iid", "skuName", "goods_name", "title", "商品编码", "运费", "pay_time"]
)
def test_what_an_order_is_about_stays(name: str) -> None:
    assert not is_personal_name(name)
    assert masked({name: "12.50"}) == {name: "12.50"}


@pytest.mark.parametrize(
    "text",
    [
        "13800138000",
        "call 138 0013 8000 please",
        "+86-13800138000",
        "０1３８００１３８０００".replace("０1", "1"),
        "0571-88886666",
        "057188886666",
        "+44 20 7946 0958",
        "a.b@example.com",
        RESIDENT,
        "浙江省杭州市西湖区文三路 1 号",
        "王先生",
    ],
)
def test_what_looks_like_a_phone_an_address_or_an_identity_number_is_hidden_under_any_name(text: str) -> None:
    assert masked({"carrier": text}) == {"carrier": HIDDEN}


@pytest.mark.parametrize(
    "text", ["4503012345678901234", "290104477701", "2026-03-02 16:25:00", "SF1400022331", "12.50"]
)
def test_order_numbers_instants_and_amounts_stay(text: str) -> None:
    assert not looks_personal(text)


def test_a_number_that_is_a_phone_is_hidden_and_another_is_not() -> None:
    assert masked({"a": 13800138000, "b": 12900, "c": None, "d": True, "e": ""}) == {
        "a": HIDDEN,
        "b": 12900,
        "c": None,
        "d": True,
        "e": "",
    }


def test_everything_below_a_name_for_people_is_hidden_and_its_shape_stays() -> None:
    sent = {"receiver": {"who": "Wang", "lines": ["1", {"town": "x"}]}}

    assert masked(sent) == {"receiver": {"who": HIDDEN, "lines": [HIDDEN, {"town": HIDDEN}]}}


def test_json_that_stands_in_a_text_is_looked_through() -> None:
    inner = json.dumps({"tid": "1", "buyer_nick": "wang"})

    assert json.loads(masked({"response": inner})["response"]) == {"tid": "1", "buyer_nick": HIDDEN}
    assert masked({"response": '{"buyer_nick": "wa'}) == {"response": HIDDEN}


def test_a_name_that_is_a_phone_number_itself_is_hidden() -> None:
    assert masked({"13800138000": {"total": 1}}) == {HIDDEN: {"total": 1}}


def test_what_lies_too_deep_is_hidden() -> None:
    deep: Any = "secret"
    for _ in range(60):
        deep = {"a": deep}

    assert "secret" not in json.dumps(masked(deep))


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=20,
    )
)
def test_no_phone_comes_through_whatever_it_is_wrapped_in(around: Any) -> None:
    """Row 40: texts of others are scrubbed."""
    shown = json.dumps(masked({"x": [around, "13800138000", {"y": "tel:13800138000"}]}), ensure_ascii=False)

    assert "13800138000" not in shown
