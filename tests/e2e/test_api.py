"""The REST API as a program uses it, over HTTP."""

from typing import Any

import pytest
import requests
from sqlalchemy import func, select

from erpsync.store.db.bulk import insert_many
from erpsync.store.dead_letters import DeadLetter, add_dead_letters
from erpsync.store.tables import event
from erpsync.web.api import examples
from erpsync.web.api.events import LOOK_AT
from tests.support.api import Api

pytestmark = pytest.mark.parametrize("dialect", ["sqlite"])


def detail(answer: requests.Response) -> str:
    """Return the sentence of a problem document."""
    assert answer.headers["content-type"] == "application/problem+json"
    document = answer.json()
    assert document["status"] == answer.status_code
    return str(document["detail"])


def bury_one(api: Api) -> int:
    channel = api.town.channel()
    with api.town.store.begin() as tx:
        add_dead_letters(
            tx, [DeadLetter(channel_id=channel.id, kind="order", key="o9", error="no total", source="page 1")]
        )
    return int(api.get("/dead-letters").json()["items"][0]["id"])


def test_orders_come_in_pages_newest_first(api: Api) -> None:
    first = api.get("/orders", limit=1).json()
    second = api.get("/orders", limit=1, after=first["next"]).json()

    assert [each["external_id"] for each in first["items"] + second["items"]] == ["o2", "o1"]
    assert second["next"] is None


def test_a_rare_kind_of_event_makes_no_page_walk_the_whole_past(api: Api) -> None:
    with api.town.store.begin() as tx:
        first = tx.execute(select(func.max(event.c.id))).scalar_one()
        rows = [{"at": tx.now, "kind": "test.common"}] * LOOK_AT
        insert_many(tx, event, [*rows, {"at": tx.now, "kind": "test.rare"}])
    short = api.get("/events", kind="test.rare", after=first).json()
    rest = api.get("/events", kind="test.rare", after=short["next"]).json()
    end = api.get("/events", kind="test.rare", after=rest["next"]).json()

    assert (short["items"], short["next"]) == ([], str(first + LOOK_AT))
    assert [each["id"] for each in rest["items"]] == [first + LOOK_AT + 1]
    assert (end["items"], end["next"]) == ([], rest["next"])


def test_orders_are_filtered_as_at_the_command_line(api: Api) -> None:
    api.post("/orders/o1/hold", {"reason": "gift"})

    assert [each["external_id"] for each in api.get("/orders", status="held").json()["items"]] == ["o1"]
    assert [each["external_id"] for each in api.get("/orders", sku="B").json()["items"]] == ["o2"]
    assert [each["external_id"] for each in api.get("/orders", warehouse="SH", sku="A").json()["items"]] == ["o1"]
    assert api.get("/orders", warehouse="nowhere").json()["items"] == []
    assert api.get("/orders", since="2026-03-02T13:00:00+08:00", until="2026-03-02T12:00:01Z").json()["items"] != []


def test_an_order_is_held_released_shipped_and_the_rest_cancelled(api: Api) -> None:
    held = api.post("/orders/o1/hold", {"reason": "wait until Friday"}).json()
    freed = api.post("/orders/o1/release").json()
    shipped = api.post("/orders/o1/ship", {"carrier": "SF", "tracking": "SF1", "lines": [{"line": "o1-1", "qty": 1}]})
    cancelled = api.post("/orders/o1/cancel", {"reason": "the rest is broken"}).json()

    assert (held["status"], held["hold_reason"], freed["status"]) == ("held", "operator", "allocated")
    assert shipped.json() == {"number": f"{held['number']}-1", "order": held["number"], "repeated": False}
    assert (cancelled["status"], cancelled["lines"][0]["shipped_qty"]) == ("shipped", 1)
    assert [each["tracking"] for each in api.get("/shipments", order="o1").json()["items"]] == ["SF1"]


