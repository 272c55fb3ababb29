"""What a courier's files say, and the files that it gets. The examples are written from our own layout."""

import errno
import json
import os
import stat
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path, PosixPath
from typing import Any

import pytest
from pydantic import ValidationError

from connectors.carrier_file.connector import CarrierFileAccount, CarrierFileConnector
from connectors.carrier_file.sandbox import FileCourier
from connectors.carrier_file.settings import CarrierFileSettings
from erpsync.sdk.clock import ManualClock
from erpsync.sdk.errors import AuthError, OutcomeUnknownError, RejectedError, TransientError
from erpsync.sdk.http import HttpClient
from erpsync.sdk.roles import CourierSink, playing
from erpsync.sdk.sandbox.files import rows_in
from erpsync.sdk.types import Booking, Cursor, Repeat, WaybillPage
from tests.connectors.bookings import booking

GOLDEN = Path(__file__).parent / "golden"
EXPECTED = json.loads((GOLDEN / "expected.json").read_text(encoding="utf-8"))
NOW = datetime(2026, 3, 2, 8, 10, tzinfo=UTC)
KEY = "R20260302000001/1/1"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)


@pytest.fixture
def courier(tmp_path: Path, clock: ManualClock) -> FileCourier:
    return FileCourier(tmp_path / "in", tmp_path / "out", clock)


@pytest.fixture
def account(courier: FileCourier, clock: ManualClock) -> CarrierFileAccount:
    made = connector(courier.settings(), clock)
    assert isinstance(made, CarrierFileAccount)
    return made


def connector(values: dict[str, Any], clock: ManualClock) -> CarrierFileConnector:
    return CarrierFileConnector(CarrierFileSettings.model_validate(values), HttpClient(clock=clock), clock)


def pull(connector: CarrierFileConnector, mark: str | None = None) -> list[WaybillPage]:
    return list(connector.pull_waybills(Cursor(mark=mark)))


def read(page: WaybillPage) -> dict[str, Any]:
    booked = [each.waybill for each in page.booked]
    return {
        "read": [
            *([b.key, b.carrier, b.number, list(b.children), b.cost_minor, b.sort_code] for b in booked),
            *([each.carrier, each.number, each.service, each.cost_minor] for each in page.spare),
        ],
        "bad": [f"{bad.error.source} {bad.error}" for bad in page.bad],
    }


