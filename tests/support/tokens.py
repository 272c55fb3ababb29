"""A small shop whose access token ends, and can be renewed in its last day."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from pydantic import SecretStr

from erpsync.flows.channels.credentials import load_tokens
from erpsync.sdk.clock import ManualClock
from erpsync.sdk.errors import AuthError
from erpsync.sdk.roles import TokenHolder
from erpsync.sdk.tokens import TokenBox, TokenPair
from erpsync.sdk.types import Cursor, Head, OrderPage, Raw
from tests.support.shop import Shop, ShopConnector, Town

LIFE = timedelta(days=30)
LAST_DAY = timedelta(hours=24)


@dataclass
class Desk:
    """The platform's side of tokens.

    `voids`: whether a refresh token is void as soon as its successor was issued.
    """

    access: str = "access-1"
    refresh: str = "refresh-1"
    voids: bool = True
    issued: int = 1
    asked: int = 0
    refuses: bool = False
    earlier: list[str] = field(default_factory=list)
    before: Callable[[], None] = lambda: None
    after: Callable[[], None] = lambda: None

    def renew(self, refresh: str) -> tuple[str, str]:
        """Issue the next pair."""
        self.asked += 1
        self.before()
        known = [self.refresh] if self.voids else [self.refresh, *self.earlier]
        if self.refuses or refresh not in known:
            raise AuthError("refresh token is not valid", code="203")
        self.earlier.append(self.refresh)
        self.issued += 1
        self.access, self.refresh = f"access-{self.issued}", f"refresh-{self.issued}"
        self.after()
        return self.access, self.refresh


class TokenShop(ShopConnector, TokenHolder):
    """Reads a `Shop` with the access token of a `Desk`."""

    def __init__(self, shop: Shop, clock: ManualClock, desk: Desk, configured: TokenPair) -> None:
        super().__init__(shop, clock)
        self.desk = desk
        self.tokens = TokenBox(configured)

    def token_expires_at(self) -> datetime | None:
        """Return the end of the pair in use."""
        return self.tokens.current().expires_at

    def may_renew(self, pair: TokenPair) -> bool:
        """Only in the last day."""
        if pair.refresh_token is None or pair.expires_at is None:
            return False
        return pair.expires_at - LAST_DAY <= self.clock.now() < pair.expires_at

    def renew(self, pair: TokenPair) -> TokenPair:
        """Ask the desk."""
        assert pair.refresh_token is not None
        access, refresh = self.desk.renew(pair.refresh_token.get_secret_value())
        return pair_of(access, refresh, self.clock.now() + LIFE)

    def pull_orders(self, cursor: Cursor) -> Iterator[OrderPage]:
        """Read with the token in use."""
        self._admit()
        yield from super().pull_orders(cursor)

    def complete(self, heads: Sequence[Head]) -> list[Raw]:
        """Read with the token in use."""
        self._admit()
        return super().complete(heads)

    def _admit(self) -> None:
        if self.tokens.current().access_token.get_secret_value() != self.desk.access:
            raise AuthError("access token is not valid", code="19")


def pair_of(access: str, refresh: str | None, expires_at: datetime | None) -> TokenPair:
    """Return a pair."""
    return TokenPair(
        access_token=SecretStr(access), refresh_token=SecretStr(refresh) if refresh else None, expires_at=expires_at
    )


def with_tokens(town: Town, desk: Desk, configured: TokenPair) -> TokenShop:
    """Let the town's shop take tokens from a desk, as a daemon does that has just started."""
    connector = TokenShop(town.shop, town.clock, desk, configured)
    found = {id: replace(channel, connector=connector) for id, channel in town.ctx.channels.items()}
    town.ctx = replace(town.ctx, channels=found)
    load_tokens(town.ctx)
    return connector
