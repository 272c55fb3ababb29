"""Threads and times: an APScheduler with one pool per class of work.

In memory, UTC, no misfire limit, late ticks made one: what is due stands in our tables, a tick only means "look".

Why a pool per class: four hanging calls starve a shared pool of four, and then stock is pushed nowhere because one
shop's order list does not answer. Ticks have a thread of their own and do nothing but wake chains.
"""

import logging
import threading
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import structlog
from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_MAX_INSTANCES, EVENT_JOB_MISSED
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.schedulers.base import STATE_STOPPED

from erpsync.runtime.chains import Chain
from erpsync.runtime.meters import Meters

log = structlog.get_logger("erpsync.runtime.jobs")

AGAIN_S = 60.0
DEFAULTS = {"misfire_grace_time": None, "coalesce": True, "max_instances": 1}


class _Scheduler(BackgroundScheduler):  # type: ignore[misc]  # 3.x carries no types
    """A scheduler that may be stopped at any instant.

    A round that is under way when `shutdown` marks the scheduler as stopped does not find the jobs it has just run
    (3.11.3, `remove_job` looks among the pending ones only), and its thread would die with a traceback.
    """

    def _process_jobs(self) -> float | None:
        try:
            wait_s: float | None = super()._process_jobs()
        except JobLookupError:
            if self.state != STATE_STOPPED:
                raise
            return None
        return wait_s


class Jobs:
    """Runs chains on pools of threads.

    Args:
        pools: threads per class of work.
    """

    def __init__(self, pools: Mapping[str, int], meters: Meters) -> None:
        logging.getLogger("apscheduler").setLevel(logging.CRITICAL)  # its warnings are events here
        self._meters = meters
        self._numbers = count()
        self._told: dict[str, tuple[str, float]] = {}
        self._active = 0
        self._idle = threading.Condition()
        self._scheduler = _Scheduler(
            executors={
                "default": ThreadPoolExecutor(1, {"thread_name_prefix": "tick"}),
                **{name: ThreadPoolExecutor(size, {"thread_name_prefix": name}) for name, size in pools.items()},
            },
            job_defaults=DEFAULTS,
            timezone=UTC,
        )
        self._scheduler.add_listener(self._heard, EVENT_JOB_ERROR | EVENT_JOB_MAX_INSTANCES | EVENT_JOB_MISSED)

    def start(self) -> None:
        """Begin to run jobs."""
        self._scheduler.start()

    def stop(self) -> None:
        """Begin no further job; those under way go on."""
        if not self._scheduler.running:
            return
        self._scheduler.pause()
        self._scheduler.shutdown(wait=False)

    def submit(self, chain: Chain) -> None:
        """Run the chain as soon as a thread of its pool is free."""
        number = next(self._numbers)
        self._scheduler.add_job(self._run, args=[chain], id=f"run {number} {chain.name}", executor=chain.pool())

    def wait_idle(self, timeout_s: float) -> bool:
        """Wait until no chain runs; False when one still does after `timeout_s`."""
        with self._idle:
            return self._idle.wait_for(lambda: self._active == 0, timeout_s)

    def wake_in(self, chain: Chain, seconds: float, *, why: str = "in") -> None:
        """Wake the chain once after `seconds`; replaces what was asked before for the same reason."""
        at = datetime.now(UTC) + timedelta(seconds=max(0.0, seconds))
        self._scheduler.add_job(chain.wake, "date", run_date=at, id=f"{why} {chain.name}", replace_existing=True)

    def wake_every(self, chain: Chain, seconds: float) -> None:
        """Wake the chain now and then, in case an event was missed."""
        self.every(chain.name, chain.wake, seconds)

    def every(self, name: str, quick: Any, seconds: float) -> None:
        """Call something quick every so many seconds, beginning at once."""
        self._scheduler.add_job(
            quick,
            "interval",
            seconds=seconds,
            id=f"every {name}",
            next_run_time=datetime.now(UTC),
            replace_existing=True,
        )

    def hurry(self) -> None:
        """Let every tick come now, because the machine's clock jumped and their times mean nothing any more."""
        for job in self._scheduler.get_jobs():
            try:
                job.modify(next_run_time=datetime.now(UTC))
            except JobLookupError:
                continue

    def _run(self, chain: Chain) -> None:
        with self._idle:
            self._active += 1
        try:
            chain.run()
        finally:
            with self._idle:
                self._active -= 1
                self._idle.notify_all()

    def _heard(self, event: Any) -> None:
        name = str(event.job_id)
        if event.code == EVENT_JOB_MISSED:
            self._meters.add("erpsync_job_missed_total")
            log.warning("job.missed", job=name)
        elif event.code == EVENT_JOB_MAX_INSTANCES:
            self._meters.add("erpsync_job_skipped_total")
            log.warning("job.skipped", job=name)
        else:
            chain = name.split(maxsplit=2)[-1]
            self._meters.add("erpsync_job_failed_total", job=chain)
            if self._is_news(chain, repr(event.exception)):
                log.error("job.failed", job=chain, error=repr(event.exception), traceback=event.traceback)

    def _is_news(self, chain: str, error: str) -> bool:
        """Whether a failure is to be told: the same one of a chain only once a minute."""
        now_s = time.monotonic()
        before, told_at_s = self._told.get(chain, ("", now_s))
        if before == error and now_s - told_at_s < AGAIN_S:
            return False
        self._told[chain] = (error, now_s)
        return True
