"""Corrections of parcels: the rules by which the platform takes another carrier or number.

Source: protocol note taobao.md section 4.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from connectors.taobao.sandbox.buyers import SHIPPED
from connectors.taobao.sandbox.errors import TopError, missing
from connectors.taobao.sandbox.logistics import COMPANIES, Logistics

FAULT = "isv.logistics-update-company-or-mailno-error"


class Resends(Logistics):
    """The shop's parcels, whose numbers can be corrected. `corrections` are those taken, as (tid, number)."""

    corrections: list[tuple[str, str]]

    def logistics_consign_resend(self, params: Mapping[str, str]) -> dict[str, Any]:
        """Answer taobao.logistics.consign.resend."""
        for name in ("tid", "company_code", "out_sid"):
            if not params.get(name):
                raise missing(name)
        trade = self.trades.records.get(params["tid"])
        if trade is None:
            raise _refused("P02", "no such logistics order")
        if trade["status"] not in (*SHIPPED, "SELLER_CONSIGNED_PART"):
            raise _refused("CD19", "the trade was not shipped yet")
        company, number = params["company_code"], params["out_sid"]
        if company not in COMPANIES or not 4 <= len(number) <= 32 or not number.replace("-", "").isalnum():
            raise _refused("P10", "the carrier or the waybill number is not valid")
        oids = {part for part in params.get("sub_tid", "").split(",") if part}
        sent = [row for row in trade["orders"]["order"] if row.get("invoice_no")]
        chosen = [row for row in sent if not oids or str(row["oid"]) in oids]
        if not chosen or (len({row["invoice_no"] for row in sent}) > 1 and not oids):
            raise _refused("P06", "the trade has several parcels: sub_tid and is_split=1 are needed")
        name = COMPANIES[company][1]
        if all((row["invoice_no"], row["logistics_company"]) == (number, name) for row in chosen):
            raise _refused("P07", "nothing changed")
        was, line_ids = {row["invoice_no"] for row in chosen}, {str(row["oid"]) for row in chosen}
        rows = [
            {**row, "invoice_no": number, "logistics_company": name} if str(row["oid"]) in line_ids else row
            for row in trade["orders"]["order"]
        ]
        self.change_trade(trade, orders={"order": rows})
        self.parcels[:] = [
            replace(parcel, company_code=company, out_sid=number)
            if parcel.tid == params["tid"] and parcel.out_sid in was
            else parcel
            for parcel in self.parcels
        ]
        self.corrections.append((params["tid"], number))
        return {"shipping": {"is_success": True}}


def _refused(reason: str, text: str) -> TopError:
    return TopError(15, f"{FAULT}:{reason}", text)
