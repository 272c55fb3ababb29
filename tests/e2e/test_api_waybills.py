"""Couriers' numbers over HTTP: listed, booked once whatever is sent again, void."""

from collections.abc import Iterator

import pytest

from erpsync.flows.access.tokens import create_token
from erpsync.sdk.errors import RejectedError
from erpsync.web.api.courier_examples import WAYBILL
from tests.support.api import Api
from tests.support.courier import Courier, build_courier_desk, push, release_one
from tests.support.web_shop import serve

pytestmark = pytest.mark.parametrize("dialect", ["sqlite"])


@pytest.fixture
def courier(database_url: str) -> Iterator[tuple[Api, Courier, str]]:
    """The API of a desk with one release that is to be booked, the courier behind it; calls are made by an operator."""
    town, courier = build_courier_desk(database_url)
    number = release_one(town)
    server, _ = serve(town.store, town.ctx)
    yield Api(town, server, create_token(town.store, "erp", scope="operate", actor="wang")), courier, number
    server.stop(2)
    town.store.close()


def test_a_booked_waybill_is_listed_and_shown_by_each_of_its_names(courier: tuple[Api, Courier, str]) -> None:
    api, _, number = courier
    push(api.town)
    [row] = api.get("/waybills", account="sf", state="booked", release=number).json()["items"]

    assert (row["number"], row["release"], row["state"], row["cost_minor"]) == (
        "SF0000000000001",
        number,
        "booked",
        1200,
    )
    for name in (row["number"], row["key"], number):
        assert api.get(f"/waybills/{name}").json() == row
    assert list(row) == list(WAYBILL)
    assert api.get("/waybills", state="spare").json()["items"] == []
    assert api.get("/waybills/SF0").status_code == 404
    assert api.get("/waybills", state="nonsense").status_code == 422


def test_lists_of_waybills_come_in_pages(courier: tuple[Api, Courier, str]) -> None:
    api, _, _ = courier
    release_one(api.town, "o2")
    first = api.get("/waybills", limit=1).json()
    second = api.get("/waybills", limit=1, after=first["next"]).json()

    assert first["items"] + second["items"] == api.get("/waybills").json()["items"]
    assert second["next"] is None
    assert api.get("/waybills", after="x").status_code == 422


def test_a_refused_release_is_booked_anew_once_whatever_is_sent_again(courier: tuple[Api, Courier, str]) -> None:
    api, there, number = courier
    there.trouble["book before"] = [RejectedError("no money left")]
    push(api.town)
    [refused] = api.get("/waybills").json()["items"]

    first = api.post("/waybills", {"release": number}, key="book-1")
    again = api.post("/waybills", {"release": number}, key="book-1")
    second = api.post("/waybills", {"release": number}, key="book-2")
    push(api.town)

    assert (refused["state"], "no money left" in refused["reason"]) == ("refused", True)
    assert (first.status_code, first.json()["state"], again.json()) == (201, "wanted", first.json())
    assert first.json()["key"] == refused["key"]
    assert (second.status_code, "has a waybill already" in second.json()["detail"]) == (409, True)
    assert len(there.paid) == 1
    assert [each["detail"]["release"] for each in api.events("waybill.wanted")] == [number]


def test_a_number_that_somebody_knows_is_given_to_its_release(courier: tuple[Api, Courier, str]) -> None:
    api, there, number = courier
    there.answers = False
    push(api.town)

    given = api.post("/waybills", {"release": number, "number": "SF99"})

    assert (given.status_code, given.json()["number"], given.json()["state"]) == (201, "SF99", "booked")
    assert api.post("/waybills", {"release": number, "number": "SF98"}).status_code == 409


def test_a_booked_number_becomes_void_behind_the_answer(courier: tuple[Api, Courier, str]) -> None:
    api, there, number = courier
    push(api.town)

    cancelled = api.post("/waybills/SF0000000000001/cancel")
    push(api.town)

    assert (cancelled.status_code, cancelled.json()["state"]) == (200, "cancelling")
    assert there.void == ["SF0000000000001"]
    assert api.get(f"/waybills/{number}").json()["state"] == "cancelled"
    assert api.post("/waybills/SF0000000000001/cancel").status_code == 409
    assert api.post("/waybills/SF0/cancel").json()["detail"] == "no release or waybill SF0 is known"


def test_who_only_packs_or_looks_books_and_voids_nothing(courier: tuple[Api, Courier, str]) -> None:
    api, there, number = courier
    for scope in ("read", "pack"):
        token = api.make_token(scope)
        assert api.get("/waybills", token=token).status_code == 200
        assert api.post("/waybills", {"release": number}, token=token).status_code == 403
        assert api.post(f"/waybills/{number}/cancel", token=token).status_code == 403
    assert there.calls == 0
