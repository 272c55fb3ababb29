"""Rules and a person's word on them, at the command line."""

from contextlib import closing
from pathlib import Path

import pytest

from erpsync.settings import installed, load
from erpsync.store.db.store import Store
from erpsync.store.nodes import beat, take_configuration
from tests.e2e.command_desk import Desk, copy_of, set_up, trade

RULES = """
rules:
  - {id: big, when: {total: {ge: 200}}, then: {hold: 大额, ask: true, tag: [LARGE]}}
  - {id: many, when: {units: {ge: 2}}, then: {hold: 件数多, ask: true}}
  - {id: note, when: {buyer_note: {contains: [急]}}, then: {carrier: [SF]}}
  - {id: heavy, when: {weight_g: {gt: 1000}}, then: {tag: [重]}}
  - {id: box, on: parcel, when: {units: {gt: 9}}, then: {carrier: [DBL]}}
"""


@pytest.fixture(scope="module")
def ruled(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """A desk with rules at which a day's orders have come in: two rules hold 1001, one holds 1002."""
    desk = set_up(tmp_path_factory.mktemp("ruled"))
    desk.write("rules.yaml", RULES)
    return trade(desk)


@pytest.fixture
def desk(ruled: Desk, tmp_path: Path) -> Desk:
    return copy_of(ruled, tmp_path / "config")


def number(desk: Desk, external_id: str) -> str:
    return str(desk.json("orders", "show", external_id)["number"])


def kinds(desk: Desk, external_id: str) -> list[str]:
    return [entry["kind"] for entry in desk.json("orders", "show", external_id)["events"]]


def test_where_two_rules_ask_each_is_named_with_what_decided_and_nothing_is_approved(desk: Desk) -> None:
    ran = desk.run("orders", "approve", "1001")

    assert (ran.code, ran.out) == (1, "")
    assert ran.err == (
        f"erpsync: 2 rules ask something of order {number(desk, '1001')}; name those that you approve, or all:"
        " big (大额: total 258.00 >= 200); many (件数多: units 2 >= 2)\n"
    )
    assert "order.approved" not in kinds(desk, "1001")


def test_rules_are_approved_by_name_with_a_reason_and_the_rest_goes_on_asking(desk: Desk) -> None:
    first = desk.run("orders", "approve", "1001", "big", "--reason", "old customer")
    second = desk.run("orders", "approve", "1001")

    assert (first.code, first.out) == (0, f"{number(desk, '1001')} is held (rule)\n")
    assert (second.code, second.out) == (0, f"{number(desk, '1001')} is allocated\n")
    [yes, _] = [entry for entry in desk.json("orders", "show", "1001")["events"] if entry["kind"] == "order.approved"]
    assert (yes["detail"]["rules"], yes["detail"]["reason"], bool(yes["actor"])) == (["big"], "old customer", True)


def test_all_that_ask_are_approved_at_once(desk: Desk) -> None:
    assert desk.json("orders", "approve", "1001", "--all")["status"] == "allocated"
    assert desk.run("orders", "approve", "1001", "--all").err.endswith(
        f"no rule asks anything of order {number(desk, '1001')}\n"
    )


def test_names_and_all_do_not_go_together(desk: Desk) -> None:
    assert desk.run("orders", "approve", "1001", "big", "--all").code == 2
    assert desk.run("orders", "approve", "1001", "floor").err.startswith("erpsync: rule floor asks nothing of order")


def test_tags_and_seals_are_set_and_taken_away_by_hand(desk: Desk) -> None:
    desk.json("orders", "tag", "1002", "VIP", "易碎 品")
    tagged = desk.json("orders", "untag", "1001", "LARGE")
    sealed = desk.json("orders", "seal", "1002", "--split")
    shown = desk.run("orders", "show", "1002").out

    assert tagged["tags"] == []
    assert sealed["tags"] == ["VIP", "易碎 品"]
    assert {mark["name"]: mark["value"] for mark in sealed["marks"]}["seal"] == "split"
    assert "tags VIP, 易碎 品" in shown
    assert "marks +seal=split" in shown
    assert [each["external_id"] for each in desk.json("orders", "list", "--tag", "VIP")] == ["1002"]
    assert desk.json("orders", "seal", "1002")["marks"][0]["value"] == "merge split"
    assert "seal" not in [mark["name"] for mark in desk.json("orders", "unseal", "1002")["marks"]]
    assert desk.run("orders", "unseal", "1002").err == "erpsync: the order is not sealed\n"
    assert desk.run("orders", "untag", "1002", "nothing").err == "erpsync: the order has no tag nothing\n"
    assert desk.run("orders", "tag", "1002", "x" * 41).code == 1


def test_orders_are_listed_by_the_rule_that_holds_them(desk: Desk) -> None:
    assert [each["external_id"] for each in desk.json("orders", "list", "--rule", "big")] == ["1001"]
    assert [each["external_id"] for each in desk.json("orders", "list", "--hold-reason", "rule")] == ["1002", "1001"]


def test_the_rules_are_a_table_with_what_each_does_and_holds(desk: Desk) -> None:
    lines = desk.run("rules", "list").out.splitlines()
    listed = desk.json("rules", "list")

    assert lines[0].split() == ["rule", "about", "what", "comes", "of", "it", "holds", "wants", "of", "written", "in"]
    assert " ".join(lines[1].split()) == "big order hold 大额; ask; tag LARGE 1 1 rules.yaml:3"
    assert [(rule["id"], rule["about"], rule["holds"], rule["wants"]) for rule in listed] == [
        ("big", "order", 1, 1),
        ("many", "order", 2, 2),
        ("note", "order", 0, 0),
        ("heavy", "order", 0, 0),
        ("box", "parcel", 0, 0),
    ]


def test_of_one_order_every_rule_says_why_or_why_not(desk: Desk) -> None:
    ran = desk.run("rules", "test", "1001")
    said = [" ".join(line.split()) for line in ran.out.splitlines()[2:]]

    assert ran.code == 0
    assert "; time alone changes nothing" in ran.out.splitlines()[0]
    assert said == [
        "big matched total 258.00 >= 200 held until a person approves it: 大额; mark tag:LARGE rules.yaml:3",
        "many matched units 2 >= 2 held until a person approves it: 件数多 rules.yaml:4",
        "note not buyer_note contains 急 - rules.yaml:5",
        "heavy unknown weight_g unknown > 1000 mark unknown:weight_g rules.yaml:6",
        "box later - - rules.yaml:7",
    ]


def test_a_file_of_rules_is_tried_that_is_not_in_force(desk: Desk) -> None:
    file = desk.write("tomorrow.yaml", "rules: [{id: all, when: {total: {ge: 0}}, then: {hold: 全部}}]")
    before = desk.json("orders", "list")

    lines = desk.run("rules", "test", "1002", "--rules", file).out.splitlines()

    assert " ".join(lines[2].split()) == "all matched total 90.00 >= 0 held as long as this is so: 全部 tomorrow.yaml:1"
    assert lines[3:] == [
        "",
        "What would differ",
        "- begins: rule:all: 全部",
        "- ends: rule:many: 件数多",
        "- ends: unknown:weight_g",
    ]
    assert desk.json("orders", "list") == before


def test_a_file_of_rules_that_cannot_be_read_is_refused_line_by_line(desk: Desk) -> None:
    file = desk.write("bad.yaml", "rules:\n  - {id: a, when: {totl: {ge: 0}}, then: {hold: x}}\n")
    ran = desk.run("rules", "test", "1002", "--rules", file)

    assert ran.code == 78
    assert ran.err.startswith(f"erpsync: {file}:2:")
    assert "did you mean 'total'?" in ran.err
    assert desk.run("rules", "test", "1002", "--rules", f"{file}.none").code != 0


def test_coverage_draws_what_each_rule_matches_and_names_those_that_match_nothing(desk: Desk) -> None:
    out = desk.run("rules", "coverage").out.splitlines()
    said = desk.json("rules", "coverage")

    assert " ".join(out[1].split()) == "big 1 3 0 0 ████████ 25.0 %"
    assert out[-2:] == ["of the newest 4 orders no rule touches 2", "matched none of them: note, heavy"]
    assert (said["orders"], said["untouched"], said["rules"][0]["matched"]) == (4, 2, 1)


def test_without_rules_nothing_is_asked_and_the_commands_say_so(ruled: Desk, tmp_path: Path) -> None:
    desk = copy_of(ruled, tmp_path / "config")
    (desk.folder / "rules.yaml").unlink()

    assert desk.run("rules", "list").err.startswith("there are no rules: ")
    assert desk.json("rules", "list") == []
    assert desk.run("rules", "coverage").code == 0
    assert desk.json("rules", "test", "1001")["rules"] == []


def test_a_decision_without_the_keys_that_rules_need_changes_nothing_and_says_so(desk: Desk) -> None:
    desk.write("rules.yaml", "rules: [{id: far, when: {address: {has: [too_short]}}, then: {hold: 地址}}]")
    [keys] = (desk.folder / "var").glob("*.keys")
    keys.rename(keys.with_suffix(".away"))

    ran = desk.run("orders", "hold", "1001", "--reason", "x")
    listed = desk.run("orders", "show", "1001")

    assert (ran.code, ran.out) == (1, "")
    assert ran.err == (
        "erpsync: rules ask about notes or addresses, and this command runs without the keys to open them\n"
    )
    assert (listed.code, "the keys are not at hand" in listed.err) == (0, True)
    shown = desk.run("orders", "show", "1001", "--json").json
    assert (shown["rules"], "order.held" in [entry["kind"] for entry in shown["events"][2:]]) == (None, False)


def test_while_rules_yaml_is_bad_it_is_looked_by_those_in_force_and_nothing_is_decided(desk: Desk) -> None:
    config = load(desk.folder, registry=installed(), environ={}).require()
    with closing(Store.open(config.database)) as store:
        beat(store, version="1")
        take_configuration(store, config.kept)
        desk.write("rules.yaml", "rules: [{id: a}]")

        tested, listed = desk.run("rules", "test", "1001"), desk.run("rules", "list", "--json")

    assert (tested.code, [line.split()[0] for line in tested.out.splitlines()[2:]]) == (
        0,
        ["big", "many", "note", "heavy", "box"],
    )
    assert "the configuration on disk is bad" in tested.err
    assert [rule["holds"] for rule in listed.json] == [1, 2, 0, 0, 0]
    assert desk.run("orders", "approve", "1001", "--all").code == 78


def test_a_plan_says_by_rule_what_a_reload_would_begin_and_end_and_whether_it_is_taken(desk: Desk) -> None:
    same = desk.run("plan")
    desk.write("rules.yaml", RULES.replace("total: {ge: 200}", "total: {ge: 900}").replace("id: many", "id: pair"))
    planned = desk.json("plan")
    text = desk.run("plan")
    desk.write("erpsync.yaml", (desk.folder / "erpsync.yaml").read_text() + "rules: {most_changed: 1}\n")
    refused = desk.run("plan")

    assert (same.code, same.out) == (0, "4 open orders stay as they are held\n")
    assert (planned["open"], planned["changed"], planned["refused"]) == (4, 2, False)
    rules = {rule["id"]: (rule["begins_with"], rule["ends_with"]) for rule in planned["rules"]}
    first, second = number(desk, "1001"), number(desk, "1002")
    assert rules == {"big": ([], [first]), "many": ([], [first, second]), "pair": ([first, second], [])}
    assert (text.code, text.out.splitlines()[-1]) == (0, "the holds of 2 open orders would change, of 4")
    assert (refused.code, refused.out.splitlines()[-1]) == (
        1,
        "a reload is refused: these are more than rules.most_changed, which is 1",
    )
    assert [rule["holds"] for rule in desk.json("rules", "list")[:2]] == [1, 0]  # as it was


def test_a_plan_by_another_file_leaves_the_one_of_the_configuration_alone(desk: Desk, tmp_path: Path) -> None:
    other = tmp_path / "tomorrow.yaml"
    other.write_text("rules: [{id: all, when: {total: {ge: 0}}, then: {hold: 盘点}}]", encoding="utf-8")
    planned = desk.json("plan", "--rules", str(other))
    other.write_text("rules: [{id: all, when: {totl: {ge: 0}}, then: {hold: 盘点}}]", encoding="utf-8")
    wrong = desk.run("plan", "--rules", str(other))

    assert {rule["id"]: (rule["begins"], rule["ends"]) for rule in planned["rules"]} == {
        "all": (4, 0),
        "big": (0, 1),
        "many": (0, 2),
    }
    assert len(planned["rules"][0]["begins_with"]) == 4
    assert (wrong.code, "did you mean 'total'?" in wrong.err) == (78, True)
