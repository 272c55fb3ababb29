"""`backup` and `restore` as an administrator types them, on SQLite and on PostgreSQL."""

import json
import os
import sqlite3
import stat
import zipfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from erpsync.runtime.lock import only_daemon
from erpsync.store.db.engine import make_engine
from erpsync.store.db.schema import VERSION
from tests.e2e.command_desk import Desk, set_up, trade
from tests.support.losing import lose
from tests.support.migrations import bring_to, opened
from tests.support.postgres import Server, find_binaries

pytestmark = pytest.mark.concurrent("processes")

KEY, INDEX = "a" * 43 + "=", "b" * 42 + "A="


@pytest.fixture
def url(empty_database_url: str) -> str:
    return empty_database_url


@pytest.fixture
def desk(tmp_path: Path, url: str) -> Desk:
    """A desk with a day's orders, in a database of its own."""
    made = set_up(tmp_path / "desk", database=url)
    text = (made.folder / "erpsync.yaml").read_text(encoding="utf-8")
    (made.folder / "keys").mkdir()
    made.write("keys/pii-1", KEY)
    made.write("keys/pii-index", INDEX)
    made.write("erpsync.yaml", f"{text}privacy: {{keys: [!file keys/pii-1], index_key: !file keys/pii-index}}\n")
    return trade(made)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "backup.erpsync"


def left_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if "backup" in path.name or path.name.startswith("."))


def orders_of(desk: Desk) -> list[str]:
    return sorted(order["external_id"] for order in desk.json("orders", "list", "--limit", "0"))


def test_a_backup_is_one_file_of_its_owner_that_says_what_it_is_and_which_keys_it_needs(desk: Desk, file: Path) -> None:
    ran = desk.run("backup", str(file))

    assert (ran.code, ran.err) == (0, "")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with zipfile.ZipFile(file) as archive:
        said = json.loads(archive.read("manifest.json"))
        whole = b"".join(archive.read(name) for name in archive.namelist())
    [key] = said["key_ids"]
    assert (said["schema"], said["orders"]) == (VERSION, 5 - 1)
    assert key in ran.out
    assert "privacy.keys" in ran.out
    assert KEY.encode() not in whole
    assert left_in(file.parent) == ["backup.erpsync"]


def test_a_lost_database_is_had_again_with_all_its_orders(desk: Desk, file: Path, url: str) -> None:
    known = orders_of(desk)
    desk.json("backup", str(file))
    lose(url)

    done = desk.json("restore", str(file))

    assert done["backup"]["orders"] == len(known)
    assert orders_of(desk) == known
    assert desk.run("orders", "show", "1001", "--recipient").code == 0
    assert [task["kind"] for task in desk.json("tasks", "list")] == ["restored", "restored"]
    assert desk.apart("run", "--once").code == 0
    assert orders_of(desk) == known


def test_restoring_says_in_words_what_it_did_and_what_to_do_next(desk: Desk, file: Path, url: str) -> None:
    desk.run("backup", str(file))
    lose(url)

    ran = desk.run("restore", str(file))

    assert ran.code == 0, ran.err
    assert "the database is restored as it was at" in ran.out
    assert "erpsync tasks list" in ran.out


def test_verifying_restores_to_a_temporary_place_and_leaves_nothing_behind(
    desk: Desk, file: Path, url: str, request: pytest.FixtureRequest
) -> None:
    desk.run("backup", str(file))
    before = orders_of(desk)
    folder = Path(url.removeprefix("sqlite:///")).parent
    names = sorted(folder.iterdir()) if url.startswith("sqlite") else databases(request)

    shown = desk.json("restore", str(file), "--verify")
    told = desk.run("restore", str(file), "--verify")

    assert shown["differences"] == []
    assert shown["opened"] >= 1
    assert shown["rows"]["orders"] == len(before)
    assert "it was, and is removed again" in told.out
    assert orders_of(desk) == before
    assert desk.json("tasks", "list") == []
    assert names == (sorted(folder.iterdir()) if url.startswith("sqlite") else databases(request))


def databases(request: pytest.FixtureRequest) -> list[str]:
    server: Server = request.getfixturevalue("postgres_server")
    return server.databases()


