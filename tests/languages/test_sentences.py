"""A sentence that was made in English is said in Chinese: by the template it was made of, its values said too."""

import re
from statistics import mean

import pytest

from erpsync.core.advice import TASKS, fill
from erpsync.languages import ENGLISH, language
from erpsync.languages.catalogue import Catalogue, read
from erpsync.languages.speaker import Speaker
from erpsync.languages.templates import Template, filled, places
from erpsync.languages.vocabulary import OWN_WORDS

ZH = language("zh")


def speaker(**messages: str) -> Speaker:
    """Return a speaker of a few messages, written as name of no meaning = "English | 中文"."""
    return Speaker(Catalogue(dict(each.split(" | ", 1) for each in messages.values())), "zh_CN")


def test_english_is_what_was_written() -> None:
    assert ENGLISH.say("order S1 is not known") == "order S1 is not known"
    assert ENGLISH.word("held") == "held"


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        ("order S20260302000001 is not known", "没有订单S20260302000001"),
        ("S1 waits for the buyer's payment since 2026-03-02 16:25:00", "S1自2026-03-02 16:25:00起等买家付款"),
        ("me holds it: he called  (since 2026-03-02 16:25:00)", "me将其挂起：he called（自2026-03-02 16:25:00）"),
        ("jd-main: orders were last read 21 min ago (limit 15 min)", "jd-main: 上次读取订单是21分钟前（上限15分钟）"),
        ("S1 waits for 3 of A and is served first", "S1在等3件A，最先配给它"),
        ("no channel shopp; did you mean 'shop'?", "没有店铺shopp；您是不是想用“shop”？"),
        ("must be at least 1, is 0", "不能小于1，现在是0"),
        ("this machine's clock is 15 min ahead of jd", "本机时钟比jd快15分钟"),
        ("task 4: do what it says, then `erpsync tasks done 4`", "待办4：按说明处理，然后`erpsync tasks done 4`"),
    ],
)  # fmt: skip
def test_a_sentence_is_said_in_chinese_with_its_values(english: str, chinese: str) -> None:
    assert ZH.say(english) == chinese


def test_what_a_platform_has_said_is_shown_as_it_said_it() -> None:
    assert ZH.say("Insufficient isv permissions") == "Insufficient isv permissions"
    assert ZH.say("卖家未授权") == "卖家未授权"
    assert ZH.say("the item is off the shelf") == "the item is off the shelf"
    assert ZH.say("S1 is allocated") == "S1的状态：已配货"
    assert ZH.say("") == ""


@pytest.mark.parametrize("name", ["open", "held", "order", "all", "no order"])
def test_a_shop_keeps_its_name_even_if_it_is_a_word_of_ours(name: str) -> None:
    assert name in ZH.say(f"channel {name} is not configured")


def test_a_message_with_more_text_is_preferred_to_one_that_fits_as_well() -> None:
    small = speaker(a="{name} is held | {name}：甲", b="order {number} is held | 订单{number}：乙")

    assert small.say("order S1 is held") == "订单S1：乙"
    assert small.say("shop is held") == "shop：甲"


def test_a_text_inside_a_text_is_said_too() -> None:
    small = speaker(
        a="{what} failed: {error} | {what}失败：{error}", b="no answer came | 没有答复", c="a whole pass | 整次读取"
    )

    assert small.say("a whole pass failed: no answer came") == "整次读取失败：没有答复"
    assert small.say("a whole pass failed: HTTP 502") == "整次读取失败：HTTP 502"


def test_places_that_touch_are_told_apart_by_what_the_second_may_be() -> None:
    small = speaker(a="no channel {name}{near} | 没有店铺{name}{near}", b="; did you mean {word}? | ；是{word}吗？")

    assert small.say("no channel a; did you mean b?") == "没有店铺a；是b吗？"
    assert small.say("no channel a;b") == "没有店铺a;b"


def test_texts_with_marks_between_them_are_said_one_by_one() -> None:
    small = speaker(a="order {number} is held | 订单{number}挂起", b="it is empty too | 也是空的")

    assert small.say("a.yaml:3:1: x.y: it is empty too") == "a.yaml:3:1: x.y: 也是空的"
    assert small.say("order 1 is held; it is empty too") == "订单1挂起；也是空的"
    assert small.say("order 1 is held (it is empty too)") == "订单1挂起（也是空的）"


def test_lengths_of_time_are_said_by_their_units() -> None:
    assert [ZH.say(span) for span in ("42 s", "7 min", "3 h 5 min", "2 d 4 h")] == [
        "42秒",
        "7分钟",
        "3小时5分钟",
        "2天4小时",
    ]


def test_braces_of_a_text_are_no_places() -> None:
    assert Template("must hold {{seq}} or {more}").texts == ("must hold {seq} or ", "")
    assert ZH.say("must hold {seq} or {seq:06}, else two orders get one number").startswith("必须含有{seq}或{seq:06}")


def test_every_message_with_places_is_found_again_with_all_its_values() -> None:
    """Whichever template a sentence is found by: nothing that it told may be lost."""
    lost = {}
    for message in read("zh").plain:
        parts = places(message)
        values = [f"Q{at}Q" for at in range(len(parts) // 2)]
        made = "".join(values[at // 2] if at % 2 else part for at, part in enumerate(parts))
        said = ZH.say(made)
        if missing := [value for value in values if value not in said]:
            lost[made] = (said, missing)

    assert lost == {}


def test_every_message_is_said_in_chinese() -> None:
    same = [
        text
        for text in read("zh").plain
        if " " in text and not places(text)[1:] and ZH.say(filled(text, {})) == filled(text, {})
    ]

    assert [text for text in same if text != "orders list" and not re.fullmatch("`[^`]*`", text)] == []


@pytest.mark.parametrize("kind", TASKS)
def test_what_to_do_about_every_kind_of_task_is_said(kind: str) -> None:
    english = fill(TASKS[kind], id=4, channel="shop", order="S1")

    assert any("\u4e00" <= char <= "\u9fff" for char in ZH.say(english))


def test_a_text_is_compared_with_few_templates() -> None:
    """So that a page with a hundred sentences is not kept waiting: they are looked up by a rare word."""
    speaker = Speaker(read("zh"), "zh_CN")
    counts = [len(speaker.candidates(text)) for text in read("zh").plain]

    assert mean(counts) < 15
    assert max(counts) < 150


def test_a_text_made_to_be_slow_is_given_up() -> None:
    assert ZH.say("expected text, found " * 200).startswith("expected text")
    assert ZH.say("a: b; c, " * 150) == "a: b; c, " * 150


def test_words_of_ours_are_names_of_places() -> None:
    used = {name for message in read("zh").plain for name in places(message)[1::2]}

    assert {"what", "noun", "status", "reason"} <= used & OWN_WORDS
