"""Places by the names that people and platforms write; the whole table is looked up by its own names."""

import pytest

from erpsync.core.regions import Region, Regions, Row, short
from erpsync.store.regions import regions

XIHU = Region(code="330106", province="浙江省", city="杭州市", district="西湖区")
PUDONG = Region(code="310115", province="上海市", city="上海市", district="浦东新区")


def code_of(*names: str) -> str:
    """Return the code of a place, or nothing."""
    place = regions().find(*names)
    return place.code if place else ""


def test_every_division_is_found_by_its_own_full_names() -> None:
    table = regions()
    assert len(table.names) > 3300
    wrong = {}
    for code in table.names:
        place = table.place(code)
        if table.find(place.province, place.city, place.district) != place:
            wrong[code] = place

    assert wrong == {}


@pytest.mark.parametrize(
    ("names", "place"),
    [
        (("浙江省", "杭州市", "西湖区"), XIHU),
        (("浙江", "杭州", "西湖"), XIHU),
        ((" 浙江省 ", "杭州 市", "西湖区"), XIHU),
        (("", "杭州市", "西湖区"), XIHU),
        (("上海", "上海市", "浦东新区"), PUDONG),
        (("上海市", "市辖区", "浦东新区"), PUDONG),
        (("上海", "", "浦东"), PUDONG),
    ],
)
def test_what_kind_of_place_it_is_may_be_left_out(names: tuple[str, str, str], place: Region) -> None:
    assert regions().find(*names) == place


@pytest.mark.parametrize(
    ("names", "code"),
    [
        (("北京", "朝阳区", "三环到四环之间"), "110105"),
        (("重庆市", "县", "城口县"), "500229"),
        (("湖北", "仙桃市", "郑场镇"), "429004"),
        (("湖北省", "省直辖县级行政区划", "仙桃市"), "429004"),
        (("江苏省", "昆山市", "玉山镇"), "320583"),
        (("广东", "东莞市", "虎门镇"), "441900"),
        (("江苏省", "苏州市", "苏州工业园区"), "320500"),
        (("浙江省", "杭州市", "其它区"), "330100"),
        (("浙江省", "杭州市", ""), "330100"),
        (("浙江省", "", ""), "330000"),
        (("香港特别行政区", "九龙", "观塘区"), "810000"),
        (("新疆", "伊犁州", "伊宁市"), "654002"),
        (("甘肃", "临夏州", "积石山县"), "622927"),
    ],
)
def test_platforms_with_other_levels_and_towns_without_districts_are_understood(
    names: tuple[str, str, str], code: str
) -> None:
    assert code_of(*names) == code


@pytest.mark.parametrize(
    ("names", "code"),
    [
        (("江苏", "南通", "通州市"), "320612"),
        (("湖北", "襄樊市", "襄阳区"), "420607"),
        (("云南省", "思茅市", "翠云区"), "530802"),
        (("北京市", "北京市", "崇文区"), "110103"),
        (("山东省", "莱芜市", "莱城区"), "371202"),
    ],
)
def test_who_lives_on_in_a_renamed_or_merged_district_is_found(names: tuple[str, str, str], code: str) -> None:
    assert code_of(*names) == code


@pytest.mark.parametrize(
    "names",
    [
        ("火星", "", ""),
        ("浙江省", "广州市", ""),
        ("浙江省", "杭州市", "浦东新区"),
        ("浙江省", "杭州市", "无此区"),
        ("上海", "杭州市", "西湖区"),
        ("", "", "西湖区"),
        ("", "鼓楼区", ""),
    ],
)
def test_a_name_that_is_none_or_lies_elsewhere_is_no_place(names: tuple[str, str, str]) -> None:
    assert regions().find(*names) is None


def test_a_text_begins_with_a_place_only_where_two_of_its_names_follow_each_other() -> None:
    begun = regions().beginning("浙江省杭州市西湖区文三路1号")
    assert begun == (XIHU, "文三路1号")
    assert regions().beginning("上海市浦东新区世纪大道1号") == (PUDONG, "世纪大道1号")
    assert regions().beginning("上海市场路1号") is None
    assert regions().beginning("文三路1号") is None


def test_a_former_name_never_takes_the_place_of_one_of_today() -> None:
    rows = [
        Row("100000", "", "甲省", "", ""),
        Row("100100", "100000", "乙市", "", ""),
        Row("100101", "100100", "东山区", "西山区", ""),
        Row("100102", "100100", "西山区", "", ""),
        Row("100103", "100100", "东山县", "", "1"),
    ]
    table = Regions.of(rows)

    found = [table.find("甲省", "乙市", name) for name in ("西山区", "东山区", "东山县", "东山")]
    assert [place.code for place in found if place] == ["100102", "100101", "100103", "100101"]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("广西壮族自治区", "广西"),
        ("黔南布依族苗族自治州", "黔南"),
        ("巴音郭楞蒙古自治州", "巴音郭楞"),
        ("龙胜各族自治县", "龙胜"),
        ("香港特别行政区", "香港"),
        ("东区", "东区"),
        ("神农架林区", "神农架"),
        ("浦东新区", "浦东"),
    ],
)
def test_a_short_name_is_what_people_call_it(name: str, said: str) -> None:
    assert short(name) == said
