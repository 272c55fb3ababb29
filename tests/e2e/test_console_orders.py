"""The list of orders at the console: filters, counts, kept views, search, and what is done to many at once."""

from collections.abc import Iterator

import pytest

from tests.support.order_desk import OrderDesk, numbers_of, order_desk, words_of
from tests.support.visitor import visitor

PHONE = "13800001111"


@pytest.fixture
def desk(database_url: str) -> Iterator[OrderDesk]:
    with order_desk(database_url) as opened:
        yield opened


# -- filters


def test_filters_are_all_to_hold_and_each_can_be_taken_away(desk: OrderDesk) -> None:
    o1, o2, o3 = (desk.named(name) for name in ("o1", "o2", "o3"))
    desk.act("orders/hold", order=o1, reason="look at it")

    assert numbers_of(desk.get("orders")) == [o3, o2, o1]
    assert numbers_of(desk.get("orders?status=backordered")) == [o2]
    assert numbers_of(desk.get("orders?sku=A")) == [o3, o1]
    assert numbers_of(desk.get("orders?sku=A&status=unpaid")) == [o3]
    assert numbers_of(desk.get("orders?reason=operator")) == [o1]
    assert numbers_of(desk.get("orders?warehouse=SH&sku=A&channel=shop")) == [o1]
    assert numbers_of(desk.get("orders?warehouse=none")) == []
    page = desk.get("orders?sku=A&status=unpaid")
    assert 'href="/orders?status=unpaid" aria-label="Remove the filter SKU"' in page.text
    assert 'href="/orders?sku=A" aria-label="Remove the filter Status"' in page.text


def test_days_are_those_of_the_shop_and_both_are_included(desk: OrderDesk) -> None:
    """Placed at 00:30 in Shanghai is the day before in UTC."""
    at = desk.town.ctx.store.clock.now().replace(hour=16, minute=30, second=0, microsecond=0)
    desk.town.shop.place("night", ("A", 1), placed_at=at)
    desk.read()
    local = at.astimezone(desk.town.ctx.timezone)
    day, before = f"{local:%Y-%m-%d}", f"{at:%Y-%m-%d}"
    night = desk.named("night")

    assert night in numbers_of(desk.get(f"orders?from={day}&to={day}"))
    assert night not in numbers_of(desk.get(f"orders?from={before}&to={before}"))


@pytest.mark.parametrize("text", ["soon", "2026-13-01", "0001-01-01", "9999-12-31"])
def test_a_day_that_is_none_is_said_and_not_guessed(desk: OrderDesk, text: str) -> None:
    answer = desk.get(f"orders?from={text}")

    assert answer.status_code == 400
    assert f"“{text}” is no day: write it like 2026-03-31" in words_of(answer)


def test_what_no_order_fits_says_so_and_how_to_see_all(desk: OrderDesk) -> None:
    assert "No order fits all these filters. Remove all filters" in words_of(desk.get("orders?status=completed"))


def test_open_orders_are_counted_beside_their_status_and_reason(desk: OrderDesk) -> None:
    desk.act("orders/hold", order=desk.named("o1"), reason="look at it")
    page = words_of(desk.get("orders?status=held"))

    assert "held 1 unpaid 1 backordered 1 allocated released" in page
    assert "operator 1" in page


def test_a_filter_stands_as_text_on_the_page_whatever_it_holds(desk: OrderDesk) -> None:
    answer = desk.get('orders?sku="><script>alert(1)</script>')

    assert answer.status_code == 200
    assert "<script>alert" not in answer.text


# -- kept views


def test_a_view_is_kept_under_a_name_listed_replaced_and_deleted(desk: OrderDesk) -> None:
    kept = desk.act("orders/views/keep", on="orders?status=held", view=" 挂起 的 ", status="held", channel="shop")
    assert "the view “挂起 的” is kept" in words_of(kept)
    assert 'href="/orders?status=held&amp;channel=shop"' in desk.get("orders").text

    desk.act("orders/views/keep", view="挂起 的", status="unpaid")
    page = desk.get("orders").text
    assert 'href="/orders?status=unpaid">挂起 的' in page
    assert "status=held&amp;channel=shop" not in page

    assert "is deleted" in words_of(desk.act("orders/views/delete", view="挂起 的"))
    assert "挂起 的" not in desk.get("orders").text
    assert "there is no view “挂起 的” any more" in words_of(desk.act("orders/views/delete", view="挂起 的"))


def test_a_view_is_its_users_own_and_takes_no_role_beyond_reading(desk: OrderDesk) -> None:
    reader = visitor(desk.store, "mei", role="read")
    desk.act("orders/views/keep", reader, view="mine", status="held")

    assert "mine" in desk.get("orders", reader).text
    assert "mine" not in desk.get("orders").text


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"view": " ", "status": "held"}, "a name is needed for the view"),
        ({"view": "x" * 41, "status": "held"}, "the name of a view has 40 characters at most"),
        ({"view": "all"}, "nothing is filtered"),
        ({"view": "long", "sku": "表" * 200}, "the filters of a view have 1000 characters at most"),
    ],
)
def test_a_view_that_cannot_be_kept_says_why(desk: OrderDesk, form: dict[str, str], said: str) -> None:
    assert said in words_of(desk.act("orders/views/keep", **form))


def test_a_user_keeps_so_many_views_and_no_more(desk: OrderDesk) -> None:
    for number in range(31):
        answer = desk.act("orders/views/keep", view=f"v{number}", status="held")

    assert "there are 30 views already: delete one first" in words_of(answer)
    assert "is kept" in words_of(desk.act("orders/views/keep", view="v3", status="unpaid"))


