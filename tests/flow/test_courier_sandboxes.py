"""Real connectors and their sandboxes behind a desk: whatever is lost on the wire, no label is paid twice."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pytest

from connectors.carrier_file.connector import CarrierFileConnector
from connectors.carrier_file.sandbox import FileCourier
from connectors.carrier_file.settings import CarrierFileSettings
from connectors.kuaidi100.sandbox import Kuaidi100Sandbox
from connectors.sf.sandbox import SfSandbox
from connectors.sf.sandbox.orders import FIRST_NUMBER
from erpsync.flows.couriers import acts
from erpsync.flows.couriers.labels import label_of
from erpsync.flows.intake import poll
from erpsync.flows.intake.webhooks import apply_inbox, store_webhook
from erpsync.sdk.http import HttpClient
from erpsync.sdk.roles import Connector
from erpsync.sdk.sandbox import Fault
from erpsync.sdk.types import WebhookRequest
from tests.connectors.kuaidi100 import account as kuaidi100
from tests.connectors.sf import account as sf
from tests.connectors.sf.test_routes import GOLDEN as ROUTES
from tests.support import looking
from tests.support.courier import build_courier_desk, push, release_one, rows, states
from tests.support.desk import work
from tests.support.shop import Town


@pytest.fixture
def towns(database_url: str) -> Iterator[list[Town]]:
    """Towns that are closed at the end."""
    made: list[Town] = []
    yield made
    for town in made:
        town.store.close()


def desk_with(url: str, towns: list[Town], make: Callable[[Town], Connector]) -> Town:
    """Return a desk whose account `sf` is that connector."""
    town, _ = build_courier_desk(url, make=make)
    towns.append(town)
    return town


@pytest.mark.parametrize("fault", [Fault.TIMEOUT_AFTER, Fault.ERROR_5XX_AFTER, Fault.CUT_BODY, Fault.TIMEOUT_BEFORE])
def test_sf_gives_one_number_whatever_is_lost(database_url: str, towns: list[Town], fault: Fault) -> None:
    """Row 26."""
    platform = SfSandbox()
    town = desk_with(database_url, towns, lambda town: sf.connector(platform, town.clock))
    platform.faults.force(fault)
    number = release_one(town)
    push(town)
    assert states(town) == ["unsure"] or fault is Fault.TIMEOUT_BEFORE

    for _ in range(3):
        town.advance(60)
        push(town)

    assert [key for key, order in platform.orders.items() if order.numbers] == [f"{number}-1-1"]
    [(tracking, state)] = rows(town, "number", "state")
    assert (state, tracking) == ("booked", f"SF{FIRST_NUMBER}")
    [release_id] = rows(town, "release_id")
    assert label_of(town.ctx, release_id).data.startswith(b"%PDF-")


def test_what_a_courier_pushes_of_parcels_is_kept_and_told_once_and_troubles_nobody(
    database_url: str, towns: list[Town]
) -> None:
    platform = SfSandbox()
    town = desk_with(database_url, towns, lambda town: sf.connector(platform, town.clock))
    account = town.channel("sf")
    body = json.dumps(ROUTES["pushed"]).encode()
    push_ = WebhookRequest(headers={}, query={}, body=body, received_at=town.clock.now(), path=sf.PUSH_SECRET)
    for _ in range(2):
        store_webhook(town.ctx, account, push_)
    apply_inbox(town.ctx)

    assert looking.letters(town) == []
    assert looking.tasks(town) == ["unknown_message"]
    assert looking.count(town, "payload") == len(ROUTES["pushed_nodes"])


def test_sf_voids_what_was_booked_for_a_parcel_that_is_stopped(database_url: str, towns: list[Town]) -> None:
    platform = SfSandbox()
    town = desk_with(database_url, towns, lambda town: sf.connector(platform, town.clock))
    release_one(town)
    push(town)
    town.shop.change("o1", state="cancelled")
    work(town)
    push(town)

    assert states(town) == ["cancelled"]
    assert [order.state for order in platform.orders.values()] == ["cancelled"]


def test_kuaidi100_takes_a_key_once_however_often_it_is_sent(database_url: str, towns: list[Town]) -> None:
    """Row 26."""
    made: list[Kuaidi100Sandbox] = []

    def make(town: Town) -> Connector:
        made.append(Kuaidi100Sandbox(clock=town.clock))
        return kuaidi100.account(made[-1])

    town = desk_with(database_url, towns, make)
    made[0].faults.force(Fault.TIMEOUT_AFTER)
    release_one(town)
    push(town)
    assert states(town) == ["unsure"]

    town.advance(60)
    push(town)

    assert states(town) == ["booked"]
    assert len({number for (number,) in looking.rows(town, "SELECT number FROM waybill")}) == 1


def test_a_courier_of_files_is_handed_a_booking_once_and_its_number_follows(
    database_url: str, towns: list[Town], tmp_path: Path
) -> None:
    couriers: list[FileCourier] = []

    def make(town: Town) -> Connector:
        couriers.append(FileCourier(tmp_path / "in", tmp_path / "out", town.clock))
        settings = CarrierFileSettings.model_validate(couriers[-1].settings() | {"carriers": ["SF"], "settle_s": 0})
        return CarrierFileConnector(settings, HttpClient(clock=town.clock, rng=Random(0)), town.clock)

    town = desk_with(database_url, towns, make)
    number = release_one(town)
    push(town)
    assert states(town) == ["handed"]

    given = couriers[0].give_numbers()
    for _ in range(2):
        assert not poll.poll_stream(town.ctx, town.channel("sf"), "waybills").failed

    assert rows(town, "key", "number", "state") == [(f"{number}-1-1", given[f"{number}-1-1"], "booked")]
    assert acts.void(town.ctx, number, actor="me") == f"{number}-1-1"
    push(town)
    assert (states(town), looking.tasks(town)) == (["cancelling"], ["waybill_cancel"])
