"""Routes in erpsync.yaml: what they become, and mistakes told by line and column."""

from datetime import time
from pathlib import Path

import pytest

from erpsync.core.messages import Quiet, RoutePolicy
from erpsync.sdk.roles import Connector, MessageSink
from erpsync.sdk.types import CheckReport, Message
from erpsync.settings import Loaded, Registry, changed_channels, load
from tests.support.whens import when
from tests.unit.settings.builders import CHANNEL, Market, MarketSettings, notes, problems, write


class Robot(Connector, MessageSink):
    """Says messages."""

    Settings = MarketSettings

    def check(self) -> CheckReport:
        """Say that all is well."""
        return CheckReport()

    def push_message(self, message: Message) -> None:
        """Say it."""


ROBOT = CHANNEL.replace("id: shop", "id: robot").replace("market", "robot")


def checked(folder: Path, *routes: str, robot: str = ROBOT) -> Loaded:
    rows = "".join(f"  - {route}\n" for route in routes)
    (folder / "rules.yaml").write_text("rules: [{id: big, when: {total: {ge: 1}}, then: {hold: x}}]", encoding="utf-8")
    write(folder, f"warehouses:\n  - {{id: SH}}\nroutes:\n{rows}", shop=CHANNEL, robot=robot)
    return load(folder, registry=Registry.of({"market": Market, "robot": Robot}), environ={})


def test_a_route_becomes_what_it_says(tmp_path: Path) -> None:
    whole = (
        '{id: sales, to: robot, department: 销售, lang: en, digest_s: 60, quiet: "22:00-07:30", quiet_lets: alarm, '
        "most_per_min: 5, when: {event: [order.held, stock.], channel: shop, warehouse: [SH], sku: A, "
        "hold_reason: refund_open, rule: [big], level: warn, total: {ge: 0.1}}}"
    )

    [route] = checked(tmp_path, whole).require().routes

    assert route == RoutePolicy(
        id="sales",
        to="robot",
        department="销售",
        language="en",
        digest_s=60,
        quiet=Quiet(begins=time(22), ends=time(7, 30)),
        quiet_lets="alarm",
        most_per_min=5,
        when=when(
            event=["order.held", "stock."],
            channel="shop",
            warehouse=["SH"],
            sku="A",
            hold_reason="refund_open",
            rule=["big"],
            level="warn",
            total={"ge": 0.1},
        ),
    )
    assert route.when.kinds == ("order.held", "stock.")


@pytest.mark.parametrize(
    ("route", "said"),
    [
        (
            "{id: a, to: robott, when: {event: order.}}",
            "routes.0.to: no channel 'robott' in channels/; did you mean 'robot'?",
        ),
        ("{id: a, to: shop, when: {event: order.}}", "channel 'shop' cannot send messages: its connector takes none"),
        (
            "{id: a, to: robot, when: {event: order.heldd}}",
            "no kind of event 'order.heldd'; did you mean 'order.held'?",
        ),
        ("{id: a, to: robot, when: {event: [order.held, ordre.]}}", "when.event.1: no kind of event 'ordre.'"),
        (
            "{id: a, to: robot, when: {event: order., channel: shopp}}",
            "there is no channel 'shopp'; did you mean 'shop'?",
        ),
        (
            "{id: a, to: robot, when: {event: order., warehouse: [SH, XX]}}",
            "when.warehouse.1: there is no warehouse 'XX'",
        ),
        ("{id: a, to: robot, when: {event: order., hold_reason: gone}}", "when.hold_reason: no such word; known are"),
        (
            "{id: a, to: robot, when: {event: order., rule: [bigg]}}",
            "when.rule.0: there is no rule 'bigg'; did you mean 'big'?",
        ),
        (
            '{id: a, to: robot, when: {event: order.}, quiet: "25:00-07:00"}',
            "must be two times of day such as 22:00-07:00",
        ),
        ('{id: a, to: robot, when: {event: order.}, quiet: "07:00-07:00"}', "must begin and end at different times"),
        ("{id: a, to: robot, when: {event: order.}, most_per_min: 0}", "most_per_min: must be at least 1, is 0"),
        ("{id: a, to: robot, lang: fr, when: {event: order.}}", "lang: must be 'en' or 'zh', is 'fr'"),
        ("{id: a, to: robot, when: {}}", "when: is empty: name a fact"),
        ("{id: a, to: robot, when: {level: warn}}", "when.event: is missing: say of which kinds of events it tells"),
        (
            "{id: a, to: robot, when: {any: [{event: order.}, {level: alarm}]}}",
            "when.event: is missing: say of which kinds of events it tells, under `any` in each of them",
        ),
        ("{id: a, to: robot, when: {not: {event: order.}}}", "when.event: is missing"),
        ("{id: a, to: robot, when: {event: order., skus: A}}", "when.skus: no such fact; did you mean 'sku'?"),
        ("{id: a, to: robot, when: {event: order., units: 3}}", "units: is no fact of events"),
        ("{id: a, to: robot, when: {event: order., level: wran}}", "level: no such word; did you mean 'warn'?"),
        ("{id: a, to: robot, when: {event: order., kind: [cot]}}", "kind.0: no such word; did you mean 'cod'?"),
        (
            "{id: a, to: robot, when: {event: order., total: {contains: 9}}}",
            "when.total.contains: total takes no such operator; write N, [N, …], {lt: N}",
        ),
        (
            "{id: a, to: robot, when: {event: order., total: {ge: 500, lt: 300}}}",
            "when: can never hold: total would have to be two things at once",
        ),
        (
            "{id: a, to: robot, when: {event: order., all: [{event: [stock., task.opened]}]}}",
            "when: can never hold: event would have to be two things at once",
        ),
        (
            "{id: a, to: robot, when: {event: [order.held, order.freed], not: {event: order.}}}",
            "when: can never hold: event would have to be two things at once",
        ),
    ],
)
def test_a_mistake_is_told_where_it_stands(tmp_path: Path, route: str, said: str) -> None:
    [problem] = problems(tmp_path, checked(tmp_path, route))

    assert problem.startswith("erpsync.yaml:4:")
    assert said in problem


