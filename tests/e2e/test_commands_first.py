"""The first commands a stranger types: `init`, something mistyped, help, completion, the manual."""

import json
import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from erpsync.cli.arguments import build_parser, parsers
from erpsync.cli.commands import COMMANDS
from tests.e2e.command_desk import Desk, files_in, set_up


def test_init_writes_a_small_configuration_that_passes_the_check(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "shop")

    ran = desk.run("init", str(desk.folder))

    samples = {"orders-sample.csv", "stock-sample.csv", "listings-sample.csv"}
    assert ran.code == 0
    assert files_in(desk.folder) == {"erpsync.yaml", "channels/my-shop.yaml", *samples}
    assert [each["severity"] for each in desk.json("check")] == ["note"]  # where the keys will lie
    assert f"erpsync --config {desk.folder} run --once\n" in ran.err
    assert stat.S_IMODE((desk.folder / "orders-sample.csv").stat().st_mode) & 0o077 == 0


def test_init_never_overwrites_and_names_the_file_that_is_there(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    own = desk.write("channels/my-shop.yaml", "id: mine\n")

    ran = desk.run("init", str(tmp_path))

    assert (ran.code, ran.out) == (1, "")
    assert ran.err == f"erpsync: {own} is there already; nothing was written: name another folder\n"
    assert files_in(tmp_path) == {"channels/my-shop.yaml"}
    assert Path(own).read_text(encoding="utf-8") == "id: mine\n"


def test_init_without_a_folder_goes_where_the_configuration_is_named(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "here")

    assert sorted(desk.run("init", "--json").json["files"]) == sorted(files_in(desk.folder))


@pytest.mark.concurrent("processes")
def test_the_configuration_of_init_reads_its_sample_as_it_stands(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.run("init", str(tmp_path))
    shutil.copy2(tmp_path / "orders-sample.csv", tmp_path / "in")

    assert desk.apart("run", "--once").code == 0
    assert {order["hold_reason"] for order in desk.json("orders", "list")} == {"unmapped_sku"}
    assert desk.run("stock", "import", str(tmp_path / "stock-sample.csv")).code == 0
    assert desk.run("listings", "import", str(tmp_path / "listings-sample.csv")).code == 0
    assert [order["status"] for order in desk.json("orders", "list")] == ["unpaid", "allocated", "allocated"]


MISTYPED = {
    "ordrs list": "there is no command 'ordrs'; did you mean 'orders'? (see erpsync --help)",
    "orders lst": "there is no command 'lst'; did you mean 'list'? (see erpsync orders --help)",
    "show": "there is no command 'show'; did you mean 'orders show' or 'releases show' or 'waves show' or"
    " 'channels show'? (see erpsync --help)",
    "orders xyz": "there is no command 'xyz'; there are list, export, find, show, create, edit, hold, release, cancel,"
    " approve, specify, tag, untag, seal, unseal (see erpsync orders --help)",
    "orders list --chanel x": "unrecognized arguments: --chanel x; did you mean '--channel'?"
    " (see erpsync orders list --help)",
    "orders list --limt=3": "unrecognized arguments: --limt=3; did you mean '--limit'?"
    " (see erpsync orders list --help)",
    "ship 1 --carrier SF --trackin N": "the following arguments are required: --tracking; there is no option --trackin;"
    " did you mean '--tracking'? (see erpsync ship --help)",
    "token create x --scope reed": "argument --scope: must be one of read, pack, operate, admin, is 'reed';"
    " did you mean 'read'? (see erpsync token create --help)",
}


@pytest.mark.parametrize("typed", MISTYPED)
def test_a_mistyped_command_or_option_is_answered_with_what_was_meant(tmp_path: Path, typed: str) -> None:
    ran = Desk(tmp_path).run(*typed.split())

    assert (ran.code, ran.out, ran.err) == (2, "", f"erpsync: {MISTYPED[typed]}\n")


@pytest.mark.parametrize("command", [command.name for command in COMMANDS])
def test_the_help_of_every_command_ends_with_examples(command: str, tmp_path: Path) -> None:
    ran = Desk(tmp_path).run(*command.split(), "--help")

    assert ran.code == 0
    assert "\nexamples:\n  erpsync " in ran.out


def test_quiet_leaves_results_and_errors_and_nothing_else(tmp_path: Path) -> None:
    desk = set_up(tmp_path)

    assert "nothing wrong" in desk.run("check").err
    assert desk.run("check", "-q").err == ""
    assert desk.run("-q", "orders", "list").err.startswith("erpsync: there is no database yet")
    assert desk.run("migrate").code == 0
    bad = desk.run("-q", "stock", "import", desk.write("counts.csv", "warehouse,sku,on_hand\nSH,A,x\n"))
    assert (bad.code, bad.out) == (1, "0 rows taken, 1 refused\n")
    assert "counts.csv:2" in bad.err


@pytest.mark.concurrent("processes")
def test_quiet_and_verbose_set_how_much_of_its_log_the_daemon_writes(tmp_path: Path) -> None:
    desk = set_up(tmp_path)

    usual, still, loud = (desk.apart(*words, "run", "--once") for words in ((), ("-q",), ("-v",)))

    assert (usual.code, still.code, loud.code) == (0, 0, 0)
    assert "run.completed" in usual.err
    assert "run.completed" in loud.err
    assert still.err == ""


@pytest.mark.concurrent("processes")
@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_knows_every_command_and_the_shell_can_read_it(tmp_path: Path, shell: str) -> None:
    ran = Desk(tmp_path).run("completion", shell)

    assert ran.code == 0
    assert [word for command in COMMANDS for word in command.name.split() if word not in ran.out] == []
    assert "hold-reason" in ran.out
    if program := shutil.which(shell):
        done = subprocess.run([program, "-n"], input=ran.out, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.concurrent("processes")
def test_bash_completes_commands_options_and_files(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    script = desk.write("completion", desk.run("completion", "bash").out)
    desk.write("counts.csv", "")

    assert completed(script, "orders", "sh") == ["show"]
    assert completed(script, "ship", "1", "--tr") == ["--tracking"]
    assert completed(script, "stock", "import", str(tmp_path / "cou")) == [str(tmp_path / "counts.csv")]


def completed(script: str, *words: str) -> list[str]:
    """Return what bash offers for the last of these words."""
    line = " ".join(f"'{word}'" for word in ("erpsync", *words))
    program = f"""
source '{script}'
COMP_WORDS=({line}); COMP_CWORD={len(words)}; COMP_LINE="${{COMP_WORDS[*]}}"; COMP_POINT=${{#COMP_LINE}}
$(complete -p erpsync | sed 's/.*-F \\([^ ]*\\).*/\\1/') 2>/dev/null
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
    done = subprocess.run(["bash", "-c", program], capture_output=True, text=True, check=False)
    return done.stdout.split()


@pytest.mark.concurrent("processes")
def test_fish_completes_commands_options_and_files(tmp_path: Path) -> None:
    """Where fish is installed; that it can read the script at all is tried above."""
    if program := shutil.which("fish"):
        desk = Desk(tmp_path)
        script = desk.write("completion", desk.run("completion", "fish").out)
        desk.write("counts.csv", "")
        asked = ("erpsync orders sh", "erpsync ship 1 --tr", f"erpsync stock import {tmp_path}/cou")
        lines = "; ".join(["source $argv[1]", *(f"complete -C '{line}'" for line in asked)])
        environ = os.environ | {"HOME": str(tmp_path)}
        done = subprocess.run([program, "-c", lines, script], env=environ, capture_output=True, text=True, check=False)

        found = [line.split("\t")[0] for line in done.stdout.splitlines()]
        assert found == ["show", "--tracking", f"{tmp_path}/counts.csv"]


@pytest.mark.concurrent("processes")
def test_the_manual_has_a_section_for_every_command_and_is_good_troff(tmp_path: Path) -> None:
    ran = Desk(tmp_path).run("manual")

    heads = [line for line in ran.out.splitlines() if line.startswith(".SS")]
    assert heads == [f'.SS "erpsync {name}"' for name, _ in parsers(build_parser())]
    assert len(heads) == len(COMMANDS)
    assert ran.out.isascii()
    requests = {line.split()[0] for line in ran.out.splitlines() if line.startswith((".", "'"))}
    assert requests <= {".TH", ".SH", ".SS", ".TP", ".PP", ".B", ".nf", ".fi"}
    if program := shutil.which("groff"):
        command = [program, "-man", "-ww", "-Tutf8"]
        done = subprocess.run(command, input=ran.out, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")


def test_completion_and_manual_print_json_for_programs(tmp_path: Path) -> None:
    desk = Desk(tmp_path)

    assert json.loads(desk.run("completion", "bash", "--json").out)["shell"] == "bash"
    assert desk.run("manual", "--json").json["manual"].startswith(".TH ERPSYNC 1")
