"""The judge of plans: what grows with history is refused, what an index leads to is not, and a comment is an excuse."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.plans.__main__ import Asked, excuses
from tests.plans.databases import Sqlite, numbered
from tests.plans.judge import postgres_walks, subplans
from tests.support.sources import ROOT


@pytest.fixture
def lite(migrated_sqlite: Path) -> Iterator[Sqlite]:
    with closing(sqlite3.connect(f"file:{migrated_sqlite}?mode=ro", uri=True)) as connection:
        yield Sqlite(connection, statistics=False)


def walks(lite: Sqlite, statement: str, *parameters: Any) -> list[str]:
    return [walk.table for walk in lite.walks(statement, list(parameters))]


@pytest.mark.parametrize(
    ("statement", "parameters"),
    [
        ("SELECT id FROM orders WHERE external_id = ?", ["1"]),
        ("SELECT id FROM orders WHERE channel_id = ? AND total_minor > ?", [1, 5]),
        ("SELECT qty FROM order_line WHERE sku_id = ?", [1]),
        ("SELECT max(o.id) FROM orders AS o WHERE o.state = ?", ["paid"]),
        ("UPDATE outbox SET error = ? WHERE kind = ? AND state IN (?, ?)", ["", "stock", "pending", "waiting"]),
        ("SELECT count(*) FROM payload", []),
        ("SELECT id FROM outbox WHERE kind = ? AND ref_id = ? AND state IN ('pending', 'waiting')", ["stock", 1]),
    ],
)
def test_what_reads_a_share_of_all_there_ever_was_is_refused(lite: Sqlite, statement: str, parameters: list) -> None:
    assert walks(lite, statement, *parameters) != []


@pytest.mark.parametrize(
    ("statement", "parameters"),
    [
        ("SELECT number FROM orders WHERE id = ?", [1]),
        ("SELECT id FROM orders WHERE channel_id = ? AND external_id = ?", [1, "1"]),
        ("SELECT id FROM orders WHERE channel_id = ? AND placed_at > ?", [1, 5]),
        ("SELECT max(id) FROM orders", []),
        ("SELECT key FROM outbox WHERE destination_id = ? AND state IN ('pending', 'waiting')", [1]),
        ("SELECT id FROM channel", []),
        ("SELECT id FROM outbox WHERE kind = ? AND ref_id = ?", ["shipment", 1]),
    ],
)
def test_what_an_index_leads_to_straight_away_passes(lite: Sqlite, statement: str, parameters: list) -> None:
    assert walks(lite, statement, *parameters) == []


def test_what_postgresql_answers_for_all_rows_at_once_is_told_from_what_it_asks_row_by_row() -> None:
    """An EXISTS in a list of columns is both, and the costs of the day decide."""
    walk = {"Node Type": "Seq Scan", "Relation Name": "order_line", "Parent Relationship": "SubPlan"}
    rest = {"Node Type": "Seq Scan", "Relation Name": "orders", "Parent Relationship": "Outer"}

    assert list(subplans({"Node Type": "Limit", "Plans": [rest | {"Plans": [walk]}]})) == [walk]


def test_postgresql_is_judged_alike() -> None:
    by_channel = {"Node Type": "Index Scan", "Index Name": "ix_orders_channel_id_placed_at", "Relation Name": "orders"}
    whole = {"Node Type": "Seq Scan", "Relation Name": "ledger"}
    bitmap = {
        "Node Type": "Bitmap Heap Scan",
        "Relation Name": "outbox",
        "Plans": [{"Node Type": "Bitmap Index Scan", "Index Name": "ix_outbox_kind_ref_id"}],
    }

    def refused(node: dict[str, Any], condition: str = "") -> list[str]:
        return [walk.table for walk in postgres_walks(node | ({"Index Cond": condition} if condition else {}))]

    assert refused(whole) == ["ledger"]
    assert refused(by_channel, "(channel_id = $1)") == ["orders"]
    assert refused(by_channel, "((channel_id = $1) AND (placed_at > $2))") == []
    assert refused(bitmap) == ["outbox"]
    assert refused({"Node Type": "Nested Loop", "Plans": [whole, by_channel]}) == ["ledger", "orders"]


def test_a_comment_in_the_function_that_runs_it_says_why_a_table_is_read_whole() -> None:
    source = (ROOT / "erpsync/flows/operations/counters.py").read_text(encoding="utf-8").splitlines()
    line = next(n for n, text in enumerate(source, 1) if text.startswith("def verify_counters"))
    asked = Asked("sqlite", "SELECT 1", (), (("erpsync/flows/operations/counters.py", line),))

    assert excuses("erpsync/flows/operations/counters.py", line) == {"hold", "ledger"}
    assert asked.excused("ledger")
    assert not asked.excused("orders")


def test_a_statement_is_prepared_with_its_parameters_in_their_places() -> None:
    named = ("SELECT %(a)s::INTEGER, %(b)s::TEXT, %(a)s::INTEGER WHERE 'x' LIKE '%%'", {"a": 1, "b": "2"})

    assert numbered(*named) == ("SELECT $1::INTEGER, $2::TEXT, $1::INTEGER WHERE 'x' LIKE '%'", [1, "2"])
    assert numbered("SELECT %b::int[], %s", [[1], 2]) == ("SELECT $1::int[], $2", [[1], 2])
