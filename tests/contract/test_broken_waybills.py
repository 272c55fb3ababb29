"""The suite catches couriers whose numbers do not follow, by the name of the defect."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest

from connectors.carrier_file.connector import CarrierFileAccount
from connectors.sf.connector import SfConnector
from erpsync.sdk.testing import Finding, audit
from erpsync.sdk.types import BookingRequest, Cursor, WaybillPage
from tests.connectors.carrier_file.test_conformance import FileHarness
from tests.connectors.sf.test_conformance import SfHarness

NUMBER = "waybill_has_the_numbers_that_the_courier_gave"
PAGES = "waybills_reports_arrive_whatever_page_the_daemon_dies_at"


class TellsNoNumbers(CarrierFileAccount):
    def pull_waybills(self, cursor: Cursor) -> Iterator[WaybillPage]:
        for page in super().pull_waybills(cursor):
            yield replace(page, booked=())


class TellsANeighboursNumber(CarrierFileAccount):
    def pull_waybills(self, cursor: Cursor) -> Iterator[WaybillPage]:
        for page in super().pull_waybills(cursor):
            yield replace(
                page, booked=tuple(replace(each, waybill=replace(each.waybill, number="YT9")) for each in page.booked)
            )


class FilesAwayBeforeTheCommit(CarrierFileAccount):
    def pull_waybills(self, cursor: Cursor) -> Iterator[WaybillPage]:
        yield from list(super().pull_waybills(cursor))


class HandsOverAndNothingFollows(SfConnector):
    def book(self, request: BookingRequest) -> None:  # type: ignore[override]
        super().book(request)


class Broken(FileHarness):
    def __init__(self, folder: Path, kind: type[CarrierFileAccount]) -> None:
        super().__init__(folder)
        self.kind = kind

    def connector(self) -> CarrierFileAccount:
        settings = self.kind.Settings.model_validate({**self.courier.settings(), "settle_s": 0})
        return self.kind(settings, self.http(), self.clock)


class NothingFollows(SfHarness):
    def connector(self) -> SfConnector:
        return HandsOverAndNothingFollows(super().connector().settings, self.http(), self.clock)


@pytest.mark.parametrize(
    ("kind", "check", "finding"),
    [
        (TellsNoNumbers, NUMBER, Finding.EMPTY_NUMBER),
        (TellsANeighboursNumber, NUMBER, Finding.WRONG_NUMBER),
        (FilesAwayBeforeTheCommit, PAGES, Finding.LOST_REPORT),
    ],
)
def test_a_broken_courier_of_files_is_caught_by_name(
    tmp_path: Path, kind: type[CarrierFileAccount], check: str, finding: Finding
) -> None:
    folders = (tmp_path / str(number) for number in count(1))

    assert audit(lambda: Broken(next(folders), kind), only=[check])[check].finding is finding
    assert audit(lambda: FileHarness(next(folders)), only=[check]) == {}


def test_a_courier_that_hands_over_has_to_tell_numbers_later() -> None:
    assert audit(NothingFollows, only=[NUMBER])[NUMBER].finding is Finding.EMPTY_NUMBER
