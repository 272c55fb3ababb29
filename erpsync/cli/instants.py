"""Instants as people type them."""

from datetime import UTC, datetime, tzinfo

from erpsync.cli.errors import UsageError

_EARLIEST, _LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)
_FORMS = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d", "%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M", "%Y/%m/%d")


def instant(text: str, zone: tzinfo) -> datetime:
    """Return the instant of a date or a date and time in UTC; without offset it is meant in `zone`.

    A date alone is its first moment. Raises `ValueError` with what was expected.
    """
    try:
        at = datetime.fromisoformat(text.strip())
    except ValueError:
        at = _by_form(text.strip())
    try:
        in_utc = (at.replace(tzinfo=zone) if at.tzinfo is None else at).astimezone(UTC)
    except OverflowError:
        in_utc = _EARLIEST
    if not _EARLIEST < in_utc < _LATEST:
        raise ValueError(f"must lie between {_EARLIEST:%Y} and {_LATEST:%Y}, is {text!r}")
    return in_utc


def _by_form(text: str) -> datetime:
    for form in _FORMS:
        try:
            return datetime.strptime(text, form)  # noqa: DTZ007 - the zone is put in by the caller
        except ValueError:
            continue
    raise ValueError(f"must be a date or time such as 2026-03-02 or 2026-03-02T16:30:00+08:00, is {text!r}")


def option(name: str, text: str | None, zone: tzinfo) -> datetime | None:
    """Return the instant given with an option; raises `UsageError`."""
    if text is None:
        return None
    try:
        return instant(text, zone)
    except ValueError as error:
        raise UsageError(f"{name} {error}") from None
