import pytest

from erpsync.sdk.carriers import CARRIERS, UnknownCarrierError, carrier, map_carrier
from erpsync.sdk.errors import RejectedError


def test_our_code_leads_to_the_courier_whatever_its_letters() -> None:
    assert carrier(" yto ").name_zh == "圆通速递"


@pytest.mark.parametrize("code", ["SF", "YTO", "ZTO", "STO", "YUNDA", "JT", "EMS", "JD", "DBL", "POST"])
def test_the_codes_the_command_line_promises_exist(code: str) -> None:
    assert carrier(code).code == code


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("YTOO", "YTO"),
        ("顺丰", "SF"),
        ("圆通快递", "YTO"),
        ("sto express", "STO"),
        ("yund", "YUNDA"),
        ("deppon", "DBL"),
    ],
)
def test_an_unknown_code_is_refused_with_suggestions(text: str, meant: str) -> None:
    with pytest.raises(UnknownCarrierError, match="did you mean") as told:
        carrier(text)

    assert told.value.suggestions[0] == meant


def test_a_code_like_none_of_ours_is_refused_with_the_list() -> None:
    with pytest.raises(UnknownCarrierError, match="known: SF, YTO"):
        carrier("QQQQ")


def test_a_shape_only_warns() -> None:
    assert carrier("SF").fits("SF1234567890123")
    assert not carrier("SF").fits("1234567890123")
    assert carrier("EMS").fits("anything")


def test_a_platform_s_own_code_is_looked_up_by_ours() -> None:
    assert map_carrier({"YTO": 101}, "yto") == 101


def test_a_courier_the_platform_does_not_know_is_an_operator_s_matter() -> None:
    """failures.md row 19."""
    with pytest.raises(RejectedError, match="no courier code for 'ZTO'"):
        map_carrier({"YTO": 101}, "ZTO")


def test_every_courier_stands_under_its_own_code() -> None:
    assert all(code == item.code for code, item in CARRIERS.items())
