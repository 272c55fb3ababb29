"""A warehouse system with an API of ours: releases and wishes to stop are calls, reports are a feed that we read.

Why a feed and not calls to us: its mark moves in the commit that books the reports, so none is lost or booked twice,
and the warehouse needs no way into the shop's network.
"""

from collections.abc import Iterator
from typing import Any

from connectors.warehouse_json.client import WarehouseClient
from connectors.warehouse_json.mapping import release_data, report_of
from connectors.warehouse_json.settings import WarehouseJsonSettings
from erpsync.sdk.clock import Clock
from erpsync.sdk.errors import RejectedError, TransientError
from erpsync.sdk.http import HttpClient
from erpsync.sdk.roles import Connector, WarehouseSink, WarehouseSource
from erpsync.sdk.types import (
    CheckReport,
    Cursor,
    Release,
    Repeat,
    WarehousePage,
)


class WarehouseJsonConnector(Connector, WarehouseSink, WarehouseSource):
    """Calls a warehouse system."""

    Settings = WarehouseJsonSettings
    settings: WarehouseJsonSettings
    repeat = Repeat.LOOK_FIRST

    def __init__(self, settings: WarehouseJsonSettings, http: HttpClient, clock: Clock) -> None:
        super().__init__(settings, http, clock)
        self._client = WarehouseClient(settings, http, clock)

    def check(self) -> CheckReport:
        """Send a signed ping, which the system answers without doing anything."""
        self._client.call("ping", {}, repeatable=True)
        return CheckReport()

    def release(self, order: Release) -> None:
        """Hand a release over; a refusal counts only if the system does not have it after all.

        A call that was given up may arrive late, and its repetition is then refused as known.
        """
        try:
            self._client.call("release", release_data(order), repeatable=False)
        except RejectedError:
            if not self.find_release(order.number):
                raise

    def find_release(self, number: str) -> bool:
        """Return whether the system has the release."""
        return _flag(self._client.call("find_release", {"number": number}, repeatable=True), "found") is True

    def cancel(self, number: str) -> bool | None:
        """Ask to stop a release; `stopped: null` means that the answer comes in the feed."""
        return _flag(self._client.call("cancel", {"number": number}, repeatable=True), "stopped")

    def pull_warehouse(self, cursor: Cursor) -> Iterator[WarehousePage]:
        """Yield the feed from the mark on, until it has nothing more to say."""
        mark = cursor.mark or ""
        while True:
            data = {"after": mark, "limit": self.settings.page_size}
            answer = self._client.call("reports", data, repeatable=True)
            rows, after = answer.get("reports"), answer.get("mark")
            if not isinstance(rows, list) or not isinstance(after, str):
                raise TransientError("the feed's answer has no reports or no mark")
            if not rows:
                return
            if after == mark:
                raise TransientError("the feed's mark does not move, although there are reports")
            mark = after
            yield WarehousePage.of([report_of(row) for row in rows], mark=mark)


def _flag(answer: Any, name: str) -> bool | None:
    """Return a yes, no or nothing. Raises `TransientError` for any other answer; the call may be repeated."""
    value = answer.get(name)
    if value is not None and not isinstance(value, bool):
        raise TransientError(f"expected {name} to be true, false or null")
    return value
