"""Shipping: the rules by which the platform takes or refuses a parcel.

Source: protocol note taobao.md section 4; which refusal goes with which situation follows its table.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.taobao.sandbox.buyers import CLOSED, SHIPPED
from connectors.taobao.sandbox.errors import TopError, missing, refused
from connectors.taobao.sandbox.lists import Lists
from erpsync.sdk.sandbox.shop import Record

COMPANIES: Mapping[str, tuple[int, str]] = {
    "SF": (505, "顺丰速运"),
    "YTO": (101, "圆通速递"),
    "ZTO": (500, "中通快递"),
    "STO": (100, "申通快递"),
    "YUNDA": (102, "韵达快递"),
    "HTKY": (502, "极兔速递"),
    "EMS": (2, "EMS"),
    "POSTB": (200734, "邮政快递包裹"),
    "JD": (1, "京东快递"),
    "DBKD": (5000000110730, "德邦快递"),
    "DBL": (107, "德邦物流"),
    "UC": (1207, "优速快递"),
    "ZJS": (103, "宅急送"),
    "GTO": (200143, "国通快递"),
    "TTKDEX": (504, "天天快递"),
}
"""Source: protocol note couriers.md section 4; the id of JD is invented."""

COD = frozenset({"cod", "b2c_cod", "super_market_cod_trade"})
SENDABLE = ("WAIT_SELLER_SEND_GOODS", "SELLER_CONSIGNED_PART")


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """What the platform was told: units by sub-order."""

    tid: str
    company_code: str
    out_sid: str
    units: Mapping[str, int]
    at: str


class Logistics(Lists):
    """The shop's parcels. `parcels` holds the accepted ones, `parcel_attempts` the numbers of all calls."""

    parcels: list[Parcel]
    parcel_attempts: list[str]

    def shipments(self) -> list[Parcel]:
        """Return the parcels the platform has accepted, oldest first."""
        with self.lock:
            return list(self.parcels)

    def ship_by_hand(self, tid: str, company_code: str, out_sid: str, oids: Collection[str] = ()) -> None:
        """Let the seller's staff ship in the platform's own back office; all that is left unless `oids` names some."""
        with self.lock:
            trade = self.trades.records[tid]
            left = [row for row in _open(trade) if not oids or str(row["oid"]) in oids]
            self._ship(trade, {str(row["oid"]): row["num"] for row in left}, company_code, out_sid)

    # ---- calls -----------------------------------------------------------------------------------------------------

    def logistics_companies_get(self, params: Mapping[str, str]) -> dict[str, Any]:
        """Answer taobao.logistics.companies.get."""
        if not params.get("fields"):
            raise missing("fields")
        rows = [
            {"id": number, "code": code, "name": name, "reg_mail_no": "^[A-Za-z0-9-]{4,32}$"}
            for code, (number, name) in COMPANIES.items()
        ]
        return {"logistics_companies": {"logistics_company": rows}}

    def logistics_offline_send(self, params: Mapping[str, str]) -> dict[str, Any]:
        """Answer taobao.logistics.offline.send."""
        return self._send(params, "logistics-offline", cod=False)

    def logistics_online_send(self, params: Mapping[str, str]) -> dict[str, Any]:
        """Answer taobao.logistics.online.send, with a waybill number."""
        return self._send(params, "logistics-online", cod=True)

    def ascp_offline_send(self, params: Mapping[str, str]) -> dict[str, Any]:
        """Answer alibaba.ascp.logistics.offline.send: part quantities in several packages."""
        service = "logistics-offline"
        trade = self._sendable(params, service)
        packages = _json_list(params, "consign_pkgs")
        part = {str(row["sub_tid"]): bool(row["is_part_consign"]) for row in _json_list(params, "consign_status")}
        for package in packages:
            self._check_company(package["company_code"], str(package["out_sid"]), service)
            units = {str(good["sub_tid"]): int(good["num"]) for good in package["goods"]}
            self._check_units(trade, units, service)
            trade = self._ship(trade, units, package["company_code"], package["out_sid"], part=part)
        return {"result": {"success": True}}

    def _send(self, params: Mapping[str, str], service: str, *, cod: bool) -> dict[str, Any]:
        trade = self._sendable(params, service)
        company, number = params.get("company_code", ""), params.get("out_sid", "")
        self._check_company(company, number, service)
        if (trade["type"] in COD) is not cod:
            raise refused(service, "B98", "the type of the trade does not fit the method")
        chosen = self._chosen(trade, params, service)
        self._ship(trade, {str(row["oid"]): row["num"] for row in chosen}, company, number)
        return {"shipping": {"is_success": True}}

    def _sendable(self, params: Mapping[str, str], service: str) -> Record:
        """Return the trade, if it can be shipped at all."""
        self.parcel_attempts.append(_number_in(params))
        if not params.get("tid"):
            raise missing("tid")
        trade = self.trades.records.get(params["tid"])
        if trade is None:
            raise refused(service, "B01", "the trade does not exist")
        if trade["status"] in SHIPPED or trade["status"] in CLOSED:
            raise refused(service, "B04", "the trade was shipped or closed before")
        held = any(int(trade.get(name) or 0) for name in ("top_hold", "team_buy_hold", "forbid_consign"))
        if trade["status"] not in SENDABLE or held:
            raise refused(service, "B02", "the status of the trade does not allow shipping")
        return trade

    def _check_company(self, company: str, number: str, service: str) -> None:
        if not number:
            raise refused(service, "B59", "no waybill number")
        if company not in COMPANIES:
            raise refused(service, "B56", "no such carrier")
        if not 4 <= len(number) <= 32 or not number.replace("-", "").isalnum():
            raise refused(service, "B60", "the waybill number has a wrong format")

    def _chosen(self, trade: Record, params: Mapping[str, str], service: str) -> Sequence[Record]:
        """Return the sub-orders the call ships, by the rules for splitting."""
        oids = [part for part in params.get("sub_tid", "").split(",") if part]
        split = params.get("is_split") == "1"
        was_split = trade["status"] == "SELLER_CONSIGNED_PART"
        left = _open(trade)
        if not split and not oids:
            if was_split:
                raise refused(service, "CD22", "the trade was split: sub_tid and is_split=1 are needed")
            return left
        if not (split and oids):
            raise refused(service, "P38", "is_split and sub_tid go together")
        line_ids = {str(row["oid"]) for row in trade["orders"]["order"]}
        if not set(oids) <= line_ids:
            raise refused(service, "B06", "the sub-orders do not belong to the trade")
        chosen = [row for row in left if str(row["oid"]) in oids]
        if not chosen:
            raise refused(service, "B04", "these sub-orders were shipped or closed before")
        if len(chosen) < len(set(oids)):
            raise refused(service, "CD26", "some of the sub-orders were shipped or closed before")
        if not was_split and len(chosen) == len(left):
            raise refused(service, "CD25", "the first split must leave something unshipped")
        return chosen

    def _check_units(self, trade: Record, units: Mapping[str, int], service: str) -> None:
        left = {str(row["oid"]): row["num"] - row.get("_sent", 0) for row in _open(trade)}
        for oid, number in units.items():
            if oid not in left:
                raise refused(service, "B04", "this sub-order was shipped or closed before")
            if not 1 <= number <= left[oid]:
                raise refused(service, "CD16", "more units than are left")

    def _ship(
        self,
        trade: Record,
        units: Mapping[str, int],
        company: str,
        number: str,
        *,
        part: Mapping[str, bool] | None = None,
    ) -> Record:
        """Write a parcel into the trade and its sub-orders; return the trade."""
        now = self.now_text()
        orders = [
            _shipped(row, units[str(row["oid"])], (part or {}).get(str(row["oid"]), False), company, number, now)
            if str(row["oid"]) in units
            else row
            for row in trade["orders"]["order"]
        ]
        whole = all(row["status"] in SHIPPED or row["status"] in CLOSED for row in orders)
        trade = self.change_trade(
            trade,
            orders={"order": orders},
            status="WAIT_BUYER_CONFIRM_GOODS" if whole else "SELLER_CONSIGNED_PART",
            is_part_consign=not whole or bool(trade.get("is_part_consign")),
            consign_time=now,
        )
        self.parcels.append(
            Parcel(tid=str(trade["tid"]), company_code=company, out_sid=number, units=dict(units), at=now)
        )
        self.notify_trade("TradeSellerShip" if whole else "TradePartlySellerShip", trade)
        return trade


def _open(trade: Record) -> list[Record]:
    """Return the sub-orders that are neither shipped nor closed."""
    return [row for row in trade["orders"]["order"] if row["status"] not in SHIPPED and row["status"] not in CLOSED]


def _shipped(row: Record, units: int, part: bool, company: str, number: str, now: str) -> Record:
    sent = row.get("_sent", 0) + units
    parcel = {"logistics_company": COMPANIES[company][1], "invoice_no": number, "_sent": sent}
    if part:
        return {**row, **parcel}
    return {**row, **parcel, "consign_time": now, "status": "WAIT_BUYER_CONFIRM_GOODS"}


def _json_list(params: Mapping[str, str], name: str) -> list[dict[str, Any]]:
    if not params.get(name):
        raise missing(name)
    try:
        value = json.loads(params[name])
    except ValueError:
        value = None
    if not isinstance(value, list):
        raise TopError(41, f"isv.invalid-parameter:{name}")
    return value


def _number_in(params: Mapping[str, str]) -> str:
    if "consign_pkgs" not in params:
        return params.get("out_sid", "")
    return ",".join(str(package.get("out_sid", "")) for package in _json_list(params, "consign_pkgs"))
