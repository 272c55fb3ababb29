"""The scheduler's silent losses become events and counts."""

import threading
from collections.abc import Iterator

import pytest
import structlog
from apscheduler.events import EVENT_JOB_REMOVED
from structlog.testing import capture_logs

from erpsync.runtime.chains import Chain
from erpsync.runtime.jobs import DEFAULTS, Jobs
from erpsync.runtime.meters import METERS, Meters
from tests.support.scene import LONG_S, eventually


@pytest.fixture
def meters() -> Meters:
    return Meters()


@pytest.fixture
def jobs(meters: Meters) -> Iterator[Jobs]:
    structlog.reset_defaults()
    made = Jobs({"push": 2, "slow": 1}, meters)
    yield made
    made.stop()


def test_ticks_are_never_dropped_for_being_late() -> None:
    """Source: facts about APScheduler 3.11: with its own defaults 24 of 36 runs were dropped."""
    assert DEFAULTS == {"misfire_grace_time": None, "coalesce": True, "max_instances": 1}


@pytest.mark.concurrent("threads")
def test_a_woken_chain_runs_on_a_thread_of_its_pool(jobs: Jobs) -> None:
    ran: list[str] = []
    done = threading.Event()
    chain = Chain(
        "push jd stock",
        lambda: (ran.append(threading.current_thread().name), done.set(), None)[2],
        launcher=jobs,
        pool=lambda: "slow",
    )
    jobs.start()

    chain.wake()

    assert done.wait(LONG_S)
    assert ran[0].startswith("slow")


@pytest.mark.concurrent("threads")
def test_a_chain_that_raises_is_counted_told_and_run_again(jobs: Jobs, meters: Meters) -> None:
    runs: list[int] = []
    again = threading.Event()

    def work() -> float | None:
        runs.append(1)
        if len(runs) == 1:
            raise ValueError("broken")
        again.set()
        return None

    with capture_logs() as records:
        chain = Chain("fan_out", work, launcher=jobs, pool=lambda: "push")
        jobs.start()
        chain.wake()
        assert again.wait(LONG_S)

    assert meters.value("erpsync_job_failed_total", job="fan_out") == 1
    (record,) = [record for record in records if record["event"] == "job.failed"]
    assert (record["job"], record["error"]) == ("fan_out", "ValueError('broken')")


@pytest.mark.concurrent("threads")
def test_a_failure_that_goes_on_is_counted_each_time_and_told_once(jobs: Jobs, meters: Meters) -> None:
    """Row 30: a database that is away must not fill the disk with tracebacks."""
    runs: list[int] = []
    enough = threading.Event()

    def work() -> None:
        runs.append(1)
        if len(runs) == 5:
            enough.set()
            return
        chain.wake()
        raise ValueError("broken")

    with capture_logs() as records:
        chain = Chain("fan_out", work, launcher=jobs, pool=lambda: "push")
        jobs.start()
        chain.wake()
        assert enough.wait(LONG_S)
        assert eventually(lambda: meters.value("erpsync_job_failed_total", job="fan_out") == 4)

    assert [record["event"] for record in records] == ["job.failed"]


@pytest.mark.concurrent("threads")
def test_a_tick_that_finds_the_one_before_still_running_is_counted(jobs: Jobs, meters: Meters) -> None:
    hang = threading.Event()
    jobs.every("beat", lambda: hang.wait(LONG_S), 0.05)
    jobs.start()
    try:
        assert eventually(lambda: meters.value("erpsync_job_skipped_total") > 0)
    finally:
        hang.set()


@pytest.mark.concurrent("threads")
def test_after_a_jump_of_the_clock_every_tick_comes_at_once(jobs: Jobs) -> None:
    ran = threading.Event()
    chain = Chain("push.dispatch", ran.set, launcher=jobs, pool=lambda: "push")
    jobs.start()
    jobs.wake_in(chain, 86_400)

    jobs.hurry()

    assert ran.wait(LONG_S)


def test_every_figure_has_a_name_and_a_sentence() -> None:
    assert all(name.startswith("erpsync_") and meter.help.endswith(".") for name, meter in METERS.items())


def test_figures_are_counted_by_label_and_unknown_ones_refused(meters: Meters) -> None:
    meters.add("erpsync_pushes_total", 3, channel="jd", kind="stock")
    meters.add("erpsync_pushes_total", channel="jd", kind="stock")

    (sample,) = [sample for sample in meters.samples() if sample.name == "erpsync_pushes_total"]
    assert (sample.labels, sample.value, sample.kind) == ({"channel": "jd", "kind": "stock"}, 4, "counter")
    with pytest.raises(KeyError):
        meters.add("erpsync_unheard_of_total")


@pytest.mark.concurrent("threads")
def test_it_may_be_stopped_in_the_middle_of_a_round(jobs: Jobs) -> None:
    """A thread that dies with a traceback fails this test: warnings are errors."""
    scheduler, asked, stopped, pause = jobs._scheduler, threading.Event(), threading.Event(), threading.Event()

    def stop_meanwhile(event: object) -> None:
        del event
        if not asked.is_set():
            asked.set()
            threading.Thread(target=lambda: (jobs.stop(), stopped.set())).start()
            while scheduler.running:
                pause.wait(0.001)

    scheduler.add_listener(stop_meanwhile, EVENT_JOB_REMOVED)
    for name in ("first", "second"):
        Chain(name, lambda: None, launcher=jobs, pool=lambda: "push").wake()
    jobs.start()

    assert stopped.wait(LONG_S)
