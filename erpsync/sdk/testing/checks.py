"""The list of checks and what they share.

Why plain functions and not methods of a test class: the suite runs them under pytest, and `audit` runs them over a
deliberately broken connector and says what each one found.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass

from erpsync.sdk.errors import ConnectorError, RateLimitedError
from erpsync.sdk.testing.findings import ConformanceError, Finding, judge_error
from erpsync.sdk.testing.harness import Harness

NewHarness = Callable[[], Harness]


class NotPlayed(Exception):
    """The connector does not play the role, or the harness cannot play the situation; says which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One promise of the SDK."""

    name: str
    body: Callable[[NewHarness], None]

    def run(self, new: NewHarness) -> None:
        """Put the connector of `new` to the test.

        Raises:
            ConformanceError: the promise is broken; an error that nobody provoked counts as that.
            NotPlayed: the connector does not make this promise.
        """
        try:
            self.body(new)
        except (ConformanceError, NotPlayed):
            raise
        except ConnectorError as error:
            raise ConformanceError(Finding.UNPROVOKED_ERROR, repr(error)) from error
        except Exception as error:
            raise ConformanceError(Finding.UNMAPPED_ERROR, repr(error)) from error


CHECKS: list[Check] = []


def check(run: Callable[[NewHarness], None]) -> Callable[[NewHarness], None]:
    """Add a function to the list of checks, under its own name."""
    CHECKS.append(Check(name=run.__name__, body=run))
    return run


def audit(new: NewHarness, *, only: Collection[str] | None = None) -> dict[str, ConformanceError]:
    """Return what the checks found, by their names; empty when the connector keeps all its promises.

    Args:
        only: names of the checks to run; all if not given. Raises ValueError for a name that no check has.
    """
    unknown = set(only or ()) - {item.name for item in CHECKS}
    if unknown:
        raise ValueError(f"no check {min(unknown)!r}")
    found: dict[str, ConformanceError] = {}
    for item in CHECKS:
        if only is not None and item.name not in only:
            continue
        try:
            item.run(new)
        except ConformanceError as error:
            found[item.name] = error
        except NotPlayed:
            continue
    return found


def having(new: NewHarness, role: type) -> Harness:
    """Return a fresh harness whose connector plays `role`."""
    harness = new()
    connector = harness.connector()
    connector.close()
    if not isinstance(connector, role):
        raise NotPlayed(f"{type(connector).__name__} is no {role.__name__}")
    return harness


def having_http(new: NewHarness, role: type) -> Harness:
    """As `having`, of a connector that uses HTTP."""
    harness = having(new, role)
    if harness.sandbox is None:
        raise NotPlayed(f"{type(harness).__name__} has no sandbox")
    return harness


def attempt(harness: Harness, what: str, call: Callable[[], object]) -> ConnectorError | None:
    """Return the error with which `call` ended, None if it returned; fails on errors of no known class.

    After `RateLimitedError` the clock moves on by what the platform asked for.
    """
    try:
        call()
    except Exception as error:  # noqa: BLE001 - whatever leaves the connector is what is judged here
        judged = judge_error(error, harness.personal_data, what)
        if isinstance(judged, RateLimitedError):
            harness.clock.advance(seconds=min(judged.retry_after_s, 3600))
        return judged
    return None


def requests_of(harness: Harness, call: Callable[[], object]) -> int:
    """Return how many HTTP requests `call` makes when nothing goes wrong."""
    before = harness.requests
    call()
    return harness.requests - before
