"""Which orders go to the same person at the same door, and about which nobody can say so."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from erpsync.core.merging import SameRecipient, merge_key, plain
from erpsync.sdk.types import Recipient
from erpsync.store.regions import regions

WANG = {
    "name": "王芳",
    "phone": "13812345678",
    "province": "浙江省",
    "city": "杭州市",
    "district": "西湖区",
    "address": "文一西路1号2单元301室",
}


def key(same: SameRecipient | None = None, **fields: str) -> str | None:
    """Return the key of Wang's order, some fields written otherwise."""
    return merge_key(Recipient(**(WANG | fields)), regions=regions(), same=same)


@pytest.mark.parametrize(
    "fields",
    [
        {"name": " 王 芳 "},
        {"name": "王\u200b芳"},
        {"name": "王　芳"},
        {"phone": "+86 138-1234-5678"},
        {"phone": "8613812345678"},
        {"phone": "１３８１２３４５６７８"},
        {"province": "浙江", "city": "杭州", "district": "西湖"},
        {"address": "文一西路 1号 2单元 301室"},
        {"address": "文一西路１号２单元３０１室\n"},
        {"address": "浙江省杭州市西湖区文一西路1号2单元301室"},
        {"province": "", "city": "", "district": "", "address": "浙江省杭州市西湖区 文一西路1号2单元301室"},
    ],
)
def test_the_same_door_written_otherwise_is_the_same(fields: dict[str, str]) -> None:
    assert key(**fields) == key() is not None


@pytest.mark.parametrize(
    "fields",
    [
        {"name": "王方"},
        {"phone": "13812345679"},
        {"phone": "13812345678-123"},
        {"province": "江苏省"},
        {"city": "宁波市"},
        {"district": "余杭区"},
        {"address": "文一西路1号2单元302室"},
        {"address": "文一西路1号"},
        {"province": "", "city": "", "district": "", "address": "浙江省杭州市余杭区文一西路1号2单元301室"},
    ],
)
def test_whatever_differs_makes_another_recipient(fields: dict[str, str]) -> None:
    assert key(**fields) not in (key(), None)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("文一西路3号 12室", "文一西路31 2室"),
        ("文一西路3 12", "文一西路31 2"),
        ("文一西路3 12", "文一西路312"),
        ("荷花池二 十一", "荷花池二十 一"),
        ("1-23 High St", "12-3 High St"),
    ],
)
def test_numbers_that_a_space_keeps_apart_do_not_run_together(one: str, other: str) -> None:
    assert key(address=one) != key(address=other)


def test_case_and_kinds_of_dashes_do_not_count() -> None:
    assert key(name="John O'Neil", address="Flat 2, 1\u20133 High St") == key(
        name="JOHN O'NEIL", address="flat 2, 1-3 HIGH ST"
    )
    assert plain("Straße　１－2\u00a0") == "strasse1-2"


def test_fields_do_not_run_into_one_another() -> None:
    assert key(name="王芳", address="江路1号") != key(name="王芳江", address="路1号")
    assert key(city="", district="西湖区杭州") != key(city="西湖区", district="杭州")


@pytest.mark.parametrize(
    ("places", "others"),
    [
        (("上海市", "上海市", "浦东新区"), ("上海", "市辖区", "浦东新区")),
        (("上海市", "", "浦东新区"), ("上海", "上海", "浦东新区")),
        (("重庆市", "县", "云阳县"), ("重庆", "重庆市", "云阳")),
        (("广西壮族自治区", "南宁市", "青秀区"), ("广西", "南宁", "青秀区")),
    ],
)
def test_a_city_that_is_its_province_is_one_place(places: tuple[str, ...], others: tuple[str, ...]) -> None:
    names = ("province", "city", "district")

    assert key(**dict(zip(names, places, strict=True))) == key(**dict(zip(names, others, strict=True))) is not None


