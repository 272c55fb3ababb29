"""Departments are told: what the platform accepted counts, budgets and quiet hours hold, nobody's name is said."""

from collections.abc import Callable, Iterator
from datetime import time
from typing import Any

import pytest
from sqlalchemy import select

from erpsync.core.messages import Quiet
from erpsync.flows.errors import Refused
from erpsync.flows.intake.poll import poll_stream
from erpsync.flows.inventory.counts import add_stock
from erpsync.flows.messages.acts import retry_route, try_route
from erpsync.flows.messages.tell import push_messages
from erpsync.flows.operations.dead_letters import replay_letter
from erpsync.flows.orders.actions import hold_order
from erpsync.sdk.roles import MessageSink
from erpsync.sdk.sandbox import Fault
from erpsync.sdk.types import Message
from erpsync.store.db.store import Store
from erpsync.store.tables import dead_letter
from tests.support.departments import Departments, route
from tests.support.shop import SHANGHAI, VAULT

NIGHT = Quiet(begins=time(22), ends=time(7))
Open = Callable[..., Departments]


@pytest.fixture
def opened(database_url: str) -> Iterator[Open]:
    made: list[Departments] = []

    def build(*routes: Any) -> Departments:
        made.append(Departments(url=database_url, routes=routes or (route(),)))
        return made[-1]

    yield build
    for each in made:
        each.store.close()


def letters(town: Departments) -> list[tuple[int, str, str]]:
    with town.store.read() as connection:
        return [(row.id, row.kind, row.key) for row in connection.execute(select(dead_letter).order_by("id"))]


def lines(text: str) -> list[str]:
    return text.splitlines()


def test_a_department_is_told_what_happens_from_now_on_of_the_kinds_it_asked_for(opened: Open) -> None:
    town = opened(route(department="Sales"))
    town.happen("order.imported", "stock.added")

    town.tell()

    [text] = town.robot.texts
    assert lines(text)[0] == "Sales · order imported"
    assert lines(text)[-1].startswith("#sales-")
    assert (town.state()["state"], town.state()["behind"]) == ("active", 0)


def test_an_order_is_told_by_its_number_and_total_in_the_language_of_the_route(opened: Open) -> None:
    new = ("order.imported",)
    town = opened(route(kinds=new), route("chinese", kinds=new, language="zh"))
    town.shop.place("o1", ("A", 2))
    poll_stream(town.ctx, town.ctx.channel("shop"), "backfill")

    town.tell()

    chinese, english = town.robot.texts
    assert "order S20260302000001 came in and is held: unmapped_sku" in english
    assert "S20260302000001" in chinese
    assert lines(chinese)[:2] == ["订单导入", "订单S20260302000001导入后挂起：没有对应关系"]


def test_no_name_phone_address_or_note_is_in_any_message(opened: Open) -> None:
    """Row 40."""
    canaries = ("王小明", "13800001111", "解放路", "KANARIE-NOTIZ", "爱送礼")
    town = opened(route(kinds=("order.", "task.", "stock.", "shipment.", "channel.", "alarm."), language="zh"))
    town.shop.place("o1", ("A", 2), buyer_note="KANARIE-NOTIZ", title="爱送礼")
    poll_stream(town.ctx, town.ctx.channel("shop"), "backfill")
    hold_order(town.ctx, "S20260302000001", reason="王小明 13800001111 KANARIE-NOTIZ", actor="王小明")
    town.happen("channel.down", channel=True, error="王小明 wohnt 解放路", reason="13800001111")
    town.happen("task.opened", task=3, kind="refund_late", reason="王小明", key="13800001111")
    town.happen("alarm.raised", check="drift", text="王小明", subject="解放路", level="王小明")
    town.happen("order.held", hold_reason="王小明", release="王小明", sku={"note": "KANARIE-NOTIZ"})
    town.happen("stock.added", sku="13800001111 解放路 1 号, 王小明", by="王小明")

    town.tell()

    said = "\n".join(town.robot.texts)
    assert len(town.robot.texts) >= 6
    assert [canary for canary in canaries if canary in said] == []


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"channel": ["shop"]}, ["order.held"]),
        ({"channel": "robot"}, []),
        ({"warehouse": "SH"}, ["order.filled"]),
        ({"sku": ["B"]}, ["order.filled"]),
        ({"hold_reason": "refund_open"}, ["order.held"]),
        ({"hold_reason": ["rule"]}, ["order.held"]),
        ({"rule": "big"}, ["order.held"]),
        ({"rule": "small"}, []),
        ({"level": "warn"}, ["order.held", "order.late"]),
        ({"total": {"ge": 1}}, []),
        ({"not": {"total": {"ge": 1}}}, []),
        ({"not": {"level": "warn"}}, ["order.filled"]),
        ({"any": [{"rule": "b*"}, {"warehouse": ["SH"]}]}, ["order.held", "order.filled"]),
        ({"kind": {"is": "unknown"}, "level": ["alarm", "warn"]}, ["order.held", "order.late"]),
    ],
)
def test_conditions_are_asked_of_what_events_can_answer(opened: Open, asked: dict[str, Any], told: list[str]) -> None:
    town = opened(route(**asked))
    town.happen("order.held", channel=True, held={"refund_open": "said by a person", "rule:big": "x"})
    town.happen("order.filled", takes=[{"warehouse": "SH", "sku": "B", "qty": 1}])
    town.happen("order.late")

    town.tell()

    assert [lines(text)[0].split(" · ")[-1] for text in town.robot.texts] == [kind.replace(".", " ") for kind in told]


