"""`orders find` as an operator uses it."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.command_desk import Desk, copy_of, set_up, trade

PHONE = "+86 138-0013-8000"


@pytest.fixture(scope="module")
def traded(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """A desk at which a day's orders have come in and one has left, to be copied and never worked at."""
    desk = trade(set_up(tmp_path_factory.mktemp("traded")))
    assert desk.run("ship", "1001", "--carrier", "SF", "--tracking", "SF1400022331").code == 0
    return desk


@pytest.fixture
def desk(traded: Desk, tmp_path: Path) -> Desk:
    return copy_of(traded, tmp_path / "config")


def by_phone(desk: Desk, typed: str, *more: str) -> subprocess.CompletedProcess[str]:
    command = [
        sys.executable,
        "-m",
        "erpsync.cli.main",
        "--config",
        str(desk.folder),
        "orders",
        "find",
        "--phone",
        *more,
    ]
    return subprocess.run(command, input=typed, capture_output=True, text=True, check=False)


def test_find_prints_the_same_objects_as_the_list(desk: Desk) -> None:
    listed = {order["external_id"]: order for order in desk.json("orders", "list")}

    assert desk.json("orders", "find", "2331") == [listed["1001"]]
    assert desk.json("orders", "find", "100", "--limit", "2") == [listed["1004"], listed["1003"]]
    assert desk.json("orders", "find", "coffee") == []


def test_the_table_says_by_what_an_order_was_found(desk: Desk) -> None:
    head, *lines = desk.run("orders", "find", "亚麻").out.splitlines()

    assert head.endswith("found by")
    assert [line.split()[-1] for line in lines] == ["goods", "goods"]
    assert desk.run("orders", "find", "coffee").err == "no such order\n"


@pytest.mark.concurrent("processes")
def test_a_phone_number_is_asked_for_and_leaves_an_event_without_it(desk: Desk) -> None:
    asked = by_phone(desk, f"{PHONE}\n", "--json")

    assert asked.returncode == 0
    assert '"external_id": "1001"' in asked.stdout
    assert "8000" not in asked.stdout + asked.stderr
    assert kept_by(desk).count(b"phone.searched") > 0
    assert kept_by(desk).count(b"13800138000") == 0


def kept_by(desk: Desk) -> bytes:
    return b"".join(file.read_bytes() for file in (desk.folder / "var").iterdir())


def test_a_text_that_is_a_phone_number_finds_by_it_and_says_that_the_shell_remembers(desk: Desk) -> None:
    ran = desk.run("orders", "find", "13800138000")

    assert ran.out.splitlines()[1].endswith("phone")
    assert "orders find --phone asks for it" in ran.err


@pytest.mark.concurrent("processes")
def test_who_may_not_read_the_keys_finds_all_that_is_not_personal(desk: Desk) -> None:
    desk.drop("13800138000,a,paid,2026-03-02 12:10,2026-03-02 12:11,A,shirt,1,1.00,李,13400134000,上海市1号")
    assert desk.apart("run", "--once").code == 0
    (desk.folder / "var" / "erpsync.db.keys").unlink()

    ran = desk.run("orders", "find", "13800138000")

    assert (ran.code, ran.out.count("\n")) == (0, 2)
    assert ran.err.startswith("not looked for by phone: ")


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ((), "orders find needs either TEXT or --phone"),
        (("A", "--phone"), "orders find needs either TEXT or --phone"),
        ((" - ",), "there is nothing to look for: letters or digits are needed"),
        (("A", "--limit", "0"), "argument --limit: must be 1 or more, is 0 (see erpsync orders find --help)"),
        (("A", "--limit", "501"), "argument --limit: must be at most 500, is 501 (see erpsync orders find --help)"),
    ],
)
def test_a_wrong_question_is_one_line(
    desk: Desk, words: tuple[str, ...], problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    ran = desk.run("orders", "find", *words)

    assert (ran.code, ran.out, ran.err) == (2, "", f"erpsync: {problem}\n")


@pytest.mark.concurrent("processes")
def test_a_part_of_a_phone_number_is_refused(desk: Desk) -> None:
    ran = desk.apart("orders", "find", "--phone", said="8000\n")

    assert (ran.code, ran.out) == (1, "")
    assert ran.err == "erpsync: a phone number is needed whole: 7 digits at least, none of them starred out\n"
