"""The whole shop, the check that proves its settings, and the renewal of its token."""

import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from connectors.jd.client import SHOP, TokenPair, may_refresh, refreshed, result_of
from connectors.jd.connector.listings import JdListings
from connectors.jd.connector.orders import BY_MODIFIED
from connectors.jd.connector.refunds import JdRefunds
from connectors.jd.connector.shipments import JdShipments
from connectors.jd.connector.stock import JdStock
from erpsync.sdk.types import CheckReport

CLOCK_NOTE_S = 5.0
EXPIRY_NOTE = timedelta(days=14)


class JdConnector(JdShipments, JdRefunds, JdListings, JdStock):
    """A JD shop: orders, refunds before delivery, catalogue, stock and shipments."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self._refreshing = threading.Lock()

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

    def refresh_token(self) -> TokenPair | None:
        """Return the pair that follows the present one, None when it is not time yet or cannot be done.

        Only in the last 24 hours the platform renews a token. The connector uses the new pair at once; who calls this
        must store both tokens in one commit, the old ones may be void. One thread at a time asks, once per pair.

        Raises:
            AuthError: the platform refuses; a person has to authorise the app again.
            OutcomeUnknownError: no answer; asking again may find the refresh token used up.
        """
        with self._refreshing:
            pair = self.tokens.current()
            if not may_refresh(pair, self.clock.now()):
                return None
            following = refreshed(self.settings, self.http, self.clock, pair)
            self.tokens.replace(following)
            return following

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
