"""What keeps a channel from being called: the same for numbers, parcels and releases."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from erpsync.core import advice
from erpsync.core.instants import stamp
from erpsync.flows.context import Channel
from erpsync.flows.explain.steps import Settings, Step


def not_working(channel: Channel, row: Any, now: datetime, settings: Settings) -> Iterator[Step]:
    """Yield why a channel (and its row, where it has one) is not called now, or does not answer."""
    name = channel.name
    if not channel.enabled:
        setting = settings.of_channel(name, "enabled")
        text = f"{name} is switched off in the configuration"
        yield Step(what="disabled", text=text, setting=setting, steps=_ends("disabled", name))
        return
    if row is None:
        return
    if row.paused:
        text = f"{name} is paused by {row.paused_by or 'somebody'}: {row.paused_reason or 'no reason was given'}"
        yield Step(what="paused", text=text, steps=_ends("paused", name))
    if row.auth_failed_at is not None:
        text = f"{name} refuses our credentials"
        yield Step(what="auth_failed", text=text, since=row.auth_failed_at, steps=_ends("auth_failed", name))
    elif row.down_since_at is not None:
        text = f"{name} does not answer: {row.down_error}"
        yield Step(what="down", text=text, since=row.down_since_at, steps=_ends("down", name))
    if row.blocked_until_at is not None and row.blocked_until_at > now:
        text = f"{name} wants no call before {stamp(row.blocked_until_at)}"
        yield Step(what="blocked", text=text, until=row.blocked_until_at)


def _ends(state: str, name: str) -> tuple[Step, ...]:
    return (Step(what="ends", text=advice.fill(advice.CHANNELS[state], channel=name)),)
