"""What of a status is an alarm: its problems, and what is worth telling before it is one."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from erpsync.core.alarms import Condition
from erpsync.core.tokens import alarm_step
from erpsync.flows.context import Context
from erpsync.store.status.figures import Limits, token_said
from erpsync.store.status.storage import Disk, full

SILENCE, TOKEN = "nothing_arrived", "token"
DATABASE, DISK = "database", "disk"
_BY_THEMSELVES = frozenset({SILENCE, TOKEN, DATABASE, DISK})


def conditions(status: Mapping[str, Any], ctx: Context, limits: Limits) -> Iterator[Condition]:
    """Yield what is wrong by a status that any node would see alike."""
    ids = {channel.name: channel.id for channel in ctx.channels.values()}
    for problem in status["problems"]:
        name = problem["channel"]
        if problem["check"] not in _BY_THEMSELVES:
            yield Condition(
                rule=problem["check"], subject=name or "", said=problem["text"], channel_id=ids.get(name or "")
            )
    for facts in status["channels"]:
        if facts["state"] != "disabled":
            yield from _of_channel(facts, ids[facts["name"]], limits)


def _of_channel(facts: Mapping[str, Any], channel_id: int, limits: Limits) -> Iterator[Condition]:
    name, days, silence = facts["name"], facts["token_days"], facts["silence"]
    step = None if days is None or limits.token_expiry_days is None else alarm_step(days)
    if step is not None and (TOKEN in facts["beyond"] or not facts["token_renews"]):
        said = f"{name}: {token_said(days)}"
        yield Condition(rule=TOKEN, subject=name, said=said, channel_id=channel_id, step=step)
    if silence is not None and silence["level"] != "ok":
        said, level = f"{name}: {silence['text']}", silence["level"]
        step = 1 if level == "bad" else 0
        yield Condition(rule=SILENCE, subject=name, said=said, channel_id=channel_id, level=level, step=step)


def of_disks(disks: Iterable[Disk], limits: Limits, host: str) -> Iterator[Condition]:
    """Yield what is wrong with the disks of one machine."""
    for folder, said in full(disks, limits.disk_free_mb):
        yield Condition(rule=DISK, subject=f"{host} {folder}", said=f"{host}: {said}")
