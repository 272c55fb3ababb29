"""`--stress`: what runs on several threads or processes is run many times, on a machine that is busy otherwise.

Runs are numbered and the first runs of all tests come before the second ones: where the time does not suffice for all,
every test has had its share. What was left out is named, and the run has failed.
"""

import os
import re
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import ExitStack

import pytest

from tests.support.load import busy_cores

TIMES = {"threads": 50, "processes": 5}
MINUTES = 40.0
BEGUN_WITHIN = 0.95  # of that time; the rest is for tests that are under way
LOAD_LIMIT_S = 2 * 3600.0
CROWD_OF_LATER_RUNS = 0.2  # fifty runs of forty buyers meet more often than ten of two hundred
ENDS_AT_S = "ERPSYNC_STRESS_ENDS_AT_S"  # by the monotonic clock, which all workers share
NO_TIME = "no time left for this run"
RUN = re.compile(r"[\[-]run(\d+)\]$")


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("erpsync")
    group.addoption("--load", action="store_true", help="keep every core busy beside the tests")
    group.addoption("--stress", action="store_true", help="run only what is marked `concurrent`, often, under load")
    group.addoption("--share", type=float, default=1.0, help="with --stress: do this share of the runs, 0.1 say")
    group.addoption("--minutes", type=float, default=MINUTES, help="with --stress: end after so long")


def pytest_configure(config: pytest.Config) -> None:
    stress = config.getoption("stress")
    if hasattr(config, "workerinput") or not (stress or config.getoption("load")):
        return
    if stress:
        os.environ[ENDS_AT_S] = str(time.monotonic() + config.getoption("minutes") * 60 * BEGUN_WITHIN)
        config.add_cleanup(lambda: os.environ.pop(ENDS_AT_S, None))
    if not config.getoption("collectonly"):
        load = ExitStack()
        load.enter_context(busy_cores(limit_s=LOAD_LIMIT_S))
        config.add_cleanup(load.close)


@pytest.hookimpl(trylast=True)  # so that the run stands last in a test's name
def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    mark = metafunc.definition.get_closest_marker("concurrent")
    if mark is None or not metafunc.config.getoption("stress"):
        return
    times = max(1, round(TIMES[mark.args[0]] * metafunc.config.getoption("share")))
    metafunc.fixturenames.append("run_number")
    metafunc.parametrize("run_number", range(1, times + 1), ids=lambda number: f"run{number}")


@pytest.fixture
def crowd(request: pytest.FixtureRequest) -> Callable[[int], int]:
    """How many of so many take part in this run: all, but for the runs under stress that follow the first."""
    found = RUN.findall(request.node.nodeid)
    share = CROWD_OF_LATER_RUNS if found and int(found[0]) > 1 else 1.0
    return lambda number: round(number * share)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("stress"):
        return
    dropped = [item for item in items if not item.get_closest_marker("concurrent")]
    config.hook.pytest_deselected(items=dropped)
    items[:] = sorted((item for item in items if item.get_closest_marker("concurrent")), key=_run_of)


def _run_of(item: pytest.Item) -> int:
    return int(RUN.findall(item.nodeid)[0])


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    if time.monotonic() > float(os.environ.get(ENDS_AT_S, "inf")):
        pytest.skip(NO_TIME)


def pytest_sessionfinish(session: pytest.Session) -> None:
    if session.config.getoption("stress") and session.exitstatus == pytest.ExitCode.OK and _left_out(session.config):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if not config.getoption("stress"):
        return
    failed = _by_test([*terminalreporter.getreports("failed"), *terminalreporter.getreports("error")])
    for what, tests in (("failed in", failed), ("not run for want of time:", _left_out(config))):
        for test, runs in sorted(tests.items()):
            shown = ", ".join(map(str, runs[:10])) + (" ..." if len(runs) > 10 else "")
            terminalreporter.write_line(f"{test}: {what} {len(runs)} of its runs ({shown})")


def _left_out(config: pytest.Config) -> dict[str, list[int]]:
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    skipped = reporter.stats.get("skipped", []) if reporter else []
    return _by_test([report for report in skipped if NO_TIME in str(report.longrepr)])


def _by_test(reports: list[pytest.TestReport]) -> dict[str, list[int]]:
    """Return the numbers of the runs that these reports are about, by the test's name without its run."""
    runs: defaultdict[str, list[int]] = defaultdict(list)
    for report in reports:
        if found := RUN.search(report.nodeid):
            ending = "]" if found[0].startswith("-") else ""  # of the other parameters
            runs[report.nodeid[: found.start()] + ending].append(int(found[1]))
    return {test: sorted(numbers) for test, numbers in runs.items()}