# -- search


def test_the_search_box_leads_to_an_address_for_what_is_no_phone_number(desk: OrderDesk) -> None:
    answer = desk.post("orders/find", q=" o1 & more ")

    assert (answer.status_code, answer.headers["location"]) == (303, "/orders?q=o1+%26+more")
    assert desk.post("orders/find", q=" ").headers["location"] == "/orders"


def test_a_phone_number_in_the_search_box_is_looked_for_and_stands_in_no_address(desk: OrderDesk) -> None:
    answer = desk.post("orders/find", q="+86 138-0000-1111")

    assert answer.status_code == 200
    assert numbers_of(answer) == [desk.named("o2"), desk.named("o1")]
    assert PHONE not in answer.text
    assert "138-0000" not in answer.text
    [event] = desk.events("phone.searched")
    assert (event["actor"], event["detail"]) == ("web:lin", {"orders": 2})


def test_an_order_called_like_a_phone_number_is_found_as_well(desk: OrderDesk) -> None:
    desk.town.shop.place("13700003333", ("A", 1))
    desk.read()

    assert numbers_of(desk.post("orders/find", q="13700003333")) == [desk.named("13700003333")]


def test_the_form_for_phone_numbers_finds_orders_and_may_be_sent_again(desk: OrderDesk) -> None:
    found = [numbers_of(desk.post("orders/find-by-phone", phone="13900002222")) for _ in range(2)]

    assert found == [[desk.named("o3")]] * 2


@pytest.mark.parametrize("phone", ["", "138****1111", "12345"])
def test_what_is_no_whole_phone_number_is_refused_and_not_repeated(desk: OrderDesk, phone: str) -> None:
    answer = desk.post("orders/find-by-phone", phone=phone)

    assert "a phone number is needed whole" in words_of(answer)
    assert not phone or phone not in answer.text


def test_who_only_reads_is_shown_no_order_by_phone(desk: OrderDesk) -> None:
    reader = visitor(desk.store, "mei", role="read")
    page = desk.post("orders/find", reader, q=PHONE)

    assert numbers_of(page) == []
    assert "Looking for a phone number takes the role operate." in words_of(page)
    assert desk.post("orders/find-by-phone", reader, phone=PHONE).status_code == 403
    assert desk.events("phone.searched") == []


@pytest.mark.parametrize("path", ["orders/find", "orders/reveal"])
def test_the_address_of_what_only_a_form_shows_leads_to_the_list(desk: OrderDesk, path: str) -> None:
    assert desk.get(path).headers["location"] == "/orders"
    assert desk.get(f"{path}?said=a%26b").headers["location"] == "/orders?said=a%26b"


def test_a_phone_number_is_written_into_no_log(desk: OrderDesk, capfd: pytest.CaptureFixture[str]) -> None:
    desk.post("orders/find", q=PHONE)
    desk.post("orders/find-by-phone", phone=PHONE)

    assert PHONE not in "".join(capfd.readouterr())


# -- many at once


def test_many_are_held_and_released_and_what_is_refused_stops_no_other(desk: OrderDesk) -> None:
    o1, o2 = desk.named("o1"), desk.named("o2")
    held = desk.act("orders/hold", order=[o1, o2, "gone"], reason=" wait for\tLi ")
    assert "2 orders are held" in words_of(held)
    assert "gone order gone is not known" in words_of(held)
    assert [desk.order(name)["status"] for name in (o1, o2)] == ["held", "held"]
    assert desk.events("order.held")[0]["detail"]["reason"] == "wait for Li"

    freed = desk.act("orders/release", order=[o1, o2])
    assert "the holds of 2 orders are ended" in words_of(freed)
    assert [desk.order(name)["status"] for name in (o1, o2)] == ["allocated", "backordered"]


def test_many_are_cancelled_with_a_reason(desk: OrderDesk) -> None:
    chosen = [desk.named("o1"), desk.named("o3")]
    page = desk.act("orders/cancel", order=chosen, reason="sold twice")

    assert "what had not left of 2 orders is cancelled" in words_of(page)
    assert [desk.order(name)["status"] for name in chosen] == ["cancelled", "cancelled"]


@pytest.mark.parametrize(
    ("path", "form", "said"),
    [
        ("orders/hold", {"order": "o1"}, "a reason is needed"),
        ("orders/cancel", {"order": "o1", "reason": " "}, "a reason is needed"),
        ("orders/hold", {"order": "o1", "reason": "x" * 501}, "the reason has 500 characters at most"),
        ("orders/release", {}, "no order is chosen: tick those that are meant"),
        ("orders/release", {"order": "o1"}, "is not held by an operator"),
    ],
)
def test_an_act_that_lacks_something_says_what(desk: OrderDesk, path: str, form: dict[str, str], said: str) -> None:
    assert said in words_of(desk.act(path, **form))
    assert desk.order("o1")["status"] == "allocated"


def test_who_only_reads_is_offered_no_act_and_may_send_none(desk: OrderDesk) -> None:
    reader = visitor(desk.store, "mei", role="read")
    page = desk.get("orders", reader).text

    assert "/orders/hold" not in page
    assert "/orders/export" in page
    for path in ("orders/hold", "orders/release", "orders/cancel", "orders/ship", "orders/correct"):
        assert desk.act(path, reader, order="o1", reason="x").status_code == 403
    assert desk.order("o1")["status"] == "allocated"
