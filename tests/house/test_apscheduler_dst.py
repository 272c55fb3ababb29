"""The scheduler survives the night on which clocks are put back.

Why this tests a dependency: 3.11.0 hangs in both cases and 3.11.1 in the second, inside the scheduler's only thread, so
that a daemon stops polling once a year. The floor in pyproject.toml rests on these tests.
Source: agronholm/apscheduler#1021 (both cases), #1036, fixed by #1079 and #1094.
"""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger

HELSINKI = ZoneInfo("Europe/Helsinki")
NEW_YORK = ZoneInfo("America/New_York")
ENOUGH = 20


class ImpatientTrigger(CronTrigger):
    """A cron trigger that gives up where the scheduler would loop for ever."""

    asked = 0

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime | None:
        self.asked += 1
        assert self.asked < ENOUGH, f"the scheduler hangs: after {previous_fire_time} comes {previous_fire_time}"
        return super().get_next_fire_time(previous_fire_time, now)


def late_runs(trigger: CronTrigger, *, first: datetime, now: datetime) -> list[str]:
    """Return the runs that a scheduler waking up at `now` makes up for."""
    job = BackgroundScheduler(timezone=UTC).add_job(print, trigger)
    job.next_run_time = first
    return [run.astimezone(UTC).isoformat() for run in job._get_run_times(now)]


def test_an_hourly_job_runs_in_both_halves_of_the_repeated_hour_and_goes_on() -> None:
    got = late_runs(
        ImpatientTrigger(minute=30, timezone=HELSINKI),
        first=datetime(2017, 10, 29, 3, 30, tzinfo=HELSINKI),
        now=datetime(2017, 10, 29, 5, 0, tzinfo=HELSINKI),
    )

    assert got == ["2017-10-29T00:30:00+00:00", "2017-10-29T01:30:00+00:00", "2017-10-29T02:30:00+00:00"]


def test_a_job_that_is_late_inside_the_repeated_hour_runs_once() -> None:
    got = late_runs(
        ImpatientTrigger(hour=1, minute=0, second=10, timezone=NEW_YORK),
        first=datetime(2025, 11, 2, 1, 0, 10, tzinfo=NEW_YORK),
        now=datetime(2025, 11, 2, 1, 0, 10, 10, tzinfo=NEW_YORK),
    )

    assert got == ["2025-11-02T05:00:10+00:00"]
