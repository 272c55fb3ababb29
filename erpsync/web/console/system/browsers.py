"""What a browser calls itself, in two words that people know."""

from collections.abc import Mapping, Sequence
from typing import Any

_BROWSERS = (
    ("MicroMessenger/", "WeChat"),
    ("DingTalk/", "DingTalk"),
    ("Edg/", "Edge"),
    ("EdgiOS/", "Edge"),
    ("OPR/", "Opera"),
    ("QQBrowser/", "QQ"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
"""In this order: each pretends to be some of those below it."""

_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)
LONGEST = 40


def browser_of(user_agent: str) -> str:
    """Return what a browser and its system are called; the beginning of what it says where neither is known."""
    known = [next((name for mark, name in table if mark in user_agent), "") for table in (_BROWSERS, _SYSTEMS)]
    return " · ".join(filter(None, known)) or user_agent[:LONGEST]


def with_browsers(sessions: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return sessions with the name of each one's browser."""
    return [{**session, "browser": browser_of(session["user_agent"])} for session in sessions]