def test_a_tracking_number_is_corrected_once_however_often_that_is_sent(api: Api) -> None:
    number = api.post("/orders/o1/ship", {"carrier": "SF", "tracking": "SF1"}).json()["number"]
    first = api.post(f"/shipments/{number}/correct", {"tracking": "SF2"}, key="k")
    again = api.post(f"/shipments/{number}/correct", {"tracking": "SF2"}, key="k")

    assert list(first.json()) == list(examples.CORRECTED)
    assert (first.json()["tracking"], first.json()["follows"], again.content) == ("SF2", "later", first.content)
    assert [each["tracking"] for each in api.get("/shipments", order="o1").json()["items"]] == ["SF2"]
    assert detail(api.post("/shipments/none/correct", {"tracking": "SF2"})).startswith("shipment none is not known")


def test_what_cannot_be_done_is_a_problem_document_with_one_sentence(api: Api) -> None:
    assert detail(api.post("/orders/o1/release")).endswith("is not held by an operator")
    assert detail(api.get("/orders/o7")) == "no order o7: neither a number of ours nor an id of a channel"
    assert detail(api.get("/orders", status="lost")).startswith("no status 'lost'; there are cancelled")
    assert detail(api.post("/orders/o1/hold", {"reson": "x"})) == "body.reason: field required"
    assert detail(api.post("/orders/o1/ship", {"carrier": "SF", "tracking": "1", "colour": "red"})) == (
        "body.colour: extra inputs are not permitted"
    )
    assert detail(api.get("/nothing")) == "there is nothing at this address"
    assert detail(api.send("PUT", "/orders")) == "this address does not take this method"
    assert detail(api.get("/stock", after="%%%")) == "after must be what `next` of the page before was"


def test_what_was_sent_is_never_repeated_in_a_problem(api: Api) -> None:
    answer = api.post("/orders/o1/hold", {"reason": ["王小明 13800001111"]})

    assert answer.status_code == 422
    assert "13800001111" not in answer.text


def test_stock_is_adjusted_with_a_reason_and_backorders_are_served_at_once(api: Api) -> None:
    row = api.post("/stock/adjust", {"warehouse": "SH", "sku": "B", "qty": 8, "reason": "arrival"}).json()

    assert row == {"warehouse": "SH", "sku": "B", "on_hand": 9, "reserved": 9, "available": 0}
    assert api.get("/orders/o2").json()["status"] == "allocated"


def test_an_import_refuses_the_bad_row_and_takes_the_others(api: Api) -> None:
    rows = [{"warehouse": "SH", "sku": "C", "on_hand": 3}, {"warehouse": "XX", "sku": "C", "on_hand": 3}]

    answer = api.post("/stock/import", {"counts": rows})

    refused = [{"at": "counts[1]", "problem": "warehouse XX is not configured"}]
    assert (answer.status_code, answer.json()) == (200, {"taken": 1, "refused": refused})


def test_goods_come_in_pages_and_by_what_they_lack(api: Api) -> None:
    first = api.get("/goods", limit=1).json()
    second = api.get("/goods", limit=1, after=first["next"]).json()

    assert [page["items"][0]["sku"] for page in (first, second)] == ["A", "B"]
    unset = {
        "title": "",
        "barcode": "",
        "weight_g": None,
        "volume_cm3": None,
        "floor_minor": None,
        "floor_currency": "",
    }
    assert first["items"] == [{"sku": "A", **unset, "tags": [], "shelves": []}]
    assert len(api.get("/goods", lacks="weight_g").json()["items"]) == 2
    assert api.get("/goods", tag="cold").json()["items"] == []
    assert api.get("/goods", lacks="nothing").status_code == 422
    assert api.get("/goods", after="%%%").status_code == 422


def test_stock_and_listings_come_in_pages(api: Api) -> None:
    for path, name in (("/stock", "sku"), ("/listings", "channel_sku")):
        first = api.get(path, limit=1).json()
        second = api.get(path, limit=1, after=first["next"]).json()

        assert [each[name] for each in first["items"] + second["items"]] == ["A", "B"]
        assert second["next"] is None


