"""Which files are read, by whom, and where they go: failures row 27 and the file drop flow of the design."""

import os
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

import pytest

from erpsync.sdk.clock import ManualClock
from erpsync.sdk.errors import AuthError, PayloadError, TransientError
from erpsync.sdk.types import Cursor
from tests.connectors.csv_drop.builders import (
    HEADER,
    NOON,
    clock_at,
    drop,
    heads,
    names,
    order_drop,
    read,
    row,
)


def test_a_file_that_was_read_lies_in_done(tmp_path: Path) -> None:
    drop(tmp_path, "orders.csv", [HEADER, row()])

    orders, refused = read(order_drop(tmp_path))

    assert list(orders) == ["1001"]
    assert refused == []
    assert names(tmp_path / "done") == ["orders.csv"]
    assert names(tmp_path) == ["done"]


def test_a_second_file_of_the_same_name_keeps_the_first_in_done(tmp_path: Path) -> None:
    source = order_drop(tmp_path)
    drop(tmp_path, "orders.csv", [HEADER, row()])
    heads(source)
    drop(tmp_path, "orders.csv", [HEADER, row(qty=2)])
    heads(source)

    assert len(names(tmp_path / "done")) == 2


def test_a_file_that_is_still_being_written_is_left_alone(tmp_path: Path) -> None:
    """Failures row 27."""
    clock = clock_at(0)
    source = order_drop(tmp_path, clock, settle_s=2)
    drop(tmp_path, "orders.csv", [HEADER, row()], at=NOON)
    clock.advance(seconds=1)

    assert heads(source) == []
    assert names(tmp_path) == ["orders.csv"]

    clock.advance(seconds=1)
    assert len(heads(source)) == 1


def test_a_file_stamped_by_a_server_whose_clock_is_ahead_is_read_once_it_stands_still(tmp_path: Path) -> None:
    clock = clock_at(0)
    source = order_drop(tmp_path, clock, settle_s=2)
    drop(tmp_path, "orders.csv", [HEADER, row()], at=NOON + timedelta(hours=1))

    assert heads(source) == []
    clock.advance(seconds=2)
    assert len(heads(source)) == 1


@pytest.mark.parametrize(
    "name", [".orders.csv", "~orders.csv", "orders.csv.tmp", "orders.csv.part", "orders.csv~", "orders.txt"]
)
def test_names_that_are_not_complete_are_skipped(tmp_path: Path, name: str) -> None:
    drop(tmp_path, name, [HEADER, row()])

    assert heads(order_drop(tmp_path)) == []
    assert (tmp_path / name).exists()


def test_an_empty_file_is_not_whole_yet(tmp_path: Path) -> None:
    drop(tmp_path, "orders.csv", b"")

    assert heads(order_drop(tmp_path)) == []
    assert (tmp_path / "orders.csv").exists()


def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    outside = drop(tmp_path / "else", "secret.csv", [HEADER, row()])
    drop(tmp_path / "in", "x.txt", "x")
    (tmp_path / "in" / "orders.csv").symlink_to(outside)

    assert heads(order_drop(tmp_path / "in")) == []


def test_the_pattern_does_not_mind_upper_case(tmp_path: Path) -> None:
    drop(tmp_path, "ORDERS.CSV", [HEADER, row()])

    assert len(heads(order_drop(tmp_path))) == 1


def test_older_files_are_read_before_newer_ones(tmp_path: Path) -> None:
    drop(tmp_path, "a.csv", [HEADER, row("new")], at=NOON + timedelta(seconds=5))
    drop(tmp_path, "b.csv", [HEADER, row("old")], at=NOON)

    assert [head.external_id for head in heads(order_drop(tmp_path))] == ["old", "new"]


def test_the_claim_instant_is_the_version_of_every_order_in_the_file(tmp_path: Path) -> None:
    drop(tmp_path, "orders.csv", [HEADER, row("1"), row("2")])

    found = heads(order_drop(tmp_path, clock_at(7)))

    assert {head.version_at for head in found} == {datetime(2026, 3, 2, 12, 7, tzinfo=UTC)}


def test_a_later_file_has_a_later_version_even_when_the_clock_stands_still(tmp_path: Path) -> None:
    drop(tmp_path, "a.csv", [HEADER, row("1", qty=1)], at=NOON)
    drop(tmp_path, "b.csv", [HEADER, row("1", qty=2)], at=NOON + timedelta(seconds=1))

    first, second = heads(order_drop(tmp_path))

    assert second.version_at > first.version_at
    assert second.read_from > first.read_to


