"""What is made as buyers want it, at the command line, over the API and on the page of an order."""

import json
from collections.abc import Iterator

import pytest

from erpsync.flows.access.tokens import create_token
from tests.e2e.command_desk import Desk
from tests.support.api import Api
from tests.support.engraved import made_of, makes, place
from tests.support.looking import status
from tests.support.order_desk import OrderDesk, order_desk, words_of
from tests.support.own_orders import HOME
from tests.support.shop import build_town
from tests.support.visitor import visitor
from tests.support.web_shop import serve

PRODUCTION = """production:
  specs:
    engraving:
      text: {from: [{buyer_note: {after: ["刻:"]}}], required: true, max_chars: 6}
"""


@pytest.fixture
def maker(desk: Desk) -> Desk:
    """A shop that engraves mugs."""
    file = desk.folder / "erpsync.yaml"
    file.write_text(file.read_text() + PRODUCTION)
    items = desk.write("items.csv", "sku,supply,spec\nMUG,make,engraving\n")
    assert desk.run("items", "import", items).out == "1 row taken, 0 refused\n"
    return desk


@pytest.fixture
def api(database_url: str) -> Iterator[Api]:
    """The API of a shop that engraves mugs; o1 says nothing."""
    town = build_town(database_url)
    makes(town)
    place(town, "o1", "")
    token = create_token(town.store, "erp", scope="admin", actor="wang")
    server, _ = serve(town.store, town.ctx)
    found = Api(town, server, token)
    found.read()
    yield found
    server.stop(2)
    town.store.close()


@pytest.fixture
def page(database_url: str) -> Iterator[OrderDesk]:
    """The console of that shop."""
    with order_desk(database_url) as opened:
        makes(opened.town)
        place(opened.town, "e1", "")
        opened.read()
        yield opened


def create(desk: Desk, note: str) -> str:
    """Make an order for a mug here; return its number."""
    said = {"currency": "CNY", "recipient": HOME, "lines": [{"sku": "MUG", "qty": 1, "price_minor": 100}]}
    file = desk.write("order.json", json.dumps(said | {"buyer_note": note}))
    assert desk.run("orders", "create", file).code == 0
    number: str = desk.json("orders", "list")[0]["number"]
    return number


def test_items_are_taken_from_a_file_and_listed_and_a_bad_row_is_named(maker: Desk) -> None:
    file = maker.write("more.csv", "sku,supply,spec\nPEN,make,engravng\nCUP,none,\n")

    ran = maker.run("items", "import", file)

    assert (ran.code, ran.out) == (1, "1 row taken, 1 refused\n")
    assert "more.csv:2: no engravng in production.specs; known are engraving" in ran.err
    plain = {"make_for": "order", "warehouse": None, "offer": 0, "lead_days": 0}
    mug = {"sku": "MUG", "supply": "make", "spec": "engraving"} | plain
    assert maker.json("items", "list") == [{"sku": "CUP", "supply": "none", "spec": ""} | plain, mug]
    assert maker.json("items", "list", "--spec", "engraving") == [mug]


def test_an_order_is_held_until_somebody_says_how_it_is_to_be_made(maker: Desk) -> None:
    number = create(maker, "thanks")
    assert maker.json("orders", "show", number)["hold_reason"] == "bad_spec"

    assert maker.run("orders", "specify", number, "1", "text=Anna").code == 0

    assert maker.json("orders", "show", number)["status"] == "backordered"
    assert "Anna" not in maker.run("orders", "show", number).out
    assert maker.json("orders", "show", number, "--spec")["lines"][0]["spec"] == {"text": "Anna"}
    assert "line 1 is made with text: Anna" in maker.run("orders", "show", number, "--spec").out
    assert maker.run("orders", "specify", number, "1", "--clear").code == 0
    assert maker.json("orders", "show", number)["hold_reason"] == "bad_spec"


@pytest.mark.parametrize("words", [(), ("text=A", "--clear"), ("Anna",), ("=Anna",)])
def test_what_says_nothing_is_no_wish(maker: Desk, words: tuple[str, ...]) -> None:
    assert maker.run("orders", "specify", "S1", "1", *words).code == 2


def test_a_program_says_how_a_line_is_to_be_made_and_takes_it_back(api: Api) -> None:
    key = {"Idempotency_Key": "k1", "Content_Type": "application/json"}
    body = json.dumps({"values": {"text": "小明"}}).encode()
    said = api.send("PUT", "/orders/o1/lines/o1-1/spec", data=body, **key)

    assert (said.status_code, said.json()["status"]) == (200, "backordered")
    assert made_of(api.town, "o1") == [{"text": "小明", "size": "M"}]
    assert "小明" not in api.get("/orders/o1").json()["lines"][0].values()
    assert api.get("/orders/o1", spec=True).json()["lines"][0]["spec"] == {"text": "小明", "size": "M"}
    assert api.get("/orders/o1", spec=True, token=api.make_token("read")).status_code == 403
    assert api.send("DELETE", "/orders/o1/lines/o1-1/spec", Idempotency_Key="k2").status_code == 200
    assert status(api.town, "o1") == ("held", "bad_spec")


def test_it_is_said_on_the_page_of_the_order(page: OrderDesk) -> None:
    number = page.named("e1")
    assert "Say how line e1-1 is made" in words_of(page.get(f"orders/{number}"))
    form = {"order": number, "line": "e1-1", "name": "text"}

    told = page.act("orders/specify", on=f"orders/{number}", value="小明", **form)

    assert f"line e1-1 of order {number} is made with the text that was said" in words_of(told)
    assert made_of(page.town, "e1") == [{"text": "小明", "size": "M"}]
    refused = words_of(page.act("orders/specify", on=f"orders/{number}", value="小明小明小明小明", **form))
    assert "line e1-1: text is longer than it may be" in refused
    page.act("orders/specify", on=f"orders/{number}", clear="1", **form)
    assert status(page.town, "e1") == ("held", "bad_spec")


def test_who_only_reads_is_not_asked(page: OrderDesk) -> None:
    reader = visitor(page.store, "mei", role="read")

    assert "Say how line" not in words_of(page.get(f"orders/{page.named('e1')}", reader))
    assert "Say how line" not in words_of(page.get(f"orders/{page.named('o1')}"))
