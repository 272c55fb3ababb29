"""How the steps of an explanation look in lines of text."""

from datetime import UTC, datetime

from erpsync.cli.explain import lines
from erpsync.flows.explain.steps import Step, Units

AT = datetime(2026, 3, 2, 4, tzinfo=UTC)


def shown(*steps: Step) -> list[str]:
    return list(lines([step.shown() for step in steps]))


def test_amounts_stand_under_one_another_and_what_they_are_made_of_behind_them() -> None:
    parts = (Step(what="a", amount=12, text="on hand"), Step(what="b", amount=-3, text="held"))

    assert shown(Step(what="sum", amount=9, text="free", steps=parts), Step(what="level", amount=105, text="told")) == [
        "    9  free",
        "       12  on hand",
        "       -3  held",
        "  105  told",
    ]


def test_a_remark_without_an_amount_stands_beside_those_that_have_one() -> None:
    assert shown(Step(what="a", amount=7, text="seven"), Step(what="b", text="a remark")) == [
        "  7  seven",
        "     a remark",
    ]
    assert shown(Step(what="b", text="alone")) == ["  alone"]


def test_orders_since_when_and_the_place_of_a_setting_follow_the_sentence() -> None:
    step = Step(
        what="held",
        amount=-9,
        text="held",
        since=AT,
        setting=("shop.yaml", 7),
        orders=(Units(order="S1", qty=6), Units(order=None, qty=3)),
        more_orders=4,
    )

    assert shown(step) == ["  -9  held: S1 (6), other (3), 4 more  (since 2026-03-02T04:00:00Z)  [shop.yaml:7]"]


def test_an_instant_that_the_sentence_names_is_not_said_twice() -> None:
    step = Step(what="a", text="counted at 2026-03-02T04:00:00Z", since=AT, setting=("shop.yaml", None))

    assert shown(step) == ["  counted at 2026-03-02T04:00:00Z  [shop.yaml]"]
