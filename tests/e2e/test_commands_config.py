"""Commands before there is anything to sell: check, migrate, schema, and what goes wrong first."""

import json
import os
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.command_desk import CHANNEL, ORDERS, Desk, files_in, set_up

DEPOT = """id: {id}
connector: warehouse_file
settings: {{folder: {folder}, out_folder: {out}}}
"""


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return set_up(tmp_path)


def test_check_says_where_keys_will_lie_and_writes_nothing(desk: Desk) -> None:
    before = files_in(desk.folder)
    ran = desk.run("check")

    assert ran.code == 0
    assert "privacy: note: " in ran.out
    assert ran.err == f"{desk.folder}: nothing wrong\n"
    assert files_in(desk.folder) == before


def test_check_names_every_mistake_by_file_line_and_column_and_ends_with_78(desk: Desk) -> None:
    desk.write("channels/second.yaml", "id: second\nconnector: csv_drop\npol: {orders_s: 0}\nsettings: {folder: in}\n")
    desk.write("channels/third.yaml", "id: third\nconnector: taobaoo\n")
    ran = desk.run("check")

    assert ran.code == 78
    assert f"{desk.folder}/channels/second.yaml:3:1: pol: " in ran.out
    assert "did you mean" in ran.out
    assert f"{desk.folder}/channels/third.yaml:2:" in ran.out
    found = desk.run("check", "--json")
    assert found.code == 78
    assert {"file", "line", "column", "path", "text", "severity"} == set(found.json[0])
    assert [each["severity"] for each in found.json].count("error") >= 2


def test_a_bad_configuration_ends_every_command_with_78_and_its_lines(desk: Desk) -> None:
    desk.write("erpsync.yaml", "databas: x\n")
    for words in ("orders list", "status", "stock set --warehouse SH --sku A --on-hand 1", "migrate", "run --once"):
        ran = desk.run(*words.split())

        assert (ran.code, ran.out) == (78, ""), words
        assert ran.err.splitlines()[-1].startswith(f"erpsync: {desk.folder}/erpsync.yaml:1:1: databas: ")


def test_check_sees_folders_that_cannot_be_worked_in_and_makes_none(desk: Desk) -> None:
    (desk.folder / "shop" / "in").rmdir()
    (desk.folder / "shop" / "out").rmdir()  # is made with the first file
    desk.write("channels/depot.yaml", DEPOT.format(id="depot", folder="erpsync.yaml", out="erpsync.yaml/out"))
    desk.write("channels/off.yaml", DEPOT.format(id="off", folder="nowhere", out="out") + "enabled: false\n")
    before = {*desk.folder.rglob("*")}

    ran = desk.run("check")

    assert ran.code == 1
    assert [line for line in ran.out.replace(f"{desk.folder}/", "").splitlines() if ": note: " not in line] == [
        "channels/depot.yaml:3:12: settings.folder: erpsync.yaml is no folder",
        "channels/depot.yaml:3:34: settings.out_folder: erpsync.yaml/out cannot be reached: not a directory",
        "channels/shop.yaml:5:12: settings.folder: there is no folder shop/in",
    ]
    assert ran.err == ""
    assert [each["severity"] for each in desk.run("check", "--json").json] == ["error"] * 3 + ["note"] * 4
    assert {*desk.folder.rglob("*")} == before


def test_check_sees_that_the_database_cannot_lie_where_it_is_said_to(desk: Desk) -> None:
    main = (desk.folder / "erpsync.yaml").read_text()
    for place, said in {
        "shop": f"{desk.folder}/shop is no file",
        "erpsync.yaml/db": f"{desk.folder}/erpsync.yaml is no folder",
        "new/folder/db": "",
    }.items():
        desk.write("erpsync.yaml", main.replace("var/erpsync.db", place))

        found = [line for line in desk.run("check").out.splitlines() if ": note: " not in line]

        assert found == ([f"{desk.folder}/erpsync.yaml:2:1: database: {said}"] if said else [])


@pytest.mark.concurrent("processes")
def test_one_missing_folder_keeps_neither_the_daemon_nor_the_other_shops_from_work(desk: Desk) -> None:
    desk.write("channels/other.yaml", CHANNEL.format(id="other"))
    (desk.folder / "other" / "in").mkdir(parents=True)
    (desk.folder / "shop" / "in").rmdir()
    assert desk.run("migrate").code == 0
    desk.drop(ORDERS, channel="other")

    desk.apart("run", "--once")

    assert {order["channel"] for order in desk.json("orders", "list")} == {"other"}
    down = {row["id"]: row["down_error"] for row in desk.json("channels", "list")}
    assert down == {"other": "", "shop": f"there is no folder {desk.folder}/shop/in"}


def test_check_online_asks_every_enabled_channel(desk: Desk) -> None:
    (desk.folder / "shop" / "in").rmdir()
    desk.write("channels/other.yaml", (desk.folder / "channels" / "shop.yaml").read_text().replace("shop", "other"))
    (desk.folder / "other" / "in").mkdir(parents=True)

    ran = desk.run("check", "--online", "--json")

    assert ran.code == 1
    assert {row["channel"]: row["ok"] for row in ran.json["channels"]} == {"other": True, "shop": False}
    assert desk.run("check", "--online").out.splitlines()[0].startswith("channel")
    assert not (desk.folder / "var").exists()


