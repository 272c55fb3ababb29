"""What follows a message that was not accepted: another try, a dead letter, and a person where neither mends it.

| the platform | the message | the route |
|---|---|---|
| is too busy for us | waits as long as it is told to | asks a person after an hour of it |
| does not know our credentials | waits | asks a person at once |
| refuses this message | is a dead letter, the cursor moves on | asks a person at the third in a row |
| cannot be reached | is sent again, later each time | asks a person at the fifth |
| took it or not, nobody knows | is sent again as the same | as above |
"""

from datetime import timedelta
from typing import Any

import structlog

from erpsync.core.messages import RoutePolicy
from erpsync.flows.blame import is_of_record
from erpsync.flows.context import Channel
from erpsync.flows.errors import error_text
from erpsync.flows.followers import ASKS_AFTER, failed
from erpsync.flows.messages.letters import letter_of
from erpsync.flows.retry import asked_s, backoff_s
from erpsync.sdk.errors import AuthError, OutcomeUnknownError, RateLimitedError
from erpsync.sdk.types import Message
from erpsync.store.db.store import Tx
from erpsync.store.dead_letters import add_dead_letters
from erpsync.store.limits import OWN_BUDGET
from erpsync.store.routes import BROKEN
from erpsync.store.tasks import Task, open_tasks

REFUSALS = 3
"""Messages in a row that are refused, after which a person is asked to look."""

THROTTLED_FOR = timedelta(hours=1)

log = structlog.get_logger()


def after_trouble(
    tx: Tx, row: Any, policy: RoutePolicy, channel: Channel, message: Message, error: Exception, last: int
) -> dict[str, Any]:
    """Return the values of a route's row after a message was not accepted; opens the letter and the task it takes.

    Args:
        last: the last event that the message tells of.
    """
    problem = error_text(error)
    if isinstance(error, RateLimitedError):
        return _throttled(tx, row, policy, channel, error, problem)
    log.warning("message.refused", route=policy.id, channel=channel.name, key=message.id, error=problem)
    if is_of_record(error):
        return _refused(tx, row, policy, channel, message, problem, last)
    values = failed(tx, row, problem, wait_s=asked_s(error, auth_retry_s=channel.poll.auth_retry_s))
    if not isinstance(error, OutcomeUnknownError):
        values["pending"] = 0
    if isinstance(error, AuthError) or values["attempts"] >= ASKS_AFTER:
        _ask(tx, policy, channel, problem)
    return values


def _throttled(
    tx: Tx, row: Any, policy: RoutePolicy, channel: Channel, error: RateLimitedError, problem: str
) -> dict[str, Any]:
    """Wait without counting a try; nothing of the message is there, so that what comes meanwhile joins it."""
    values = {"pending": 0, "run_at": tx.now + timedelta(seconds=error.retry_after_s)}
    if error.code == OWN_BUDGET:
        return values
    since = row.failing_since_at or tx.now
    if tx.now - since >= THROTTLED_FOR:
        _ask(tx, policy, channel, problem)
    log.warning("message.throttled", route=policy.id, channel=channel.name, wait_s=error.retry_after_s)
    return values | {"failing_since_at": since, "error": problem}


def _refused(
    tx: Tx, row: Any, policy: RoutePolicy, channel: Channel, message: Message, problem: str, last: int
) -> dict[str, Any]:
    add_dead_letters(tx, [letter_of(channel, message, problem)])
    refusals = row.refusals + 1
    if refusals >= REFUSALS:
        _ask(tx, policy, channel, problem)
    return {
        "cursor": last,
        "pending": 0,
        "refusals": refusals,
        "failing_since_at": row.failing_since_at or tx.now,
        "error": problem,
        "run_at": tx.now + timedelta(seconds=backoff_s(refusals, row.id)),
    }


def _ask(tx: Tx, policy: RoutePolicy, channel: Channel, problem: str) -> None:
    id, name = policy.id, channel.name
    reason = f"route {id} does not get through to {name}: {problem}; nothing is lost, it is tried again and again"
    open_tasks(tx, [Task(kind=BROKEN, key=id, reason=reason, channel_id=channel.id)])