def test_an_order_that_rules_hold_is_told_with_their_names_and_not_their_words(opened: Open) -> None:
    town = opened(route())
    town.happen("order.held", held={"rule:big": "王小明 KANARIE", "rule:night": "", "void:brush": "x", "operator": ""})
    town.happen("order.approved", rules=["big"], reason="王小明 KANARIE")

    town.tell()

    held, approved = town.robot.texts
    assert "is held: operator, rule big night, void brush" in held
    assert "a person approved what rules asked of order" in approved
    assert "KANARIE" not in held + approved


def test_an_order_is_told_by_what_it_costs(opened: Open) -> None:
    town = opened(route(kinds=("order.imported",), total={"ge": 20}))
    town.shop.place("small", ("A", 1))
    town.shop.place("large", ("A", 2))
    poll_stream(town.ctx, town.ctx.channel("shop"), "backfill")

    town.tell()

    assert len(town.robot.texts) == 1


def test_what_happens_within_the_digest_is_one_message_with_counts_and_the_first_numbers(opened: Open) -> None:
    town = opened(route(digest_s=60))
    for sku in "ABCDEFG":
        town.happen("order.held", sku=sku)
    town.happen("order.filled", sku="A")

    assert round(town.tell() or 0) == 60
    assert town.robot.texts == []
    town.go_on(62)

    [text] = town.robot.texts
    assert lines(text)[0] == "warn · 8 events"
    assert lines(text)[1:3] == ["order held: 7 (A, B, C, D, E…)", "order filled: 1 (A)"]


def test_a_burst_stays_within_the_budget_and_nothing_of_it_is_left_out(opened: Open) -> None:
    """Row 39."""
    town = opened(route(most_per_min=5))
    for _ in range(40):
        town.happen("order.imported", count=3)
        town.go_on(2)
    town.go_on(120)

    counted = sum(int(lines(text)[0].split()[0]) if " events" in text else 1 for text in town.robot.texts)
    assert counted == 120
    assert town.most_in_a_minute() == 5
    assert letters(town) == []


def test_a_message_that_is_long_on_the_way_counts_from_its_answer_on(opened: Open) -> None:
    """Row 39."""
    town = opened(route(most_per_min=2))
    town.on_the_way_s = 20
    for _ in range(2):
        town.happen("order.imported")
        town.tell()
    town.on_the_way_s = 0
    for _ in range(90):
        town.happen("order.imported")
        town.go_on(1)

    assert len(town.robot.at) > 2
    assert town.most_in_a_minute() == 2


def test_what_comes_in_quiet_hours_waits_and_is_one_message_in_the_morning(opened: Open) -> None:
    town = opened(route(quiet=NIGHT))
    town.clock.advance(seconds=3 * 3600)  # 23:00 in Shanghai
    town.happen("order.imported", count=3)
    town.go_on(7 * 3600, step_s=600)
    town.happen("order.late")
    town.go_on(1800, step_s=600)
    assert town.robot.texts == []

    town.go_on(1900, step_s=20)

    [text] = town.robot.texts
    assert lines(text)[1:3] == ["order late: 1", "order imported: 3"]
    assert town.robot.at[0].astimezone(SHANGHAI).time() >= time(7)


def test_an_alarm_comes_through_quiet_hours_where_it_may_with_all_that_waited(opened: Open) -> None:
    town = opened(route(kinds=("order.", "alarm."), quiet=NIGHT, quiet_lets="alarm"), route("night", quiet=NIGHT))
    town.clock.advance(seconds=3 * 3600)
    town.happen("order.imported", count=2)
    town.go_on(60)
    assert town.robot.texts == []

    town.happen("alarm.raised", check="oversell", level="bad")
    town.go_on(30)

    [text] = town.robot.texts
    assert lines(text)[:3] == ["alarm · 3 events", "alarm raised: 1", "order imported: 2"]


