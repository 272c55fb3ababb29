"""One order at the console: what to do, why it is so, who gets it, and what people do about it."""

import re
from collections.abc import Iterator

import pytest

from erpsync.store.db.privacy import Vault
from tests.languages.leftovers import DATA as LEFT_OVERS
from tests.languages.leftovers import left_over
from tests.support.order_desk import OrderDesk, order_desk, words_of
from tests.support.visitor import visitor

PHONE = "13800001111"
PARCEL = {"carrier": "SF", "tracking": "SF1400022331234", "qty": "1"}
NO_KEY = Vault([b"other key".ljust(32, b"!")], b"i" * 32)


@pytest.fixture
def desk(database_url: str) -> Iterator[OrderDesk]:
    with order_desk(database_url) as opened:
        yield opened


def page_of(desk: OrderDesk, name: str, *, role: str = "") -> str:
    """Return what an order's page says, in words."""
    browser = visitor(desk.store, f"{role}-user", role=role) if role else None
    return words_of(desk.get(f"orders/{desk.named(name)}", browser))


# -- what to do, and why


@pytest.mark.parametrize(
    ("name", "said", "link"),
    [
        ("o1", "send it, then record the parcel with “Ship”", ""),
        ("o2", "enter what arrives: the oldest paid order is served first, at once", "/stock"),
        ("o3", "nothing to do: it waits for the buyer's payment", ""),
    ],
)
def test_the_page_says_first_what_to_do_and_names_no_command(desk: OrderDesk, name: str, said: str, link: str) -> None:
    page = desk.get(f"orders/{desk.named(name)}").text
    [steps] = re.findall(r'<ul class="next".*?</ul>', page, re.DOTALL)

    assert said in steps.replace("&#39;", "'")
    assert (f'href="{link}"' in steps) == bool(link)
    assert "erpsync " not in re.sub(r"<footer.*", "", re.sub(r"<title>.*?</title>", "", page), flags=re.DOTALL)


def test_why_an_order_waits_is_told_with_numbers_and_who_comes_first(desk: OrderDesk) -> None:
    page = page_of(desk, "o2")

    assert f"{desk.named('o2')} waits for 8 units of B" in page
    assert "Why it stands where it stands" in page


def test_what_looks_wrong_with_an_address_is_said_to_whoever_may_see_the_order(desk: OrderDesk) -> None:
    desk.town.shop.place("o9", ("A", 1), phone="1380000", province="浙江省", city="广州市")
    desk.read()

    page = page_of(desk, "o9", role="read")
    assert "the phone of who gets it is no telephone number" in page
    assert "the city of the address does not lie in 浙江省" in page
    assert "1380000" not in page


def test_facts_decisions_and_what_the_channel_was_told_are_told_apart_newest_first(desk: OrderDesk) -> None:
    number = desk.named("o1")
    desk.act("orders/hold", order=number, reason="look at it")
    page = page_of(desk, "o1")

    story = page[page.index("What happened") :]
    assert re.search(r"decision order held.*web:lin.*reason look at it.*fact order imported", story)


def test_who_only_reads_is_offered_no_act(desk: OrderDesk) -> None:
    reader = visitor(desk.store, "mei", role="read")
    page = desk.get(f"orders/{desk.named('o1')}", reader).text

    assert 'action="/orders/ship"' not in page
    assert 'action="/orders/hold"' not in page
    assert 'action="/orders/reveal"' not in page


DATA = f"{LEFT_OVERS} shop web lin mug fan VIP look at it gone SF Stock"


@pytest.mark.parametrize("name", ["o1", "o2", "o3"])
def test_no_english_is_left_on_an_orders_page_in_chinese_whatever_was_done(desk: OrderDesk, name: str) -> None:
    desk.town.shop.refund("r1", "o1", n1=1)
    desk.town.shop.change("o2", total=500)
    desk.read()
    number = desk.named(name)
    desk.act("orders/hold", order=number, reason="地址不对")
    desk.act("orders/ship", **PARCEL, order=number, line=f"{name}-1", force="yes", reason="已发出")
    page = words_of(desk.get(f"orders/{number}", visitor(desk.store, "ana"), **{"Accept-Language": "zh"}))

    assert left_over(re.sub(r"S\d{14}\S*|o\d-1", " ", page), DATA) == []