def test_a_later_file_has_a_later_version_even_when_the_clock_was_set_back(tmp_path: Path) -> None:
    drop(tmp_path, "a.csv", [HEADER, row("1")])
    (first,) = heads(order_drop(tmp_path, clock_at(60)))
    drop(tmp_path, "b.csv", [HEADER, row("1", qty=2)])
    (second,) = heads(order_drop(tmp_path, clock_at(1)))

    assert second.version_at > first.version_at


def test_a_killed_process_loses_no_order_and_the_version_stays(tmp_path: Path) -> None:
    """The process dies after the first of two pages was committed; another goes on behind it."""
    lines = [row(str(number)) for number in range(1, 701)]
    drop(tmp_path, "orders.csv", [HEADER, *lines])
    dying = order_drop(tmp_path, clock_at(1)).pull_orders(Cursor())
    first = next(dying)
    dying.close()

    rest = list(order_drop(tmp_path, clock_at(30)).pull_orders(Cursor(mark=first.mark)))

    got = [head.external_id for page in (first, *rest) for head in page.heads]
    assert got == [str(number) for number in range(1, 701)]
    assert {head.version_at for page in (first, *rest) for head in page.heads} == {first.heads[0].version_at}
    assert names(tmp_path / "done") == ["orders.csv"]


def test_a_page_that_was_not_committed_is_read_again(tmp_path: Path) -> None:
    drop(tmp_path, "orders.csv", [HEADER, *[row(str(number)) for number in range(1, 701)]])
    dying = order_drop(tmp_path).pull_orders(Cursor())
    committed = next(dying)
    next(dying)
    dying.close()

    again = heads(order_drop(tmp_path), mark=committed.mark)

    assert [head.external_id for head in again] == [str(number) for number in range(501, 701)]


def test_a_process_that_dies_behind_its_last_commit_leaves_a_file_that_is_only_filed_away(tmp_path: Path) -> None:
    drop(tmp_path, "orders.csv", [HEADER, row()])
    dying = order_drop(tmp_path).pull_orders(Cursor())
    last = next(dying)
    dying.close()

    assert heads(order_drop(tmp_path), mark=last.mark) == []
    assert names(tmp_path / "done") == ["orders.csv"]


def test_a_foreign_or_broken_mark_reads_the_file_from_its_start(tmp_path: Path) -> None:
    for number, mark in enumerate(["", "no json", "[1]", '{"file": 1}', '{"file":"x","digest":"y","line":9}']):
        drop(tmp_path, f"{number}.csv", [HEADER, row()])
        assert len(heads(order_drop(tmp_path), mark=mark)) == 1


def test_two_daemons_never_read_one_file_at_once(tmp_path: Path) -> None:
    drop(tmp_path, "a.csv", [HEADER, row("1")], at=NOON)
    drop(tmp_path, "b.csv", [HEADER, row("2")], at=NOON + timedelta(seconds=1))
    one = order_drop(tmp_path).pull_orders(Cursor())
    first = next(one)

    others = heads(order_drop(tmp_path))
    rest = list(one)

    assert [head.external_id for head in first.heads] == ["1"]
    assert [head.external_id for head in others] == ["2"]
    assert rest == []
    assert names(tmp_path / "done") == ["a.csv", "b.csv"]


def test_a_file_that_changed_while_it_was_read_is_read_again_with_a_newer_version(tmp_path: Path) -> None:
    clock = clock_at(1)
    source = order_drop(tmp_path, clock)
    drop(tmp_path, "orders.csv", [HEADER, row("1")])
    pages = source.pull_orders(Cursor())
    first = next(pages)
    (claimed,) = (tmp_path / ".claimed").glob("*-orders.csv")
    with claimed.open("a") as late_writer:
        late_writer.write(row("2") + "\n")
    os.utime(claimed, (clock.now().timestamp(), clock.now().timestamp()))
    assert list(pages) == []
    assert names(tmp_path / "done") == []

    clock.advance(seconds=5)
    again = heads(source, mark=first.mark)

    assert [head.external_id for head in again] == ["1", "2"]
    assert again[0].version_at > first.heads[0].version_at
    assert again[0].digest == first.heads[0].digest
    assert names(tmp_path / "done") == ["orders.csv"]