def test_an_error_with_status_200_is_not_told_it_is_a_dead_letter_and_the_next_one_goes(opened: Open) -> None:
    town = opened()
    town.robot.faults.force(Fault.PLATFORM_ERROR)
    town.happen("order.imported")
    town.tell()

    assert town.robot.texts == []
    [(id, kind, key)] = letters(town)
    own_event = 1  # of the letter, which no route tells
    assert (kind, town.state()["state"], town.state()["behind"]) == ("message", "failing", own_event)

    town.happen("order.held")
    town.go_on(10)
    assert [lines(text)[0] for text in town.robot.texts] == ["warn · order held"]
    assert (town.state()["state"], town.tasks()) == ("active", [])

    replay_letter(town.ctx, id, actor="tester")
    assert lines(town.robot.texts[-1])[-1] == f"#{key}"
    with pytest.raises(Refused, match="replayed already"):
        replay_letter(town.ctx, id, actor="tester")


def test_a_message_that_is_refused_again_stays_a_dead_letter(opened: Open) -> None:
    town = opened()
    town.robot.faults.force(Fault.PLATFORM_ERROR, times=2)
    town.happen("order.imported")
    town.tell()
    [(id, _, _)] = letters(town)

    with pytest.raises(Refused, match="it was not accepted: the WeCom robot refuses"):
        replay_letter(town.ctx, id, actor="tester")

    replay_letter(town.ctx, id, actor="tester")
    assert len(town.robot.texts) == 1


def test_three_refusals_in_a_row_ask_a_person_and_one_that_is_accepted_ends_that(opened: Open) -> None:
    town = opened()
    town.robot.faults.force(Fault.PLATFORM_ERROR, times=3)
    for _ in range(3):
        town.happen("order.imported")
        town.go_on(10)

    assert town.tasks() == ["route_broken"]
    assert len(letters(town)) == 3

    town.happen("order.imported")
    town.go_on(30)
    assert (len(town.robot.texts), town.tasks()) == (1, [])


def test_a_platform_that_is_too_busy_is_waited_for_and_the_rest_joins(opened: Open) -> None:
    town = opened()
    town.robot.faults.force(Fault.THROTTLE)
    town.happen("order.imported")

    assert round(town.tell() or 0) == 60
    town.happen("order.held")
    town.go_on(59)
    assert town.robot.texts == []
    town.go_on(2)

    assert [lines(text)[0] for text in town.robot.texts] == ["warn · 2 events"]
    assert (letters(town), town.tasks()) == ([], [])


def test_a_lost_answer_is_followed_by_the_same_message_with_the_same_id(opened: Open) -> None:
    town = opened()
    town.robot.faults.force(Fault.TIMEOUT_AFTER)
    town.happen("order.imported")
    town.tell()
    town.happen("order.held", count=2)

    town.go_on(10)

    first, again, *rest = town.robot.texts
    assert first == again
    assert [lines(text)[0] for text in rest] == ["warn · order held"] * 2


class Dies(BaseException):
    """The process ends."""


def test_who_dies_between_the_answer_and_its_note_sends_the_same_message_again(opened: Open) -> None:
    town = opened()
    connector: Any = town.ctx.channel("robot").connector
    push: Callable[[Message], None] = connector.push_message

    def dies(message: Message) -> None:
        push(message)
        connector.push_message = push
        raise Dies

    connector.push_message = dies
    assert isinstance(connector, MessageSink)
    town.happen("order.imported")
    with pytest.raises(Dies):
        town.tell()
    town.happen("order.imported")

    town.tell()

    first, again, other = town.robot.texts
    assert first == again != other


def test_two_nodes_tell_each_event_once(opened: Open) -> None:
    town = opened()
    other = Store.open(town.url, clock=town.clock, vault=VAULT)
    elsewhere = town.open(town.routes, store=other)
    connector: Any = town.ctx.channel("robot").connector
    push: Callable[[Message], None] = connector.push_message

    def meanwhile(message: Message) -> None:
        assert push_messages(elsewhere) != 0
        push(message)

    connector.push_message = meanwhile
    town.happen("order.imported", count=3)
    town.tell()
    push_messages(elsewhere)
    other.close()

    assert len(town.robot.texts) == 3


def test_refused_credentials_ask_a_person_at_once_and_lose_nothing(opened: Open) -> None:
    town = opened()
    town.robot.key = "another"
    town.happen("order.imported")
    town.tell()

    assert (town.tasks(), letters(town), town.robot.texts) == (["route_broken"], [], [])
    assert "invalid webhook url" in town.state()["error"]

    town.robot.key = "693a91f6-7aaa-4bc4-97a0-0ec2sandbox1"
    retry_route(town.ctx, "sales", actor="tester")
    town.tell()
    assert (len(town.robot.texts), town.tasks(), town.state()["state"]) == (1, [], "active")


