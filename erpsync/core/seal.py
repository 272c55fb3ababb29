"""When a stretch of a channel's past counts as read whole.

A window is a stretch of time by when orders were placed; creation never changes, so two scans of it must agree. It is
*sealed* once two scans far enough apart agree and the store holds what they saw. The same scans are repeated for some
days: whatever comes late opens the window again.

Why a sum of digests stands for the ids: it does not depend on their order, a list can be added up page by page, the sum
of all windows is the sum of all ids, and, unlike with exclusive-or, an id that stands twice does not cancel itself. It
guards against accidents, not against somebody who makes up ids.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

SIZE = 1 << 128
WATCHED = timedelta(days=3)
AGAIN = timedelta(days=1)
"""Sealed windows that ended in the last three days are scanned again once a day."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A stretch [start, end) with what is known of it.

    Args:
        since_at: the first of the scans that agree without a break with the last one.
        hash: of the ids of the last scan, see `hash_of`.
        reopened: how often it was sealed and did not stay so.
    """

    start: datetime
    end: datetime
    scanned_at: datetime | None = None
    since_at: datetime | None = None
    count: int = 0
    hash: str = ""
    sealed_at: datetime | None = None
    reopened: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """What one scan of a window found.

    Args:
        missed: orders that the store should have held by then and did not, or only in an older version.
        unheld: orders that the store still does not hold at the scanned version.
        gone: orders that the store holds and the list lacks; an answer that was cut off looks like that.
    """

    at: datetime
    count: int
    hash: str
    missed: int = 0
    unheld: int = 0
    gone: int = 0

    @property
    def clean(self) -> bool:
        """Whether the store and the list hold the same orders, without anything being done about it."""
        return not (self.missed or self.unheld or self.gone)


def hash_of(external_ids: Iterable[str]) -> str:
    """Return 32 hex digits for a set of ids, whatever their order: the sum of their SHA-256 modulo 2^128."""
    digests = (hashlib.sha256(id.encode("utf-8", "surrogatepass")).digest() for id in set(external_ids))
    return f"{sum(int.from_bytes(digest[:16], 'big') for digest in digests) % SIZE:032x}"


def hash_of_all(hashes: Iterable[str]) -> str:
    """Return the hash of the union of disjoint sets of ids from theirs."""
    return f"{sum(int(ids_hash, 16) for ids_hash in hashes if ids_hash) % SIZE:032x}"


def judged(window: Window, scan: Scan, *, after: timedelta) -> Window:
    """Return the window after another scan: sealed, still open, or open again.

    Args:
        after: how far the first and the last of the scans that agree must lie apart.
    """
    agrees = window.scanned_at is not None and (window.count, window.hash) == (scan.count, scan.hash)
    since = window.since_at if agrees and window.since_at is not None else scan.at
    sealed = scan.clean and scan.at - since >= after
    return replace(
        window,
        scanned_at=scan.at,
        since_at=since,
        count=scan.count,
        hash=scan.hash,
        sealed_at=(window.sealed_at or scan.at) if sealed else None,
        reopened=window.reopened + (window.sealed_at is not None and not sealed),
    )


def why_open(window: Window, scan: Scan) -> str:
    """Return why a window that was just scanned is not sealed, for people; empty when it is."""
    if window.sealed_at is not None:
        return ""
    if scan.unheld == 1:
        return "1 order of the list cannot be stored; see the dead letters"
    if scan.unheld:
        return f"{scan.unheld} orders of the list cannot be stored; see the dead letters"
    if scan.gone == 1:
        return "the list lacks 1 order that was read before"
    if scan.gone:
        return f"the list lacks {scan.gone} orders that were read before"
    if scan.missed == 1:
        return "1 order had been missed; a scan that finds none has to follow"
    if scan.missed:
        return f"{scan.missed} orders had been missed; a scan that finds none has to follow"
    return "a second scan that agrees has to follow"


def due_at(window: Window, *, after: timedelta, now: datetime) -> datetime | None:
    """Return when the window is to be scanned next; None when it is done with.

    An old one whose scans agree and that something else keeps open is looked at once a day.
    """
    if window.scanned_at is None:
        return window.end
    if window.sealed_at is None:
        stuck = window.since_at is not None and window.scanned_at - window.since_at >= after
        old = window.end <= now - WATCHED
        return window.scanned_at + max(after, AGAIN if stuck and old else after)
    return window.scanned_at + AGAIN if window.end > now - WATCHED else None


def in_turn(windows: Iterable[Window], *, after: timedelta, now: datetime) -> list[Window]:
    """Return the windows to be scanned now: unsealed ones first, oldest first."""
    due = [window for window in windows if (at := due_at(window, after=after, now=now)) is not None and at <= now]
    return sorted(due, key=lambda window: (window.sealed_at is not None, window.start))


def grid(start: datetime, end: datetime, width: timedelta) -> Iterator[Window]:
    """Yield the windows that lie wholly within [start, end], cut at whole multiples of `width`."""
    at = EPOCH + -((EPOCH - start) // width) * width
    while at + width <= end:
        yield Window(start=at, end=at + width)
        at += width
