"""Orders found through the REST API; a phone number stands in no address and in nothing that is kept."""

import pytest
from sqlalchemy import select

from erpsync.store.tables import api_request
from erpsync.web.api import examples
from tests.support.api import Api

PHONE = "13800001111"
pytestmark = pytest.mark.parametrize("dialect", ["sqlite"])


def test_orders_are_found_as_at_the_command_line(api: Api) -> None:
    api.post("/orders/o1/ship", {"carrier": "SF", "tracking": "SF1400022331", "lines": [{"line": "o1-1", "qty": 1}]})
    listed = {each["external_id"]: each for each in api.get("/orders").json()["items"]}

    assert api.get("/orders/find", text="sf 1400 022331").json() == {"items": [listed["o1"]], "next": None, "notes": []}
    assert api.get("/orders/find", text="o").json()["items"] == [listed["o2"], listed["o1"]]
    assert api.get("/orders/find", text="o", limit=1).json()["items"] == [listed["o2"]]
    assert listed["o1"].keys() == examples.FOUND["items"][0].keys()


def test_a_token_that_only_reads_finds_by_everything_but_phones(api: Api) -> None:
    reads, operates = api.make_token("read"), api.make_token("operate")

    assert api.get("/orders/find", token=reads, text="o1").status_code == 200
    for token in (reads, operates):
        answer = api.post("/orders/find", {"phone": PHONE}, token=token)
        assert (answer.status_code, PHONE in answer.text) == (403, False)
    assert api.events("phone.searched") == []


def test_a_phone_number_comes_in_a_body_and_leaves_an_event_without_it(api: Api) -> None:
    found = api.post("/orders/find", {"phone": "+86 138-0000-1111"}).json()

    assert [each["external_id"] for each in found["items"]] == ["o2", "o1"]
    [event] = api.events("phone.searched")
    assert (event["actor"], event["detail"], event["order"]) == ("api:erp", {"orders": 2}, None)
    with api.town.store.read() as connection:
        assert connection.execute(select(api_request.c.digest)).all() == []


def test_a_phone_number_in_an_address_finds_no_orders_and_says_where_to_ask(api: Api) -> None:
    api.town.shop.place(PHONE[:-1] + "9", ("A", 1))
    api.read()

    by_phone = api.get("/orders/find", text=PHONE).json()
    by_number = api.get("/orders/find", text=PHONE[:-1] + "9").json()

    said = ["phone numbers are looked for by POST /orders/find, never in an address"]
    assert by_phone == {"items": [], "next": None, "notes": said}
    assert [each["external_id"] for each in by_number["items"]] == [PHONE[:-1] + "9"]


@pytest.mark.parametrize(
    "body", [{"phone": "138****1111"}, {"phone": ["13800001111"]}, {"number": PHONE}, {"phone": ""}]
)
def test_what_is_no_whole_number_is_refused_without_repeating_it(api: Api, body: dict[str, object]) -> None:
    answer = api.post("/orders/find", body)

    assert answer.status_code == 422
    assert "1111" not in answer.text


@pytest.mark.parametrize("text", ["", " - ", "x" * 201])
def test_a_text_that_cannot_be_looked_for_is_refused(api: Api, text: str) -> None:
    assert api.get("/orders/find", text=text).status_code == 422


def test_a_search_by_phone_writes_nothing_about_it_into_the_log(api: Api, capfd: pytest.CaptureFixture[str]) -> None:
    api.post("/orders/find", {"phone": PHONE})
    api.post("/orders/find", {"phone": [PHONE]})
    api.get("/orders/find", text=PHONE)

    assert PHONE not in "".join(capfd.readouterr())
