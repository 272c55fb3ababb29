"""The sandbox itself: it must be as strict, and page as badly, as the platform."""

import json
import threading
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest

from connectors.taobao.connector import TaobaoConnector
from connectors.taobao.mapping import format_time
from connectors.taobao.sandbox import SoldOut, TaobaoSandbox
from erpsync.sdk.clock import SystemClock
from erpsync.sdk.http import HttpClient
from erpsync.sdk.sandbox import Fault, FaultPlan, SandboxRequest, serve
from erpsync.sdk.top import sign
from erpsync.sdk.types import Cursor
from tests.connectors.taobao.shop import NOW, Shop, settings


def ask(sandbox: TaobaoSandbox, method: str, **params: str) -> dict[str, Any]:
    form = {
        "method": method,
        "app_key": sandbox.app_key,
        "session": sandbox.session,
        "timestamp": format_time(NOW),
        "v": "2.0",
        "format": "json",
        "sign_method": "md5",
        **params,
    }
    form = {name: value for name, value in form.items() if value}
    form.setdefault("sign", sign(form, sandbox.app_secret, form["sign_method"]))
    body = urlencode(form).encode()
    answer: dict[str, Any] = json.loads(sandbox.handle(SandboxRequest(method="POST", path="/", body=body)).body)
    return answer


def refusal(answer: dict[str, Any]) -> tuple[int, str]:
    error = answer["error_response"]
    return error["code"], error.get("sub_code", "")


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"sign": "X"}, 25),
        ({"app_key": "1"}, 29),
        ({"app_key": ""}, 28),
        ({"session": ""}, 26),
        ({"session": "old"}, 27),
        ({"timestamp": "2026-11-20 12:10:01"}, 31),
        ({"timestamp": ""}, 30),
        ({"format": "xml"}, 23),
        ({"fields": ""}, 40),
        ({"page_size": "101"}, 41),
        ({"start_modified": "2026-11-19 11:59:59"}, 41),
        ({"start_modified": "2026-11-20 12:00:00"}, 41),
    ],
)
def test_the_platform_refuses_what_the_notes_say_it_refuses(params: dict[str, str], code: int) -> None:
    good = {"fields": "tid", "start_modified": "2026-11-20 11:00:00", "end_modified": "2026-11-20 12:00:00"}

    assert refusal(ask(Shop().sandbox, "taobao.trades.sold.increment.get", **{**good, **params}))[0] == code


def test_an_unknown_method_is_refused() -> None:
    assert refusal(ask(Shop().sandbox, "taobao.nothing.get"))[0] == 22


def test_lists_are_newest_first_and_count_only_when_asked() -> None:
    shop = Shop()
    shop.item()
    for _ in range(3):
        shop.sandbox.place_order([("A-1", 1)])
        shop.clock.advance(seconds=1)
    asked = {
        "fields": "tid,modified",
        "start_modified": format_time(NOW),
        "end_modified": "2026-11-20 12:01:00",
        "type": "fixed",
    }
    method = "taobao.trades.sold.increment.get"
    counted = ask(shop.sandbox, method, **asked, page_size="2")["trades_sold_increment_get_response"]
    paged = ask(shop.sandbox, method, **asked, page_size="2", use_has_next="true")
    answer = paged["trades_sold_increment_get_response"]

    assert [row["modified"][-2:] for row in counted["trades"]["trade"]] == ["02", "01"]
    assert (counted["total_results"], "has_next" in counted) == (3, False)
    assert (answer["has_next"], "total_results" in answer) == (True, False)


def test_only_the_fields_asked_for_are_shown_and_people_are_masked() -> None:
    shop = Shop()
    shop.item()
    tid = shop.sandbox.place_order([("A-1", 1)], message="secret wish")
    fields = "tid,receiver_name,receiver_mobile,buyer_message,orders.oid"
    trade = ask(shop.sandbox, "taobao.trade.fullinfo.get", tid=tid, fields=fields)["trade_fullinfo_get_response"][
        "trade"
    ]

    assert trade == {
        "tid": int(tid),
        "tid_str": tid,
        "receiver_name": "张**",
        "receiver_mobile": "*******1234",
        "buyer_message": "secret wish",
        "orders": {"order": [{"oid": int(tid)}]},
    }


def test_lists_do_not_show_what_only_the_detail_call_shows() -> None:
    shop = Shop()
    shop.item()
    shop.sandbox.place_order([("A-1", 1)], message="wish")
    params = {
        "fields": "tid,buyer_message",
        "start_created": "2026-11-20 11:00:00",
        "end_created": "2026-11-20 13:00:00",
    }
    (row,) = ask(shop.sandbox, "taobao.trades.sold.get", **params, type="fixed")["trades_sold_get_response"]["trades"][
        "trade"
    ]

    assert "buyer_message" not in row


def test_a_simplified_answer_has_no_wrappers() -> None:
    shop = Shop()
    shop.item()
    shop.sandbox.place_order([("A-1", 1)])
    params = {"fields": "tid,orders", "start_created": "2026-11-20 11:00:00", "end_created": "2026-11-20 13:00:00"}
    got = ask(shop.sandbox, "taobao.trades.sold.get", **params, type="fixed", simplify="true")

    assert got["total_results"] == 1
    assert got["trades"][0]["orders"][0]["num"] == 1


def test_a_buyer_cannot_buy_what_the_shop_does_not_show() -> None:
    shop = Shop()
    num_iid = shop.item(qty=2)
    shop.sandbox.place_order([("A-1", 2)])

    with pytest.raises(SoldOut):
        shop.sandbox.place_order([("A-1", 1)])
    assert shop.sandbox.stock() == {num_iid: 0}


