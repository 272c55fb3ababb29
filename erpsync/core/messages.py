"""When a department is told: quiet hours, digests and budgets of a route. Pure.

Of what it is told says a condition, which `erpsync.core.rules` judges as it judges those of rules.

Why everything that waits becomes one message: a group that gets two hundred messages in a minute reads none of them,
and its robot is blocked by the platform for ten.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from erpsync.core.rules.events import When

MINUTE = timedelta(minutes=1)
MOST_PER_MINUTE = 15
"""Messages a minute where nothing is said: WeCom and DingTalk take 20, and a margin is left for what was unsure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quiet:
    """Hours of each day in which nobody is told; over midnight where they end before they begin."""

    begins: time
    ends: time

    def until(self, at: datetime, zone: ZoneInfo) -> datetime | None:
        """Return when the quiet hours end that an instant lies in, None outside of them."""
        here = at.astimezone(zone)
        ends = here.replace(hour=self.ends.hour, minute=self.ends.minute, second=0, microsecond=0, fold=0)
        now = here.time().replace(tzinfo=None)
        if self.begins <= self.ends:
            return ends.astimezone(at.tzinfo) if self.begins <= now < self.ends else None
        if now >= self.begins:
            return (ends + timedelta(days=1)).astimezone(at.tzinfo)
        return ends.astimezone(at.tzinfo) if now < self.ends else None


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutePolicy:
    """Whom to tell of what, in which language and how often.

    Args:
        to: the channel that sends; its connector plays `MessageSink`.
        digest_s: what happens within so many seconds is one message.
        quiet_lets: `alarm` lets alarms through quiet hours, with what has waited until then; `nothing` lets none.
        most_per_min: messages in any minute; what is more becomes one.
    """

    id: str
    to: str
    when: "When"
    language: str = "zh"
    department: str = ""
    digest_s: float = 0
    quiet: Quiet | None = None
    quiet_lets: str = "nothing"
    most_per_min: int = MOST_PER_MINUTE


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """An event that is to be told: its id, when it happened, and how much it matters."""

    id: int
    at: datetime
    level: str = "info"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tell:
    """What is told now: each group of events is one message, in this order."""

    groups: Sequence[Sequence[int]] = field(default_factory=tuple)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """Nothing is told before this instant."""

    until: datetime


def plan(
    route: RoutePolicy,
    waiting: Sequence[Waiting],
    *,
    sent: Sequence[datetime],
    now: datetime,
    zone: ZoneInfo,
    troubled: bool = False,
    alarm_behind: bool = False,
) -> Tell | Wait:
    """Return what a route tells now of what waits, oldest first, or until when it waits.

    Args:
        waiting: one event or more.
        sent: when messages were sent within the last minute, whether they were accepted or not.
        alarm_behind: whether an alarm waits behind these events.
        troubled: whether its last message was refused or failed: then all that waits is one message, to try with.
    """
    calls = route.quiet_lets == "alarm" and (alarm_behind or any(event.level == "alarm" for event in waiting))
    quiet_until = route.quiet.until(now, zone) if route.quiet else None
    if quiet_until is not None and not calls:
        return Wait(until=quiet_until)
    ids = [event.id for event in waiting]
    gathered_at = min(waiting[0].at, now) + timedelta(seconds=route.digest_s)
    if gathered_at > now and not calls:
        return Wait(until=gathered_at)
    recent = sorted(at for at in sent if now - MINUTE < at <= now)
    left = route.most_per_min - len(recent)
    if left <= 0:
        return Wait(until=recent[len(recent) - route.most_per_min] + MINUTE)
    woke = quiet_until is None and route.quiet is not None and _slept(route.quiet, waiting[0].at, now, zone)
    if route.digest_s or troubled or woke or calls or len(ids) > left:
        return Tell(groups=[ids])
    return Tell(groups=[[id] for id in ids])


def _slept(quiet: Quiet, happened_at: datetime, now: datetime, zone: ZoneInfo) -> bool:
    """Whether quiet hours lie between what happened and now: then it is told with what came after it."""
    if quiet.until(happened_at, zone) is not None:
        return True
    return now - happened_at > timedelta(days=1)