def test_a_file_without_a_needed_column_fails_with_the_reason_beside_it_and_as_a_dead_letter(tmp_path: Path) -> None:
    drop(tmp_path, "orders.csv", ["order,sku,menge,price,placed,paid", row()])

    orders, (problem,) = read(order_drop(tmp_path))

    assert orders == {}
    assert problem.source == "orders.csv:1"
    assert "no column qty for qty" in problem.problem
    assert names(tmp_path / "failed") == ["orders.csv", "orders.csv.error.txt"]
    assert "no column qty" in (tmp_path / "failed" / "orders.csv.error.txt").read_text()


def test_a_file_without_a_header_does_not_tell_who_stands_in_its_first_line(tmp_path: Path) -> None:
    drop(tmp_path, "orders.csv", ["1001,王小明,13800138000,世纪大道1号"])

    _, (problem,) = read(order_drop(tmp_path))

    assert problem.problem == "the first line holds none of the columns, so it is no header"
    assert "王小明" not in (tmp_path / "failed" / "orders.csv.error.txt").read_text()


def test_a_renamed_column_is_guessed_and_a_doubled_one_refused(tmp_path: Path) -> None:
    drop(tmp_path, "a.csv", [HEADER.replace("price", "prices"), row()], at=NOON)
    drop(tmp_path, "b.csv", [f"{HEADER},sku", f"{row()},B"], at=NOON + timedelta(seconds=1))

    _, problems = read(order_drop(tmp_path))

    assert [problem.problem for problem in problems] == [
        "the header has no column price for price, did you mean prices",
        "column sku stands twice in the header",
    ]


def test_a_bad_file_does_not_block_the_next_one(tmp_path: Path) -> None:
    """Failures row 14."""
    drop(tmp_path, "a.csv", b"PK\x03\x04 zipped workbook", at=NOON)
    drop(tmp_path, "b.csv", [HEADER, row("2")], at=NOON + timedelta(seconds=1))

    orders, (problem,) = read(order_drop(tmp_path))

    assert list(orders) == ["2"]
    assert problem.problem == "this is no workbook that can be read"


def test_a_file_name_that_is_no_text_is_read_and_shown_with_question_marks(tmp_path: Path) -> None:
    raw_name = os.fsdecode(b"\xb6\xa9\xb5\xa5.csv")
    drop(tmp_path, raw_name, [HEADER, row()])

    (head,) = heads(order_drop(tmp_path))

    assert head.source == "????.csv:2"


def test_a_missing_folder_is_tried_again_and_check_tells_the_operator(tmp_path: Path) -> None:
    source = order_drop(tmp_path / "nowhere")

    with pytest.raises(TransientError):
        heads(source)
    with pytest.raises(AuthError, match="there is no folder"):
        source.check()


def test_check_counts_what_waits_and_changes_nothing(tmp_path: Path) -> None:
    drop(tmp_path, "orders.csv", [HEADER, row()])

    report = order_drop(tmp_path).check()

    assert report.notes == ("1 file waits to be read",)
    assert names(tmp_path) == ["orders.csv"]
    assert not (tmp_path / ".claimed").exists()


def test_nothing_is_left_beside_the_lock_after_a_pass(tmp_path: Path) -> None:
    drop(tmp_path, "orders.csv", [HEADER, row()])
    heads(order_drop(tmp_path))

    assert [path.name for path in (tmp_path / ".claimed").iterdir()] == [".lock"]


def test_making_a_connector_touches_no_disk(tmp_path: Path) -> None:
    order_drop(tmp_path / "not there", ManualClock())

    assert names(tmp_path) == []


def test_the_first_page_comes_before_the_next_file_is_claimed(tmp_path: Path) -> None:
    drop(tmp_path, "a.csv", [HEADER, row("1")], at=NOON)
    drop(tmp_path, "b.csv", [HEADER, row("2")], at=NOON + timedelta(seconds=1))
    pages = order_drop(tmp_path).pull_orders(Cursor())

    assert len(list(islice(pages, 1))) == 1
    assert names(tmp_path) == ["b.csv"]
    pages.close()


def test_a_dead_letter_keeps_its_error_class(tmp_path: Path) -> None:
    drop(tmp_path, "orders.csv", ["", "  "])

    _, (problem,) = read(order_drop(tmp_path))

    assert isinstance(problem, PayloadError)
    assert problem.problem == "the file has no header"
