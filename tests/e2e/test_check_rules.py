"""`check` holds rules against the database too: which of the SKUs they name nobody has."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.e2e.command_desk import Desk, files_in, open_desk, set_up

RULES = """\
rules:
  - id: gift
    when: {any: [{sku: ["A", "B*", "杯（红）"]}, {not: {sku: {only: [C, "D-*"]}}}]}
    then: {gift: {sku: A, short: E}, part: {cold: {sku: [F]}}}
  - {id: other, when: {sku: {is: unknown}}, then: {gift: {sku: SET, short: drop}, tag: [x]}}
"""


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """Return a desk with A and B-1 in stock, 杯（红） known and nowhere, and a set of A."""
    desk = open_desk(tmp_path)
    assert desk.run("stock", "import", desk.write("counts.csv", "warehouse,sku,on_hand\nSH,A,6\nGZ,B-1,0\n")).code == 0
    assert desk.run("goods", "import", desk.write("goods.csv", "sku,title\n杯（红）,cup\nE,e\n")).code == 0
    assert desk.run("bundles", "import", desk.write("bundles.csv", "bundle,sku,qty\nSET,A,2\n")).code == 0
    desk.write("rules.yaml", RULES)
    return desk


def said(desk: Desk, *words: str) -> list[str]:
    """Return the lines that the check says of rules, less the folder."""
    ran = desk.run("check", *words)
    assert ran.code == 0
    lines = (line.removeprefix(f"{desk.folder}/") for line in ran.out.splitlines())
    return [line for line in lines if line.startswith("rules.yaml")]


FOUND = [
    "rules.yaml:3:66: rules.0.when.any.1.not.sku.only.0: note: no SKU is called 'C' so far",
    "rules.yaml:3:69: rules.0.when.any.1.not.sku.only.1: note: no SKU begins with 'D-' so far",
    "rules.yaml:4:27: rules.0.then.gift.short: warning: "
    "'E' lies in no warehouse as far as anybody has counted, so it cannot be given",
    "rules.yaml:4:58: rules.0.then.part.cold.sku.0: note: no SKU is called 'F' so far",
]


def test_skus_of_rules_that_nobody_has_are_named_where_they_stand_and_refuse_nothing(desk: Desk) -> None:
    assert said(desk) == FOUND
    assert said(desk, "--online") == FOUND


def test_the_same_is_said_to_programs(desk: Desk) -> None:
    offline, online = desk.run("check", "--json").json, desk.run("check", "--online", "--json").json["problems"]

    assert offline == online
    told = [each for each in offline if each["file"].endswith("rules.yaml")]
    assert [(each["severity"], each["line"], each["column"], each["path"]) for each in told] == [
        ("note", 3, 66, "rules.0.when.any.1.not.sku.only.0"),
        ("note", 3, 69, "rules.0.when.any.1.not.sku.only.1"),
        ("warning", 4, 27, "rules.0.then.gift.short"),
        ("note", 4, 58, "rules.0.then.part.cold.sku.0"),
    ]


def test_without_a_database_no_sku_is_looked_for_and_none_is_made(tmp_path: Path) -> None:
    desk = set_up(tmp_path)
    desk.write("rules.yaml", RULES)
    before = files_in(tmp_path)
    ran = desk.run("check")

    assert (ran.code, ran.err) == (0, f"{tmp_path}: nothing wrong\n")
    assert "rules.yaml" not in ran.out
    assert files_in(tmp_path) == before


def test_a_database_of_another_version_is_not_asked_and_said(desk: Desk) -> None:
    with closing(sqlite3.connect(desk.folder / "var" / "erpsync.db")) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '0001'")

    assert said(desk) == []
    assert "not at this version, so the SKUs of rules are not looked at" in desk.run("check").err


def test_a_database_that_cannot_be_used_is_said_and_refuses_no_rules(tmp_path: Path) -> None:
    desk = set_up(tmp_path)
    desk.write("rules.yaml", RULES)
    desk.write("var/erpsync.db", "this is a letter, not a database\n" * 100)

    ran = desk.run("check")

    assert ran.code == 0
    assert "the database cannot be used, so the SKUs of rules are not looked at" in ran.err


def test_mistakes_in_rules_end_the_check_with_78_beside_those_of_other_files(tmp_path: Path) -> None:
    desk = set_up(tmp_path)
    desk.write("channels/second.yaml", "id: second\nconnector: taobaoo\n")
    desk.write("rules.yaml", "rules: [{id: a, when: {chanel: shop}, then: {carrier: [SFF]}}]\n")
    ran = desk.run("check")

    assert ran.code == 78
    assert [line.removeprefix(f"{tmp_path}/").split(":")[0] for line in ran.out.splitlines()][:3] == [
        "channels/second.yaml",
        "rules.yaml",
        "rules.yaml",
    ]
