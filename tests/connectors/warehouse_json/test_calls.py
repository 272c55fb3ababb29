"""Signed calls to a warehouse system and its feed. The examples are written from our own messages."""

import json
from dataclasses import asdict, replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
from pydantic import ValidationError

from connectors.warehouse_json.connector import WarehouseJsonConnector
from connectors.warehouse_json.mapping import report_of
from connectors.warehouse_json.sandbox import SECRET, JsonWarehouse
from connectors.warehouse_json.settings import WarehouseJsonSettings
from erpsync.sdk.clock import ManualClock
from erpsync.sdk.errors import AuthError, OutcomeUnknownError, RejectedError, TransientError
from erpsync.sdk.http import HttpClient
from erpsync.sdk.sandbox import Fault, SandboxRequest, SandboxResponse
from erpsync.sdk.signing import decode_key, sign
from erpsync.sdk.types import BadLine, Cursor
from tests.connectors.warehouse_json.orders import NOW, release

HERE = Path(__file__).parent
CASES = json.loads((HERE / "golden" / "reports.json").read_text(encoding="utf-8"))["cases"]
VECTORS = json.loads((HERE.parent / "webhook_json" / "standardwebhooks.json").read_text(encoding="utf-8"))


@pytest.fixture
def warehouse() -> JsonWarehouse:
    return JsonWarehouse(clock=ManualClock(NOW))


def connector(warehouse: JsonWarehouse, **more: Any) -> WarehouseJsonConnector:
    settings = {"url": "http://warehouse.invalid/erpsync", "secret": SECRET, **more}
    http = HttpClient(clock=warehouse.clock, mount=warehouse.handle, rng=Random(0))
    return WarehouseJsonConnector(WarehouseJsonSettings.model_validate(settings), http, warehouse.clock)


@pytest.mark.parametrize("case", CASES, ids=lambda case: json.dumps(case["row"])[:40])
def test_a_report_is_read_as_its_golden_copy_says(case: dict[str, Any]) -> None:
    read = report_of(case["row"])

    if isinstance(read, BadLine):
        assert read.error.path == case["bad"]
    else:
        assert json.loads(json.dumps(asdict(read), default=lambda at: at.isoformat())) == case["read"]


def test_calls_are_signed_as_standard_webhooks_says() -> None:
    for vector in (each for each in VECTORS["vectors"] if each.get("expected")):
        params = vector["params"]
        key = decode_key(vector["secret"])
        signed = sign(key, vector["body"].encode(), id=params["webhook-id"], timestamp=params["webhook-timestamp"])
        assert signed in vector["expected"].split()


def test_a_release_arrives_with_all_that_is_to_be_sent(warehouse: JsonWarehouse) -> None:
    connector(warehouse).release(release())

    got = warehouse.releases["R20260302000001"]
    assert [(line["line"], line["sku"], line["qty"]) for line in got["lines"]] == [("1", "A", 2)]
    assert (got["order"], got["warehouse"], got["recipient"]["name"]) == ("S1", "SH", "王小明")


def test_lines_name_their_order_only_where_a_release_holds_those_of_several(warehouse: JsonWarehouse) -> None:
    one = release()
    lines = tuple(replace(one.lines[0], order=order) for order in ("S1", "S2"))
    connector(warehouse).release(one)
    connector(warehouse).release(replace(one, number="R20260302000002", order="S1, S2", lines=lines))

    assert [line.get("order") for line in warehouse.releases["R20260302000001"]["lines"]] == [None]
    got = warehouse.releases["R20260302000002"]
    assert (got["order"], [line["order"] for line in got["lines"]]) == ("S1, S2", ["S1", "S2"])


def test_a_lost_answer_is_an_unknown_outcome_that_can_be_looked_up(warehouse: JsonWarehouse) -> None:
    warehouse.faults.force(Fault.TIMEOUT_AFTER)
    with pytest.raises(OutcomeUnknownError):
        connector(warehouse).release(release())

    assert connector(warehouse).find_release("R20260302000001")
    assert not connector(warehouse).find_release("R20260302000002")


def test_a_release_that_is_there_already_counts_as_accepted(warehouse: JsonWarehouse) -> None:
    connector(warehouse).release(release())
    connector(warehouse).release(release())

    assert len(warehouse.releases) == 1


