"""Bookings: one key is one waybill for 48 hours; a picture that is made a little later; what a check proves."""

from datetime import timedelta

import pytest
from pydantic import ValidationError

from connectors.kuaidi100.connector import Kuaidi100Account
from connectors.kuaidi100.sandbox import Kuaidi100Sandbox
from erpsync.sdk.clock import ManualClock
from erpsync.sdk.errors import AuthError, OutcomeUnknownError, PayloadError, RejectedError
from erpsync.sdk.http import HttpClient
from erpsync.sdk.sandbox import Fault, SandboxRequest, SandboxResponse, serve
from erpsync.sdk.types import LabelKind, Repeat
from tests.connectors.kuaidi100.account import account, settings, wish


@pytest.fixture
def platform() -> Kuaidi100Sandbox:
    return Kuaidi100Sandbox(clock=ManualClock())


def test_a_booking_whose_answer_was_lost_has_one_number_when_it_is_sent_again(platform: Kuaidi100Sandbox) -> None:
    """Failures row 26."""
    sink = account(platform)
    platform.faults.force(Fault.TIMEOUT_AFTER)
    with pytest.raises(OutcomeUnknownError):
        sink.book(wish())
    waybill = sink.book(wish())

    assert (sink.repeat, sink.idempotent, list(platform.waybills)) == (Repeat.SAFE, True, [waybill.number])
    assert len(platform.attempts) == 2


def test_a_key_is_sent_again_for_as_long_as_it_is_remembered_and_an_hour_less(platform: Kuaidi100Sandbox) -> None:
    sink = account(platform)
    sink.book(wish())
    assert sink.remembers_s == timedelta(hours=47).total_seconds()

    platform.clock.advance(seconds=sink.remembers_s)  # type: ignore[attr-defined]
    sink.book(wish())
    assert len(platform.waybills) == 1
    platform.clock.advance(seconds=3600)  # type: ignore[attr-defined]
    sink.book(wish())
    assert len(platform.waybills) == 2


def test_a_picture_is_behind_a_short_link_that_leads_nowhere_else(platform: Kuaidi100Sandbox) -> None:
    sink = account(platform)
    waybill = sink.book(wish())
    assert (waybill.label_kind, waybill.label) == (LabelKind.PICTURE, b"")
    assert sink.label(waybill).startswith(b"\x89PNG")

    def leads_away(request: SandboxRequest) -> SandboxResponse:
        return SandboxResponse(status=302, headers={"location": "http://kuaidi100.com.evil.example/label"})

    with pytest.raises(PayloadError, match="leads away from Kuaidi100"):
        account(platform, mount=leads_away).label(waybill)


@pytest.mark.parametrize("link", ["http://api.kuaidi100.com/l/1", "https://kuaidi100.com/l/1"])
def test_a_link_to_another_host_of_kuaidi100_is_followed(platform: Kuaidi100Sandbox, link: str) -> None:
    def answers(request: SandboxRequest) -> SandboxResponse:
        if request.method == "GET":
            return SandboxResponse(body=platform.picture)
        return SandboxResponse.of_json({"success": True, "code": 200, "data": {"kuaidinum": "SF1", "label": link}})

    sink = account(platform, mount=answers)
    assert sink.label(sink.book(wish())) == platform.picture


def test_a_link_that_leads_to_itself_ends(platform: Kuaidi100Sandbox) -> None:
    waybill = account(platform).book(wish())
    round_and_round = account(platform, mount=lambda _: SandboxResponse(status=302, headers={"location": "/l/1"}))

    with pytest.raises(PayloadError, match="leads on and on"):
        round_and_round.label(waybill)


def test_no_label_is_made_without_a_template(platform: Kuaidi100Sandbox) -> None:
    sink = account(platform, template="")
    waybill = sink.book(wish())

    assert waybill.label_kind is LabelKind.NONE
    with pytest.raises(RejectedError, match="no label was made"):
        sink.label(waybill)


def test_a_booking_for_another_courier_is_not_sent(platform: Kuaidi100Sandbox) -> None:
    with pytest.raises(RejectedError):
        account(platform).book(wish(carrier="YTO"))

    assert platform.attempts == []


@pytest.mark.parametrize(
    ("wrong", "code"), [({"key": "x"}, "30003"), ({"secret": "x"}, "30002"), ({"customer": "x"}, "503")]
)
def test_a_check_finds_each_credential_that_is_wrong(
    platform: Kuaidi100Sandbox, wrong: dict[str, str], code: str
) -> None:
    assert account(platform).check().notes == ()
    with pytest.raises(AuthError) as raised:
        account(platform, **wrong).check()

    assert (raised.value.code, platform.waybills) == (code, {})


def test_a_check_says_that_nobody_calls_where_no_address_is_set(platform: Kuaidi100Sandbox) -> None:
    assert account(platform, callback_url=None, salt=None).check().notes == (
        "callback_url is not set: parcels are asked about, nobody calls when they move",
    )


def test_over_a_real_socket_with_the_settings_that_the_sandbox_names(platform: Kuaidi100Sandbox) -> None:
    with serve({"kuaidi100": platform}) as server:
        addresses = {name: server.url("kuaidi100") + path for name, path in platform.addresses.items()}
        http = HttpClient(clock=platform.clock)
        sink = Kuaidi100Account(settings(**addresses), http, platform.clock)
        waybill = sink.book(wish(parcels=2))
        label = sink.label(waybill)
        http.close()

    assert (label, len(waybill.children)) == (platform.picture, 1)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"salt": None}, "callback_url and salt go together"),
        ({"callback_url": None}, "callback_url and salt go together"),
        ({"carrier": None}, "carrier is missing"),
        ({"carrier": "SFF"}, "did you mean SF"),
        ({"salt": "short"}, "at least 16"),
        ({"query_url": "poll.kuaidi100.com"}, "should match pattern"),
    ],
)
def test_settings_that_do_not_fit_are_refused(change: dict[str, str | None], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        settings(**change)