def test_a_wrong_sum_in_a_backup_is_named_and_ends_verifying_with_one(desk: Desk, file: Path, url: str) -> None:
    engine = make_engine(url)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE stock SET on_hand = on_hand + 1 WHERE sku_id = 1")
    engine.dispose()
    desk.run("backup", str(file))

    ran = desk.run("restore", str(file), "--verify")

    assert ran.code == 1
    assert "on hand 7, ledger 6" in ran.err
    assert "is removed again" not in ran.out


def test_a_backup_never_takes_the_place_of_a_file(desk: Desk, file: Path) -> None:
    file.write_text("mine")

    ran = desk.run("backup", str(file))

    assert (ran.code, ran.err.count("\n")) == (1, 1)
    assert "never takes the place" in ran.err
    assert file.read_text() == "mine"
    assert left_in(file.parent) == ["backup.erpsync"]


def test_where_there_is_a_database_nothing_is_restored(desk: Desk, file: Path) -> None:
    desk.run("backup", str(file))
    before = orders_of(desk)

    ran = desk.run("restore", str(file))

    assert (ran.code, ran.err.count("\n")) == (1, 1)
    assert f"is there, at version {VERSION}" in ran.err
    assert orders_of(desk) == before
    assert desk.json("tasks", "list") == []


def cut_off(whole: bytes) -> bytes:
    return whole[: len(whole) // 2]


def flipped(whole: bytes) -> bytes:
    at = len(whole) // 3
    return whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :]


@pytest.mark.parametrize("harm", [cut_off, flipped, lambda whole: b"", lambda whole: b"no backup at all"])
@pytest.mark.parametrize("words", [[], ["--verify"]])
def test_a_broken_backup_is_refused_in_one_line_and_nothing_is_there_afterwards(
    desk: Desk, file: Path, url: str, harm: Callable[[bytes], bytes], words: list[str]
) -> None:
    desk.run("backup", str(file))
    file.write_bytes(harm(file.read_bytes()))
    lose(url)

    ran = desk.run("restore", str(file), *words)

    assert (ran.code, ran.err.count("\n")) == (1, 1), ran.err
    assert str(file) in ran.err
    assert "there is no database yet" in desk.run("orders", "list").err


def test_without_its_keys_nothing_is_restored_and_they_are_named(desk: Desk, file: Path, url: str) -> None:
    [key] = desk.json("backup", str(file))["key_ids"]
    desk.write("keys/pii-1", "c" * 43 + "=")
    lose(url)

    ran = desk.run("restore", str(file))

    assert ran.code == 78
    assert key in ran.err
    assert "there is no database yet" in desk.run("orders", "list").err


def test_with_another_index_key_nothing_is_restored(desk: Desk, file: Path, url: str) -> None:
    desk.run("backup", str(file))
    desk.write("keys/pii-index", "d" * 43 + "=")
    lose(url)

    ran = desk.run("restore", str(file))

    assert ran.code == 78
    assert "index key" in ran.err
    assert "there is no database yet" in desk.run("orders", "list").err


def changed(file: Path, **values: object) -> None:
    """Write a backup anew with other things said of it."""
    with zipfile.ZipFile(file) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members["manifest.json"] = json.dumps(json.loads(members["manifest.json"]) | values).encode()
    with zipfile.ZipFile(file, "w") as archive:
        for name, body in members.items():
            archive.writestr(name, body)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"schema": "9999", "product": "9.0"}, "newer than this erpsync"),
        ({"format": 2}, "has the format 2"),
        ({"taken_at": "2026-03-02T12:00:00"}, "manifest.json cannot be read"),
        ({"database": "oracle"}, "manifest.json cannot be read"),
    ],
)
def test_a_backup_of_something_newer_is_refused(
    desk: Desk, file: Path, url: str, values: dict[str, object], said: str
) -> None:
    desk.run("backup", str(file))
    changed(file, **values)
    lose(url)

    ran = desk.run("restore", str(file))

    assert (ran.code, ran.err.count("\n")) == (1, 1)
    assert said in ran.err


