"""The list of checks and what they share.

Why plain functions and not methods of a test class: the suite runs them under pytest, and `audit` runs them over a
deliberately broken connector and says what each one found.

Why each says beforehand what it needs: a check of a role that is not played is then no test at all. A skipped test is
kept for what a person should see to.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from erpsync.sdk.errors import ConnectorError, RateLimitedError
from erpsync.sdk.roles import Connector
from erpsync.sdk.testing.findings import ConformanceError, Finding, fail, judge_error
from erpsync.sdk.testing.harness import Harness

NewHarness = Callable[[], Harness]
Need = Callable[[Harness, Connector], bool]
"""Whether a check concerns a connector at all, told by a harness and a connector that nothing else uses."""


class Named(Protocol):
    """Something with a name."""

    @property
    def name(self) -> str: ...


Kind = TypeVar("Kind", bound=Named)


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One promise of the SDK, and what a connector must play to make it."""

    name: str
    body: Callable[[NewHarness], None]
    needs: tuple[Need, ...] = ()

    def concerns(self, sample: Harness, connector: Connector) -> bool:
        """Return whether the connector makes this promise; where the harness fails to tell, the check will say why."""
        try:
            return all(need(sample, connector) for need in self.needs)
        except Exception:  # noqa: BLE001 - a broken harness must show as a finding, not as a check that is not there
            return True

    def run(self, new: NewHarness) -> None:
        """Put the connector of `new` to the test.

        Raises:
            ConformanceError: the promise is broken; an error that nobody provoked counts as that.
        """
        try:
            self.body(new)
        except ConformanceError:
            raise
        except ConnectorError as error:
            raise ConformanceError(Finding.UNPROVOKED_ERROR, repr(error)) from error
        except Exception as error:
            raise ConformanceError(Finding.UNMAPPED_ERROR, repr(error)) from error


CHECKS: list[Check] = []


def check(*needs: Need) -> Callable[[Callable[[NewHarness], None]], Callable[[NewHarness], None]]:
    """Add a function to the list of checks, under its own name; it concerns connectors that meet all `needs`."""

    def added(run: Callable[[NewHarness], None]) -> Callable[[NewHarness], None]:
        CHECKS.append(Check(name=run.__name__, body=run, needs=needs))
        return run

    return added


def check_each(
    kinds: Sequence[Kind], played: Callable[[Kind], Need], *needs: Need
) -> Callable[[Callable[[NewHarness, Kind], None]], Callable[[NewHarness, Kind], None]]:
    """As `check`, once for each kind of thing that a connector may play, named KIND_NAME."""

    def added(run: Callable[[NewHarness, Kind], None]) -> Callable[[NewHarness, Kind], None]:
        for kind in kinds:
            check_of_kind = Check(
                name=f"{kind.name}_{run.__name__}",
                body=lambda new, kind=kind: run(new, kind),  # type: ignore[misc]
                needs=(played(kind), *needs),
            )
            CHECKS.append(check_of_kind)
        return run

    return added


def plays(role: type) -> Need:
    """Ask whether the connector plays `role`."""
    return lambda _, connector: isinstance(connector, role)


def speaks_http(sample: Harness, _: Connector) -> bool:
    """Ask whether the platform is reached by HTTP, so that answers can be lost."""
    return sample.sandbox is not None


def checks_for(new: NewHarness) -> list[Check]:
    """Return the checks that concern the connector of `new`, by its roles and by what the harness can play."""
    sample = new()
    connector = sample.connector()
    try:
        return [item for item in CHECKS if item.concerns(sample, connector)]
    finally:
        connector.close()


def audit(new: NewHarness, *, only: Collection[str] | None = None) -> dict[str, ConformanceError]:
    """Return what the checks found, by their names; empty when the connector keeps all its promises.

    Args:
        only: names of the checks to run; all if not given. Raises ValueError for a name that no check has.
    """
    unknown = set(only or ()) - {item.name for item in CHECKS}
    if unknown:
        raise ValueError(f"no check {min(unknown)!r}")
    failures: dict[str, ConformanceError] = {}
    for item in checks_for(new):
        if only is not None and item.name not in only:
            continue
        try:
            item.run(new)
        except ConformanceError as error:
            failures[item.name] = error
    return failures


def attempt(harness: Harness, what: str, call: Callable[[], object]) -> ConnectorError | None:
    """Return the error with which `call` ended, None if it returned; fails on errors of no known class.

    It fails as well when the error tells a secret.

    After `RateLimitedError` the clock moves on by what the platform asked for.
    """
    try:
        call()
    except Exception as error:  # noqa: BLE001 - whatever leaves the connector is what is judged here
        judged = judge_error(error, harness.personal_data, what)
        if any(secret and secret in f"{judged} {judged!r}" for secret in harness.secrets):
            fail(Finding.TOLD_SECRET, f"{what}: {type(judged).__name__} quotes it")
        if isinstance(judged, RateLimitedError):
            harness.clock.advance(seconds=min(judged.retry_after_s, 3600))
        return judged
    return None


def requests_of(harness: Harness, call: Callable[[], object]) -> int:
    """Return how many HTTP requests `call` makes when nothing goes wrong."""
    before = harness.requests
    call()
    return harness.requests - before
