"""How the console says things: instants on the operator's clock, spans, states."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from markupsafe import Markup, escape

from erpsync.core.instants import with_local
from erpsync.languages import ENGLISH, Language
from erpsync.languages.vocabulary import OWN_WORDS
from erpsync.store.status.spans import spell

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
# What a form takes that is sent by address, which must not carry a phone number (see core.phones).
NO_PHONE = (
    r"(?!\s*(?:(?:\+|00)?86[\s\-]*)?1(?:[\s\-]*[3-9])(?:[\s\-]*\d){9}\s*$)"
    r"(?!\s*[\(]?0(?:[\s\-\(\)]*\d){9,13}\s*$)"
    r"(?!\s*\+[\d\s\-]{7,}$).*"
)
LEVEL_WORDS = {"ok": ("✓", "well"), "warn": ("!", "watch"), "bad": ("×", "needs you"), "off": ("–", "off")}


def moment(at: str | datetime | None) -> datetime | None:
    """Return an instant from its ISO 8601 text."""
    return datetime.fromisoformat(at) if isinstance(at, str) else at


class Clockface:
    """Instants on the operator's clock, as seen at `now`, and texts with them, in a language."""

    def __init__(self, now: datetime, timezone: ZoneInfo, speech: Language = ENGLISH) -> None:
        self._speech = speech
        self._timezone = timezone
        self.now = now.astimezone(timezone)

    def when(self, at: str | datetime | None, *, seconds: bool = False) -> Markup:
        """Return a `<time>` element: 14:05 today, else 2 Mar 14:05, with the year where it is another one."""
        instant = moment(at)
        if instant is None:
            return Markup("–")
        local = instant.astimezone(self._timezone)
        clock = f"{local:%H:%M:%S}" if seconds else f"{local:%H:%M}"
        if local.date() != self.now.date():
            clock = f"{self._speech.day(local.date(), year=local.year != self.now.year)} {clock}"
        whole = f"{local:%Y-%m-%d %H:%M:%S} {self._timezone.key}"
        return Markup('<time datetime="{}" title="{}">{}</time>').format(local.isoformat(), whole, clock)

    def told(self, text: str) -> str:
        """Return a text in the reader's language, with the instants in it on the operator's clock."""
        return self._speech.say(with_local(text, self._timezone))

    def plain(self, value: Any) -> str:
        """Return a value of an event's detail in one line, instants on the operator's clock."""
        return self.told(plain(value))

    def detail(self, name: str, value: Any) -> str:
        """Return a value of an event's detail, in words where its name says that it is a code of ours."""
        is_code = name in OWN_WORDS and isinstance(value, str)
        return self.plain(self._speech.word(value) if is_code else value)

    def ago(self, at: str | datetime | None) -> str:
        """Return how long ago something was."""
        instant = moment(at)
        if instant is None:
            return "–"
        past = spell(max(0.0, (self.now - instant).total_seconds()))
        return self._speech.say(f"{past} ago")

    def left(self, at: datetime) -> str:
        """Return how long it is until something is due, or for how long it has been."""
        left_s = (at - self.now).total_seconds()
        span = spell(abs(left_s))
        return self._speech.say(f"{span} late" if left_s < 0 else f"{span} left")

    def late(self, at: datetime) -> bool:
        """Whether something should have been done by now."""
        return at < self.now


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
    if channel["tells"]:
        return "no shop: it tells people"
    if channel["carries"]:
        return "no shop: it carries parcels"
    return "orders have never been read" if "freshness" in channel["beyond"] else "not read: it sends what it has"


def halted(channel: Mapping[str, Any]) -> str:
    """Return that a channel was paused, by whom and why; nothing when it was not."""
    if channel["state"] != "paused":
        return ""
    who, error = channel["paused_by"], channel["error"]
    if who:
        return f"Paused by {who}: {error}" if error else f"Paused by {who}."
    return f"Paused: {error}" if error else "Paused."


_COMMAND = re.compile(r"`([^`]*)`")


def commands(advice: str) -> Markup:
    """Return advice with the commands in it set as such."""
    parts = _COMMAND.split(advice)
    marked = [Markup("<code>{}</code>").format(part) if at % 2 else escape(part) for at, part in enumerate(parts)]
    return Markup("").join(marked)
