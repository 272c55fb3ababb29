"""The whole shop, and the check that proves its settings."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from connectors.taobao.connector.corrections import TaobaoCorrections
from connectors.taobao.connector.hints import TaobaoHints
from connectors.taobao.connector.listings import TaobaoListings
from connectors.taobao.connector.orders import CHANGED, TaobaoOrders
from connectors.taobao.connector.refunds import RECEIVED, TaobaoRefunds
from connectors.taobao.connector.stock import TaobaoStock
from connectors.taobao.mapping import CARRIERS, format_time
from erpsync.sdk.top import rows_of
from erpsync.sdk.top.notes import clock_notes, session_notes
from erpsync.sdk.types import CheckReport


class TaobaoConnector(TaobaoOrders, TaobaoRefunds, TaobaoListings, TaobaoStock, TaobaoCorrections, TaobaoHints):
    """A Taobao or Tmall shop: orders, refunds, catalogue, stock, shipments, their numbers and poll-now hints."""

    def check(self) -> CheckReport:
        """Read the clock, the carrier list and one row of each list, and change nothing.

        Raises a `ConnectorError` when the address, the app or the shop's session is not accepted, or lacks a permission
        to read orders, refunds or items.
        """
        now = self.client.server_now()
        companies = self.client.call(
            "taobao.logistics.companies.get", {"fields": "id,code,name,reg_mail_no"}, with_session=False
        )
        codes = {str(row.get("code")) for row in rows_of(companies.body, "logistics_companies", "logistics_company")}
        start, end = format_time(now - timedelta(minutes=1)), format_time(now)
        for listing in (CHANGED, RECEIVED):
            fields = listing.id_field
            self.read(listing.method, fields=fields, start_modified=start, end_modified=end, page_size=1)
        self.read("taobao.items.onsale.get", fields="num_iid", page_size=1)
        return CheckReport(
            notes=tuple(self._notes(codes)),
            clock_ahead_s=self.client.ahead_s(),
            token_expires_at=self.token_expires_at(),
        )

    def token_expires_at(self) -> datetime | None:
        """Return when the session ends, if the operator set `session_expires_at`: no call tells it."""
        return self.settings.session_expires_at

    def _notes(self, known_companies: set[str]) -> Iterator[str]:
        yield from clock_notes(self.client.ahead_s())
        codes = {**CARRIERS, **self.settings.company_codes}
        lacking = sorted(f"{ours} ({theirs})" for ours, theirs in codes.items() if theirs not in known_companies)
        if lacking:
            yield f"carriers that the platform's list lacks: {', '.join(lacking)}"
        yield from session_notes(self.token_expires_at(), self.clock.now())
