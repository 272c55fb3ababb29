"""Reading a list of changes by time window without losing a row that moves meanwhile.

    rules = WindowRules(page_size=50, max_span=timedelta(days=1), min_span=timedelta(seconds=1))
    window = ShrinkingWindow.resume(rules, cursor.mark, now=platform_now, overlap=cursor.overlap)
    while not window.done:
        ask = window.request()
        rows = call(ask.start, ask.end, ask.page)
        window.advance([row.changed_at for row in rows], full=has_next)
        yield OrderPage(heads=..., mark=window.mark())

Platforms sort by a time that changes while one pages, and page by counting. A row touched meanwhile leaves its place,
all rows behind it move up one, and forward paging steps over one of them. So the window asks for page 1 only, of
[start, oldest instant seen] where the newest comes first (of [newest instant seen, end] where the oldest does), and
what is left of the window is the cursor. Only where one instant fills a whole page does it count pages, from the last
one back to the first: rows that leave only move others to pages that are still to be read.

All instants are in the platform's clock and both ends belong to the window. Rows are handed out more than once; that is
harmless, a lost one is not. A row that becomes visible after its change time is found by the overlap, so the overlap
must be longer than that delay. Where the right end of a request is exclusive, rows of the second in which a pass began
come with the next pass.

Why a state machine and not a generator that does the calls: the mark after every page must be all that a killed process
needs, and platforms differ in everything but this.

Source: protocol note taobao.md section 3.4 (rows leave a window while it is paged), jd.md section 3 (right edge not
documented).
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from erpsync.sdk.errors import PayloadError

ZERO = timedelta(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowRules:
    """How a platform's list call works.

    Args:
        page_size: rows of a full page.
        newest_first: whether rows come by falling time; otherwise by rising time.
        precision: the smallest step of the platform's stamps.
        max_span: longest window the platform takes; longer ones are read in slices, oldest first.
        min_span: shortest window it takes (one second where the end must be after the start).
        end_slack: added to the right end of a request where it is not known whether that end is inclusive; the window
            itself, and so the cursor, never moves by it.
    """

    page_size: int
    newest_first: bool = True
    precision: timedelta = timedelta(seconds=1)
    max_span: timedelta | None = None
    min_span: timedelta = ZERO
    end_slack: timedelta = ZERO


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What to ask the platform for: rows of [start, end], page `page` counted from 1."""

    start: datetime
    end: datetime
    page: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _State:
    """What is left to read: [start, end] of a slice that ends at `slice_end`, of a segment that ends at `upper`.

    `page` is 0 while the window shrinks. Otherwise pages of [low, high] are counted: upwards until the last is found,
    then `down`.
    """

    start: datetime
    end: datetime
    slice_end: datetime
    upper: datetime
    page: int = 0
    down: bool = False
    low: datetime | None = None
    high: datetime | None = None
    done: bool = False