def test_two_routes_of_one_id_are_refused_with_the_line_of_the_first(tmp_path: Path) -> None:
    route = "{id: a, to: robot, when: {event: order.}}"

    [problem] = problems(tmp_path, checked(tmp_path, route, route))

    assert problem == "erpsync.yaml:5:6: routes.1.id: 'a' is already the id of the route on line 4"


def test_a_route_through_a_disabled_channel_is_worth_a_warning(tmp_path: Path) -> None:
    result = checked(tmp_path, "{id: a, to: robot, when: {event: order.}}", robot=f"{ROBOT}enabled: false\n")

    assert any("'robot' is disabled, so nobody is told anything" in note for note in notes(tmp_path, result))


def test_a_reload_takes_routes_as_it_takes_other_settings(tmp_path: Path) -> None:
    before = checked(tmp_path, "{id: a, to: robot, when: {event: order.}}").require()
    after = checked(tmp_path, "{id: a, to: robot, when: {event: stock.}}").require()

    diff = changed_channels(before, after)

    assert (diff.others, diff.changed, diff.fixed) == (("routes",), (), [])


def test_a_route_may_ask_whatever_rules_may_write(tmp_path: Path) -> None:
    """Beginnings with a dot within one another are no contradiction, nor are words that are not looked up."""
    written = (
        "{event: order., not: {event: [order.freed]}, any: [{tag: {all: [vip, '急*']}}, {total: {gt: 9, le: 20}}], "
        "warehouse: ['S*'], kind: [cod, b2b], currency: CNY, channel: internal}"
    )

    [route] = checked(tmp_path, f"{{id: a, to: robot, when: {written}}}").require().routes

    assert route.when.kinds == ("order.",)
    assert {"tag", "kind", "total", "currency"} <= route.when.asks


def test_a_route_may_take_what_it_asks_for_from_the_environment(tmp_path: Path) -> None:
    (tmp_path / "rules.yaml").write_text("rules: []", encoding="utf-8")
    row = '{id: a, to: robot, when: {event: order., channel: "${SHOP}", total: {ge: "${LEAST}"}}}'
    write(tmp_path, f"warehouses:\n  - {{id: SH}}\nroutes:\n  - {row}\n", shop=CHANNEL, robot=ROBOT)
    kinds = Registry.of({"market": Market, "robot": Robot})

    [route] = load(tmp_path, registry=kinds, environ={"SHOP": "shop", "LEAST": "50"}).require().routes
    nowhere = load(tmp_path, registry=kinds, environ={"SHOP": "shop"})

    assert route.when == when(event="order.", channel="shop", total={"ge": 50})
    assert [problem.path for problem in nowhere.problems] == ["routes.0.when.total.ge"]
