"""Rules, approvals, tags and seals as a program uses them."""

from collections.abc import Iterator
from typing import Any

import pytest

from erpsync.web.api import examples
from tests.support.api import Api, api_of

pytestmark = pytest.mark.parametrize("dialect", ["sqlite"])

RULES = """
rules:
  - {id: many, when: {units: {ge: 2}}, then: {hold: 件数多, ask: true, tag: [MANY]}}
  - {id: all, when: {total: {ge: 0}}, then: {hold: 全部, ask: true}}
  - {id: note, when: {buyer_note: {contains: [KANARIE]}}, then: {carrier: [SF]}}
"""


@pytest.fixture
def api(database_url: str) -> Iterator[Api]:
    """The API over a shop whose orders o1 and o2 two rules hold."""
    with api_of(database_url, rules=RULES) as api:
        yield api


def asks(api: Api, order: str) -> dict[str, dict[str, Any]]:
    return {each["rule"]: each for each in api.get(f"/orders/{order}/approvals").json()["items"]}


def test_what_asks_is_told_and_approved_by_what_was_seen(api: Api) -> None:
    asked = asks(api, "o1")
    assert list(asked) == ["many", "all"]
    assert list(asked["many"]) == list(examples.ASKS)
    assert asked["many"]["because"] == [{"fact": "units", "value": "2", "operator": ">=", "word": "2"}]

    seen = {rule: ask["digest"] for rule, ask in asked.items()}
    approved = api.post("/orders/o1/approvals", {"seen": seen, "reason": "old customer"}, key="k").json()
    again = api.post("/orders/o1/approvals", {"seen": seen, "reason": "old customer"}, key="k")

    assert (approved["status"], asks(api, "o1")) == ("allocated", {})
    assert (again.json(), again.headers["Idempotent-Replayed"]) == (approved, "true")
    [event] = api.events("order.approved")
    assert (event["detail"]["rules"], event["detail"]["reason"], event["actor"]) == (
        ["all", "many"],
        "old customer",
        "api:erp",
    )


def test_what_was_not_seen_so_is_not_approved(api: Api) -> None:
    stale = api.post("/orders/o1/approvals", {"seen": {"many": "the digest of another total"}})
    several = api.post("/orders/o1/approvals")
    unasked = api.post("/orders/o1/approvals", {"rules": ["note"]})

    assert [each.status_code for each in (stale, several, unasked)] == [409, 409, 409]
    assert "has changed since you looked" in stale.json()["detail"]
    assert "many (件数多: units 2 >= 2)" in several.json()["detail"]
    assert unasked.json()["detail"].startswith("rule note asks nothing of order")
    assert api.get("/orders/o1").json()["hold_reason"] == "rule"
    assert api.post("/orders/o1/approvals", {"rulez": []}).status_code == 422


def test_tags_and_seals_are_put_and_deleted_without_a_key(api: Api) -> None:
    tagged = [api.send("PUT", "/orders/o1/tags/易碎").json()["tags"] for _ in range(2)]
    sealed = api.send("PUT", "/orders/o1/seal").json()
    split = api.send("PUT", "/orders/o1/seal", data=b'{"kept_from": ["split"]}', Content_Type="application/json").json()

    assert tagged == [["MANY", "易碎"], ["MANY", "易碎"]]
    assert [mark["value"] for mark in sealed["marks"] if mark["name"] == "seal"] == ["merge split"]
    assert [mark["value"] for mark in split["marks"] if mark["name"] == "seal"] == ["split"]
    assert [each["external_id"] for each in api.get("/orders", tag="易碎").json()["items"]] == ["o1"]
    assert api.send("DELETE", "/orders/o1/tags/MANY").json()["tags"] == ["易碎"]
    assert api.send("DELETE", "/orders/o1/seal").status_code == 200
    assert api.send("DELETE", "/orders/o1/tags/MANY").status_code == 409
    assert api.send("DELETE", "/orders/o1/seal").status_code == 409
    assert api.send("PUT", f"/orders/o1/tags/{'x' * 41}").status_code == 409
    assert api.send("PUT", "/orders/o7/tags/x").status_code == 404
    assert {each["actor"] for each in api.events("order.marked")} == {"api:erp"}
    assert len(api.events("order.marked")) == 5  # the second PUT of a tag is none


def test_rules_and_what_they_say_of_an_order_have_the_keys_of_their_examples(api: Api) -> None:
    rules = api.get("/rules").json()["items"]
    tried = api.get("/orders/o1/rules").json()
    order = api.get("/orders/o1").json()

    assert [(rule["id"], rule["holds"]) for rule in rules] == [("many", 2), ("all", 2), ("note", 0)]
    assert list(rules[0]) == list(examples.RULE)
    assert list(tried) == list(examples.TRIED)
    assert list(tried["rules"][0]) == list(examples.TRIED["rules"][0])
    assert list(tried["rules"][0]["hold"]) == list(examples.TRIED["rules"][0]["hold"])
    assert list(order) == list(examples.ORDER)
    assert list(order["rules"][0]) == list(examples.ORDER["rules"][0])
    assert list(order["marks"][0]) == list(examples.ORDER["marks"][0])
    assert [rule["outcome"] for rule in order["rules"]] == ["matched", "matched", "not"]
    assert [each["external_id"] for each in api.get("/orders", rule="all").json()["items"]] == ["o2", "o1"]
    assert api.get("/orders", rule="nobody's").json()["items"] == []


def test_a_token_that_reads_looks_and_decides_nothing(api: Api) -> None:
    reads = api.make_token("read")

    assert {
        api.get(path, token=reads).status_code for path in ("/rules", "/orders/o1/rules", "/orders/o1/approvals")
    } == {200}
    assert api.post("/orders/o1/approvals", {"rules": ["all"]}, token=reads).status_code == 403
    api.token = reads
    refused = [api.send(method, f"/orders/o1/{path}") for method in ("PUT", "DELETE") for path in ("tags/x", "seal")]
    assert {each.status_code for each in refused} == {403}
