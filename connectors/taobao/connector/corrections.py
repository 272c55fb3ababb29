"""Another number for a parcel that the platform knows.

Why the order is read first: a trade that went out in several parcels must be told which of them is meant, and one that
shows the number already needs no call.
"""

from connectors.taobao.connector.shipments import SPLIT, TaobaoShipments, demand_success, oid_of
from connectors.taobao.mapping import company_code
from erpsync.sdk.errors import RejectedError
from erpsync.sdk.roles import ShipmentCorrector
from erpsync.sdk.top import rows_of
from erpsync.sdk.types import Repeat, Shipment

RESEND = "taobao.logistics.consign.resend"
NOTHING_CHANGED = "P07"
"""End of the sub_code of a repeat, which is a success. Source: protocol note taobao.md section 4."""


class TaobaoCorrections(TaobaoShipments, ShipmentCorrector):
    """Tells the platform how a parcel really travels."""

    correction_repeat = Repeat.LOOK_FIRST

    def correct_shipment(self, shipment: Shipment) -> None:
        """Report the parcel's carrier and number anew; returns when the platform has them."""
        company = company_code(shipment.carrier, self.settings.company_codes)
        trade = self.trade_of(shipment)
        params = {"tid": shipment.order_external_id, "company_code": company, "out_sid": shipment.tracking}
        oids = [line.external_id for line in shipment.lines]
        sent = {oid_of(row) for row in rows_of(trade, "orders", "order", path="$.trade") if row.get("invoice_no")}
        if trade.get("status") == SPLIT or not sent <= set(oids):
            params |= {"is_split": "1", "sub_tid": ",".join(oids)}
        try:
            answer = self.client.call(RESEND, params, repeatable=False)
        except RejectedError as error:
            if error.code.rpartition(":")[2] != NOTHING_CHANGED:
                raise
        else:
            demand_success(answer, "shipping", "is_success")
