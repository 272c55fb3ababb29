"""Records of very many lines: one dead letter each, a limit, and transactions that are over in seconds."""

from importlib.metadata import entry_points
from typing import Any

import pytest

from erpsync.flows.intake.webhooks import apply_inbox
from erpsync.flows.inventory import counts
from erpsync.flows.operations import dead_letters as dead
from erpsync.flows.records.batch import Batch
from erpsync.flows.shipments.reported import apply_reports
from erpsync.sdk.roles import MAX_LINES
from erpsync.sdk.types import RefundLine, RefundState, ShipmentReport, ShipmentReportPage
from tests.support import walk
from tests.support.calling import deliver, with_calls
from tests.support.facts import fact, line, order, refund, refund_fact
from tests.support.looking import letter_id, letters, mark, rows, status
from tests.support.shop import ShopConnector, ShopSettings, Town
from tests.support.walk import poll, settle_in


def place(town: Town, name: str, *, good: int = 1, bad: int = 0) -> dict[str, Any]:
    """Take an order of so many lines; the last ones cannot be read."""
    row = town.shop.place(name, *((f"S{n}", 1) for n in range(good + bad)))
    for each in row["lines"][good:]:
        each["bad"] = True
    return row


def limited(town: Town, max_lines: int) -> Town:
    """The town with a shop whose records have so many lines at most."""
    connector = town.channel().connector
    assert isinstance(connector, ShopConnector)
    connector.settings = ShopSettings(max_lines=max_lines)
    return town


def letter(town: Town, column: str) -> Any:
    return rows(town, f"SELECT {column} FROM dead_letter WHERE state = 'open'")[0][0]


def transactions(town: Town) -> int:
    """In how many transactions the orders were stored."""
    return int(rows(town, "SELECT count(DISTINCT imported_at) FROM orders")[0][0])


def test_an_order_of_very_many_bad_lines_is_one_letter_that_names_the_first_twenty(town: Town) -> None:
    settle_in(town)
    counts.set_stock(town.ctx, warehouse="SH", sku="S0", on_hand=1, actor="keeper")
    place(town, "o1", bad=25)

    poll(town)

    assert (letters(town), status(town, "o1")) == ([("line", "o1/o1-2")], ("held", "bad_line"))
    error = letter(town, "error")
    assert error.startswith("lines: 25 lines cannot be read: o1/o1-2: $.lines.qty: expected a quantity; o1/o1-3: ")
    assert error.endswith("o1/o1-21: $.lines.qty: expected a quantity; and 5 more")


def test_one_replay_frees_an_order_of_many_bad_lines(town: Town) -> None:
    settle_in(town)
    counts.import_counts(
        town.ctx, [counts.Count(warehouse="SH", sku=f"S{n}", on_hand=1) for n in range(26)], actor="keeper"
    )
    place(town, "o1", bad=25)
    poll(town)
    connector = town.channel().connector
    assert isinstance(connector, ShopConnector)
    connector.forgiving = True

    dead.replay_letter(town.ctx, letter_id(town, "o1/o1-2"), actor="me")

    assert (letters(town), status(town, "o1")) == ([], ("allocated", None))


def test_a_signed_body_of_more_lines_than_allowed_is_taken_and_one_dead_letter(town: Town) -> None:
    town = limited(with_calls(town), 3)
    received = deliver(town, place(town, "o1", bad=9))

    apply_inbox(town.ctx)

    assert (received.status, letters(town)) == ("stored", [("order", "o1")])
    assert letter(town, "error") == "lines: 10 lines, more than max_lines (3)"


def test_what_was_too_large_is_taken_in_by_a_replay_once_the_limit_is_raised(town: Town) -> None:
    settle_in(town)
    place(limited(town, 3), "o1", good=4)
    poll(town)

    dead.replay_letter(limited(town, 4).ctx, letter_id(town, "o1"), actor="me")

    assert (letters(town), status(town, "o1")) == ([], ("held", "unmapped_sku"))


