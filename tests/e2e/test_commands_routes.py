"""`routes`: which department is told of what, and a message to try it with, against a robot on this machine."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from connectors.wecom_bot.sandbox import KEY, WecomRobot
from erpsync.sdk.sandbox import Fault, serve
from tests.e2e.command_desk import CONFIG, Desk, set_up, trade

pytestmark = pytest.mark.concurrent("processes")
ROUTES = """
routes:
  - {id: sales, to: robot, department: 销售, lang: en, when: {event: order.}}
  - {id: night, to: robot, when: {event: stock.}, quiet: "00:00-23:59"}
"""
ROBOT = """
id: robot
connector: wecom_bot
settings: {{gateway: "{url}/cgi-bin/webhook/send", key: !file robot-key}}
"""


@dataclass
class Office:
    desk: Desk
    robot: WecomRobot


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    robot = WecomRobot()
    with serve({"robot": robot}) as server:
        desk = set_up(tmp_path / "shop")
        desk.write("erpsync.yaml", CONFIG.format(database="sqlite:///var/erpsync.db") + ROUTES)
        desk.write("channels/robot.yaml", ROBOT.format(url=server.url("robot")))
        desk.write("robot-key", KEY)
        yield Office(desk, robot)


def test_a_days_orders_are_told_once_by_a_daemon_that_runs_once(office: Office) -> None:
    desk, robot = office.desk, office.robot
    assert desk.apart("run", "--once").code == 0
    trade(desk)

    assert len(robot.texts) >= 3
    assert all("王小明" not in text and "13800138000" not in text for text in robot.texts)
    rows = {row["id"]: row for row in desk.json("routes", "list")}
    assert (rows["sales"]["state"], rows["sales"]["error"]) == ("active", "")
    assert rows["night"]["behind"] > 0
    before = len(robot.texts)
    assert desk.apart("run", "--once").code == 0
    assert len(robot.texts) == before


def test_a_test_message_arrives_or_says_what_the_platform_said(office: Office) -> None:
    desk, robot = office.desk, office.robot
    assert desk.run("migrate").code == 0

    assert desk.run("routes", "test", "sales").out.startswith("robot accepted the test message sales-test-")
    assert robot.texts[0].splitlines()[:2] == ["销售 · test message", "this route of erpsync works"]

    robot.faults.force(Fault.PLATFORM_ERROR)
    ran = desk.run("routes", "test", "sales")
    assert (ran.code, ran.out) == (1, "")
    assert "the test message was not accepted: the WeCom robot refuses: invalid request parameter (40058)" in ran.err
    assert KEY not in ran.err


def test_a_route_that_is_not_configured_is_refused_with_those_that_are(office: Office) -> None:
    assert office.desk.run("migrate").code == 0

    for act in ("test", "retry"):
        ran = office.desk.run("routes", act, "salse")
        assert (ran.code, ran.err) == (1, "erpsync: no route salse; there are night, sales\n")


def test_a_refused_message_is_replayed_by_the_command_of_dead_letters(office: Office) -> None:
    desk, robot = office.desk, office.robot
    assert desk.apart("run", "--once").code == 0
    robot.faults.force(Fault.PLATFORM_ERROR)
    trade(desk)
    [letter] = [row for row in desk.json("dead", "list", "--kind", "message") if row["channel"] == "robot"]
    told = len(robot.texts)

    assert desk.run("dead", "replay", str(letter["id"])).code == 0
    assert len(robot.texts) == told + 1
    assert robot.texts[-1].endswith(f"#{letter['key']}")


def test_a_channel_that_only_sends_stands_as_one_that_works(office: Office) -> None:
    desk = office.desk
    trade(desk)

    [shown] = [row for row in desk.run("status", "--no-daemon", "--json").json["channels"] if row["name"] == "robot"]
    assert (shown["state"], shown["beyond"]) == ("up", [])
    assert desk.run("check", "--online").out.count("robot") == 1