class ShrinkingWindow:
    """What is left to read of a stretch of time. Ask with `request`, report with `advance`, keep `mark`."""

    def __init__(self, rules: WindowRules, state: _State, *, until: datetime, overlap: timedelta) -> None:
        self.rules = rules
        self._state = state
        self._until = until
        self._overlap = overlap
        self._broken_off = False

    @classmethod
    def over(cls, rules: WindowRules, start: datetime, end: datetime) -> "ShrinkingWindow":
        """Return the window [start, end] as a whole, for a back-fill; both are cut to the platform's precision."""
        low, high = _floor(min(start, end), rules), _floor(end, rules)
        return cls(rules, _sliced(rules, low, high), until=high, overlap=ZERO)

    @classmethod
    def restore(cls, rules: WindowRules, mark: str) -> "ShrinkingWindow":
        """Return what the mark of an `over` window left to read. Raises `PayloadError` when it is no such mark."""
        state = _from_mark(mark)
        return cls(rules, state, until=state.upper, overlap=ZERO)

    @classmethod
    def resume(
        cls,
        rules: WindowRules,
        mark: str | None,
        *,
        now: datetime,
        overlap: timedelta,
        begin: datetime | None = None,
    ) -> "ShrinkingWindow":
        """Return a pass over all changes up to `now`, which continues where `mark` stands.

        A pass that was broken off is finished first and then read on to `now`, so a finished pass always covers
        everything up to the instant at which it began.

        Args:
            mark: of the last committed page; None begins at `begin`.
            now: the platform's clock before the first request, never later than that clock.
            overlap: how much before the end of the last pass is read again, whatever the window's length.
            begin: where the very first pass begins; `now - overlap` if not given.

        Raises:
            PayloadError: `mark` is not a mark of a window.
        """
        until = _floor(now, rules)
        if mark is None:
            low = _floor(min(begin or now - overlap, now), rules)
            return cls(rules, _sliced(rules, low, until), until=until, overlap=overlap)
        window = cls(rules, _from_mark(mark), until=until, overlap=overlap)
        if window.done:
            window._next_segment()
        else:
            window._broken_off = True
        return window

    @property
    def done(self) -> bool:
        """Whether nothing is left to read in this pass."""
        return self._state.done

    def request(self) -> Ask:
        """Return what to ask for next; the same until `advance` is called."""
        s, rules = self._state, self.rules
        start, end = (s.start, s.end) if s.page == 0 else (s.low or s.start, s.high or s.end)
        end = min(end + rules.end_slack, s.upper)
        if end - start < rules.min_span and end < s.upper:
            end = min(start + rules.min_span, s.upper)
        return Ask(start=min(start, end - rules.min_span), end=end, page=max(1, s.page))

    def advance(self, times: Sequence[datetime], *, full: bool | None = None, total: int | None = None) -> None:
        """Take note of a page that came in whole.

        Args:
            times: the change times of its rows, in the order received.
            full: whether more rows may follow (`has_next`); if not given, whether the page holds `page_size` rows.
            total: how many rows the platform counts for the request, if it says.
        """
        if full is None and total is not None and self._state.page < 2:
            full = total > len(times)
        more = len(times) >= self.rules.page_size if full is None else full
        if self._state.page:
            self._turn_page(more, total)
        elif more:
            self._shrink(times)
        else:
            self._end_slice()

    def mark(self) -> str:
        """Return what is left to read as text; it is valid once the page last reported is committed."""
        plain = {
            key: value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value
            for key, value in asdict(self._state).items()
            if value not in (None, False, 0)
        }
        return json.dumps(plain, separators=(",", ":"))

    def _shrink(self, times: Sequence[datetime]) -> None:
        """Keep what lies on the far side of the rows seen; count pages where that would not move the window."""
        s = self._state
        seen = [_floor(at, self.rules) for at in times]
        if not seen or seen != sorted(seen, reverse=self.rules.newest_first):
            self._count_pages(s.start, s.end)
        elif self.rules.newest_first:
            oldest = max(min(seen), s.start)
            if oldest >= s.end:
                self._count_pages(s.end, s.end)
            else:
                self._state = replace(s, end=oldest)
        else:
            newest = min(max(seen), s.end)
            if newest <= s.start:
                self._count_pages(s.start, s.start)
            else:
                self._state = replace(s, start=newest)

    def _count_pages(self, low: datetime, high: datetime) -> None:
        self._state = replace(self._state, page=1, down=False, low=low, high=high)

    def _turn_page(self, more: bool, total: int | None) -> None:
        s = self._state
        if s.down:
            page, down = s.page - 1, True
        elif total is not None:
            last = -(-total // self.rules.page_size)
            page, down = (last if last > 1 else 0), True
        elif more:
            page, down = s.page + 1, False
        else:
            page, down = s.page - 1, True
        if page:
            self._state = replace(s, page=page, down=down)
        else:
            self._leave_pages()

    def _leave_pages(self) -> None:
        """Go on behind the stretch whose pages were counted."""
        s = self._state
        low, high = s.low or s.start, s.high or s.end
        if self.rules.newest_first:
            rest = replace(s, end=low - self.rules.precision, page=0, down=False, low=None, high=None)
        else:
            rest = replace(s, start=high + self.rules.precision, page=0, down=False, low=None, high=None)
        self._state = rest
        if rest.start > rest.end:
            self._end_slice()

    def _end_slice(self) -> None:
        s = self._state
        if s.slice_end < s.upper:
            self._state = _sliced(self.rules, s.slice_end, s.upper)
            return
        self._state = replace(
            s, start=s.upper, end=s.upper, slice_end=s.upper, page=0, down=False, low=None, high=None, done=True
        )
        if s.upper < self._until or self._broken_off:
            self._broken_off = False
            self._next_segment()

    def _next_segment(self) -> None:
        """Begin at the end of what was read, less the overlap; a clock that was set back is followed."""
        low = min(self._state.upper, self._until) - self._overlap
        self._state = _sliced(self.rules, _floor(low, self.rules), self._until)


def _sliced(rules: WindowRules, low: datetime, upper: datetime) -> _State:
    """Return the first slice of [low, upper]."""
    end = upper if rules.max_span is None else min(upper, low + rules.max_span - rules.end_slack)
    return _State(start=low, end=end, slice_end=end, upper=upper)


def _floor(at: datetime, rules: WindowRules) -> datetime:
    """Return the instant in UTC, cut to the platform's precision. Raises ValueError when it carries no time zone."""
    if at.tzinfo is None:
        raise ValueError("an instant without a time zone")
    utc = at.astimezone(UTC)
    return utc - (utc - datetime.min.replace(tzinfo=UTC)) % rules.precision


def _from_mark(mark: str) -> _State:
    """Read what `mark` wrote."""
    try:
        plain: dict[str, Any] = json.loads(mark)
        state: dict[str, Any] = {k: datetime.fromisoformat(v) if isinstance(v, str) else v for k, v in plain.items()}
        return _State(**state)
    except (AttributeError, TypeError, ValueError) as error:
        raise PayloadError(f"not a mark of a time window: {mark[:80]!r}", path="mark") from error