def test_a_backup_of_the_other_kind_of_database_is_refused(desk: Desk, file: Path, url: str) -> None:
    desk.run("backup", str(file))
    other = "postgresql+psycopg://nobody@/nowhere" if url.startswith("sqlite") else "sqlite:///elsewhere.db"
    text = (desk.folder / "erpsync.yaml").read_text(encoding="utf-8")
    desk.write("erpsync.yaml", text.replace(url, other))

    ran = desk.run("restore", str(file))

    assert (ran.code, ran.err.count("\n")) == (1, 1)
    assert "the configuration names one of" in ran.err


def test_an_older_database_is_backed_up_and_comes_back_at_this_version(
    tmp_path: Path, empty_database_url: str, file: Path
) -> None:
    desk = set_up(tmp_path / "desk", database=empty_database_url)
    desk.write("keys/pii-1", KEY)
    desk.write("keys/pii-index", INDEX)
    text = (desk.folder / "erpsync.yaml").read_text(encoding="utf-8")
    desk.write("erpsync.yaml", f"{text}privacy: {{keys: [!file keys/pii-1], index_key: !file keys/pii-index}}\n")
    with opened(empty_database_url) as engine:
        bring_to(engine, "0012")
        with engine.begin() as connection:
            connection.exec_driver_sql("INSERT INTO channel (id, name) VALUES (7, 'shop')")

    assert desk.json("backup", str(file))["schema"] == "0012"
    lose(empty_database_url)
    assert desk.run("restore", str(file)).code == 0

    assert desk.run("migrate").out == f"the database is at version {VERSION} already\n"
    with opened(empty_database_url) as engine, engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT id, name FROM channel").all() == [(7, "shop")]


def test_there_is_nothing_to_back_up_before_there_is_a_database(tmp_path: Path, file: Path) -> None:
    desk = set_up(tmp_path / "desk")

    ran = desk.run("backup", str(file))

    assert (ran.code, ran.err.count("\n")) == (1, 1)
    assert "there is no database to back up" in ran.err
    assert not file.exists()


def test_a_backup_into_a_folder_that_is_not_there_is_refused(desk: Desk, tmp_path: Path) -> None:
    ran = desk.run("backup", str(tmp_path / "nowhere" / "b"))

    assert (ran.code, ran.err.count("\n")) == (1, 1)
    assert "there is no folder" in ran.err


@pytest.mark.sqlite
def test_beside_a_daemon_nothing_is_restored(tmp_path: Path, file: Path) -> None:
    desk = trade(set_up(tmp_path / "desk"))
    desk.run("backup", str(file))
    database = desk.folder / "var" / "erpsync.db"
    keys = database.with_name("erpsync.db.keys")
    assert keys.exists()
    with only_daemon(database):
        for each in (database, database.with_name("erpsync.db-wal"), database.with_name("erpsync.db-shm")):
            each.unlink(missing_ok=True)
        ran = desk.apart("restore", str(file))

    assert ran.code == 1
    assert "another daemon" in ran.err
    assert not database.exists()


@pytest.mark.sqlite
def test_the_write_ahead_log_of_the_lost_database_is_never_taken_for_a_part_of_the_restored_one(
    tmp_path: Path, file: Path
) -> None:
    desk = trade(set_up(tmp_path / "desk"))
    desk.run("backup", str(file))
    database = desk.folder / "var" / "erpsync.db"
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("UPDATE orders SET digest = 'x'")
        connection.execute("COMMIT")
        database.unlink()
        wal = database.with_name("erpsync.db-wal")
        assert wal.stat().st_size

        ran = desk.run("restore", str(file))

        assert (ran.code, ran.err.count("\n")) == (1, 1)
        assert "a part of another database" in ran.err
        assert not database.exists()


@pytest.mark.sqlite
def test_the_key_file_is_named_and_not_in_the_backup(tmp_path: Path, file: Path) -> None:
    desk = trade(set_up(tmp_path / "desk"))
    ran = desk.run("backup", str(file))
    keys = desk.folder / "var" / "erpsync.db.keys"

    assert str(keys) in ran.out
    kept = json.loads(keys.read_text())
    with zipfile.ZipFile(file) as archive:
        whole = b"".join(archive.read(name) for name in archive.namelist())
    assert kept["keys"][0].encode() not in whole

    aside = keys.rename(tmp_path / "keys")
    lose(f"sqlite:///{desk.folder / 'var' / 'erpsync.db'}")
    refused = desk.run("restore", str(file))
    assert refused.code == 78
    assert str(keys) in refused.err
    aside.rename(keys)
    assert desk.run("restore", str(file)).code == 0
    assert desk.run("orders", "show", "1001", "--recipient").code == 0


