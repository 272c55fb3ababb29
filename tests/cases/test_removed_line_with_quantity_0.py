"""An edited order keeps the line that was removed and says that nothing is left of it."""

import json
from collections.abc import Iterator

import pytest

from erpsync.flows.intake.webhooks import apply_inbox, store_webhook
from tests.cases.town import INPUTS, town_of
from tests.connectors.webhook_json.shop import connector, request
from tests.support.looking import held, letters, lines, status
from tests.support.shop import Town

DELIVERIES = [json.loads(line) for line in (INPUTS / "removed_line/deliveries.jsonl").read_text("utf-8").splitlines()]


@pytest.fixture
def town(database_url: str) -> Iterator[Town]:
    with town_of(database_url, "webhook_json", lambda clock: connector(clock=clock), CUP=5, TEA=5) as town:
        yield town


def deliver(town: Town, number: int) -> None:
    now = town.clock.now()
    message = request(DELIVERIES[number], id=f"msg_{number}", at=now, received_at=now)
    store_webhook(town.ctx, town.channel(), message)
    apply_inbox(town.ctx)
    town.advance(60)


def test_the_removed_unit_is_free_and_the_order_goes_on(town: Town) -> None:
    deliver(town, 0)
    assert held(town, "Q3") == {"CUP": 2, "TEA": 1}
    deliver(town, 1)

    assert (status(town, "Q3"), letters(town)) == (("allocated", None), [])
    assert held(town, "Q3") == {"CUP": 2}
    assert lines(town, "Q3") == {"1": (2, 0, 0), "2": (1, 1, 0)}