# -- hold, release, cancel


def test_an_order_is_held_and_released_on_its_page(desk: OrderDesk) -> None:
    number = desk.named("o1")
    held = desk.act("orders/hold", on=f"orders/{number}", order=number, reason="address looks wrong")

    assert held.url.startswith(f"{desk.server.url}orders/{number}?said=")
    assert f"order {number} is held" in words_of(held)
    assert "lin holds it: address looks wrong" in words_of(held)
    assert "release it when the reason is gone" in words_of(held)
    assert 'action="/orders/release"' in held.text

    freed = desk.act("orders/release", on=f"orders/{number}", order=number)
    assert f"the hold of order {number} is ended" in words_of(freed)
    assert desk.order(number)["status"] == "allocated"


def test_an_order_that_is_cancelled_offers_nothing_more(desk: OrderDesk) -> None:
    number = desk.named("o1")
    page = desk.act("orders/cancel", on=f"orders/{number}", order=number, reason="sold twice")

    assert f"what had not left of order {number} is cancelled" in words_of(page)
    for path in ("ship", "hold", "cancel", "release"):
        assert f'action="/orders/{path}"' not in page.text


# -- ship and correct


def ship(desk: OrderDesk, name: str, **form: str | list[str]) -> str:
    number = desk.named(name)
    parcel = PARCEL | {"order": number, "line": f"{name}-1"}
    return words_of(desk.act("orders/ship", on=f"orders/{number}", **(parcel | form)))


def test_a_part_of_an_order_is_shipped_then_the_rest(desk: OrderDesk) -> None:
    assert f"parcel {desk.named('o1')}-1 is recorded, and the channel is told" in ship(desk, "o1")
    assert desk.order("o1")["status"] == "partially_shipped"

    ship(desk, "o1", tracking="SF1400022331235")
    assert desk.order("o1")["status"] == "shipped"


def test_the_same_parcel_twice_is_one_parcel(desk: OrderDesk) -> None:
    ship(desk, "o1")

    assert "was recorded before; nothing has changed" in ship(desk, "o1")
    assert len(desk.order("o1")["shipments"]) == 1


def test_a_number_that_looks_unlike_its_courier_is_recorded_and_said(desk: OrderDesk) -> None:
    assert "look at YT1 again: SF numbers look otherwise" in ship(desk, "o1", tracking="YT1")
    assert desk.order("o1")["shipments"][0]["tracking"] == "YT1"


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"tracking": " "}, "a tracking number is needed"),
        ({"tracking": "9" * 101}, "a tracking number has 100 characters at most"),
        ({"carrier": "nobody"}, "unknown carrier"),
        ({"qty": "0"}, "nothing is in the parcel"),
        ({"qty": "3"}, "has 2 open, not 3"),
        ({"qty": "-1"}, "are a whole number, not “-1”"),
        ({"qty": "1.5"}, "are a whole number, not “1.5”"),
        ({"qty": "99999999999"}, "are a whole number"),
        ({"line": "none"}, "has no line none"),
        ({"order": "none"}, "order none is not known"),
        ({"force": "yes"}, "a reason is needed"),
    ],
)
def test_a_parcel_that_lacks_something_says_what_and_nothing_is_recorded(
    desk: OrderDesk, form: dict[str, str], said: str
) -> None:
    assert said in ship(desk, "o1", **form)
    assert desk.order("o1")["shipments"] == []


def test_a_form_with_lines_but_without_their_units_is_none_of_ours(desk: OrderDesk) -> None:
    assert "this form is not one of our pages" in ship(desk, "o1", qty=[])


