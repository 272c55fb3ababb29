"""How the console says things: money, instants on the operator's clock, spans, counts."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from markupsafe import Markup, escape

from erpsync.core.instants import with_local
from erpsync.sdk.money import major
from erpsync.store.status.figures import spell

_SIGNS = {"CNY": "¥", "USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥", "HKD": "HK$", "KRW": "₩"}

STATUS_WORDS = {
    "cancelled": "cancelled",
    "completed": "completed",
    "shipped": "shipped",
    "partially_shipped": "partly shipped",
    "held": "held",
    "unpaid": "unpaid",
    "released": "released",
    "backordered": "backordered",
    "allocated": "allocated",
    "open": "open",
}
# Tone and cue of each status: colour never speaks alone.
TONES = {
    "cancelled": ("mute", "×"),
    "completed": ("done", "✓"),
    "shipped": ("done", "→"),
    "partially_shipped": ("move", "⇢"),
    "held": ("bad", "!"),
    "unpaid": ("mute", "○"),
    "released": ("move", "↗"),
    "backordered": ("warn", "…"),
    "allocated": ("move", "●"),
    "open": ("mute", "·"),
}
STATE_WORDS = {
    "up": "up",
    "new": "not read yet",
    "paused": "paused",
    "auth_failed": "credentials refused",
    "down": "down",
    "disabled": "off",
}
# What the search box takes: a form that is sent by address must not carry a phone number (see core.phones).
NO_PHONE = (
    r"(?!\s*(?:(?:\+|00)?86[\s\-]*)?1(?:[\s\-]*[3-9])(?:[\s\-]*\d){9}\s*$)"
    r"(?!\s*[\(]?0(?:[\s\-\(\)]*\d){9,13}\s*$)"
    r"(?!\s*\+[\d\s\-]{7,}$).*"
)
LEVELS = {"ok": ("✓", "well"), "warn": ("!", "watch"), "bad": ("×", "needs you"), "off": ("–", "off")}


def money(minor: int | None, currency: str) -> str:
    """Return an amount as people write it: ¥1,288.00."""
    if minor is None:
        return "–"
    return f"{'−' if minor < 0 else ''}{_SIGNS.get(currency, currency + ' ')}{major(abs(minor), currency):,f}"


def moment(at: str | datetime | None) -> datetime | None:
    """Return an instant from its ISO 8601 text."""
    return datetime.fromisoformat(at) if isinstance(at, str) else at


class Clockface:
    """Instants on the operator's clock, as seen at `now`."""

    def __init__(self, now: datetime, timezone: ZoneInfo) -> None:
        self._timezone = timezone
        self.now = now.astimezone(timezone)

    def when(self, at: str | datetime | None, *, seconds: bool = False) -> Markup:
        """Return a `<time>` element: 14:05 today, else 2 Mar 14:05, with the year where it is another one."""
        found = moment(at)
        if found is None:
            return Markup("–")
        local = found.astimezone(self._timezone)
        clock = f"{local:%H:%M:%S}" if seconds else f"{local:%H:%M}"
        if local.date() != self.now.date():
            year = f" {local.year}" if local.year != self.now.year else ""
            clock = f"{local.day} {local:%b}{year} {clock}"
        whole = f"{local:%Y-%m-%d %H:%M:%S} {self._timezone.key}"
        return Markup('<time datetime="{}" title="{}">{}</time>').format(local.isoformat(), whole, clock)

    def told(self, text: str) -> str:
        """Return a text with the instants in it on the operator's clock."""
        return with_local(text, self._timezone)

    def plain(self, value: Any) -> str:
        """Return a value of an event's detail in one line, instants on the operator's clock."""
        return self.told(plain(value))

    def ago(self, at: str | datetime | None) -> str:
        """Return how long ago something was."""
        found = moment(at)
        return "–" if found is None else f"{spell(max(0.0, (self.now - found).total_seconds()))} ago"


def many(count: int, noun: str, plural: str = "") -> str:
    """Return a count with its noun: 1 order, 2 orders."""
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"


def plain(value: Any) -> str:
    """Return a value of an event's detail in one line."""
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {plain(item)}" for key, item in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(plain(item) for item in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "–" if value is None or value == "" else str(value)


def unread(channel: Mapping[str, Any]) -> str:
    """Return why there is no instant since which a channel's orders were read."""
    if channel["state"] == "disabled":
        return "switched off in the configuration"
    if channel["state"] == "paused":
        return "not read while it is paused"
    return "orders have never been read" if "freshness" in channel["beyond"] else "not read: it sends what it has"


def halted(channel: Mapping[str, Any]) -> str:
    """Return that a channel was paused, by whom and why; nothing when it was not."""
    if channel["state"] != "paused":
        return ""
    who = f" by {channel['paused_by']}" if channel["paused_by"] else ""
    return f"Paused{who}{': ' if channel['error'] else '.'}{channel['error']}"


_COMMAND = re.compile(r"`([^`]*)`")


def commands(advice: str) -> Markup:
    """Return advice with the commands in it set as such."""
    parts = _COMMAND.split(advice)
    marked = [Markup("<code>{}</code>").format(part) if at % 2 else escape(part) for at, part in enumerate(parts)]
    return Markup("").join(marked)


def phrase(name: str) -> str:
    """Return a code name in words: order.first_seen -> order first seen."""
    return name.replace(".", " ").replace("_", " ").replace("-", " ")
