"""While a file of the configuration is being mended, who looks still sees how the shops stand."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from erpsync.cli.commands import COMMANDS, only_looks
from erpsync.settings import installed, load
from erpsync.store.db.store import Store
from erpsync.store.nodes import Refusal, beat, take_configuration
from tests.e2e.command_desk import Desk, set_up

KEY = "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE="
LIMITS = "status: {tasks: 0, unknown_stock: 7}\n"
WORDS = {
    "orders find": ["1001"],
    "orders show": ["1"],
    "channels show": ["shop"],
    "explain": ["A"],
    "releases show": ["R1"],
    "rules test": ["1"],
    "waves show": ["W1"],
}


@pytest.fixture
def desk(tmp_path: Path, database_url: str) -> Iterator[Desk]:
    """A shop whose daemon lives; on SQLite it is this process that holds the file."""
    made = set_up(tmp_path, database=database_url)
    text = (tmp_path / "erpsync.yaml").read_text()
    made.write("erpsync.yaml", f"{text}{LIMITS}privacy: {{keys: [{KEY}], index_key: {KEY}}}\n")
    assert made.run("stock", "add", "--warehouse", "SH", "--sku", "A", "--qty", "3", "--reason", "found").code == 0
    config = load(tmp_path, registry=installed(), environ={}).require()
    store = Store.open(database_url)
    beat(store, version="1")
    take_configuration(store, config.kept)
    yield made
    store.close()


BAD = {
    "a channel": (
        "channels/shop.yaml",
        "id: shop\nconnector: csv_drop\npol: {}\nsettings: {folder: x}\n",
        "channels/shop.yaml:3:1: pol",
    ),
    "a new channel": (
        "channels/b.yaml",
        "id: shop\nconnector: csv_drop\nsettings: {folder: x}\n",
        "channels/shop.yaml:2",
    ),
    "a limit": ("erpsync.yaml", "database: {url}\nstatus: {{tasks: -1}}\n", "erpsync.yaml:2:10: status.tasks"),
    "no yaml": ("erpsync.yaml", "database: {url}\n\tstatus: 1\n", "erpsync.yaml:2:1"),
}


@pytest.fixture(params=BAD.values(), ids=BAD)
def bad(request: pytest.FixtureRequest, desk: Desk, database_url: str) -> str:
    """Spoil a file; return what has to be said of it."""
    name, text, said = request.param
    desk.write(name, text.format(url=database_url) if name == "erpsync.yaml" else text)
    return said


def test_status_goes_by_the_limits_in_force_and_says_which_file_is_bad(desk: Desk, bad: str) -> None:
    ran = desk.run("status", "--no-daemon", "--json")

    assert ran.code == 1
    assert [channel["name"] for channel in ran.json["channels"]] == ["shop"]
    problem = ran.json["problems"][0]
    assert problem["check"] == "config"
    assert bad in problem["text"]
    (line,) = ran.err.splitlines()
    assert line.startswith("the configuration on disk is bad: ")
    assert bad in line
    assert "; this goes by the one in force since 20" in line


def test_every_command_that_only_looks_still_answers(desk: Desk, bad: str) -> None:
    for command in COMMANDS:
        if not only_looks(command.name) or command.name == "status":
            continue
        form = [] if command.name.endswith("export") else ["--json"]  # of an export --json is about its file
        ran = desk.run(*command.name.split(), *WORDS.get(command.name, []), *form)
        assert bad in ran.err, command.name
        assert ran.code in (0, 1), (command.name, ran.err)


def test_what_changes_something_waits_for_the_files(desk: Desk, bad: str) -> None:
    for words in (
        "stock set --warehouse SH --sku A --on-hand 4",
        "stock add --warehouse SH --sku A --qty 1 --reason x",
        "channels pause shop --reason x",
        "channels poll shop",
        "tasks done 1",
        "migrate",
        "run --once",
    ):
        ran = desk.run(*words.split())
        assert (ran.code, ran.out) == (78, ""), words
        assert bad in ran.err
    assert desk.run("stock", "list", "--json").json[0]["on_hand"] == 3


def test_a_refused_reload_that_says_the_same_is_said_once(desk: Desk, database_url: str) -> None:
    desk.write("channels/shop.yaml", "id: shop\nconnector: csv_drop\npol: {}\nsettings: {folder: x}\n")
    why = desk.run("check").out.splitlines()[0]
    store = Store.open(database_url)
    try:
        beat(store, version="1", refusal=Refusal(at=store.clock.now(), why=why))
    finally:
        store.close()
    found = desk.run("status", "--no-daemon", "--json").json["problems"]

    assert len([problem for problem in found if why in problem["text"]]) == 1


def test_without_any_daemon_yet_the_problems_of_the_files_are_all_that_is_said(tmp_path: Path) -> None:
    desk = set_up(tmp_path)
    desk.run("migrate")
    desk.write("channels/shop.yaml", "id: shop\nconnector: csv_drop\npol: {}\nsettings: {folder: shop/in}\n")
    ran = desk.run("status")

    assert (ran.code, ran.out) == (78, "")
    first, second = ran.err.splitlines()
    assert first.endswith("none in force is known: no daemon of this database has told its configuration")
    assert second.startswith(f"erpsync: {tmp_path}/channels/shop.yaml:3:1: pol: unknown key")


def test_a_database_that_cannot_be_told_is_not_guessed(desk: Desk) -> None:
    desk.write("erpsync.yaml", "databse: sqlite:///other.db\n")
    ran = desk.run("status")

    assert (ran.code, ran.out) == (78, "")
    assert ran.err.splitlines()[0].endswith("none in force is known: which database it means cannot be told")


def test_what_another_version_kept_and_this_one_does_not_know_is_not_gone_by(desk: Desk, database_url: str) -> None:
    store = Store.open(database_url)
    beat(store, version="2")
    take_configuration(store, '{"file": "/etc/erpsync/erpsync.yaml", "main": {"from_tomorrow": 1}, "channels": {}}')
    store.close()
    desk.write("channels/shop.yaml", "id: shop\nconnector: csv_drop\npol: {}\nsettings: {folder: x}\n")
    ran = desk.run("status")

    assert (ran.code, ran.out) == (78, "")
    assert "cannot be used here: from_tomorrow: unknown key" in ran.err.splitlines()[0]
    assert "channels/shop.yaml:3:1: pol" in ran.err.splitlines()[1]