def test_a_channel_is_paused_resumed_polled_and_read_back(api: Api) -> None:
    paused = api.post("/channels/shop/pause", {"reason": "rebuilding"}).json()
    resumed = api.post("/channels/shop/resume").json()
    polled = api.post("/channels/shop/poll", {"streams": ["orders"]})
    back = api.post("/channels/shop/backfill", {"days": 3}).json()

    assert (paused["paused"], paused["paused_reason"], resumed["paused"]) == (True, "rebuilding", False)
    assert polled.status_code == 200
    assert next(each for each in back["streams"] if each["stream"] == "backfill")["wanted_at"] is not None
    assert detail(api.post("/channels/other/pause", {})) == "no channel other"


def test_a_dead_letter_is_dropped(api: Api) -> None:
    letter = bury_one(api)

    ended = api.post(f"/dead-letters/{letter}/drop").json()

    assert (ended["state"], ended["key"]) == ("dropped", "o9")
    assert api.get("/dead-letters").json()["items"] == []
    assert detail(api.post(f"/dead-letters/{letter}/drop")) == f"dead letter {letter} was dropped already"


def test_why_a_dead_letter_was_dropped_stays_on_record(api: Api) -> None:
    api.post(f"/dead-letters/{bury_one(api)}/drop", {"reason": "a test order"})

    [event] = api.get("/events", kind="letter.dropped").json()["items"]
    assert event["detail"]["reason"] == "a test order"


def test_without_a_valid_token_nothing_is_told(api: Api) -> None:
    answers = [api.get(path, token="erps_guess") for path in ("/orders", "/stock", "/events", "/orders/o1")]

    assert {(each.status_code, each.headers["www-authenticate"]) for each in answers} == {(401, "Bearer")}
    assert {detail(each) for each in answers} == {"this needs a token that is valid"}


def test_a_token_does_no_more_than_its_scope(api: Api) -> None:
    reads, operates = api.make_token("read"), api.make_token("operate")

    assert api.get("/orders", token=reads).status_code == 200
    assert detail(api.post("/orders/o1/hold", {"reason": "x"}, token=reads)) == (
        "this needs a token of scope operate; read-only has read"
    )
    assert api.post("/orders/o1/hold", {"reason": "x"}, token=operates).status_code == 200
    assert api.post("/subscriptions", {"url": "https://erp.example.com"}, token=operates).status_code == 403


def test_who_gets_the_parcel_is_told_to_admins_only_and_leaves_a_trace(api: Api) -> None:
    operates = api.make_token("operate")

    refused = api.get("/orders/o1", token=operates, recipient="true")
    shown = api.get("/orders/o1", recipient="true").json()

    assert refused.status_code == 403
    assert (shown["recipient"]["name"], shown["recipient"]["phone"]) == ("王小明", "13800001111")
    assert [(each["order"], each["actor"]) for each in api.events("order.recipient_shown")] == [
        (shown["number"], "api:erp")
    ]


@pytest.mark.parametrize("path", ["/orders", "/orders/o1", "/stock", "/shipments", "/events", "/listings", "/channels"])
def test_nobody_learns_by_the_way_who_bought(api: Api, path: str) -> None:
    api.post("/orders/o1/ship", {"carrier": "SF", "tracking": "SF1"})

    answer = api.get(path).content

    assert "王小明".encode() not in answer
    assert b"13800001111" not in answer


def test_every_change_is_on_record_with_the_token_that_made_it(api: Api) -> None:
    api.post("/orders/o1/hold", {"reason": "x"}, key="h-1")
    api.post("/stock/adjust", {"warehouse": "SH", "sku": "A", "qty": 1, "reason": "found"}, key="a-1")
    api.post("/orders/o2/release", key="r-1")  # is refused: nothing changes

    recorded = [(each["detail"]["path"], each["detail"]["key"], each["actor"]) for each in api.events("api.changed")]

    assert recorded == [
        ("/api/v1/orders/o1/hold", "h-1", "api:erp"),
        ("/api/v1/stock/adjust", "a-1", "api:erp"),
    ]
    assert [each["actor"] for each in api.events("order.held")] == ["api:erp"]


