"""Orders that no channel knows, as people make them: at the command line, by a program, at the console."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from erpsync.flows.access.tokens import Access, access_of
from erpsync.flows.api.idempotency import Asker, Call, Claim, claim, for_claim
from erpsync.flows.inventory.counts import set_stock
from erpsync.flows.own_orders.create import create_order, key_of
from erpsync.flows.own_orders.form import OwnOrder
from tests.e2e.command_desk import Desk, open_desk
from tests.support import looking
from tests.support.api import api_of
from tests.support.goods_room import Room, open_room, words_of
from tests.support.sources import ROOT
from tests.support.visitor import act, visitor

HOME = {"name": "王小明", "phone": "13800001111", "address": "解放路 1 号"}
ORDER: dict[str, Any] = {"currency": "CNY", "recipient": HOME, "lines": [{"sku": "A", "qty": 2, "price_minor": 1000}]}
FORM = {"kind": "cod", "currency": "cny", "lines": "A, 2, 10.00\n", "freight": "5", **HOME}


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    desk = open_desk(tmp_path)
    assert desk.run("run", "--once").code == 0
    counts = desk.write("counts.csv", "warehouse,sku,on_hand\nSH,A,6\nSH,CUP-RED,5\n")
    assert desk.run("stock", "import", counts).code == 0
    return desk


def put(desk: Desk, document: Any) -> str:
    return desk.write("order.json", json.dumps(document))


def test_the_order_of_the_documents_is_made_found_and_sent_elsewhere(desk: Desk) -> None:
    page = (ROOT / "docs/everyday.md").read_text(encoding="utf-8")
    [example] = re.findall(r"```json own order\n(.*?)```", page, re.DOTALL)

    [made] = desk.json("orders", "create", desk.write("order.json", example))["orders"]
    [listed] = desk.json("orders", "list", "--channel", "internal")
    moved = desk.json("orders", "edit", made["number"], "--recipient", put(desk, HOME | {"name": "李四"}))
    shown = desk.json("orders", "show", made["number"], "--recipient")

    assert (listed["number"], listed["kind"], listed["status"]) == (made["number"], "cod", "allocated")
    assert (moved["status"], shown["recipient"]["name"]) == ("allocated", "李四")
    assert (shown["notes"]["buyer_note"], shown["total_minor"]) == ("请下午送", 27000)
    assert "internal" not in desk.run("channels", "list").out
    assert desk.run("channels", "show", "internal").err == "erpsync: no channel internal\n"


def test_one_is_found_by_the_telephone_of_whoever_gets_it(desk: Desk) -> None:
    [made] = desk.json("orders", "create", put(desk, ORDER | {"recipient": HOME | {"phone": "+86 138-0000-1111"}}))[
        "orders"
    ]

    found = desk.run("orders", "find", "13800001111")

    assert [line.split()[0] for line in found.out.splitlines()[1:]] == [made["number"]]


def test_a_command_that_is_run_twice_makes_one_order_and_says_so(desk: Desk) -> None:
    file = put(desk, ORDER)
    first, second = desk.run("orders", "create", file), desk.run("orders", "create", file)

    number = first.out.split()[1]
    assert (first.code, first.out) == (0, f"order {number} is made\n")
    assert (second.code, second.out) == (
        0,
        f"order {number} was made before; to order the same once more, give it a key of its own\n",
    )
    assert len(desk.json("orders", "list", "--channel", "internal")) == 1


def test_what_is_wrong_in_a_list_is_named_by_its_place_and_the_rest_is_made(desk: Desk) -> None:
    bad = ORDER | {"lines": [{"sku": "A", "qty": 0, "price_minor": 1}]}
    unknown = ORDER | {"lines": [*ORDER["lines"], {"sku": "NOPE", "qty": 1, "price_minor": 1}]}
    file = put(desk, [bad, ORDER, unknown, 7])
    ran = desk.run("orders", "create", file)

    assert ran.code == 1
    assert [line.removeprefix(f"{file}[") for line in ran.err.splitlines()] == [
        "0]: lines[0].qty: must be at least 1",
        "2]: lines[1].sku: there is no SKU NOPE",
        '3]: it must be a JSON object: {"name": value, …}',
    ]
    assert len(desk.json("orders", "list")) == 1


def test_a_file_that_is_no_json_is_named_with_its_line(desk: Desk) -> None:
    file = desk.write("order.json", '{"kind": "cod",\n nothing}')
    ran = desk.run("orders", "create", file)

    assert (ran.code, ran.err) == (1, f"erpsync: {file}:2: this is no JSON\n")
    assert desk.run("orders", "create", str(desk.folder / "none.json")).code == 1


@pytest.mark.concurrent("processes")
def test_an_order_comes_by_standard_input(desk: Desk) -> None:
    ran = desk.apart("orders", "create", "-", "--json", said=json.dumps(ORDER | {"key": "call-7"}))

    assert (ran.code, [each["repeated"] for each in ran.json["orders"]]) == (0, [False])


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_a_program_makes_one_once_for_its_key_and_is_told_the_wrong_field(database_url: str) -> None:
    with api_of(database_url) as api:
        first = api.post("/orders", ORDER, key="k1")
        again = api.post("/orders", ORDER, key="k1")
        other = api.post("/orders", ORDER, key="k2")
        named = [api.post("/orders", ORDER | {"key": "call-7"}, key=key).json() for key in ("k3", "k4")]
        number = first.json()["number"]

        assert (first.status_code, first.json()["repeated"], again.json()) == (201, False, first.json())
        assert other.json()["number"] != number
        assert named[0]["number"] == named[1]["number"]
        assert [each["repeated"] for each in named] == [False, True]
        assert api.get(f"/orders/{number}").json()["kind"] == "phone"
        unknown = api.post("/orders", ORDER | {"lines": [{"sku": "NOPE", "qty": 1, "price_minor": 1}]})
        assert (unknown.status_code, unknown.json()["detail"]) == (422, "lines[0].sku: there is no SKU NOPE")
        unnamed = api.post("/orders", ORDER | {"recipient": {"name": "王小明"}})
        assert unnamed.status_code == 422
        assert "phone" in unnamed.text
        assert api.post("/orders", ORDER, token=api.make_token("read")).status_code == 403


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_a_program_whose_answer_was_lost_with_the_process_is_told_the_same_order(database_url: str) -> None:
    with api_of(database_url) as api:
        access = access_of(api.town.store, api.token)
        assert isinstance(access, Access)
        asker = Asker(kind="token", id=access.id, actor=access.actor)
        body = json.dumps(ORDER).encode()
        held = claim(api.town.store, Call(asker=asker, key="k", method="POST", path="/api/v1/orders", body=body))
        assert isinstance(held, Claim)
        name = key_of({"token": access.id, "key": "k"})
        made = create_order(for_claim(api.town.ctx, held), OwnOrder.read(ORDER), actor=access.actor, key=name)
        api.town.advance(61)

        again = api.post("/orders", ORDER, key="k")

        assert (again.status_code, again.json()) == (201, {"number": made.number, "repeated": True})
        assert [order["number"] for order in api.get("/orders", channel="internal").json()["items"]] == [made.number]


@pytest.mark.parametrize("dialect", ["sqlite"])
@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"lines": [{"sku": "A", "qty": 0, "price_minor": 1}]}, "lines.0.qty"),
        ({"lines": [*ORDER["lines"]] * 10_000}, "lines"),
        ({"recipient": HOME | {"phone": ""}}, "recipient.phone"),
        ({"recipient": HOME | {"name": "a\rb"}}, "recipient.name"),
        ({"recipient": HOME | {"name": "\ud83d"}}, "recipient.name"),
        ({"lines": [{"sku": "A", "qty": 10**6, "price_minor": 10**14}]}, "lines"),
        ({"currency": "RMB"}, "currency"),
    ],
)
def test_a_program_is_told_which_field_is_wrong_and_nothing_is_stored(
    database_url: str, said: dict[str, Any], field: str
) -> None:
    with api_of(database_url) as api:
        before = looking.count(api.town, "orders")
        refused = api.post("/orders", ORDER | said)

        assert refused.status_code == 422
        assert refused.json()["detail"].removeprefix("body.").startswith(f"{field}: ")
        assert looking.count(api.town, "orders") == before


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_a_program_sends_one_elsewhere_until_it_has_left(database_url: str) -> None:
    with api_of(database_url) as api:
        number = api.post("/orders", ORDER | {"recipient": {"phone": "13800001111"}}).json()["number"]
        held = api.get(f"/orders/{number}").json()["hold_reason"]
        edited = api.post(f"/orders/{number}/recipient", HOME).json()
        api.post(f"/orders/{number}/ship", {"carrier": "SF", "tracking": "SF1"})

        assert (held, edited["status"]) == ("incomplete_address", "allocated")
        assert api.post(f"/orders/{number}/recipient", HOME).status_code == 409
        assert api.post("/orders/o1/recipient", HOME).status_code == 409


def send(room: Room, once: str = "", **typed: str) -> Any:
    return act(room.browser, room.server.url, "orders/create", once=once, **(FORM | typed))


def test_the_form_leads_to_the_order_and_sent_twice_it_is_one(database_url: str) -> None:
    with open_room(database_url) as room:
        put_a(room)
        pages = [send(room, once="k") for _ in range(2)]

        [(number, kind, total)] = looking.rows(room.town, "SELECT number, kind, total_minor FROM orders")
        assert [page.url for page in pages] == [f"{room.server.url}orders/{number}"] * 2
        assert (kind, total) == ("cod", 2500)
        assert "Made here, paid on delivery:" in words_of(pages[0].text)
        assert looking.held(room.town, number) == {"A": 2}
        [(_, on_record), *_] = looking.events(room.town, "console.changed")
        assert on_record == {"path": "/orders/create", "address": "127.0.0.1"}


def test_what_is_wrong_is_said_above_the_form_which_keeps_what_was_typed(database_url: str) -> None:
    with open_room(database_url) as room:
        put_a(room)
        answers = {
            "no such SKU": send(room, lines="A, 1, 10\nNOPE, 1, 10"),
            "units": send(room, lines="A, two, 10"),
            "price": send(room, lines="A, 2, ten"),
            "phone": send(room, phone=" "),
        }

        assert {page.status_code for page in answers.values()} == {422}
        said = {what: words_of(page.text) for what, page in answers.items()}
        assert "lines[1].sku: there is no SKU NOPE" in said["no such SKU"]
        assert "line 1 of the goods must be a SKU, how many units and the price of one" in said["units"]
        assert "line 1: must be an amount like 12.50" in said["price"]
        assert "recipient.phone: must not be empty" in said["phone"]
        assert all('value="王小明"' in page.text for page in answers.values())
        assert (looking.count(room.town, "orders"), looking.events(room.town, "console.changed")) == (0, [])


def test_the_form_takes_the_role_operate(database_url: str) -> None:
    with open_room(database_url) as room:
        reader = visitor(room.town.store, "reader", role="read")
        assert reader.get(f"{room.server.url}orders/new", timeout=60).status_code == 403
        assert "orders/new" not in reader.get(f"{room.server.url}orders", timeout=60).text
        assert 'href="/orders/new"' in room.text("orders")


def put_a(room: Room) -> None:
    set_stock(room.town.ctx, warehouse="SH", sku="A", on_hand=9, actor="me")
