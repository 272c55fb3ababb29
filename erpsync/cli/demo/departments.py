"""Departments of the demonstration: who is told of what, and the proof that they were.

told = happened · nothing counted as told that was not · budgets and quiet hours kept · nobody's name said
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, or_, select

from erpsync.cli.demo.check import Check
from erpsync.core.messages import MINUTE, RoutePolicy
from erpsync.flows.context import Context
from erpsync.flows.messages.acts import retry_route
from erpsync.sdk.sandbox.demo import DemoGroup
from erpsync.store.encrypted import dead_letter_row, notes_row, recipient_row
from erpsync.store.tables import dead_letter, event, orders, route

KINDS = ("order.imported", "order.held", "release.", "stock.added", "shipment.")
MOST_PER_MINUTE = 12
AT_NIGHT = "night"
ACTOR = "demo"
LEAST_CHARS = 4
"""Shorter texts, such as the name of a district, may stand in any sentence."""

_COUNT = re.compile(r"\d+")


def routes(channels: Sequence[str], now: datetime, zone: ZoneInfo) -> list[dict[str, Any]]:
    """Return a route to each group, and one that is quiet as long as the demonstration may last."""
    made: list[dict[str, Any]] = []
    for number, channel in enumerate(channels):
        made.append(
            {
                "id": f"department-{number + 1}",
                "to": channel,
                "department": ("仓库", "销售", "财务")[number % 3],
                "lang": "zh" if number % 2 == 0 else "en",
                "when": {"event": [*KINDS]},
                "digest_s": 2,
                "most_per_min": MOST_PER_MINUTE,
            }
        )
    here = now.astimezone(zone)
    hours = f"{here - timedelta(hours=1):%H:%M}-{here + timedelta(hours=8):%H:%M}"
    made += [{"id": AT_NIGHT, "to": channels[0], "when": {"event": [*KINDS]}, "quiet": hours}] if channels else []
    return made


def cursors(ctx: Context) -> dict[str, int]:
    """Return how far each route is."""
    with ctx.store.read() as connection:
        return {row.name: row.cursor for row in connection.execute(select(route.c.name, route.c.cursor))}


def hurry(ctx: Context) -> None:
    """Have what was refused for a while tried again, as a person would."""
    for policy in ctx.routes:
        retry_route(ctx, policy.id, actor=ACTOR)


def prove_told(ctx: Context, groups: Mapping[str, DemoGroup], began: Mapping[str, int]) -> list[Check]:
    """Return the checks of the summary; `began` is how far each route was before anything happened."""
    checks = []
    for policy in ctx.routes:
        told = [(at, text) for at, text in groups[policy.to].told() if _id(text).startswith(f"{policy.id}-")]
        if policy.id == AT_NIGHT:
            checks.append(_quiet(ctx, policy, told, began[policy.id]))
        else:
            checks.append(_counted(ctx, policy, told, began[policy.id]))
            checks.append(_budget(policy, told))
    texts = [text for group in groups.values() for _, text in group.told()]
    return [*checks, _nobody(ctx, texts)] if groups else []


def _id(text: str) -> str:
    return text.rpartition("#")[2].strip()


def _happened(ctx: Context, policy: RoutePolicy, after: int) -> int:
    kinds = [
        event.c.kind.startswith(kind, autoescape=True) if kind.endswith(".") else event.c.kind == kind
        for kind in policy.when.kinds
    ]
    with ctx.store.read() as connection:
        query = select(func.count()).select_from(event).where(event.c.id > after, or_(*kinds))
        return int(connection.execute(query).scalar_one())


def _counted(ctx: Context, policy: RoutePolicy, told: Sequence[tuple[datetime, str]], began: int) -> Check:
    """Hold what stands in the group, and what was refused there for good, against what happened."""
    said = {_id(text): _count(text) for _, text in told}
    refused = {id: _count(text) for id, text in _refused(ctx, policy)}
    happened = _happened(ctx, policy, began)
    counted = sum(said.values()) + sum(count for id, count in refused.items() if id not in said)
    problem = "" if counted == happened else f"{happened - counted} events are neither told nor a dead letter"
    figures = f"{happened} events = {counted}, in {len(told)} messages, {len(refused)} refused"
    return Check(name=f"{policy.id}: told = happened", figures=figures, problem=problem)


def _count(text: str) -> int:
    """Return of how many events a message tells: a digest says so in its title."""
    found = _COUNT.search(text.partition("\n")[0].rpartition(" · ")[2])
    return int(found[0]) if found else 1


def _refused(ctx: Context, policy: RoutePolicy) -> Iterator[tuple[str, str]]:
    vault = ctx.store.vault
    query = select(dead_letter).where(dead_letter.c.kind == "message", dead_letter.c.key.startswith(f"{policy.id}-"))
    with ctx.store.read() as connection:
        rows = connection.execute(query).all()
    for row in rows:
        if vault is not None and row.body is not None:
            body = vault.decrypt(row.body, row=dead_letter_row(row.channel_id, row.kind, row.key))
            yield row.key, f"{body['title']}\n{body['text']}"


def _budget(policy: RoutePolicy, told: Sequence[tuple[datetime, str]]) -> Check:
    at = [instant for instant, _ in told]
    most = max((sum(timedelta(0) <= other - one < MINUTE for other in at) for one in at), default=0)
    problem = f"{most} messages in a minute" if most > policy.most_per_min else ""
    return Check(name=f"{policy.id}: budget kept", figures=f"{most} of {policy.most_per_min} a minute", problem=problem)


def _quiet(ctx: Context, policy: RoutePolicy, told: Sequence[tuple[datetime, str]], began: int) -> Check:
    problem = f"{len(told)} messages in quiet hours" if told else ""
    waiting = _happened(ctx, policy, cursors(ctx)[policy.id])
    lost = _happened(ctx, policy, began) - waiting
    problem = problem or (f"{lost} events were passed over" if lost else "")
    return Check(name="quiet hours kept", figures=f"{waiting} events wait", problem=problem)


def _nobody(ctx: Context, texts: Sequence[str]) -> Check:
    """Look for every name, phone, address and note of every order in every message."""
    people: Counter[str] = Counter()
    with ctx.store.read() as connection:
        rows = connection.execute(select(orders)).all()
    vault = ctx.store.vault
    for row in rows:
        if vault is not None and row.recipient is not None:
            _texts(vault.decrypt(row.recipient, row=recipient_row(row.channel_id, row.external_id)), people)
        if vault is not None and row.notes is not None:
            _texts(vault.decrypt(row.notes, row=notes_row(row.channel_id, row.external_id)), people)
    whole = "\n".join(texts)
    found = [text for text in people if text in whole]
    problem = f"{len(found)} of them stand in messages" if found else ""
    figures = f"{len(people)} names, phones, addresses and notes looked for in {len(texts)} messages"
    return Check(name="nobody named in a message", figures=figures, problem=problem)


def _texts(value: Any, into: Counter[str]) -> None:
    if isinstance(value, dict):
        for part in value.values():
            _texts(part, into)
    elif isinstance(value, list):
        for part in value:
            _texts(part, into)
    elif isinstance(value, str) and (len(value) >= LEAST_CHARS or re.search(r"[\u4e00-\u9fff]{2}", value)):
        into[value] += 1
