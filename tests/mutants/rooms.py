"""Which code is broken, how often, and which tests are to notice."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """Files that are broken, as globs from the checkout, and what is run for each mutant of them, quickest first."""

    name: str
    files: tuple[str, ...]
    tests: tuple[str, ...]


DECISIONS = (
    Room(
        name="core",
        files=("erpsync/core/*.py",),
        tests=(
            "tests/unit/core",
            "tests/flow/test_holds.py",
            "tests/flow/test_refund_amounts.py",
            "tests/flow/test_refund_lines.py",
            "tests/flow/test_versions.py",
            "tests/flow/test_stock.py",
            "tests/flow/test_push_stock.py",
            "tests/flow/test_brake.py",
            "tests/flow/test_seal.py",
            "tests/flow/test_tokens.py",
        ),
    ),
    Room(
        name="money",
        files=("erpsync/sdk/read.py", "connectors/csv_drop/mapping/cells.py"),
        tests=(
            "tests/connectors/csv_drop/test_cells.py",
            "tests/connectors/csv_drop/test_amounts.py",
            "tests/unit/sdk",
        ),
    ),
    Room(
        name="taobao",
        files=("connectors/taobao/mapping/*.py",),
        tests=("tests/connectors/taobao",),
    ),
    Room(
        name="jd",
        files=("connectors/jd/mapping/*.py",),
        tests=("tests/connectors/jd",),
    ),
    Room(
        name="files",
        files=("connectors/csv_drop/mapping/orders.py", "connectors/csv_drop/mapping/own.py"),
        tests=("tests/connectors/csv_drop/test_orders.py", "tests/connectors/csv_drop", "tests/cases"),
    ),
)
EFFECTS = (
    Room(
        name="allocation",
        files=("erpsync/flows/allocation/*.py", "erpsync/store/stock_book.py"),
        tests=(
            "tests/flow/test_stock.py",
            "tests/flow/test_reservation.py",
            "tests/flow/test_no_gap.py",
            "tests/flow/test_whole_sets.py",
            "tests/flow/test_warehouse.py",
            "tests/flow/test_sold_out.py",
        ),
    ),
    Room(
        name="outbox",
        files=("erpsync/store/outbox/*.py",),
        tests=(
            "tests/flow/test_outbox.py",
            "tests/flow/test_back_off.py",
            "tests/flow/test_gate.py",
            "tests/flow/test_unknown_outcomes.py",
            "tests/flow/test_push_stock.py",
        ),
    ),
    Room(
        name="leases",
        files=("erpsync/store/leases.py", "erpsync/store/nodes.py"),
        tests=("tests/flow/test_leases.py", "tests/flow/test_nodes.py", "tests/flow/test_stale_nodes.py"),
    ),
)
