"""Log records: one line each, on stderr, free of personal data.

JSON with a `<N>` priority for the journal, colours on a terminal, plain JSON elsewhere. Records of libraries come
through the same way as `library.logged`.

Why scrubbing as well as care: an exception of a driver may quote a row, and a log is read by more people than the
database.
"""

import json
import logging
import os
import sys
import threading
from collections.abc import Mapping
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from erpsync.core.personal import HIDDEN, PERSONAL, scrubbed

PRIORITIES = {"critical": 2, "error": 3, "warning": 4, "info": 6, "debug": 7}
IDS = frozenset({"order", "sku", "key", "channel", "kind", "stream", "number", "event", "level", "at"})
"""Keys whose values are ids: long numbers in them are order numbers, not telephone numbers."""


def scrub(logger: WrappedLogger, method: str, record: EventDict) -> EventDict:
    """Hide values under personal keys, values that are no scalars, and what looks personal in all others."""
    del logger, method
    return {key: _clean(key, value) for key, value in record.items()}


def _clean(key: str, value: Any) -> Any:
    if PERSONAL.search(key):
        return HIDDEN if value else value
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Mapping | bytes | bytearray):
        return HIDDEN
    text = value if isinstance(value, str) else str(value)
    return text if key in IDS else scrubbed(text)


def configure(*, level: str = "info", stream: TextIO | None = None, environ: Mapping[str, str] | None = None) -> None:
    """Send all log records of the process to `stream`, stderr by default, from `level` on."""
    target = sys.stderr if stream is None else stream
    number = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=_processors(target, os.environ if environ is None else environ),
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=_Lines.factory(target),
        cache_logger_on_first_use=False,
    )
    root = logging.getLogger()
    root.handlers = [_Foreign()]
    root.setLevel(max(number, logging.WARNING))


def _processors(stream: TextIO, environ: Mapping[str, str]) -> list[Processor]:
    first: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
        structlog.processors.format_exc_info,
        scrub,
    ]
    if "JOURNAL_STREAM" in environ:
        return [*first, _journal_line]
    if stream.isatty():
        return [*first, structlog.dev.ConsoleRenderer(timestamp_key="at", sort_keys=False)]
    return [*first, _json_line]


def _json_line(logger: WrappedLogger, method: str, record: EventDict) -> str:
    del logger, method
    first = {key: record.pop(key) for key in ("at", "level", "event") if key in record}
    return json.dumps(first | dict(record), ensure_ascii=False, default=str)


def _journal_line(logger: WrappedLogger, method: str, record: EventDict) -> str:
    """Return a line that journald files under its priority. Source: sd-daemon(3), SyslogLevelPrefix=."""
    priority = PRIORITIES.get(str(record.get("level")), 6)
    return f"<{priority}>{_json_line(logger, method, record)}"


class _Lines:
    """Writes lines; a stream that is gone takes no work down with it."""

    def __init__(self, stream: TextIO, lock: threading.Lock) -> None:
        self._stream = stream
        self._lock = lock

    @classmethod
    def factory(cls, stream: TextIO) -> Any:
        lines = cls(stream, threading.Lock())
        return lambda *args: lines

    def msg(self, text: str) -> None:
        with self._lock:
            try:
                self._stream.write(f"{text}\n")
                self._stream.flush()
            except (OSError, ValueError):
                return

    debug = info = warning = error = critical = exception = msg


class _Foreign(logging.Handler):
    """Passes records of libraries on as `library.logged`."""

    def emit(self, record: logging.LogRecord) -> None:
        log = structlog.get_logger("erpsync.libraries")
        trace = logging.Formatter().formatException(record.exc_info) if record.exc_info else None
        more = {"traceback": trace} if trace else {}
        log.log(record.levelno, "library.logged", library=record.name, text=record.getMessage(), **more)
