"""Which code is broken, how often, and which tests are to notice."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """Files that are broken, as globs from the checkout, and the tests that are to notice.

    Args:
        but: one of those files that is another room's.
        rest: run for what the `quick` ones do not notice.
    """

    name: str
    files: tuple[str, ...]
    but: str = ""
    quick: tuple[str, ...]
    rest: tuple[str, ...] = ()


DECISIONS = (
    Room(
        name="core",
        files=("erpsync/core/*.py", "erpsync/core/rules/*.py", "erpsync/core/parcels/*.py"),
        but="erpsync/core/policy.py",
        quick=("tests/unit/core",),
        rest=(
            "tests/unit/cli/test_output.py",
            "tests/flow/test_holds.py",
            "tests/flow/test_refund_asked.py",
            "tests/flow/test_refund_lines.py",
            "tests/flow/test_versions_ahead.py",
            "tests/flow/test_counts_believed.py",
            "tests/flow/test_push_stock.py",
            "tests/flow/test_whole_sets.py",
            "tests/flow/test_find.py",
            "tests/flow/test_next_steps.py",
            "tests/flow/test_fresh.py",
            "tests/house/test_advice.py",
            "tests/flow/test_events_told.py",
        ),
    ),
    Room(
        name="defaults",
        files=("erpsync/core/policy.py",),
        quick=("tests/house/test_docs.py",),
        rest=("tests/unit/settings/test_values.py",),
    ),
    Room(
        name="money",
        files=("erpsync/sdk/read.py", "connectors/csv_drop/mapping/cells.py"),
        quick=("tests/unit/sdk/test_read.py", "tests/connectors/csv_drop/test_cells.py"),
        rest=("tests/connectors/csv_drop/test_orders.py", "tests/connectors/taobao", "tests/connectors/jd"),
    ),
    Room(
        name="taobao",
        files=("connectors/taobao/mapping/*.py",),
        quick=("tests/connectors/taobao",),
    ),
    Room(
        name="jd",
        files=("connectors/jd/mapping/*.py",),
        quick=("tests/connectors/jd",),
    ),
    Room(
        name="files",
        files=("connectors/csv_drop/mapping/orders.py", "connectors/csv_drop/mapping/own.py"),
        quick=("tests/connectors/csv_drop/test_orders.py",),
        rest=("tests/connectors/csv_drop", "tests/cases"),
    ),
)
EFFECTS = (
    Room(
        name="allocation",
        files=("erpsync/flows/allocation/*.py", "erpsync/store/stock_book.py"),
        quick=("tests/flow/test_stock.py", "tests/flow/test_reservation.py"),
        rest=(
            "tests/flow/test_no_gap.py",
            "tests/flow/test_whole_sets.py",
            "tests/flow/test_warehouse.py",
            "tests/flow/test_sold_out.py",
            "tests/flow/test_trail_of_stock.py",
            "tests/flow/test_owners.py",
            "tests/flow/test_own_lines.py",
            "tests/flow/test_shared_release.py",
            "tests/flow/test_replan.py",
            "tests/flow/test_left_behind.py",
        ),
    ),
    Room(
        name="outbox",
        files=("erpsync/store/outbox/*.py",),
        quick=("tests/flow/test_outbox.py", "tests/flow/test_back_off.py", "tests/flow/test_rows_of_others.py"),
        rest=(
            "tests/flow/test_gate.py",
            "tests/flow/test_unknown_outcomes.py",
            "tests/flow/test_push_stock.py",
            "tests/flow/test_priority.py",
            "tests/flow/test_brake.py",
            "tests/flow/test_fresh.py",
            "tests/flow/test_late_sends.py",
            "tests/flow/test_letters.py",
            "tests/flow/test_gate_margin.py",
            "tests/flow/test_warehouse.py",
        ),
    ),
    Room(
        name="leases",
        files=("erpsync/store/leases.py", "erpsync/store/nodes.py"),
        quick=("tests/flow/test_leases.py", "tests/flow/test_rows_of_others.py"),
        rest=("tests/flow/test_nodes.py", "tests/flow/test_stale_nodes.py", "tests/flow/test_clock_jumps.py"),
    ),
)