def test_a_route_never_tells_of_its_own_trouble(opened: Open) -> None:
    kinds = ("order.", "task.", "letter.")
    town = opened(route(kinds=kinds))
    town.robot.faults.force(Fault.PLATFORM_ERROR, times=50)
    town.happen("order.imported")
    town.happen("letter.opened", kind="message", dead_letter=1)
    town.happen("task.opened", task=1, kind="route_broken")
    town.happen("task.done", id=1, task="route_broken", key="sales")
    town.happen("task.done", id=1, task="route_broken", key="other")
    for _ in range(40):
        town.go_on(20)

    assert [lines(text)[1] for text in town.robot.attempts] == ["order  came in", "a task is done: route_broken"]


def test_two_routes_that_are_refused_do_not_tell_each_others_refusals_for_ever(opened: Open) -> None:
    town = opened(route(kinds=("order.", "letter.")), route("boss", kinds=("order.", "letter.")))
    town.robot.faults.force(Fault.PLATFORM_ERROR, times=99)
    town.happen("order.imported")
    for _ in range(20):
        town.go_on(20, step_s=5)
        town.happen("letter.opened", kind="message", dead_letter=1, channel=True)

    assert len(town.robot.attempts) == 2


def test_a_paused_channel_tells_nobody_until_it_goes_on(opened: Open) -> None:
    from erpsync.flows.channels.control import pause_channel, resume_channel

    town = opened()
    pause_channel(town.ctx, "robot", reason="too loud", actor="tester")
    town.happen("order.imported")
    town.go_on(120, step_s=20)
    assert (town.robot.attempts, town.tasks()) == ([], [])

    resume_channel(town.ctx, "robot", actor="tester")
    town.go_on(90, step_s=10)
    assert len(town.robot.texts) == 1


def test_a_route_that_is_taken_out_and_put_in_again_begins_anew(opened: Open) -> None:
    town = opened()
    town.ctx = town.open(())
    town.happen("order.imported")
    town.tell()
    town.ctx = town.open(town.routes)
    town.tell()
    assert town.robot.texts == []

    town.happen("order.held")
    town.tell()
    assert len(town.robot.texts) == 1


def test_a_route_goes_on_after_a_restart_where_it_was(opened: Open) -> None:
    town = opened()
    town.happen("order.imported")

    town.ctx = town.open((route(department="Sales now"),))
    town.tell()

    assert lines(town.robot.texts[0])[0] == "Sales now · order imported"


def test_a_test_message_is_sent_at_once_and_moves_nothing(opened: Open) -> None:
    town = opened(route(quiet=Quiet(begins=time(0), ends=time(23, 59)), department="Sales"))
    town.happen("order.imported")
    before = town.state()["cursor"]

    try_route(town.ctx, "sales", actor="tester")

    [text] = town.robot.texts
    assert lines(text)[:2] == ["Sales · test message", "this route of erpsync works"]
    assert town.state()["cursor"] == before


@pytest.mark.parametrize(
    ("fault", "said"), [(Fault.PLATFORM_ERROR, "invalid request parameter"), (Fault.EXPIRED_TOKEN, "invalid webhook")]
)
def test_a_test_message_that_is_refused_says_what_the_platform_said(opened: Open, fault: Fault, said: str) -> None:
    town = opened()
    town.robot.faults.force(fault)

    with pytest.raises(Refused, match=said):
        try_route(town.ctx, "sales", actor="tester")


def test_a_route_that_is_not_there_is_refused_with_those_that_are(opened: Open) -> None:
    town = opened()

    for act in (try_route, retry_route):
        with pytest.raises(Refused, match="no route salse; there are sales"):
            act(town.ctx, "salse", actor="tester")


def test_stock_that_arrives_for_an_order_is_told_with_nothing_but_codes(opened: Open) -> None:
    town = opened(route(kinds=("stock.",)))
    add_stock(town.ctx, warehouse="SH", sku="A", qty=3, reason="王小明 brought it", actor="tester")

    town.tell()

    [text] = town.robot.texts
    assert "王小明" not in text
    assert "A" in lines(text)[1]


def test_an_alarm_that_only_warns_is_told_as_no_more_than_that(opened: Open) -> None:
    town = opened(route(kinds=("alarm.",), level="alarm"), route("all", kinds=("alarm.",)))
    town.happen("alarm.raised", channel=True, check="nothing_arrived", level="warn")
    town.happen("alarm.raised", channel=True, check="database", level="bad")

    town.tell()

    assert sorted(lines(text)[1] for text in town.robot.texts) == [
        "shop has an alarm: database",
        "shop has an alarm: database",
        "shop has an alarm: nothing_arrived",
    ]


def test_an_order_that_lacks_units_is_told_with_its_skus(opened: Open) -> None:
    town = opened()
    town.happen("order.backordered", short=[{"sku": "A", "qty": 2}, {"sku": "B", "qty": 1}])

    town.tell()

    assert lines(town.robot.texts[0])[1] == "order  lacks units of A, B"