def test_an_order_that_is_not_paid_is_shipped_only_with_a_reason_and_the_page_says_how(desk: OrderDesk) -> None:
    assert "It is not paid" in page_of(desk, "o3", role="operate")
    refused = ship(desk, "o3")
    assert f"order {desk.named('o3')} is not paid; if the parcel has left all the same, tick" in refused
    assert "--force" not in refused

    assert "is recorded" in ship(desk, "o3", force="yes", reason="cash on delivery")
    [parcel] = desk.order("o3")["shipments"]
    assert parcel["tracking"] == "SF1400022331234"
    assert "forced by web:lin: cash on delivery" in page_of(desk, "o3")


def test_an_order_with_an_open_refund_is_shipped_only_with_a_reason(desk: OrderDesk) -> None:
    desk.town.shop.refund("r1", "o1", n1=1)
    desk.read()
    assert "It is held: refund open" in page_of(desk, "o1")

    assert "is held (refund_open); if the parcel has left all the same, tick" in ship(desk, "o1")
    assert "is recorded" in ship(desk, "o1", force="yes", reason="it had left")


def test_an_order_without_anything_against_it_offers_no_way_around(desk: OrderDesk) -> None:
    assert "It has left all the same" not in page_of(desk, "o1")


def test_a_parcels_number_is_corrected(desk: OrderDesk) -> None:
    ship(desk, "o1")
    parcel, on = f"{desk.named('o1')}-1", f"orders/{desk.named('o1')}"
    form = {"parcel": parcel, "carrier": "SF", "tracking": "SF1400022339999"}

    assert f"parcel {parcel} travels as SF SF1400022339999; the channel hears this number first" in words_of(
        desk.act("orders/correct", on=on, **form)
    )
    assert desk.order("o1")["shipments"][0]["tracking"] == "SF1400022339999"
    assert "already; nothing has changed" in words_of(desk.act("orders/correct", on=on, **form))
    assert "a tracking number is needed" in words_of(desk.act("orders/correct", on=on, **form | {"tracking": ""}))


# -- who gets it


def test_who_gets_it_is_masked_for_everybody_and_notes_are_not_shown(desk: OrderDesk) -> None:
    for role in ("read", "operate", "admin"):
        page = page_of(desk, "o1", role=role)
        assert "王** " in page
        assert "138****1111" in page
        assert not any(word in page for word in ("王小明", PHONE, "解放路", "蓝色纸", "VIP", "mug-fan"))
        assert "There is a buyer’s name, or a note of buyer or seller" in page
    assert desk.events("order.recipient_shown") == []


def test_an_admin_is_shown_who_gets_it_and_that_leaves_an_event(desk: OrderDesk) -> None:
    admin, number = visitor(desk.store, "ana"), desk.named("o1")
    assert 'action="/orders/reveal"' in desk.get(f"orders/{number}", admin).text
    answer = desk.post("orders/reveal", admin, order=number)

    assert answer.headers["cache-control"] == "no-store"
    for word in ("王小明", PHONE, "解放路 1 号", "请用蓝色纸", "VIP", "mug-fan"):
        assert word in words_of(answer)
    [event] = desk.events("order.recipient_shown")
    assert (event["order"], event["actor"]) == (number, "web:ana")


def test_who_is_no_admin_is_shown_nobody(desk: OrderDesk) -> None:
    answer = desk.post("orders/reveal", order=desk.named("o1"))

    assert answer.status_code == 403
    assert "王小明" not in answer.text
    assert desk.events("order.recipient_shown") == []


@pytest.mark.parametrize(
    ("vault", "why"),
    [(None, "this process has no keys for personal data"), (NO_KEY, "the keys at hand do not open it")],
)
def test_where_no_key_opens_it_the_page_says_so(desk: OrderDesk, vault: Vault | None, why: str) -> None:
    desk.store.vault = vault
    answer = desk.post("orders/reveal", visitor(desk.store, "ana"), order=desk.named("o1"))

    assert f"It cannot be read here: {why}." in page_of(desk, "o1")
    assert (answer.status_code, f"who gets it cannot be read here: {why}" in words_of(answer)) == (409, True)