def test_a_release_that_was_stopped_before_it_came_is_refused(warehouse: JsonWarehouse) -> None:
    assert connector(warehouse).cancel("R20260302000001") is True

    with pytest.raises(RejectedError, match="stopped before it came"):
        connector(warehouse).release(release())


@pytest.mark.parametrize("says", [True, None])
def test_a_wish_to_stop_is_answered_at_once_or_later(warehouse: JsonWarehouse, says: bool | None) -> None:
    connector(warehouse).release(release())
    warehouse.says = says

    assert connector(warehouse).cancel("R20260302000001") is says


def test_what_has_left_is_not_stopped(warehouse: JsonWarehouse) -> None:
    connector(warehouse).release(release())
    warehouse.ship("R20260302000001", "SF1")

    assert connector(warehouse).cancel("R20260302000001") is False


def test_the_feed_is_read_page_by_page_from_the_mark_on(warehouse: JsonWarehouse) -> None:
    for number in range(5):
        warehouse.count_stock("A", number)
    pages = list(connector(warehouse, page_size=2).pull_warehouse(Cursor()))
    again = list(connector(warehouse, page_size=2).pull_warehouse(Cursor(mark=pages[0].mark)))

    assert [[count.on_hand for count in page.counts] for page in pages] == [[0, 1], [2, 3], [4]]
    assert again == pages[1:]


def test_a_feed_that_does_not_move_is_trouble_and_no_endless_loop(warehouse: JsonWarehouse) -> None:
    warehouse.count_stock("A", 1)
    first, *_ = connector(warehouse).pull_warehouse(Cursor())
    warehouse.feed.append({"type": "count", "data": {}})

    [page] = connector(warehouse).pull_warehouse(Cursor(mark=first.mark))
    assert [bad.error.path for bad in page.bad] == ["$.data.id"]


def test_text_that_no_database_takes_does_not_hold_up_the_feed(warehouse: JsonWarehouse) -> None:
    """No database takes a NUL, an endless number or a time before all times: the page would be read for ever."""
    warehouse.report("dispatch", release="R20260302000001", carrier="SF\0", tracking="SF1\0")
    warehouse.report("count", sku="\0", on_hand=10**30, as_of=NOW.isoformat())

    warehouse.report("count", sku="A", on_hand=1, as_of="0001-01-01T00:00:00+14:00")

    [page] = connector(warehouse).pull_warehouse(Cursor())

    assert [(each.carrier, each.tracking) for each in page.dispatches] == [("SF\ufffd", "SF1\ufffd")]
    assert [(bad.error.path, bad.row["data"]["sku"]) for bad in page.bad] == [
        ("$.data.on_hand", "\ufffd"),
        ("$.data.as_of", "A"),
    ]


def test_an_answer_nested_without_end_is_a_lost_one(warehouse: JsonWarehouse) -> None:
    def nested(_: SandboxRequest) -> SandboxResponse:
        return SandboxResponse(body=b"[" * 100_000)

    settings = WarehouseJsonSettings.model_validate({"url": "http://warehouse.invalid/", "secret": SECRET})
    http = HttpClient(clock=warehouse.clock, mount=nested, rng=Random(0))

    with pytest.raises(TransientError):
        WarehouseJsonConnector(settings, http, warehouse.clock).cancel("R20260302000001")


def test_a_wrong_secret_is_an_operators_matter(warehouse: JsonWarehouse) -> None:
    with pytest.raises(AuthError):
        connector(warehouse, secret="whsec_d3Jvbmc=").check()


def test_a_page_in_place_of_an_answer_is_a_lost_one(warehouse: JsonWarehouse) -> None:
    warehouse.faults.force(Fault.HTML_200)
    with pytest.raises(OutcomeUnknownError):
        connector(warehouse).release(release())
    for _ in range(3):
        warehouse.faults.force(Fault.HTML_200)
    with pytest.raises(TransientError):
        connector(warehouse).cancel("R20260302000001")


def test_a_secret_that_cannot_sign_is_refused_without_being_told() -> None:
    with pytest.raises(ValidationError) as refused:
        WarehouseJsonSettings.model_validate({"url": "http://warehouse.invalid/", "secret": "n0t base64!"})

    assert "n0t base64!" not in str(refused.value.errors()[0]["msg"])
