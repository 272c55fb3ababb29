"""A small shop platform, as an honest sandbox would play it.

It is the other side of the reference connector.
"""

import json
import threading
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

from erpsync.sdk.clock import Clock
from erpsync.sdk.sandbox import Fault, Sandbox, SandboxRequest, SandboxResponse

BEIJING = timezone(timedelta(hours=8))
FORMAT = "%Y-%m-%d %H:%M:%S"
SECRET = b"shop-secret"
PERSON = ("王小明", "13800138000", "文三路 1 号")


def stamp(at: datetime) -> str:
    return at.astimezone(BEIJING).strftime(FORMAT)


class ShopSandbox(Sandbox):
    """The platform: lists by change time, newest first, without a snapshot; money as text, time as Beijing text."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self.clock = clock
        self.ahead = timedelta(0)
        self.tables: dict[str, dict[str, dict[str, Any]]] = {"orders": {}, "refunds": {}}
        self.listings: dict[str, int] = {}
        self.shipped: list[str] = []
        self.attempts: list[str] = []
        self.reports: list[str] = []
        self.lock = threading.RLock()

    def now(self) -> datetime:
        return self.clock.now() + self.ahead

    def throttled(self, request: SandboxRequest) -> SandboxResponse:
        return SandboxResponse.of_json({"error": "limit", "wait_s": 3})

    def answer(self, request: SandboxRequest) -> SandboxResponse:
        if self.faults.strikes(Fault.EXPIRED_TOKEN) or request.headers.get("x-token") != "good":
            return SandboxResponse.of_json({"error": "token"})
        if self.faults.strikes(Fault.PLATFORM_ERROR):
            return SandboxResponse.of_json({"error": "busy"})
        calls = {"/time": self.tell_time, "/list": self.list_rows, "/listings": self.list_listings}
        calls |= {"/ship": self.ship, "/parcels": self.parcels, "/stock": self.set_stock}
        calls |= {"/ship_again": self.ship_again, "/reports": self.list_reports, "/take_reports": self.take_reports}
        with self.lock:
            return SandboxResponse.of_json(calls[request.path](request.form()))

    def tell_time(self, form: Mapping[str, str]) -> Any:
        return {"now": stamp(self.now())}

    def list_rows(self, form: Mapping[str, str]) -> Any:
        by, size, page = form["by"], int(form["size"]), int(form["page"])
        rows = [row for row in self.tables[form["table"]].values() if form["from"] <= row[by] <= form["to"]]
        if self.faults.strikes(Fault.LATE):
            rows = [row for row in rows if row["modified"] <= stamp(self.now() - timedelta(seconds=60))]
        rows.sort(key=lambda row: (row[by], row["id"]), reverse=True)
        found = rows[(page - 1) * size : page * size]
        if found and self.faults.strikes(Fault.DUPLICATE):
            found = [found[0], *found]
        return {"rows": found, "total": len(rows)}

    def list_listings(self, form: Mapping[str, str]) -> Any:
        names = sorted(name for name in self.listings if name > form["after"])
        return {"rows": [{"sku": name, "shown": self.listings[name]} for name in names[: int(form["size"])]]}

    def ship(self, form: Mapping[str, str]) -> Any:
        self.attempts.append(form["tracking"])
        if form["order"] not in self.tables["orders"]:
            return {"error": "no_such_order"}
        if form["tracking"] in self.shipped:
            return {"error": "already_shipped"}
        self.shipped.append(form["tracking"])
        return {"ok": True}

    def ship_again(self, form: Mapping[str, str]) -> Any:
        self.attempts.append(form["tracking"])
        self.shipped.append(form["tracking"])
        return {"ok": True}

    def list_reports(self, form: Mapping[str, str]) -> Any:
        start, size = int(form["start"]), int(form["size"])
        return {"rows": self.reports[start : start + size]}

    def take_reports(self, form: Mapping[str, str]) -> Any:
        taken, self.reports = self.reports, []
        return {"rows": taken}

    def parcels(self, form: Mapping[str, str]) -> Any:
        return {"rows": list(self.shipped)}

    def set_stock(self, form: Mapping[str, str]) -> Any:
        refused = {}
        for sku, qty in json.loads(form["levels"]).items():
            if sku in self.listings:
                self.listings[sku] = qty
            else:
                refused[sku] = "no_such_listing"
        return {"refused": refused}