@pytest.mark.sqlite
def test_an_empty_file_of_the_databases_name_is_as_good_as_none(tmp_path: Path, file: Path) -> None:
    desk = trade(set_up(tmp_path / "desk"))
    desk.run("backup", str(file))
    database = desk.folder / "var" / "erpsync.db"
    keys = database.with_name("erpsync.db.keys").read_text()
    lose(f"sqlite:///{database}")
    database.touch()
    database.with_name("erpsync.db.keys").write_text(keys)

    assert desk.run("restore", str(file)).code == 0
    assert orders_of(desk)


@pytest.mark.postgresql
def test_a_database_that_is_not_there_is_made(
    tmp_path: Path, file: Path, postgres_server: Server, request: pytest.FixtureRequest
) -> None:
    dialect_url = request.getfixturevalue("postgres_server").create("lost_one")
    desk = set_up(tmp_path / "desk", database=dialect_url)
    desk.write("keys/pii-1", KEY)
    desk.write("keys/pii-index", INDEX)
    text = (desk.folder / "erpsync.yaml").read_text(encoding="utf-8")
    desk.write("erpsync.yaml", f"{text}privacy: {{keys: [!file keys/pii-1], index_key: !file keys/pii-index}}\n")
    trade(desk)
    desk.run("backup", str(file))
    postgres_server.drop("lost_one")

    assert desk.run("restore", str(file)).code == 0
    assert orders_of(desk)
    postgres_server.drop("lost_one")


@pytest.mark.parametrize("dialect", ["postgresql"], indirect=True)
def test_while_anybody_is_connected_nothing_is_restored(desk: Desk, file: Path, url: str) -> None:
    desk.run("backup", str(file))
    lose(url)
    engine = make_engine(url)
    with engine.connect():
        ran = desk.run("restore", str(file))
    engine.dispose()

    assert (ran.code, ran.err.count("\n")) == (1, 1)
    assert "another session is at the database" in ran.err


@pytest.mark.parametrize("dialect", ["postgresql"], indirect=True)
def test_without_pg_dump_or_with_an_older_one_one_line_says_so(
    desk: Desk, file: Path, url: str, tmp_path: Path
) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    missing = desk.apart("backup", str(file), PATH=str(tools))
    (tools / "pg_dump").write_text("#!/bin/sh\necho 'pg_dump (PostgreSQL) 9.6.24'\n")
    (tools / "pg_dump").chmod(0o755)
    older = desk.apart("backup", str(file), PATH=f"{tools}:/bin:/usr/bin")

    for ran, said in ((missing, "pg_dump is not installed"), (older, "has version 9")):
        assert (ran.code, ran.err.count("\n")) == (1, 1), ran.err
        assert said in ran.err
    assert left_in(file.parent) == []


@pytest.mark.parametrize("dialect", ["postgresql"], indirect=True)
def test_no_password_stands_in_a_command_line(desk: Desk, file: Path, url: str, tmp_path: Path) -> None:
    """The server of the tests asks for none, so one that is wrong harms nothing and may be looked for."""
    tools = tmp_path / "tools"
    tools.mkdir()
    seen = tmp_path / "seen"
    said = f'echo "$@" >> {seen}\necho "PGPASSWORD=$PGPASSWORD" >> {seen}.env\n'
    (tools / "pg_dump").write_text(f'#!/bin/sh\n{said}exec {find_binaries()}/pg_dump "$@"\n')
    (tools / "pg_dump").chmod(0o755)
    secret = make_url(url).set(password="t0p-secret").render_as_string(hide_password=False)
    text = (desk.folder / "erpsync.yaml").read_text(encoding="utf-8")
    desk.write("erpsync.yaml", text.replace(url, secret))

    ran = desk.apart("backup", str(file), PATH=f"{tools}:{os.environ['PATH']}")

    assert ran.code == 0, ran.err
    assert "t0p-secret" not in seen.read_text()
    assert "PGPASSWORD=t0p-secret" in Path(f"{seen}.env").read_text()
    assert "t0p-secret" not in ran.out
