"""A request of the API is carried out once, however often it is sent, on each database."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from erpsync.flows.access.tokens import Access, access_of
from erpsync.flows.api.idempotency import Asker, Call, Claim, ClaimLostError, claim, for_claim
from erpsync.flows.inventory.counts import add_stock
from erpsync.flows.operations.prune import prune
from tests.support.api import Api

FOUND = {"warehouse": "SH", "sku": "A", "qty": 10, "reason": "found"}
PATH = "/stock/adjust"


def on_hand(api: Api) -> int:
    return int(api.get("/stock", sku="A").json()["items"][0]["on_hand"])


def take_on(api: Api, key: str) -> Claim:
    """Take a request on as a process does that dies right after."""
    access = access_of(api.town.store, api.token)
    assert isinstance(access, Access)
    body = json.dumps(FOUND).encode()
    asker = Asker(kind="token", id=access.id, actor=access.actor)
    held = claim(api.town.store, Call(asker=asker, key=key, method="POST", path=f"/api/v1{PATH}", body=body))
    assert isinstance(held, Claim)
    return held


def find_ten(api: Api, held: Claim) -> None:
    ctx = for_claim(api.town.ctx, held)
    add_stock(ctx, warehouse="SH", sku="A", qty=10, reason="found", actor="api:erp")


def test_a_request_sent_again_gets_the_first_answer_and_changes_nothing(api: Api) -> None:
    first = api.post(PATH, FOUND, key="k")
    api.post(PATH, FOUND, key="other")
    again = api.post(PATH, FOUND, key="k")

    assert (again.status_code, again.content) == (200, first.content)
    assert again.headers["idempotent-replayed"] == "true"
    assert on_hand(api) == 25


def test_a_key_is_not_taken_for_another_request(api: Api) -> None:
    api.post(PATH, FOUND, key="k")

    other_body = api.post(PATH, FOUND | {"qty": 11}, key="k")
    other_address = api.post("/orders/o1/release", key="k")

    assert (other_body.status_code, other_address.status_code) == (422, 422)
    assert other_body.json()["detail"] == "the key k was used for another request; take a new key for a new request"
    assert on_hand(api) == 15


def test_keys_of_two_tokens_have_nothing_to_do_with_each_other(api: Api) -> None:
    api.post(PATH, FOUND, key="k")
    api.post(PATH, FOUND, key="k", token=api.make_token("operate"))

    assert on_hand(api) == 25


def test_a_change_needs_a_key(api: Api) -> None:
    answer = api.send("POST", PATH, data=json.dumps(FOUND).encode(), Content_Type="application/json")

    assert answer.status_code == 400
    assert answer.json()["detail"].startswith("this needs a header Idempotency-Key")


def test_a_refusal_is_the_answer_for_that_key_also_later(api: Api) -> None:
    refused = api.post("/orders/o1/release", key="k")
    api.post("/orders/o1/hold", {"reason": "x"})

    assert (refused.status_code, api.post("/orders/o1/release", key="k").status_code) == (409, 409)
    assert api.post("/orders/o1/release", key="new").status_code == 200


def test_a_request_that_is_under_way_is_not_begun_twice(api: Api) -> None:
    take_on(api, "k")

    busy = api.post(PATH, FOUND, key="k")

    assert (busy.status_code, busy.headers["retry-after"]) == (409, "1")
    assert on_hand(api) == 5


@pytest.mark.concurrent("threads")
def test_twenty_equal_requests_at_once_change_stock_once(api: Api) -> None:
    with ThreadPoolExecutor(20) as pool:
        codes = list(pool.map(lambda _: api.post(PATH, FOUND, key="k").status_code, range(20)))

    assert set(codes) <= {200, 409}
    assert 200 in codes
    assert on_hand(api) == 15


def test_a_process_that_died_before_the_change_leaves_it_to_the_next_try(api: Api) -> None:
    take_on(api, "k")
    api.town.advance(61)

    assert api.post(PATH, FOUND, key="k").json()["on_hand"] == 15


def test_a_process_that_died_after_the_change_and_before_the_answer_does_not_change_twice(api: Api) -> None:
    find_ten(api, take_on(api, "k"))
    api.town.advance(61)

    again = api.post(PATH, FOUND, key="k")

    assert (again.status_code, again.json()["on_hand"]) == (200, 15)
    assert len(api.events("api.changed")) == 1


def test_a_process_that_wakes_up_late_finds_its_request_taken_over(api: Api) -> None:
    late = take_on(api, "k")
    api.town.advance(61)
    api.post(PATH, FOUND, key="k")

    with pytest.raises(ClaimLostError):
        find_ten(api, late)

    assert on_hand(api) == 15


def test_answers_are_kept_for_thirty_days(api: Api) -> None:
    api.post(PATH, FOUND, key="k")
    api.town.advance(29 * 86_400)
    prune(api.town.ctx, 180)
    assert api.post(PATH, FOUND, key="k").headers.get("idempotent-replayed") == "true"

    api.town.advance(2 * 86_400)
    prune(api.town.ctx, 180)

    assert "idempotent-replayed" not in api.post(PATH, FOUND, key="k").headers