def test_a_token_that_calls_without_end_is_slowed_down(api: Api) -> None:
    answers = [api.get("/channels").status_code for _ in range(201)]
    too_many = api.get("/channels")
    api.town.advance(1)

    assert (answers[0], answers[-1], too_many.status_code) == (200, 429, 429)
    assert too_many.headers["retry-after"] == "1"
    assert api.get("/channels").status_code == 200


def test_a_body_beyond_the_limit_is_not_taken_in(api: Api) -> None:
    answer = api.send("POST", "/stock/import", data=b" " * 3_000_000, Idempotency_Key="big")

    assert answer.status_code == 413
    assert detail(answer) == "a body may have 2097152 bytes"


def test_openapi_describes_every_address_with_an_example(api: Api) -> None:
    document = requests.get(f"{api.server.url}api/v1/openapi.json", timeout=30).json()
    answers = [
        found["responses"][code]
        for path in document["paths"].values()
        for found in path.values()
        for code in found["responses"]
        if code in ("200", "201")
    ]

    assert len(document["paths"]) == 52
    assert all("example" in content for each in answers for content in each["content"].values())
    assert document["components"]["securitySchemes"]["HTTPBearer"]["scheme"] == "bearer"


def test_the_examples_have_the_keys_of_real_answers(api: Api) -> None:
    bury_one(api)
    api.post("/orders/o1/ship", {"carrier": "SF", "tracking": "SF1"})
    api.post("/subscriptions", {"url": "https://erp.example.com/events"})
    pairs: list[tuple[dict[str, Any], dict[str, Any]]] = [
        (api.get("/orders").json()["items"][0], examples.ORDER_LISTED),
        (api.get("/orders/o2").json(), examples.ORDER),
        (api.get("/orders/o2").json()["lines"][0], examples.ORDER["lines"][0]),
        (api.get("/orders/o2").json()["events"][0], examples.ORDER["events"][0]),
        (api.get("/channels/shop").json(), examples.CHANNEL),
        (api.get("/orders/o2/explain").json(), examples.EXPLAINED_ORDER),
        (api.get("/orders/o2/explain").json()["steps"][0], examples.EXPLAINED_ORDER["steps"][0]),
        (api.get("/skus/A/explain").json(), examples.EXPLAINED_SKU),
        (api.get("/skus/A/explain").json()["levels"][0], examples.EXPLAINED_SKU["levels"][0]),
        *(
            (api.get(path).json()["items"][0], example)
            for path, example in (
                ("/shipments", examples.SHIPMENT),
                ("/stock", examples.STOCK),
                ("/listings", examples.LISTING),
                ("/channels", examples.CHANNEL_LISTED),
                ("/dead-letters", examples.LETTER),
                ("/events", examples.EVENT),
                ("/subscriptions", examples.SUBSCRIPTION),
            )
        ),
    ]

    assert [list(real) for real, _ in pairs] == [list(example) for _, example in pairs]


@pytest.mark.parametrize("text", ["0.5", "1772000000", "-1", "1e9", "20260302", "2026-03-02", "now"])
def test_only_a_date_and_time_with_its_zone_is_an_instant(api: Api, text: str) -> None:
    assert api.get("/orders", until=text).status_code == 422
    assert api.get("/orders", since=text).status_code == 422


def test_an_instant_is_taken_as_text_and_not_as_a_number(api: Api) -> None:
    counted = {"counts": [{"warehouse": "SH", "sku": "A", "on_hand": 5, "as_of": 0.5}]}

    assert api.get("/orders", until="2999-03-02T16:30:00+08:00").status_code == 200
    assert api.post("/stock/import", counted).status_code == 422


def test_a_cursor_ahead_of_the_data_is_refused_with_the_newest_event(api: Api) -> None:
    newest = int(api.get("/events", limit=500).json()["next"])
    ahead = api.get("/events", after=newest + 1)

    assert api.get("/events", after=newest).status_code == 200
    assert ahead.status_code == 422
    assert ahead.json()["detail"] == (
        f"after is {newest + 1}, ahead of the newest event {newest}: go on after {newest}, or 0 for all"
    )
