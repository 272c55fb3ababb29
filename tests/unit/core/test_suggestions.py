"""What a seller code that nobody has mapped may be: by its code first, then by its title, never more than a few."""

import pytest

from erpsync.core.suggestions import MOST, Candidates, Suggestion, Wanted, affixes, dense, suggest, tokens

TITLED = (
    ("亚麻短袖衬衫 男士夏季透气 白色 L", "LINEN-W-L"),
    ("亚麻短袖衬衫 男士夏季透气 白色 XL", "LINEN-W-XL"),
    ("手冲咖啡壶 600ml 细口", "KETTLE-600"),
    ("Merino socks, 3 pairs, grey", "SOCK-3-GR"),
)
CODES = ("LINEN-W-L", "LINEN-W-XL", "KETTLE-600", "SOCK-3-GR", "TEA")


def first(code: str, title: str = "", **twins: list[tuple[str, int]]) -> Suggestion | None:
    ranked = ranking(code, title, **twins)
    return ranked[0] if ranked else None


def ranking(code: str, title: str = "", **twins: list[tuple[str, int]]) -> tuple[Suggestion, ...]:
    candidates = Candidates(codes=CODES, twins=twins, titled=TITLED)
    return suggest([Wanted(key=1, code=code, title=title)], candidates)[1]


@pytest.mark.parametrize("code", ["linen-w-l", "LINEN W L", "LINENWL", "linen_w.l", "ＬＩＮＥＮ－Ｗ－Ｌ"])
def test_a_code_that_differs_in_case_width_spaces_and_dashes_is_suggested(code: str) -> None:
    assert first(code) == Suggestion(sku="LINEN-W-L", why="spelling")


def test_an_equal_code_comes_before_one_that_is_only_spelt_alike() -> None:
    candidates = Candidates(codes=("tea", "TEA"), twins={})

    assert suggest([Wanted(key=1, code="TEA")], candidates)[1] == (
        Suggestion(sku="TEA", why="equal"),
        Suggestion(sku="tea", why="spelling"),
    )


def test_what_the_same_code_is_elsewhere_is_suggested_with_how_many_are_in_one() -> None:
    assert first("B07", B07=[("TEA", 6)]) == Suggestion(sku="TEA", why="twin", factor=6)


@pytest.mark.parametrize("code", ["LINEN-W-L-NEW", "TM_LINEN-W-L", "2026.linenwl"])
def test_a_code_of_ours_with_something_before_or_behind_it_is_suggested(code: str) -> None:
    assert first(code) == Suggestion(sku="LINEN-W-L", why="part")


def test_the_longest_code_that_is_part_of_it_comes_first() -> None:
    assert [each.sku for each in ranking("LINEN-W-XL-2")] == ["LINEN-W-XL"]
    assert first("LINEN-W-L-KETTLE600") == Suggestion(sku="KETTLE-600", why="part")


def test_a_short_code_is_part_of_too_much_to_be_suggested() -> None:
    assert first("TEA-POT") is None


def test_goods_with_most_of_the_words_in_another_order_are_suggested() -> None:
    assert first("1001", "grey merino socks (3 pairs)") == Suggestion(sku="SOCK-3-GR", why="title")


def test_chinese_titles_are_compared_by_pairs_of_characters_and_the_size_tells_them_apart() -> None:
    ranked = ranking("1002", "男士亚麻短袖衬衫 白色 XL 夏季透气")

    assert [each.sku for each in ranked] == ["LINEN-W-XL", "LINEN-W-L"]
    assert {each.why for each in ranked} == {"title"}


@pytest.mark.parametrize("title", ["", "儿童雨衣 小恐龙 110cm", "白色", "!!!"])
def test_a_title_that_shares_little_suggests_nothing(title: str) -> None:
    assert ranking("1003", title) == ()


def test_no_more_than_a_few_are_suggested_and_each_once() -> None:
    twins = {"LINEN-W-L": [(f"S{n}", 1) for n in range(9)]}
    ranked = suggest([Wanted(key=1, code="LINEN-W-L")], Candidates(codes=CODES, twins=twins))[1]

    assert [each.sku for each in ranked] == ["LINEN-W-L", "S0", "S1"]
    assert len(ranked) == MOST


def test_each_thing_of_a_page_gets_its_own() -> None:
    things = [Wanted(key=7, code="linen w l"), Wanted(key=9, code="x", title="咖啡壶 手冲 细口 600ml")]
    ranked = suggest(things, Candidates(codes=CODES, twins={}, titled=TITLED))

    assert {key: [each.sku for each in value] for key, value in ranked.items()} == {7: ["LINEN-W-L"], 9: ["KETTLE-600"]}


def test_words_are_what_letters_and_digits_make_and_pairs_of_characters() -> None:
    assert tokens("Tee 龙井茶 250G") == {"tee", "龙井", "井茶", "250g"}
    assert (dense("A-b 1/2"), affixes("AB-CDE")) == ("ab12", {"abcde", "abcd", "bcde"})
