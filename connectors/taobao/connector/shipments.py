"""Parcels: the platform is told once, and asked before it is told again.

Why the order is read before every send: cash on delivery needs another method, an order that was split once must be
split for ever, and a parcel that is there already must not be sent twice (a repeat fails, it is not idempotent).
"""

import json
from collections.abc import Collection, Mapping
from typing import Any

from connectors.taobao.connector.base import TaobaoBase
from connectors.taobao.mapping import COD_TYPES, company_code, is_open
from erpsync.sdk.errors import OutcomeUnknownError, RejectedError, TransientError
from erpsync.sdk.roles import ShipmentSink
from erpsync.sdk.top import Answer, rows_of
from erpsync.sdk.types import Repeat, Shipment, ShipmentLine

OFFLINE = "taobao.logistics.offline.send"
ONLINE = "taobao.logistics.online.send"
PARTS = "alibaba.ascp.logistics.offline.send"
MAX_SUB_TIDS: Mapping[str, int] = {OFFLINE: 50, ONLINE: 20}
"""Sub-orders in one call. Source: protocol note taobao.md section 4."""

LOOK_CODES = frozenset({"B04", "B27", "HD06"})
"""Ends of sub_codes by which a shipment may be there already: look at the order. Source: the same section."""

SPLIT = "SELLER_CONSIGNED_PART"


class TaobaoShipments(TaobaoBase, ShipmentSink):
    """Tells the shop's buyers that their parcels left."""

    repeat = Repeat.LOOK_FIRST

    def push_shipment(self, shipment: Shipment) -> None:
        """Report one parcel; returns when the platform has accepted it or already has it."""
        company = company_code(shipment.carrier, self.settings.company_codes)
        trade = self.trade_of(shipment)
        if _has_parcel(trade, shipment):
            return
        try:
            if any(_is_part(line) for line in shipment.lines) and not shipment.whole:
                self._send_parts(shipment, company)
            else:
                self._send_lines(shipment, company, trade)
        except RejectedError as error:
            if error.code.rpartition(":")[2] not in LOOK_CODES or not self.find_shipment(shipment):
                raise

    def find_shipment(self, shipment: Shipment) -> bool:
        """Return whether one of the parcel's lines already carries its tracking number."""
        return _has_parcel(self.trade_of(shipment), shipment)

    def trade_of(self, shipment: Shipment) -> Mapping[str, Any]:
        """Return a parcel's order as the platform has it."""
        answer = self.read("taobao.trade.fullinfo.get", tid=shipment.order_external_id, fields="tid,type,status,orders")
        trade = answer.body.get("trade")
        if isinstance(trade, dict):
            return trade
        raise TransientError(f"answer to the detail call for {shipment.order_external_id} holds no trade")

    def _send_lines(self, shipment: Shipment, company: str, trade: Mapping[str, Any]) -> None:
        """Report whole lines; with `is_split` and `sub_tid` as soon as the order goes out in more than one parcel.

        A parcel that holds all that is still open there is none of several: what else the order had was closed, and the
        platform refuses a first split that leaves nothing. Source: protocol note taobao.md section 4.
        """
        method = ONLINE if trade.get("type") in COD_TYPES else OFFLINE
        params = {"tid": shipment.order_external_id, "company_code": company, "out_sid": shipment.tracking}
        oids = [line.external_id for line in shipment.lines]
        if trade.get("status") == SPLIT or not (shipment.whole or _is_all(trade, oids)):
            if len(oids) > MAX_SUB_TIDS[method]:
                raise RejectedError(f"a parcel of a split order may hold {MAX_SUB_TIDS[method]} lines, not {len(oids)}")
            params |= {"is_split": "1", "sub_tid": ",".join(oids)}
        answer = self.client.call(method, params, repeatable=False)
        demand_success(answer, "shipping", "is_success")

    def _send_parts(self, shipment: Shipment, company: str) -> None:
        """Report a parcel that holds only some units of a line, which the older methods cannot say."""
        package = {
            "out_sid": shipment.tracking,
            "company_code": company,
            "goods": [{"sub_tid": line.external_id, "num": line.qty, "item_type": 0} for line in shipment.lines],
        }
        statuses = [
            {"sub_tid": line.external_id, "is_part_consign": line.earlier_qty + line.qty < line.ordered_qty}
            for line in shipment.lines
        ]
        params = {
            "tid": shipment.order_external_id,
            "sub_tid": ",".join(line.external_id for line in shipment.lines),
            "consign_pkgs": json.dumps([package]),
            "consign_status": json.dumps(statuses),
            "consign_type": "1",
        }
        answer = self.client.call(PARTS, params, repeatable=False)
        demand_success(answer, "result", "success")


def _is_part(line: ShipmentLine) -> bool:
    return line.earlier_qty > 0 or line.qty < line.ordered_qty


def _is_all(trade: Mapping[str, Any], oids: Collection[str]) -> bool:
    """Return whether these are all sub-orders of the trade that are still open."""
    rows = rows_of(trade, "orders", "order", path="$.trade")
    return bool(rows) and {oid_of(row) for row in rows if is_open(row)} <= set(oids)


def oid_of(row: Mapping[str, Any]) -> str:
    """Return the number of a sub-order."""
    return str(row.get("oid") or row.get("oid_str"))


def _has_parcel(trade: Mapping[str, Any], shipment: Shipment) -> bool:
    wanted = {line.external_id for line in shipment.lines}
    return any(
        _same_number(row.get("invoice_no"), shipment.tracking)
        for row in rows_of(trade, "orders", "order", path="$.trade")
        if oid_of(row) in wanted
    )


def _same_number(value: object, tracking: str) -> bool:
    return str(value or "").strip().upper() == tracking.strip().upper()


def demand_success(answer: Answer, part: str, name: str) -> None:
    """Raise unless the answer says that the parcel was taken."""
    said = answer.body.get(part)
    success = said.get(name) if isinstance(said, dict) else None
    if success is False:
        raise RejectedError("the platform did not take the parcel and gave no reason", code=f"{name}=false")
    if success is not True:
        raise OutcomeUnknownError(f"the answer does not say {part}.{name}")
