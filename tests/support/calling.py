"""A small shop that also calls us and has a message queue."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from erpsync.flows.intake.webhooks import Received, store_webhook
from erpsync.sdk.clock import ManualClock
from erpsync.sdk.digest import digest_of
from erpsync.sdk.errors import AuthError
from erpsync.sdk.roles import HintSource, WebhookSource
from erpsync.sdk.types import Head, Raw, WebhookRecord, WebhookRequest, WebhookResult
from tests.support.shop import Shop, ShopConnector, Town

SIGNATURE = "signed"


class CallingConnector(ShopConnector, WebhookSource, HintSource):
    """Reads what a `Shop` sends: a list of records, or names of streams."""

    def __init__(self, shop: Shop, clock: ManualClock) -> None:
        super().__init__(shop, clock)
        self.queue: list[tuple[str, ...]] = []
        self.acked: list[tuple[str, ...]] = []

    def read_webhook(self, request: WebhookRequest) -> WebhookResult:
        """Return the records of a signed call."""
        if request.headers.get("signature") != SIGNATURE:
            raise AuthError("the signature is wrong")
        body = json.loads(request.body)
        return WebhookResult(
            key=request.headers["id"],
            records=tuple(_record(record, request.received_at) for record in body["records"]),
            hints=tuple(body["hints"]),
        )

    def pull_hints(self) -> Iterator[tuple[str, ...]]:
        """Yield queued names; what was not taken up stays queued."""
        self.shop.fail("hints")
        for named in list(self.queue):
            yield named
            self.queue.remove(named)
            self.acked.append(named)


def _record(row: dict[str, Any], at: datetime) -> WebhookRecord:
    head = Head(
        external_id=row["id"],
        version_at=datetime.fromisoformat(row["changed_at"]),
        digest=digest_of({key: str(value) for key, value in row.items()}),
        read_from=at,
        read_to=at,
        row=row,
    )
    kind = "refund" if "order" in row else "order"
    return WebhookRecord(kind=kind, raw=Raw(head=head, payload=row, read_from=at, read_to=at))


@dataclass
class Deliveries:
    """Counts deliveries, so that each has an id of its own unless told otherwise."""

    count: int = 0
    ids: list[str] = field(default_factory=list)

    def next_id(self) -> str:
        """Return an id never given before."""
        self.count += 1
        return f"d{self.count}"


_DELIVERIES = Deliveries()


def with_calls(town: Town) -> Town:
    """Return the town with its first shop calling us."""
    channel = town.channel()
    calling = replace(channel, connector=CallingConnector(town.shop, town.clock))
    return replace(town, ctx=replace(town.ctx, channels={**town.ctx.channels, channel.id: calling}))


def caller(town: Town) -> CallingConnector:
    """Return the connector of a town made by `with_calls`."""
    connector = town.channel().connector
    assert isinstance(connector, CallingConnector)
    return connector


def deliver(
    town: Town,
    *records: dict[str, Any],
    hints: tuple[str, ...] = (),
    id: str = "",
    signature: str = SIGNATURE,
) -> Received:
    """Send a webhook of these rows and store it."""
    body = {"records": [_plain(row) for row in records], "hints": hints}
    request = WebhookRequest(
        headers={"signature": signature, "id": id or _DELIVERIES.next_id()},
        query={},
        body=json.dumps(body).encode(),
        received_at=town.store.clock.now(),
    )
    return store_webhook(town.ctx, town.channel(), request)


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    return {key: value.isoformat() if isinstance(value, datetime) else value for key, value in row.items()}
