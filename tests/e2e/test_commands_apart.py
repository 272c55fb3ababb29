"""Commands as processes of their own: signals, two databases, the sandbox over real HTTP."""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.command_desk import Desk, set_up, trade
from tests.support.postgres import Server

NOTE = "no encryption keys given: `run` or `migrate` makes a key file beside the database"
KEY = "c2FtcGxlIHNlY3JldCBmb3IgdGhlIGNvbW0gdGVzdHM="  # 32 bytes in base64


def start(desk: Desk, *words: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "erpsync.cli.main", "--config", str(desk.folder), *words]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.concurrent("processes")
def test_a_shop_runs_on_either_database(empty_database_url: str, tmp_path: Path) -> None:
    desk = set_up(tmp_path, database=empty_database_url)
    text = (tmp_path / "erpsync.yaml").read_text()
    desk.write("pii.key", KEY)
    desk.write("erpsync.yaml", f"{text}privacy: {{keys: [!file pii.key], index_key: !file pii.key}}\n")

    trade(desk)
    (tmp_path / "pii.key").rename(tmp_path / "elsewhere.key")

    assert [order["status"] for order in desk.json("orders", "list")] == ["held", "unpaid", "backordered", "allocated"]
    assert desk.json("orders", "hold", "1001", "--reason", "wait")["status"] == "held"
    assert desk.json("explain", "B")["backorders"][0]["qty"] == 5
    assert desk.run("orders", "show", "1001", "--recipient").code == 78
    (tmp_path / "elsewhere.key").rename(tmp_path / "pii.key")
    assert desk.json("orders", "show", "1001", "--recipient")["recipient"]["name"] == "王小明"


@pytest.mark.concurrent("processes")
@pytest.mark.postgresql
def test_on_postgresql_the_daemon_leaves_the_migration_to_a_person(postgres_server: Server, tmp_path: Path) -> None:
    desk = set_up(tmp_path, database=postgres_server.create("not_migrated"))
    desk.write("pii.key", KEY)
    text = (tmp_path / "erpsync.yaml").read_text()
    desk.write("erpsync.yaml", f"{text}privacy: {{keys: [!file pii.key], index_key: !file pii.key}}\n")

    ran = desk.apart("run", "--once")

    assert ran.code == 78  # started again and again it would not help
    assert f"run erpsync --config {tmp_path} migrate" in ran.err
    postgres_server.drop("not_migrated")


@pytest.mark.concurrent("processes")
def test_run_once_does_nothing_twice(tmp_path: Path) -> None:
    desk = set_up(tmp_path)
    trade(desk)
    before = desk.json("orders", "list")

    assert desk.apart("run", "--once").code == 0
    assert desk.json("orders", "list") == before


@pytest.mark.concurrent("processes")
def test_run_once_fails_when_one_shop_could_not_be_polled_and_serves_the_others(tmp_path: Path) -> None:
    desk = set_up(tmp_path, channels=("shop", "gone"))
    trade(desk)
    desk.drop("1006,a,paid,2026-03-02 12:10,2026-03-02 12:11,A,shirt,1,129.00,x,13500135000,y", name="more.csv")
    away = (tmp_path / "gone").rename(tmp_path / "away")

    ran = desk.apart("run", "--once")

    assert ran.code == 1
    [unread] = [json.loads(line) for line in ran.err.splitlines() if '"run.unread"' in line]
    assert unread["channels"] == "gone (orders)"
    assert desk.json("orders", "list")[0]["external_id"] == "1006"
    away.rename(tmp_path / "gone")
    assert desk.apart("run", "--once").code == 0


@pytest.mark.concurrent("processes")
def test_ctrl_c_ends_the_sandbox_quietly_and_until_then_it_takes_our_calls(tmp_path: Path) -> None:
    desk = set_up(tmp_path, channels=())
    served = start(desk, "sandbox", "--listen", "127.0.0.1:0", "--json")
    assert served.stdout is not None
    text = ""
    for line in served.stdout:
        text += line
        if line == "]\n":
            break
    reach = {each["connector"]: each["settings"] for each in json.loads(text)}
    desk.write("channels/t.yaml", f"id: t\nconnector: taobao\nsettings: {json.dumps(reach['taobao'])}\n")

    found = desk.run("check", "--online", "--json")
    served.send_signal(signal.SIGINT)
    _, err = served.communicate(timeout=120)

    assert [(row["channel"], row["ok"]) for row in found.json["channels"]] == [("t", True)], found
    assert (served.returncode, err) == (0, "")


def test_a_sandbox_says_when_its_address_is_taken(tmp_path: Path) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        ran = set_up(tmp_path).run("sandbox", "--listen", f"127.0.0.1:{taken.getsockname()[1]}")

    assert ran.code == 1
    assert "cannot be listened on" in ran.err


@pytest.mark.concurrent("processes")
def test_an_actor_behind_sudo_is_named(tmp_path: Path) -> None:
    desk = set_up(tmp_path)
    trade(desk)
    command = [sys.executable, "-m", "erpsync.cli.main", "--config", str(tmp_path), "orders", "hold", "1001"]
    subprocess.run(
        [*command, "--reason", "x"], env={**os.environ, "SUDO_USER": "wang"}, check=True, capture_output=True
    )

    held = desk.json("orders", "show", "1001")["events"][-1]
    assert (held["kind"], held["actor"]) == ("order.held", "wang")


@pytest.mark.concurrent("processes")
def test_a_daemon_whose_address_is_taken_says_so_in_one_line(tmp_path: Path) -> None:
    desk = set_up(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        text = (tmp_path / "erpsync.yaml").read_text().replace("127.0.0.1:0", address)
        desk.write("erpsync.yaml", text)
        ran = desk.apart("run")

    assert ran.code == 1
    assert ran.err.splitlines()[0].endswith("privacy: note: " + NOTE)
    assert ran.err.splitlines()[-1] == f"erpsync: web.listen {address}: address already in use"
