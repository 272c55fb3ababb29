"""When something that is wrong is told, and when it is told to be over: once each way, however it flickers.

    seen ── still so at a later look ──▶ raised ── well ── still well at a later look ──▶ ended
     └─ well: forgotten                    ◀─ not well

Why by two looks and not by one: what stands at the very limit crosses it with every look, and people stop reading.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

HOLDS = timedelta(seconds=50)
"""So long something must stand before it counts: less than the minute between two looks."""

OF_CHANNELS = (
    "auth",
    "brake",
    "clock",
    "cursor_lag",
    "dead_letters",
    "down",
    "drift",
    "freshness",
    "not_stored",
    "nothing_arrived",
    "oversell",
    "queue_age",
    "queue_depth",
    "tasks",
    "token",
    "unknown_outcomes",
    "unknown_stock",
)
OF_ALL = ("database", "disk", "oversell", "reload")
"""Every rule there is: those that are judged of each channel, and those of what all of them stand on."""

Key = tuple[str, str]
"""The rule that is broken, and what of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """Something that is wrong now.

    Args:
        rule: what was judged, as `status` names its checks.
        subject: of what: a channel's name, a disk of a machine, or nothing.
        said: what is wrong, for people.
        level: `warn` where nobody is sure that anything is wrong at all.
        step: rises as it gets worse, where that is worth telling again.
    """

    rule: str
    subject: str = ""
    said: str
    channel_id: int | None = None
    level: str = "bad"
    step: int = 0

    @property
    def key(self) -> Key:
        """What one alarm at a time is open for."""
        return self.rule, self.subject


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """An alarm that is not over: told if `raised_at`, and perhaps over if `well_at`."""

    id: int
    rule: str
    subject: str
    channel_id: int | None
    said: str
    step: int
    seen_at: datetime
    raised_at: datetime | None
    well_at: datetime | None

    @property
    def key(self) -> Key:
        """As of `Condition`."""
        return self.rule, self.subject


@dataclass(slots=True, kw_only=True)
class Moves:
    """What a look makes of alarms.

    Args:
        seen: stands for the first time.
        raised: to be told, for the first time or again because it got worse.
        same: goes on as before, perhaps with other words.
        well: is well for the first time.
        ended: to be told as over.
        forgotten: was seen once and never told.
    """

    seen: list[Condition] = field(default_factory=list)
    raised: list[tuple[Standing, Condition]] = field(default_factory=list)
    same: list[tuple[Standing, Condition]] = field(default_factory=list)
    well: list[Standing] = field(default_factory=list)
    ended: list[Standing] = field(default_factory=list)
    forgotten: list[Standing] = field(default_factory=list)


def moves(conditions: Iterable[Condition], standing: Iterable[Standing], now: datetime) -> Moves:
    """Return what becomes of the alarms that stand, by what is wrong now; of two of one key the worse one counts."""
    wrong: dict[Key, Condition] = {}
    for each in sorted(conditions, key=lambda item: item.step):
        wrong[each.key] = each
    before: Mapping[Key, Standing] = {alarm.key: alarm for alarm in standing}
    made = Moves(seen=[condition for key, condition in sorted(wrong.items()) if key not in before])
    for key, alarm in sorted(before.items()):
        if key not in wrong:
            _heal(made, alarm, now)
            continue
        condition = wrong[key]
        if condition.step > alarm.step if alarm.raised_at else now - alarm.seen_at >= HOLDS:
            made.raised.append((alarm, condition))
        else:
            made.same.append((alarm, condition))
    return made


def _heal(made: Moves, alarm: Standing, now: datetime) -> None:
    if alarm.raised_at is None:
        made.forgotten.append(alarm)
    elif alarm.well_at is None:
        made.well.append(alarm)
    elif now - alarm.well_at >= HOLDS:
        made.ended.append(alarm)
