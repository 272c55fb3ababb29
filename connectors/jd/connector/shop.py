"""The whole shop, the check that proves its settings, and the renewal of its token."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from connectors.jd.client import SHOP, may_refresh, refreshed, result_of
from connectors.jd.connector.listings import JdListings
from connectors.jd.connector.orders import BY_MODIFIED
from connectors.jd.connector.refunds import JdRefunds
from connectors.jd.connector.shipments import JdShipments
from connectors.jd.connector.stock import JdStock
from erpsync.sdk.roles import TokenHolder
from erpsync.sdk.tokens import TokenPair
from erpsync.sdk.types import CheckReport

CLOCK_NOTE_S = 5.0
EXPIRY_NOTE = timedelta(days=14)


class JdConnector(JdShipments, JdRefunds, JdListings, JdStock, TokenHolder):
    """A JD shop: orders, refunds before delivery, catalogue, stock and shipments."""

    def check(self) -> CheckReport:
        """Read the shop's name and one row of each list, and change nothing.

        Raises a `ConnectorError` when the address, the app or the shop's token is not accepted, or lacks a permission
        to read orders, refunds or SKUs.
        """
        shop = self.read(SHOP)
        info = result_of(shop, "vender_info_result")
        now = shop.platform_at or shop.sent_at
        start = now - timedelta(minutes=1)
        result_of(
            self.search(start, now, page=1, date_type=BY_MODIFIED, states="ALL", page_size=1),
            "searchorderinfo_result",
            flags="apiResult",
        )
        result_of(self.list_refunds("applyTime", start, now, page=1, page_size=1), "queryResult")
        self.list_skus(1, 1)
        return CheckReport(
            notes=(
                f"shop {info.get('shop_name') or info.get('shop_id') or 'without a name'}",
                *self._notes(shop.platform_at),
            ),
            clock_ahead_s=self.client.ahead_s() if shop.platform_at else None,
            token_expires_at=self.token_expires_at(),
        )

    def token_expires_at(self) -> datetime | None:
        """Return when the access token ends: as told with its renewal, else as the operator set `token_expires_at`."""
        return self.tokens.current().expires_at

    def may_renew(self, pair: TokenPair) -> bool:
        """Return whether the pair can be renewed and is in its last 24 hours; before and after that JD refuses."""
        return may_refresh(pair, self.clock.now())

    def renew(self, pair: TokenPair) -> TokenPair:
        """Return the pair that follows; errors as the role says. JD limits how often a month this may be asked."""
        return refreshed(self.settings, self.http, self.clock, pair)

    def _notes(self, platform_at: datetime | None) -> Iterator[str]:
        ahead_s = self.client.ahead_s()
        if platform_at is None:
            yield "the platform's answers carry no Date, so its clock is taken to be ours"
        elif abs(ahead_s) > CLOCK_NOTE_S:
            yield f"the platform's clock is {abs(ahead_s):.0f} s {'ahead of' if ahead_s > 0 else 'behind'} ours"
        pair = self.tokens.current()
        if pair.expires_at is None:
            yield "token_expires_at is not set, so the end of the token is not watched"
        elif pair.expires_at - self.clock.now() < EXPIRY_NOTE:
            yield f"the access token ends on {pair.expires_at:%Y-%m-%d}: authorise the app again before that"
        if pair.refresh_token is None:
            yield "refresh_token is not set, so the access token cannot be renewed by itself"