@pytest.mark.parametrize("name", ["name", "phone", "address"])
@pytest.mark.parametrize(
    "hidden",
    [
        "", " ", "\u200b", "-", "…",
        "*", "王*", "138****5678", "文**路***号", "＊＊＊", "●●●", "138••••5678",
        "~AgAAAAKz1Y0F~abc~1~", "#5JcVIo#abc==#", "$138$aGVsbG8=$1$",
        "AAexampleCipher==", "Zm9vYmFyYmF6cXV4MTIz4A",
    ],
)  # fmt: skip
def test_what_is_missing_masked_or_a_ciphertext_has_no_key(name: str, hidden: str) -> None:
    assert key(**{name: hidden}) is None


@pytest.mark.parametrize("name", ["province", "city", "district"])
def test_a_masked_place_has_no_key(name: str) -> None:
    assert key(**{name: "**市"}) is None


@pytest.mark.parametrize(
    "phone",
    [
        "12345",
        "abc",
        "00000000000",
        "1111111111",
        "$18812345678$#1234#",
        "13812345678/13912345678",
        "138xxxx5678",
        "无",
    ],
)
def test_what_is_no_whole_number_has_no_key(phone: str) -> None:
    assert key(phone=phone) is None


@pytest.mark.parametrize("phone", ["0571-88888881", "+44 7700 900123", "(415) 555-2671", "18800000000-123"])
def test_numbers_of_other_kinds_have_one(phone: str) -> None:
    assert key(phone=phone) is not None


def test_a_name_that_is_said_to_be_hidden_has_no_key() -> None:
    assert key(name="王某") is None
    assert key(name="某先生") is None


def test_without_a_region_there_is_no_key() -> None:
    assert key(province="", city="", district="") is None
    assert key(province=" ", city="-", district="") is None
    assert key(province="", district="") is not None


def test_a_region_without_a_street_has_no_key() -> None:
    assert key(address="浙江省杭州市西湖区") is None
    assert key(province="", city="", district="", address="浙江省杭州市西湖区") is None


def test_an_erased_recipient_has_no_key() -> None:
    said = SameRecipient(scope="tmall", token="t")

    assert merge_key(None, regions=regions()) is None
    assert merge_key(None, regions=regions(), same=said) is None
    assert merge_key(Recipient(), regions=regions()) is None
    assert merge_key(Recipient(), regions=regions(), same=said) is None


def test_a_ciphertext_has_the_key_that_the_platform_answers_and_no_other() -> None:
    answer = SameRecipient(scope="tmall-flagship", token="oaid-1")

    assert key(ciphertext="oaid-1") is None
    assert key(ciphertext="oaid-1", same=SameRecipient(scope="tmall-flagship", token="")) is None
    assert key(ciphertext="oaid-1", same=SameRecipient(scope="", token="oaid-1")) is None
    first = key(ciphertext="oaid-1", same=answer)
    assert first is not None
    assert key(ciphertext="oaid-2", name="王**", phone="*******1234", address="***", same=answer) == first
    assert key(ciphertext="oaid-1", same=SameRecipient(scope="jd-main", token="oaid-1")) != first
    assert key(ciphertext="oaid-1", same=SameRecipient(scope="tmall-flagship", token="oaid-2")) != first


def test_a_masked_recipient_is_not_known_by_an_answer_about_another() -> None:
    assert key(name="王**", same=SameRecipient(scope="tmall-flagship", token="t")) is None
    assert key(same=SameRecipient(scope="tmall-flagship", token="t")) == key()


any_text = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""Hypothesis builds a table of all characters the first time that it draws one."""
texts = st.text(max_size=12) | st.sampled_from(list(WANG.values()))


@any_text
@given(st.builds(Recipient, name=texts, phone=texts, province=texts, city=texts, district=texts, address=texts))
def test_no_recipient_is_an_error_and_who_has_a_key_has_a_name_a_number_and_a_street(recipient: Recipient) -> None:
    found = merge_key(recipient, regions=regions())

    if found is not None:
        assert recipient.name.strip()
        assert any(map(str.isdecimal, recipient.phone))
        assert recipient.address.strip()
        assert "*" not in found


@any_text
@given(st.text(max_size=30))
def test_a_text_that_is_plain_stays_as_it_is(text: str) -> None:
    once = plain(text)

    assert plain(once) == once
    assert not any(map(str.isspace, once))
