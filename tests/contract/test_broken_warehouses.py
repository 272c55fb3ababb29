"""The suite catches warehouses and queues that break their promises, by the name of the defect.

failures.md rows 3, 6, 8, 16 and 26: each is one of ours with one method gone wrong.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from connectors.taobao.connector import TaobaoConnector
from connectors.warehouse_json.connector import WarehouseJsonConnector
from connectors.warehouse_json.mapping import release_data
from erpsync.sdk.errors import OutcomeUnknownError, TransientError
from erpsync.sdk.testing import Finding, Harness, audit
from erpsync.sdk.types import Cursor, Release, WarehousePage
from tests.connectors.taobao.test_conformance import TaobaoHarness
from tests.connectors.warehouse_json.test_conformance import SystemHarness


class RepeatsTheRelease(WarehouseJsonConnector):
    def release(self, order: Release) -> None:
        self._client.call("release", release_data(order), repeatable=True)


class DeniesTheRelease(WarehouseJsonConnector):
    def release(self, order: Release) -> None:
        try:
            super().release(order)
        except OutcomeUnknownError as error:
            raise TransientError(error.problem) from error


class ForgetsTheWaybill(WarehouseJsonConnector):
    def release(self, order: Release) -> None:
        super().release(replace(order, waybills=()))


class CannotFindTheRelease(WarehouseJsonConnector):
    def find_release(self, number: str) -> bool:
        return False


class ClaimsToHaveStopped(WarehouseJsonConnector):
    def cancel(self, number: str) -> bool | None:
        return True


class TakesALostAnswerForAStop(WarehouseJsonConnector):
    def cancel(self, number: str) -> bool | None:
        try:
            return super().cancel(number)
        except TransientError:
            return True


class StopsTheFeedAtAShortPage(WarehouseJsonConnector):
    def pull_warehouse(self, cursor: Cursor) -> Iterator[WarehousePage]:
        for page in super().pull_warehouse(cursor):
            if len(page.counts) < self.settings.page_size:
                return
            yield page


class MovesTheMarkOfTheFeedTooEarly(WarehouseJsonConnector):
    def pull_warehouse(self, cursor: Cursor) -> Iterator[WarehousePage]:
        for page in super().pull_warehouse(cursor):
            yield replace(page, mark=str(int(page.mark) + 1))


class TakesAFailedPageForTheEndOfTheFeed(WarehouseJsonConnector):
    def pull_warehouse(self, cursor: Cursor) -> Iterator[WarehousePage]:
        try:
            yield from super().pull_warehouse(cursor)
        except TransientError:
            return


class ConfirmsHintsBeforeTheyAreCommitted(TaobaoConnector):
    def pull_hints(self) -> Iterator[tuple[str, ...]]:
        yield from list(super().pull_hints())


class NeverConfirmsHints(TaobaoConnector):
    def pull_hints(self) -> Iterator[tuple[str, ...]]:
        for names in super().pull_hints():
            yield names
            return


BROKEN = [
    (RepeatsTheRelease, "release_is_repeated_only_as_declared", Finding.REPEATED_NEVER_CALL),
    (DeniesTheRelease, "release_error_tells_the_truth", Finding.EFFECT_DENIED),
    (ForgetsTheWaybill, "release_takes_its_waybills_along", Finding.EFFECT_CLAIMED),
    (CannotFindTheRelease, "release_can_be_looked_for", Finding.CANNOT_LOOK),
    (ClaimsToHaveStopped, "wish_to_stop_may_come_twice_and_for_what_never_came", Finding.EFFECT_CLAIMED),
    (TakesALostAnswerForAStop, "wish_to_stop_is_told_as_it_ended", Finding.EFFECT_CLAIMED),
    (StopsTheFeedAtAShortPage, "warehouse_reports_arrive_whatever_page_the_daemon_dies_at", Finding.LOST_REPORT),
    (MovesTheMarkOfTheFeedTooEarly, "warehouse_reports_arrive_whatever_page_the_daemon_dies_at", Finding.LOST_REPORT),
    (TakesAFailedPageForTheEndOfTheFeed, "warehouse_reports_that_fail_are_no_end", Finding.SWALLOWED_ERROR),
    (ConfirmsHintsBeforeTheyAreCommitted, "hints_come_again_until_the_wish_is_committed", Finding.LOST_REPORT),
    (NeverConfirmsHints, "hints_come_again_until_the_wish_is_committed", Finding.DOUBLED_EFFECT),
]


def harness_of(broken: type) -> Callable[[], Harness]:
    """Return harnesses whose connector is of another class than the one they were written for."""
    kind = TaobaoHarness if issubclass(broken, TaobaoConnector) else SystemHarness

    class Broken(kind):  # type: ignore[misc, valid-type]
        def connector(self) -> object:
            made = super().connector()
            return broken(made.settings, made.http, made.clock)

    return Broken


@pytest.mark.parametrize(("broken", "check", "finding"), BROKEN, ids=[row[0].__name__ for row in BROKEN])
def test_a_broken_warehouse_or_queue_is_caught_by_the_name_of_its_defect(
    broken: type, check: str, finding: Finding
) -> None:
    found = audit(harness_of(broken), only=[check])

    assert found[check].finding is finding