@pytest.mark.parametrize("name", ["waybills-1.csv", "spare-1.csv"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_file_says_what_its_golden_copy_says(
    account: CarrierFileAccount, courier: FileCourier, clock: ManualClock, name: str, encoding: str
) -> None:
    text = (GOLDEN / name).read_text(encoding="utf-8")
    (courier.folder / name).write_bytes(text.encode(encoding))
    clock.advance(seconds=10**9)
    [page] = pull(account)

    assert read(page) == EXPECTED[name]
    assert (courier.folder / "done" / name).exists()


def test_a_booking_is_a_file_that_its_number_follows(
    account: CarrierFileAccount, courier: FileCourier, clock: ManualClock
) -> None:
    assert account.book(booking(KEY, carrier="YTO", parcels=2, service="标准快递", cod_minor=1250)) is None  # type: ignore[func-returns-value]

    [path] = courier.out_folder.iterdir()
    rows = rows_in(path)
    assert [(row["key"], row["parcel"], row["weight_g"], row["cod"], row["currency"]) for row in rows] == [
        (KEY, "1", "620", "12.50", "CNY"),
        (KEY, "2", "620", "", ""),
    ]
    assert (rows[0]["recipient"], rows[0]["address"], rows[0]["goods"]) == ("李雷", "漕溪北路1号5室", "茶杯 × 1")

    numbers = courier.give_numbers()
    clock.advance(seconds=3)
    [page] = pull(account)
    [told] = page.booked
    assert (told.waybill.key, told.waybill.number, told.waybill.cost_minor) == (KEY, numbers[KEY], 1700)
    assert told.waybill.children == ("YT0000000000002",)


def test_numbers_bought_in_advance_come_as_spare_ones(
    account: CarrierFileAccount, courier: FileCourier, clock: ManualClock
) -> None:
    numbers = courier.sell(450)
    clock.advance(seconds=3)
    pages = pull(account)

    assert [len(page.spare) for page in pages] == [200, 200, 50]
    assert [spare.number for page in pages for spare in page.spare] == numbers


def test_a_reader_killed_within_a_file_reads_on_behind_what_was_committed(
    account: CarrierFileAccount, courier: FileCourier, clock: ManualClock
) -> None:
    courier.sell(450)
    clock.advance(seconds=3)
    reading = account.pull_waybills(Cursor())
    first = next(reading)
    reading.close()  # type: ignore[attr-defined]

    assert [len(page.spare) for page in pull(account, first.mark)] == [200, 50]


def test_what_lies_in_the_folder_is_for_its_owner_alone(account: CarrierFileAccount, courier: FileCourier) -> None:
    account.book(booking(KEY, carrier="YTO"))
    account.cancel_booking(Booking(key=KEY, carrier="YTO"))

    modes = {stat.S_IMODE(path.stat().st_mode) for path in courier.out_folder.iterdir()}
    assert (stat.S_IMODE(courier.out_folder.stat().st_mode), modes) == (0o700, {0o600})


def test_after_a_day_nothing_of_ours_is_left_and_all_that_is_not_ours(
    account: CarrierFileAccount, courier: FileCourier, clock: ManualClock
) -> None:
    account.book(booking(KEY, carrier="YTO"))
    account.book(booking("R2/1/1", carrier="YTO"))
    account.cancel_booking(Booking(key=KEY, carrier="YTO"))
    (courier.out_folder / "notes.txt").touch()
    (courier.out_folder / ".booking-R3.csv.1-2.tmp").touch()
    aged = clock.now().timestamp() - 86_401
    fresh = next(courier.out_folder.glob("booking-R2_*"))
    for path in courier.out_folder.iterdir():
        at = aged + 2 if path == fresh else aged
        os.utime(path, (at, at))
    pull(account)

    assert {path.name for path in courier.out_folder.iterdir()} == {"notes.txt", fresh.name}


class SilentFolder(PosixPath):
    """A folder that renames and does not get to say so, as over a network."""

    def rename(self, target: Path) -> Path:  # type: ignore[override]
        super().rename(target)
        raise OSError(errno.EIO, "Input/output error", str(self))


def test_a_file_that_may_have_its_name_is_never_written_again_by_itself(
    account: CarrierFileAccount, clock: ManualClock, courier: FileCourier
) -> None:
    """Failures row 26: after the rename nobody knows whether it was taken; before it, nothing happened."""
    silent = account.settings.model_copy(update={"out_folder": SilentFolder(courier.out_folder)})
    with pytest.raises(OutcomeUnknownError):
        CarrierFileAccount(silent, HttpClient(clock=clock), clock).book(booking(KEY, carrier="YTO"))
    assert (account.repeat, courier.take_in()) == (Repeat.NEVER, [KEY])

    (courier.folder / "no-folder").touch()
    blocked = account.settings.model_copy(update={"out_folder": courier.folder / "no-folder"})
    with pytest.raises(TransientError):
        CarrierFileAccount(blocked, HttpClient(clock=clock), clock).book(booking(KEY, carrier="YTO"))


def test_nothing_is_booked_and_no_folder_is_made_where_none_is_set(
    courier: FileCourier, clock: ManualClock, tmp_path: Path
) -> None:
    values = {name: value for name, value in courier.settings().items() if name != "out_folder"}
    reads = connector(values, clock)
    courier.sell(1)
    clock.advance(seconds=3)

    assert playing(reads, CourierSink) is None
    assert CarrierFileConnector.played_by(reads.settings) is CarrierFileConnector
    assert [len(page.spare) for page in pull(reads)] == [1]
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_a_wish_to_void_goes_out_as_a_file_and_proves_nothing(
    account: CarrierFileAccount, courier: FileCourier
) -> None:
    assert account.cancel_booking(Booking(key=KEY, carrier="YTO", number="YT1")) is None

    courier.take_in()
    assert courier.wished_void == [KEY]


@pytest.mark.parametrize(("formulas", "name"), [("escape", "'=cmd|x"), ("keep", "=cmd|x")])
def test_a_buyers_name_that_a_spreadsheet_would_run_is_written_as_text(
    courier: FileCourier, clock: ManualClock, formulas: str, name: str
) -> None:
    wanted = booking(KEY, carrier="YTO")
    wanted = replace(wanted, recipient=replace(wanted.recipient, name="=cmd|x"))
    account = connector({**courier.settings(), "formulas": formulas}, clock)
    assert isinstance(account, CarrierFileAccount)
    account.book(wanted)

    [path] = courier.out_folder.iterdir()
    assert f",{name}," in path.read_text(encoding="utf-8")


def test_no_label_comes_by_files(account: CarrierFileAccount) -> None:
    with pytest.raises(RejectedError, match="no labels come by files"):
        account.label(Booking(key=KEY, carrier="YTO", number="YT1"))


def test_an_account_of_several_couriers_reads_which_it_is(courier: FileCourier, clock: ManualClock) -> None:
    account = connector({**courier.settings(), "carriers": ["yto", "ZTO"], "carrier_map": {"通": "ZTO"}}, clock)
    courier.drop("spare", ("tracking", "carrier"), [("1", "通"), ("2", ""), ("3", "圆通")])
    clock.advance(seconds=3)
    [page] = pull(account)

    assert [(spare.number, spare.carrier) for spare in page.spare] == [("1", "ZTO"), ("3", "YTO")]
    assert [str(bad.error) for bad in page.bad] == ["carrier: is empty, and the account has several couriers"]


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("waybills-1.csv", "key\nR1\n", "header: the header has no column tracking"),
        ("prices-1.csv", "key,tracking\n", "the name must begin with waybills- or spare-"),
    ],
)
def test_a_file_that_cannot_be_used_is_a_dead_letter_and_set_aside(
    account: CarrierFileAccount, courier: FileCourier, clock: ManualClock, name: str, content: str, problem: str
) -> None:
    (courier.folder / name).write_text(content, encoding="utf-8")
    clock.advance(seconds=10**9)
    [page] = pull(account)

    assert [bad.error.problem for bad in page.bad] == [problem]
    assert (courier.folder / "failed" / name).exists()


def test_check_says_what_it_found_and_changes_nothing(account: CarrierFileAccount, courier: FileCourier) -> None:
    assert account.check().notes == (
        "0 files wait to be read",
        "out_folder does not exist yet; it is made with the first file",
    )
    assert not courier.out_folder.exists()
    courier.folder.rmdir()
    with pytest.raises(AuthError, match="there is no folder"):
        account.check()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"out_folder": "in"}, "out_folder must be another folder"),
        ({"currency": "CNX"}, "there is no currency 'CNX'"),
        ({"carriers": []}, "at least 1 item"),
        ({"carriers": ["YTOO"]}, "did you mean YTO"),
    ],
)
def test_settings_that_do_not_fit_are_refused(change: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        CarrierFileSettings.model_validate({"carriers": ["YTO"], "folder": "in", "out_folder": "out", **change})