def test_units_that_leave_at_payment_can_be_ordered_twice_but_paid_once() -> None:
    shop = Shop()
    num_iid = shop.item(qty=1, at_payment=True)
    first, second = shop.sandbox.place_order([("A-1", 1)]), shop.sandbox.place_order([("A-1", 1)])
    shop.sandbox.pay(first)

    with pytest.raises(SoldOut):
        shop.sandbox.pay(second)
    assert shop.sandbox.stock() == {num_iid: 0}
    assert shop.sandbox.trades.records[second]["status"] == "WAIT_BUYER_PAY"


@pytest.mark.parametrize("undo", ["close_trade", "refund"])
def test_units_of_an_order_that_ends_unshipped_are_shown_again(undo: str) -> None:
    shop = Shop()
    num_iid = shop.item(qty=3)
    tid = shop.sandbox.place_order([("A-1", 2)], pay=undo == "refund")
    if undo == "refund":
        shop.sandbox.grant_refund(shop.sandbox.request_refund(tid))
    else:
        shop.sandbox.close_trade(tid)

    assert shop.sandbox.stock() == {num_iid: 3}


SENDS: list[tuple[Callable[[Shop, str], object], dict[str, str], str]] = [
    (lambda shop, tid: None, {"company_code": "NOPE"}, "B56"),
    (lambda shop, tid: None, {"out_sid": ""}, "B59"),
    (lambda shop, tid: None, {"out_sid": "??"}, "B60"),
    (lambda shop, tid: None, {"tid": "1"}, "B01"),
    (lambda shop, tid: None, {"is_split": "1"}, "P38"),
    (lambda shop, tid: None, {"is_split": "1", "sub_tid": "5"}, "B06"),
    (lambda shop, tid: None, {"is_split": "1", "sub_tid": "ALL"}, "CD25"),
    (lambda shop, tid: shop.sandbox.ship_by_hand(tid, "SF", "SF1", [str(int(tid) + 1)]), {}, "CD22"),
    (
        lambda shop, tid: shop.sandbox.ship_by_hand(tid, "SF", "SF1", [str(int(tid) + 1)]),
        {"is_split": "1", "sub_tid": "ALL"},
        "CD26",
    ),
    (lambda shop, tid: shop.sandbox.ship_by_hand(tid, "SF", "SF1"), {}, "B04"),
    (lambda shop, tid: shop.sandbox.change_trade_fields(tid, status="PAID_FORBID_CONSIGN"), {}, "B02"),
    (lambda shop, tid: shop.sandbox.change_trade_fields(tid, type="cod"), {}, "B98"),
]


@pytest.mark.parametrize(("before", "params", "reason"), SENDS, ids=[str(number) for number in range(len(SENDS))])
def test_a_parcel_is_refused_for_the_reason_in_the_table(
    before: Callable[[Shop, str], object], params: dict[str, str], reason: str
) -> None:
    shop = Shop()
    shop.item(code="A-1")
    shop.item(code="B-1")
    tid = shop.sandbox.place_order([("A-1", 1), ("B-1", 1)], pay=True)
    before(shop, tid)
    every = f"{int(tid) + 1},{int(tid) + 2}"
    asked = {"tid": tid, "company_code": "SF", "out_sid": "SF1234567890123", **params}
    asked = {name: every if value == "ALL" else value for name, value in asked.items()}
    answer = ask(shop.sandbox, "taobao.logistics.offline.send", **asked)

    assert refusal(answer) == (15, f"isv.logistics-offline-service-error:{reason}")


def test_chosen_faults_are_played_in_the_platforms_own_words() -> None:
    shop = Shop()
    sandbox = shop.sandbox
    sandbox.faults.force(Fault.THROTTLE)
    assert refusal(ask(sandbox, "taobao.time.get")) == (7, "accesscontrol.limited-by-api-access-count")
    sandbox.faults.force(Fault.EXPIRED_TOKEN)
    assert refusal(ask(sandbox, "taobao.items.onsale.get", fields="num_iid")) == (27, "invalid-sessionkey")
    sandbox.faults.force(Fault.PLATFORM_ERROR)
    assert refusal(ask(sandbox, "taobao.time.get"))[1].startswith("isp.")


def test_a_doubled_row_is_played_when_the_plan_says_so() -> None:
    shop = Shop()
    shop.item()
    tid = shop.sandbox.place_order([("A-1", 1)])
    shop.sandbox.faults.force(Fault.DUPLICATE)

    assert shop.changed_ids(Cursor()) == [tid, tid]


@pytest.mark.concurrent("threads")
def test_a_shop_served_over_sockets_is_read_by_many_threads() -> None:
    clock = SystemClock()
    sandbox = TaobaoSandbox(clock=clock, faults=FaultPlan(7, 0.0))
    sandbox.add_item(qty=1000, outer_id="A-1")
    tids = {sandbox.place_order([("A-1", 1)], pay=True) for _ in range(60)}
    found: list[set[str]] = []
    with serve({"taobao": sandbox}) as server:
        shop = settings(gateway=server.url("taobao") + "/router/rest", page_size=20)
        http = HttpClient(clock=clock)
        connector = TaobaoConnector(shop, http, clock)

        def read() -> None:
            heads = [head for page in connector.pull_orders(Cursor()) for head in page.heads]
            found.append({connector.normalise(raw).external_id for raw in connector.complete(heads[:5])})
            found.append({head.external_id for head in heads})

        threads = [threading.Thread(target=read) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        connector.close()

    assert [ids for ids in found if len(ids) > 5] == [tids] * 4
