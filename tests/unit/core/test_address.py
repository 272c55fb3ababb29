"""What is wrong with where a parcel is to go; nothing of what is masked, and nothing abroad."""

import pytest

from erpsync.core.address import Problem, problems
from erpsync.store.regions import regions

GOOD = {
    "name": "王小明",
    "phone": "13800138000",
    "province": "浙江省",
    "city": "杭州市",
    "district": "西湖区",
    "address": "文三路 1 号",
    "ciphertext": "",
}


def found(**fields: str) -> tuple[Problem, ...]:
    return problems(GOOD | fields, regions())


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"phone": "0571-87654321"},
        {"phone": "13800138000-1234"},
        {"address": "浙江省杭州市西湖区文三路1号"},
        {"address": "幸福村3组"},
        {"province": "", "city": "", "district": ""},
        {"phone": ""},
        {"address": ""},
    ],
)
def test_a_good_address_has_no_problem(fields: dict[str, str]) -> None:
    assert found(**fields) == ()


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"phone": "1380013800"}, Problem(code="bad_phone")),
        ({"phone": "无"}, Problem(code="bad_phone")),
        ({"address": "路口"}, Problem(code="too_short")),
        ({"address": "浙江省杭州市西湖区"}, Problem(code="too_short")),
        ({"address": "西湖区 3号"}, Problem(code="too_short")),
        ({"province": "火星"}, Problem(code="unknown_region", part="province")),
        ({"city": "无此市"}, Problem(code="unknown_region", part="city", within="浙江省")),
        ({"city": "广州市"}, Problem(code="region_mismatch", part="city", within="浙江省")),
        ({"district": "无此区"}, Problem(code="unknown_region", part="district", within="杭州市")),
        ({"district": "浦东新区"}, Problem(code="region_mismatch", part="district", within="杭州市")),
        (
            {"address": "江苏省南京市玄武区中山路1号"},
            Problem(code="region_mismatch", part="address", within="杭州市"),
        ),
    ],
)
def test_each_problem_has_its_code_and_names_the_part(fields: dict[str, str], problem: Problem) -> None:
    assert found(**fields) == (problem,)


def test_several_problems_are_all_named() -> None:
    assert [each.code for each in found(phone="1", address="路", district="无此区")] == [
        "bad_phone",
        "too_short",
        "unknown_region",
    ]


@pytest.mark.parametrize(
    "fields",
    [
        {"ciphertext": "~AgAA", "phone": "1", "address": "路", "province": "火星"},
        {"phone": "138****8000", "address": "文三路****"},
        {"address": "*", "province": "火星"},
        {"phone": "+44 20 7946 0018", "province": "London", "city": "", "district": "", "address": "1 Fleet Street"},
        {"phone": "555", "province": "London", "city": "", "district": "", "address": "1 F"},
    ],
)
def test_what_is_hidden_or_abroad_is_judged_by_nobody(fields: dict[str, str]) -> None:
    assert found(**fields) == ()


def test_a_masked_phone_does_not_hide_a_wrong_district() -> None:
    assert [each.code for each in found(phone="138****8000", district="无此区")] == ["unknown_region"]


def test_nothing_that_a_buyer_wrote_is_in_a_problem() -> None:
    said = str(found(phone="1", address="我家", province="张三的省", city="张三的市", district="张三的区"))

    assert "张三" not in said
    assert "我家" not in said
