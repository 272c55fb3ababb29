"""When a department is told, and of what: conditions, quiet hours, digests and budgets of a route. Pure.

Why everything that waits becomes one message: a group that gets two hundred messages in a minute reads none of them,
and its robot is blocked by the platform for ten.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

MINUTE = timedelta(minutes=1)
MOST_PER_MINUTE = 15
"""Messages a minute where nothing is said: WeCom and DingTalk take 20, and a margin is left for what was unsure."""

LEVELS = ("info", "warn", "alarm")


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
class Facts:
    """What an event can answer.

    Args:
        warehouses, skus, hold_reasons, rules: all that it names.
        total: what its order costs, in whole units of its currency; None where it is about no order.
    """

    kind: str
    level: str = "info"
    channel: str = ""
    warehouses: Collection[str] = ()
    skus: Collection[str] = ()
    hold_reasons: Collection[str] = ()
    rules: Collection[str] = ()
    total: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class When:
    """Of what a route tells. All conditions have to hold; of a list of words one; an empty one asks nothing.

    Args:
        kinds: kinds of events; one that ends in a dot means all that begin so.
        level: this level or a higher one.
        least_total: the order costs at least so much, in whole units of its currency.
    """

    kinds: tuple[str, ...]
    channels: tuple[str, ...] = ()
    warehouses: tuple[str, ...] = ()
    skus: tuple[str, ...] = ()
    hold_reasons: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    level: str = "info"
    least_total: Decimal | None = None

    def holds(self, facts: Facts) -> bool:
        """Whether an event is told."""
        return (
            any(_is_kind(facts.kind, kind) for kind in self.kinds)
            and LEVELS.index(facts.level) >= LEVELS.index(self.level)
            and (not self.channels or facts.channel in self.channels)
            and _meet(self.warehouses, facts.warehouses)
            and _meet(self.skus, facts.skus)
            and _meet(self.hold_reasons, facts.hold_reasons)
            and _meet(self.rules, facts.rules)
            and (self.least_total is None or (facts.total is not None and facts.total >= self.least_total))
        )


def _is_kind(kind: str, wanted: str) -> bool:
    return kind.startswith(wanted) if wanted.endswith(".") else kind == wanted


def _meet(wanted: Collection[str], named: Collection[str]) -> bool:
    return not wanted or any(name in wanted for name in named)


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
    when: When
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
