"""A database and its keys belong together: what a start does when one of the two is another, or gone."""

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from erpsync.store.db.privacy import make_or_read_keys
from tests.e2e.command_desk import Desk, Ran, set_up, trade

KEYS = "privacy: {{keys: [{keys}], index_key: {index}}}\n"
ONE, TWO, THREE = ("c" * 42 + "g=", "d" * 42 + "g=", "e" * 42 + "g=")


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A shop with orders, whose keys lie in a file beside its database."""
    return trade(set_up(tmp_path))


def refused(ran: Ran) -> str:
    """Return the one line of a command that a person has to help before it is started again."""
    assert (ran.code, ran.out) == (78, ""), ran.err
    return ran.err.splitlines()[-1]


def key_file(desk: Desk) -> Path:
    return desk.folder / "var" / "erpsync.db.keys"


@pytest.mark.concurrent("processes")
def test_a_database_restored_without_its_keys_is_not_given_new_ones(desk: Desk) -> None:
    key_file(desk).unlink()

    for words in (["run", "--once"], ["migrate"]):
        assert f"the key file {key_file(desk)} is missing" in refused(desk.run(*words))
        assert not key_file(desk).exists()


@pytest.mark.concurrent("processes")
def test_the_keys_of_another_database_are_refused(desk: Desk) -> None:
    key_file(desk).unlink()
    make_or_read_keys(key_file(desk))

    for words in (["run", "--once"], ["migrate"], ["keys", "rotate"]):
        assert "the keys of the key file are not those of this database" in refused(desk.run(*words))


@pytest.mark.concurrent("processes")
def test_orders_from_before_the_proof_are_opened_before_it_is_made(desk: Desk) -> None:
    with closing(sqlite3.connect(desk.folder / "var" / "erpsync.db")) as connection, connection:
        connection.execute("DELETE FROM key_proof")
    right = key_file(desk).read_text()
    key_file(desk).unlink()
    make_or_read_keys(key_file(desk))
    refused(desk.run("run", "--once"))

    key_file(desk).write_text(right)

    assert desk.run("run", "--once").code == 0


@pytest.mark.concurrent("processes")
def test_another_index_key_is_refused_before_no_phone_is_found_any_more(desk: Desk) -> None:
    kept = json.loads(key_file(desk).read_text())
    key_file(desk).write_text(json.dumps(kept | {"index_key": ONE}))

    assert "the index key of the key file is not that of this database" in refused(desk.run("run", "--once"))


@pytest.mark.concurrent("processes")
@pytest.mark.parametrize("text", ["", "{", "{}", '{"keys": [], "index_key": ""}', "[]"])
def test_a_key_file_that_is_none_is_said_with_what_to_do(desk: Desk, text: str) -> None:
    """A power cut used to leave an empty one."""
    key_file(desk).write_text(text)

    said = refused(desk.run("run", "--once"))

    assert f"{key_file(desk)}: the key file cannot be read" in said
    assert "put its copy from your backup in its place" in said


def test_a_key_file_is_made_whole_and_a_second_maker_takes_it_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "shop.keys"
    first = make_or_read_keys(path)
    text = path.read_text()
    second = make_or_read_keys(path)

    assert second.decrypt(first.encrypt("x", row="r"), row="r") == "x"
    assert (path.read_text(), path.stat().st_mode & 0o777) == (text, 0o600)
    assert [each.name for each in tmp_path.iterdir()] == ["shop.keys"]


@pytest.fixture
def with_keys(tmp_path: Path, empty_database_url: str) -> Callable[[str, str], Ran]:
    """A shop whose keys are configured; `migrate: auto` makes the database at the first run."""
    desk = set_up(tmp_path, database=empty_database_url)
    desk.drop("1001,a,paid,2026-03-02 12:01,2026-03-02 12:02,A,袜子,2,129.00,王小明,13800138000,杭州市文一西路969号")
    plain = desk.folder.joinpath("erpsync.yaml").read_text() + "migrate: auto\n"

    def run(words: str, keys: str, index: str = THREE) -> Ran:
        desk.write("erpsync.yaml", plain + KEYS.format(keys=keys, index=index))
        return desk.run(*words.split())

    return run


@pytest.mark.concurrent("processes")
def test_configured_keys_are_proven_and_an_old_one_is_asked_for_until_all_is_rotated(with_keys: Callable) -> None:
    assert with_keys("run --once", ONE).code == 0

    assert "the keys of the configuration are not those" in refused(with_keys("run --once", TWO))
    assert "the index key of the configuration" in refused(with_keys("run --once", ONE, ONE))
    assert with_keys("run --once", f"{TWO}, {ONE}").code == 0
    refused(with_keys("run --once", TWO))
    assert with_keys("keys rotate", f"{TWO}, {ONE}").code == 0
    assert with_keys("run --once", TWO).code == 0


@pytest.mark.concurrent("processes")
@pytest.mark.parametrize("left", ["nothing", "an empty file"])
def test_a_start_makes_no_new_database_where_the_keys_of_an_old_one_lie(desk: Desk, left: str) -> None:
    """An empty one would answer 200 to webhooks, and know none of the orders that wait."""
    database = desk.folder / "var" / "erpsync.db"
    database.unlink()
    if left == "an empty file":
        database.touch()
    was_there = database.exists()

    said = refused(desk.run("run", "--once"))

    assert f"the database {database} is not there or empty, but erpsync.db.keys beside it" in said
    assert database.exists() == was_there
    assert desk.run("migrate").code == 0
    assert desk.run("run", "--once").code == 0
