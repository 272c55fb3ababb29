"""One message of one event, or a digest of many: counts per kind and the first numbers."""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from erpsync.core.facts import LEVELS
from erpsync.core.messages import RoutePolicy
from erpsync.flows.messages.facts import Happened
from erpsync.flows.messages.words import sentence
from erpsync.languages import Language, language
from erpsync.sdk.types import Message, MessageLevel

NUMBERS = 5
"""So many orders of a kind are named in a digest; how many there are is said of all."""


def message_of(route: RoutePolicy, events: Sequence[Happened], *, zone: ZoneInfo, console_url: str) -> Message:
    """Return the message that tells of these events, one or more in their order.

    Equal events make an equal message with an equal id, so that a repetition is known.
    """
    speech = language(route.language)
    last = events[-1]
    level = max((it.level for it in events), key=LEVELS.index)
    title, lines = _single(last, speech, zone) if len(events) == 1 else _digest(events, speech, zone)
    mark = "" if level == "info" else speech.word(level)
    link = _link(events, console_url)
    return Message(
        id=f"{route.id}-{last.id}",
        title=" · ".join(part for part in (mark, route.department, title) if part),
        text="\n".join([*lines, *([link] if link else [])]),
        level=MessageLevel(level),
        at=last.at,
    )


def trial_message(route: RoutePolicy, *, at: datetime, console_url: str) -> Message:
    """Return the message by which a person tries a route."""
    speech = language(route.language)
    title = speech.say("test message")
    department = route.department
    return Message(
        id=f"{route.id}-test-{at:%Y%m%d%H%M%S}",
        title=f"{department} · {title}" if department else title,
        text="\n".join([speech.say("this route of erpsync works"), *([console_url] if console_url else [])]),
        at=at,
    )


def _single(it: Happened, speech: Language, zone: ZoneInfo) -> tuple[str, list[str]]:
    return speech.phrase(it.kind), [sentence(it, speech), _time(it.at, zone)]


def _digest(events: Sequence[Happened], speech: Language, zone: ZoneInfo) -> tuple[str, list[str]]:
    count = len(events)
    begins, ends = _time(events[0].at, zone), _time(events[-1].at, zone)
    kinds: dict[str, list[Happened]] = {}
    for it in sorted(events, key=lambda it: -LEVELS.index(it.level)):
        kinds.setdefault(it.kind, []).append(it)
    lines = [_counted(kind, its, speech) for kind, its in kinds.items()]
    return speech.say(f"{count} events"), [*lines, f"{begins} – {ends}"]


def _counted(kind: str, its: Sequence[Happened], speech: Language) -> str:
    subjects = [subject for subject in dict.fromkeys(it.subject for it in its) if subject]
    named = speech.comma.join(subjects[:NUMBERS])
    more = "…" if len(subjects) > NUMBERS else ""
    phrase = speech.phrase(kind)
    return f"{phrase}: {len(its)}" + (f" ({named}{more})" if named else "")


def _time(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%m-%d %H:%M}"


def _link(events: Sequence[Happened], console_url: str) -> str:
    if not console_url:
        return ""
    orders = {it.order for it in events}
    number = orders.pop() if len(orders) == 1 else ""
    return f"{console_url}/orders/{number}" if number else f"{console_url}/"
