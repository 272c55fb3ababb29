"""Why nothing moves at a shop, or that everything does: causes in sentences, the one that stops most first.

Pure: from the figures of one instant.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from erpsync.core.instants import stamp
from erpsync.store.status.spans import spell

Level = Literal["ok", "warn", "bad", "off"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """Something that keeps a shop from moving.

    Args:
        what: its code.
        text: one sentence, for people.
        level: how bad it is.
    """

    what: str
    text: str
    level: Level


def causes(facts: Mapping[str, Any], blocked_until_at: datetime | None, fresh_s: float | None) -> list[Cause]:
    """Return what keeps a shop from moving, what stops most first; one that says that all is well where nothing does.

    Args:
        facts: the shop in the figures of `status`.
        blocked_until_at: until when it wants no call; None when it takes calls.
        fresh_s: after how many seconds its orders are stale; None where that has no limit.
    """
    stopped = list(_stopped(facts, blocked_until_at))
    return stopped + list(_slowed(facts, fresh_s)) or [Cause(what="moves", text=_moves(facts), level="ok")]


def _stopped(facts: Mapping[str, Any], blocked_until_at: datetime | None) -> Iterator[Cause]:
    state, error, since = facts["state"], facts["error"], facts["since"]
    if state == "disabled":
        text = "It is switched off in the configuration: nothing is read from it, and nothing is sent to it."
        yield Cause(what=state, text=text, level="off")
        return
    if state == "paused":
        yield Cause(what=state, text=_paused(facts["paused_by"] or "somebody", error), level="bad")
    if state == "auth_failed":
        text = f"It refuses our credentials since {since}: {error}. Nothing moves until they are renewed."
        yield Cause(what=state, text=text, level="bad")
    if state == "down":
        text = f"It cannot be reached since {since}: {error}. It is tried again by itself, and nothing is lost."
        yield Cause(what=state, text=text, level="bad")
    if blocked_until_at is not None:
        text = f"It wants no call before {stamp(blocked_until_at)}. What is due waits, and goes out by itself then."
        yield Cause(what="blocked", text=text, level="warn")


def _paused(who: str, reason: str) -> str:
    if reason:
        return f"It is paused by {who}: {reason}. Nothing is read and nothing is sent until somebody resumes it."
    return f"It is paused by {who}, without a reason. Nothing is read and nothing is sent until somebody resumes it."


def _slowed(facts: Mapping[str, Any], fresh_s: float | None) -> Iterator[Cause]:
    if facts["state"] == "disabled":
        return
    if facts["state"] == "new":
        text = "Its orders are being read for the first time. Until that is done it is told no number."
        yield Cause(what="new", text=text, level="warn")
    if braked := facts["braked"]:
        yield Cause(what="brake", text=_braked(braked), level="bad")
    if "freshness" in facts["beyond"] and facts["freshness_s"] is not None and facts["state"] == "up":
        text = (
            f"Its orders were last read {spell(facts['freshness_s'])} ago, which is too long (limit {spell(fresh_s)})."
        )
        yield Cause(what="freshness", text=text, level="bad")
    for stream, row in facts["streams"].items():
        if row["error"] and facts["state"] == "up":
            yield Cause(what="stream", text=f"The stream {stream} cannot be read: {row['error']}.", level="bad")
    if "queue_age" in facts["beyond"]:
        text = f"What is due waits too long: the oldest since {spell(facts['queue']['oldest_due_s'])}."
        yield Cause(what="queue_age", text=text, level="bad")
    if unknown := facts["unknown_outcomes"]:
        yield Cause(what="unknown_outcomes", text=_unanswered(unknown), level="warn")
    if "token" in facts["beyond"]:
        yield Cause(what="token", text=_token(facts["token_days"]), level="bad")


def _braked(numbers: int) -> str:
    if numbers == 1:
        return (
            "The brake holds back 1 zero that nobody can explain: look at the stock, then let it go or count it right."
        )
    return (
        f"The brake holds back {numbers} zeros that nobody can explain: look at the stock, then let them go or count."
    )


def _unanswered(effects: int) -> str:
    if effects == 1:
        return "1 effect was sent and has had no answer: its task says what to look for."
    return f"{effects} effects were sent and have had no answer: their tasks say what to look for."


def _token(days: float) -> str:
    if days < 0:
        return f"Its authorisation ended {spell(-days * 86_400)} ago: authorise the app again."
    return f"Its authorisation ends in {spell(days * 86_400)}: authorise the app again."


def _moves(facts: Mapping[str, Any]) -> str:
    fresh_s, due = facts["freshness_s"], facts["queue"]["due"]
    if facts["carries"]:
        return "It carries parcels; the numbers it gave are what `erpsync waybills list` shows."
    if facts["tells"]:
        return "It tells people what routes have for it; how each route stands is on the page Messages."
    if fresh_s is None:
        return "Everything moves: it sends what it has, and nothing waits too long."
    if not due:
        return f"Everything moves: its orders were read {spell(fresh_s)} ago, and nothing is due."
    return f"Everything moves: its orders were read {spell(fresh_s)} ago, and nothing that is due waits too long."
