"""U+0000, which PostgreSQL takes in no text, is refused at every door: nothing of it is logged or stored."""

import base64
import json

import pytest
import requests
from structlog.testing import capture_logs

from tests.e2e.command_desk import Desk
from tests.support.api import Api

PATHS = ("orders/%00", "static/%00", "x%00y", "api/v1/orders/%00", "api/v1/stock/a%00b", "hooks/%00", "%00")
QUERIES = (
    "orders?q=a%00",
    "orders?after=%00",
    "orders?channel=%00",
    "status.json?x=%00",
    "api/v1/orders?channel=%00",
    "api/v1/orders/find?text=%00",
    "api/v1/stock?sku=%00",
    "api/v1/dead-letters?kind=%00",
    "api/v1/events?kind=a%00",
)
BODIES = (b'{"reason": "a\\u0000b"}', b'{"reason": "a\0b"}', '{"reason": "a\0b"}'.encode("utf-16"))


def get(api: Api, path: str) -> requests.Response:
    return requests.get(api.server.url + path, headers={"Authorization": f"Bearer {api.token}"}, timeout=60)


def test_an_address_with_a_nul_is_nowhere_and_a_query_with_one_is_refused(api: Api) -> None:
    with capture_logs() as records:
        assert {path: get(api, path).status_code for path in PATHS} == dict.fromkeys(PATHS, 404)
        assert {path: get(api, path).status_code for path in QUERIES} == dict.fromkeys(QUERIES, 422)
    assert [record for record in records if record["log_level"] in ("warning", "error")] == []


@pytest.mark.parametrize("body", BODIES, ids=["escaped", "plain", "utf-16"])
def test_a_body_with_a_nul_is_refused_by_webhooks_and_api(api: Api, body: bytes) -> None:
    with capture_logs() as records:
        told = [
            api.send("POST", "/orders/o1/hold", data=body, Idempotency_Key="k"),
            requests.post(f"{api.server.url}hooks/shop", data=body, timeout=60),
        ]
    assert [answer.status_code for answer in told] == [422, 422]
    assert all("U+0000" in answer.text for answer in told)
    assert [record for record in records if record["log_level"] in ("warning", "error")] == []


def test_a_body_that_only_speaks_of_a_nul_is_taken(api: Api) -> None:
    told = api.post("/orders/o1/hold", {"reason": r"says \u0000"})

    assert told.status_code == 200


def test_a_cursor_that_hides_a_nul_is_none_of_ours(api: Api) -> None:
    cursor = base64.urlsafe_b64encode(json.dumps(["a\0", "SH"]).encode()).decode().rstrip("=")

    assert api.get("/stock", after=cursor).status_code == 422


@pytest.mark.parametrize(
    ("word", "why"), [("a\0b", "holds U+0000: 'a\\x00b'"), ("caf\udce9", "is not UTF-8 text: 'caf\\udce9'")]
)
@pytest.mark.parametrize("words", [("orders", "show"), ("orders", "find"), ("explain",), ("token", "create")])
def test_an_argument_that_is_no_text_is_wrong_usage(desk: Desk, words: tuple[str, ...], word: str, why: str) -> None:
    ran = desk.run(*words, word)

    assert (ran.code, ran.out, ran.err) == (2, "", f"erpsync: argument {len(words) + 3} {why}\n")


def test_a_row_with_a_nul_is_named_and_the_others_are_taken(desk: Desk) -> None:
    counts = desk.write("counts.csv", "warehouse,sku,on_hand,as_of\nSH,A,6,\nSH,B,5,\0\nS\0H,C,5,\n")
    ran = desk.run("stock", "import", counts)

    assert ran.code == 1
    assert f"{counts}:3: line holds NUL or bytes that are not utf-8\n" in ran.err
    assert f"{counts}:4: line holds NUL or bytes that are not utf-8\n" in ran.err
    assert [row["sku"] for row in desk.json("stock", "list")] == ["A"]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('id: "sh\\0op"\nconnector: csv_drop\n', "1:5: id"),
        ('id: shop\nconnector: csv_drop\nsettings:\n  folder: "in\\0"\n', "4:11: settings.folder"),
        ('id: shop\nconnector: csv_drop\n"set\\0tings": {}\n', "3:1: ."),
    ],
    ids=["a name", "a folder", "a key"],
)
def test_a_nul_in_the_configuration_is_named_by_its_line(desk: Desk, text: str, place: str) -> None:
    file = desk.write("channels/shop.yaml", text)
    ran = desk.run("check")

    assert ran.code == 78
    assert f"{file}:{place}: holds U+0000, which no text may hold\n" in ran.out
