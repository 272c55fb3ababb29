"""What starts threads or processes is marked `concurrent`, so that `make stress` runs it often and under load."""

import ast
import subprocess
import sys

import pytest

from tests.support.sources import ROOT, shown
from tests.support.starters import Module, Starters

# They let a tool look at files and wait for its word; nothing of the product runs.
TOOLS_AT_WORK = {
    "test_imports_keep_the_contracts",
    "test_systemd_rates_the_unit_as_hardly_exposed",
    "test_systemd_understands_every_line",
}
LOADED = "import sys; from tests.support.load import busy_cores\n"
LOADED += "with busy_cores(limit_s=600): print('busy', flush=True); sys.stdin.read()"


def test_what_starts_threads_or_processes_is_marked_as_concurrent() -> None:
    wrong = [
        f"{shown(module.path)}::{node.name} starts {' and '.join(sorted(started))}, marked {marked(module, node)}"
        for module, node, started in Starters().tests()
        if started and node.name not in TOOLS_AT_WORK
        if ("processes" if "processes" in started else "threads") not in marked(module, node)
    ]

    assert wrong == []


def marked(module: Module, node: ast.FunctionDef) -> set[str]:
    """Return the words of the marker on a test or on its whole module."""
    own = [*node.decorator_list, *(part.value for part in module.tree.body if is_pytestmark(part))]
    calls = [part for each in own for part in ast.walk(each) if isinstance(part, ast.Call)]
    found = [call for call in calls if ast.unparse(call.func) == "pytest.mark.concurrent"]
    return {ast.literal_eval(call.args[0]) for call in found}


def is_pytestmark(node: ast.stmt) -> bool:
    return isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "pytestmark"


def pytest_run(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", "--stress", *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.concurrent("processes")
def test_the_first_runs_of_all_come_before_the_second_of_any() -> None:
    files = ("tests/unit/runtime/test_chains.py", "tests/unit/runtime/test_lock.py")
    done = pytest_run("--collect-only", "--share", "0.04", "-k", "eight_threads or second_daemon", *files)

    names = [line.rpartition("::")[2] for line in done.stdout.splitlines() if "::" in line]
    assert names == [
        "test_thousands_of_wakes_from_eight_threads_leave_no_work_undone[run1]",
        "test_a_second_daemon_is_refused_with_the_process_that_runs[run1]",
        "test_thousands_of_wakes_from_eight_threads_leave_no_work_undone[run2]",
    ]


@pytest.mark.concurrent("processes")
def test_runs_that_no_time_was_left_for_are_named_and_fail_the_whole() -> None:
    done = pytest_run("--minutes", "0", "--share", "0.04", "tests/unit/runtime/test_chains.py")

    assert done.returncode == 1
    assert "leave_no_work_undone: not run for want of time: 2 of its runs (1, 2)" in done.stdout


@pytest.mark.concurrent("processes")
def test_the_load_ends_with_a_run_that_is_killed() -> None:
    """The busy loops hold the pipe's other end: it is at its end when the last of them is."""
    with subprocess.Popen(
        [sys.executable, "-c", LOADED], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as run:
        assert run.stdout is not None
        assert run.stdout.readline() == "busy\n"
        run.kill()

        assert run.stdout.read() == ""