def test_a_parcel_of_more_lines_than_allowed_is_one_letter_and_stops_no_other(town: Town) -> None:
    settle_in(town)
    counts.import_counts(town.ctx, [counts.Count(warehouse="SH", sku="S0", on_hand=9)], actor="keeper")
    for name in ("o1", "o2"):
        place(town, name)
    poll(town)
    town = limited(town, 2)
    giant = [RefundLine(line_external_id=f"o1-{n}", qty=1) for n in (1, 2, 3)]
    reports = (
        ShipmentReport(key="1", order="o1", carrier="SF", tracking="SF1", lines=tuple(giant), source="file:2"),
        ShipmentReport(key="2", order="o2", carrier="SF", tracking="SF2", lines=(), source="file:5"),
    )
    page = ShipmentReportPage(reports=reports, mark="1")

    town.store.retrying(lambda tx: apply_reports(tx, ctx=town.ctx, channel=town.channel(), page=page))

    assert (letters(town), letter(town, "error")) == ([("shipment_report", "1")], "3 lines, more than max_lines (2)")
    assert status(town, "o2")[0] == "shipped"


LARGE = 2_600  # two of them are more than one transaction takes


def test_large_webhooks_are_applied_one_by_one(town: Town) -> None:
    town = with_calls(town)
    for name in ("o1", "o2", "o3"):
        deliver(town, place(town, name, good=LARGE if name != "o1" else 1))

    apply_inbox(town.ctx)

    assert (letters(town), transactions(town)) == ([], 2)


def test_a_page_of_large_orders_is_stored_in_parts_and_its_mark_moves_with_the_last(town: Town) -> None:
    settle_in(town)
    for name in ("o1", "o2", "o3"):
        place(town, name, good=LARGE)
    before = mark(town, "orders")

    marks: list[str | None] = []
    town.store.listen(lambda stages: marks.append(mark(town, "orders")))
    report = poll(town)

    assert (report.failed, transactions(town)) == (False, 3)
    assert before in marks
    assert mark(town, "orders") != before


@pytest.mark.parametrize("name", sorted(each.name for each in entry_points(group="erpsync.connectors")))
def test_every_connector_takes_five_thousand_lines_a_record_unless_told_otherwise(name: str) -> None:
    (found,) = entry_points(group="erpsync.connectors", name=name)
    limit = found.load().Settings.model_fields["max_lines"]

    assert (limit.default, MAX_LINES) == (5_000, 5_000)


def test_a_batch_is_cut_by_lines_and_never_within_a_record() -> None:
    items = [fact(order(f"o{n}", *(line(id=f"L{k}") for k in range(size)))) for n, size in enumerate((3, 1, 9, 1, 1))]
    granted = refund_fact(refund(state=RefundState.GRANTED, L1=1, L2=1))
    parts = Batch(orders=tuple(items), refunds=(granted,)).parts(4)

    assert [[len(r.order.lines) for r in part.orders] for part in parts] == [[3, 1], [9], [1, 1]]
    assert parts[-1].refunds == (granted,)


@pytest.mark.parametrize(("qty", "price"), [(10**9, 10**13), (10**30, 1), (1, 10**30)])
def test_a_sum_that_no_column_holds_is_told_as_what_it_is(town: Town, qty: int, price: int) -> None:
    walk.settle_in(town)
    row = town.shop.place("huge", ("TEA", 1))
    row["lines"][0] |= {"qty": qty, "price": price}
    town.shop.change("huge", total=10)
    town.shop.place("good", ("TEA", 1))
    walk.poll(town)

    ((key, error),) = rows(town, 'SELECT "key", error FROM dead_letter')
    assert (key, "larger than any amount" in error, "defect" in error) == ("huge", True, False)
    assert status(town, "good")[0] != ""


def test_a_refund_that_no_column_holds_is_told_as_what_it_is(town: Town) -> None:
    walk.settle_in(town)
    town.shop.place("o1", ("TEA", 1))
    walk.poll(town)
    town.shop.refund("r1", "o1", amount=10**30)
    walk.poll(town, "refunds")

    ((error,),) = rows(town, "SELECT error FROM dead_letter")
    assert "larger than any amount" in error