def test_a_command_on_no_database_says_what_to_run(desk: Desk) -> None:
    ran = desk.run("orders", "list")

    assert (ran.code, ran.out) == (1, "")
    assert ran.err == f"erpsync: there is no database yet; run erpsync --config {desk.folder} migrate\n"
    assert not (desk.folder / "var").exists()


def test_migrate_makes_database_and_keys_once(desk: Desk) -> None:
    first, again = desk.json("migrate"), desk.json("migrate")

    assert (first["before"], first["changed"], again["changed"]) == (None, True, False)
    assert first["version"] == again["before"] == again["version"]
    keys = desk.folder / "var" / "erpsync.db.keys"
    assert stat.S_IMODE(keys.stat().st_mode) == 0o600


def test_a_configured_channel_that_no_daemon_took_up_is_not_well(desk: Desk) -> None:
    desk.run("migrate")
    ran = desk.run("status")

    assert ran.code == 1
    assert "shop: is configured, and the daemon has not taken it up yet" in ran.out


def test_schema_describes_both_kinds_of_files(desk: Desk) -> None:
    found = desk.run("schema").json

    assert found["$schema"].startswith("https://json-schema.org/")
    assert {"erpsync", "channel"} <= set(found["$defs"])


def test_the_configuration_may_be_named_behind_the_command_too(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    from erpsync.cli.main import main

    assert main(["check", "--json", "--config", str(desk.folder / "erpsync.yaml")]) == 0
    assert isinstance(json.loads(capsys.readouterr().out), list)


@pytest.mark.concurrent("processes")
def test_the_configuration_may_be_named_by_the_environment(desk: Desk) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "erpsync.cli.main", "check"],
        env={**os.environ, "ERPSYNC_CONFIG": str(desk.folder)},
        capture_output=True,
        check=False,
    )

    assert done.returncode == 0


@pytest.mark.concurrent("processes")
def test_a_reader_that_goes_away_is_no_error(desk: Desk) -> None:
    desk.run("migrate")
    command = f"{sys.executable} -m erpsync.cli.main --config {desk.folder} schema | head -c 1; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")


def test_debug_shows_where_an_error_came_from_and_nothing_else_does(desk: Desk) -> None:
    assert "Traceback" not in desk.run("status").err
    assert "Traceback" in desk.run("--debug", "status").err


def test_keys_rotate_on_an_empty_database_finds_nothing_to_do(desk: Desk) -> None:
    desk.run("migrate")

    assert desk.json("keys", "rotate") == {"encrypted": 0}


def test_secrets_are_opened_only_by_commands_that_use_them(desk: Desk) -> None:
    text = (desk.folder / "erpsync.yaml").read_text()
    desk.write("erpsync.yaml", text + "privacy: {keys: [!file missing.key], index_key: !file missing.key}\n")

    assert desk.run("migrate").code == 0
    assert desk.run("orders", "list", "--json").out == "[]\n"
    for words in (["check"], ["run", "--once"], ["keys", "rotate"], ["orders", "show", "1", "--recipient"]):
        assert desk.run(*words).code == 78, words


def test_a_database_that_does_not_answer_is_said_in_one_line(tmp_path: Path) -> None:
    desk = set_up(tmp_path, database="postgresql+psycopg://nobody:secret@127.0.0.1:1/nothing")
    text = (tmp_path / "erpsync.yaml").read_text()
    desk.write("erpsync.yaml", f"{text}privacy: {{keys: [!cred a], index_key: !cred a}}\n")
    ran = desk.run("orders", "list")

    assert (ran.code, ran.out, ran.err.count("\n")) == (1, "", 1)
    assert ran.err.startswith("erpsync: the database cannot be used: ")
    assert "secret" not in ran.err


@pytest.mark.concurrent("processes")
@pytest.mark.parametrize("words", ["orders list", "migrate", "run --once"])
def test_a_file_that_is_no_database_is_said_in_one_line(desk: Desk, words: str) -> None:
    desk.write("var/erpsync.db", "this is a letter, not a database\n" * 100)
    ran = desk.apart(*words.split())

    assert (ran.code, ran.out) == (1, "")
    assert ran.err.splitlines()[-1] == "erpsync: the database cannot be used: file is not a database"


EVERY_KIND = ("status", "orders list", "stock list", "token list", "migrate", "keys rotate", "run", "run --once")


def test_a_database_of_a_newer_version_stops_every_command_with_78_and_what_to_do(desk: Desk) -> None:
    """With 78 the service manager does not start the daemon over and over."""
    desk.run("migrate")
    with sqlite3.connect(desk.folder / "var" / "erpsync.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()

    for words in EVERY_KIND:
        ran = desk.run(*words.split())
        assert (ran.code, ran.out) == (78, ""), words
        said = ran.err.splitlines()[-1]
        assert "is at version 9999, newer than this erpsync" in said, words
        assert "install the newer erpsync again, or restore a copy made before that version" in said
        assert "migrate" not in said
