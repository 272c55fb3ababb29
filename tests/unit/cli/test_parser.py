"""The command line itself: every command has its help, wrong usage is one line and exit code 2."""

import subprocess
import sys
from importlib import import_module
from importlib.util import find_spec

import pytest

from erpsync import __version__
from erpsync.cli.commands import COMMANDS, Command
from erpsync.cli.main import main

PROMISED = """
init, run, check, demo, sandbox, status, orders list, orders export, orders find, orders show, orders create, orders
edit, orders hold, orders release, orders cancel, orders approve, orders specify, orders tag, orders untag, orders
seal, orders unseal, ship, shipments list, shipments correct, rules list, rules test, rules coverage, plan, releases
list, releases show, releases make, releases stop, waves list, waves show, waves make, waves print, waves done, waves
drop, papers slip, papers pick, papers label, papers pack, stock list, stock export, stock import, stock set, stock
add, stock confirm, listings list, listings import, policies list, policies import, bundles list, bundles import,
bundles drop, goods list, goods import, items list, items import, waybills list, waybills import, waybills book,
waybills cancel, rates list, rates import, channels list, channels show, channels pause, channels resume, channels
poll, channels backfill, routes list, routes test, routes retry, dead list, dead replay, dead drop, tasks list, tasks
done, alarms list, trail list, explain, migrate, backup, restore, schema, completion, manual, keys rotate, prove,
connectors new, token create, token revoke, token list, user create, user password, user role, user disable, user
enable, user list
"""


def test_every_promised_command_is_there_and_no_other() -> None:
    assert [command.name for command in COMMANDS] == [" ".join(name.split()) for name in PROMISED.split(",")]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_every_command_has_its_help(command: Command, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*command.name.split(), "--help"]) == 0

    text = " ".join(capsys.readouterr().out.split())
    assert f"{command.help[1:]}." in text
    assert "--json" in text


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_every_command_is_backed_by_a_function(command: Command) -> None:
    module, _, function = command.run.partition(":")

    assert callable(getattr(import_module(f"erpsync.cli.{module}"), function))


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ([], "the following arguments are required: COMMAND"),
        (["orders"], "the following arguments are required: COMMAND"),
        (["stock", "add", "--warehouse", "SH", "--sku", "A", "--qty", "x", "--reason", "r"], "must be a whole number"),
        (["orders", "list", "--limit", "-1"], "must be 0 or more, is -1"),
        (["sandbox", "--faults", "2"], "must be from 0 to 1"),
        (["sandbox", "--rate", "0"], "must be above 0 and up to 1000"),
        (["demo", "--seconds", "0"], "must be above 0"),
        (["orders", "list", "--stat", "open"], "unrecognized arguments: --stat open"),
    ],
)
def test_wrong_usage_is_one_line_on_stderr_and_exit_code_2(
    words: list[str], problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 2

    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.count("\n") == 1
    assert shown.err.startswith("erpsync: ")
    assert problem in shown.err


def test_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"erpsync {__version__}\n"


@pytest.mark.concurrent("processes")
def test_help_imports_neither_database_nor_settings() -> None:
    code = (
        "import sys; from erpsync.cli.main import main; main(['--help']);"
        "print([name for name in ('sqlalchemy', 'pydantic', 'requests', 'rich') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.endswith("[]\n")


@pytest.mark.concurrent("processes")
def test_the_module_can_be_run() -> None:
    assert find_spec("erpsync.cli.main") is not None
    done = subprocess.run(
        [sys.executable, "-m", "erpsync.cli.main", "orders", "frobnicate"], capture_output=True, check=False
    )

    assert done.returncode == 2
