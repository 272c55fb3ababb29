"""Where parcels are: asked and called, the whole list each time, signed or not believed."""

import json
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest

from connectors.kuaidi100.connector import Kuaidi100Account, Kuaidi100Connector
from connectors.kuaidi100.sandbox import SALT, Kuaidi100Sandbox
from connectors.kuaidi100.signing import sign
from erpsync.sdk.clock import ManualClock
from erpsync.sdk.errors import AuthError, PayloadError, RejectedError
from erpsync.sdk.http import HttpClient
from erpsync.sdk.roles import CourierSink, playing
from erpsync.sdk.types import TrackedParcel, TrackPage, TrackState, WebhookRequest, WebhookResult
from tests.connectors.kuaidi100.account import account, settings

NUMBER = "SF0000000000001"
PARCEL = TrackedParcel(carrier="SF", number=NUMBER, phone="8000")


@pytest.fixture
def platform() -> Kuaidi100Sandbox:
    return Kuaidi100Sandbox(clock=ManualClock(datetime(2026, 3, 2, 8, tzinfo=UTC)))


def asked(source: Kuaidi100Account, parcel: TrackedParcel = PARCEL) -> TrackPage:
    [raw] = source.pull_tracks([parcel])
    return source.normalise_track(raw)


def request(body: bytes) -> WebhookRequest:
    return WebhookRequest(headers={}, query={}, body=body, received_at=datetime(2026, 3, 2, 9, tzinfo=UTC))


def read(source: Kuaidi100Account, body: bytes) -> tuple[WebhookResult, TrackPage]:
    result = source.read_webhook(request(body))
    [record] = result.records
    assert record.kind == "track"
    return result, source.normalise_track(record.raw)


@pytest.mark.parametrize(
    ("code", "state"),
    [
        ("101", "announced"),
        ("102", "announced"),
        ("103", "picked_up"),
        ("1", "picked_up"),
        ("0", "in_transit"),
        ("1001", "in_transit"),
        ("1002", "in_transit"),
        ("7", "in_transit"),
        ("8", "in_transit"),
        ("10", "in_transit"),
        ("13", "in_transit"),
        ("2", "problem"),
        ("203", "problem"),
        ("14", "problem"),
        ("401", "problem"),
        ("5", "delivering"),
        ("501", "delivering"),
        ("3", "delivered"),
        ("304", "delivered"),
        ("6", "returning"),
        ("4", "returned"),
        ("99", "in_transit"),
        ("", "in_transit"),
    ],
)
def test_a_code_means_what_the_notes_say_and_any_other_that_it_is_on_its_way(
    platform: Kuaidi100Sandbox, code: str, state: str
) -> None:
    """A booking that was voided (401) is no parcel that came back; one in a locker (501) is not handed over."""
    platform.move(NUMBER, code, "…")
    platform.parcels[NUMBER].nodes.append({"ftime": "2026-03-02 17:00:00", "context": "later", "statusCode": "0"})

    assert asked(account(platform)).nodes[0].state == state


def test_a_newest_scan_without_a_code_has_the_parcels_state(platform: Kuaidi100Sandbox) -> None:
    platform.move(NUMBER, "1", "已揽收")
    platform.clock.advance(seconds=60)  # type: ignore[attr-defined]
    platform.move(NUMBER, "3", "已签收")
    [raw] = account(platform).pull_tracks([PARCEL])
    for node in raw.payload["data"]:
        del node["statusCode"]
    page = account(platform).normalise_track(raw)

    assert [node.state for node in page.nodes] == [TrackState.IN_TRANSIT, TrackState.DELIVERED]


def test_times_are_those_of_beijing_and_two_of_one_second_stay_in_their_order(platform: Kuaidi100Sandbox) -> None:
    for text in ("到达", "离开"):
        platform.move(NUMBER, "0", text)

    assert [(node.at, node.text) for node in asked(account(platform)).nodes] == [
        (datetime(2026, 3, 2, 8, tzinfo=UTC), "到达"),
        (datetime(2026, 3, 2, 8, tzinfo=UTC), "离开"),
    ]


def test_a_parcel_that_nobody_has_seen_is_none_that_nothing_happened_to(platform: Kuaidi100Sandbox) -> None:
    assert account(platform).pull_tracks([PARCEL]) == []


def test_sf_tells_only_who_knows_the_phone(platform: Kuaidi100Sandbox) -> None:
    platform.move(NUMBER, "1", "已揽收")

    with pytest.raises(RejectedError) as raised:
        asked(account(platform), TrackedParcel(carrier="SF", number=NUMBER))
    assert raised.value.code == "408"


def test_a_courier_whose_code_is_another_than_in_our_table_is_set(platform: Kuaidi100Sandbox) -> None:
    platform.move("JT0000000000001", "1", "已揽收", com="jitu")
    page = asked(account(platform, company_codes={"jt": "jitu"}), TrackedParcel(carrier="JT", number="JT0000000000001"))

    assert page.carrier == "JT"


def test_a_call_holds_the_whole_list_and_is_known_again(platform: Kuaidi100Sandbox) -> None:
    source = account(platform)
    platform.move(NUMBER, "1", "已揽收")
    first = platform.call(NUMBER)
    platform.clock.advance(seconds=3600)  # type: ignore[attr-defined]
    platform.move(NUMBER, "3", "已签收")
    second = platform.call(NUMBER, status="shutdown")

    (one, early), (again, _), (other, late) = read(source, first), read(source, first), read(source, second)
    assert (one.key == again.key, one.key == other.key) == (True, False)
    assert (early.whole, early.over, late.whole, late.over) == (True, False, True, True)
    assert [node.key for node in late.nodes] == [node.key for node in asked(source).nodes]
    assert other.records[0].raw.head.version_at - one.records[0].raw.head.version_at == timedelta(hours=1)


def test_only_one_answer_makes_it_cease_to_call(platform: Kuaidi100Sandbox) -> None:
    reply = account(platform).webhook_reply(WebhookResult(key="x"))

    assert json.loads(reply.body) == {"result": True, "returnCode": "200", "message": "成功"}


@pytest.mark.parametrize("case", [str.upper, str.lower])
def test_the_case_of_a_signature_does_not_count(platform: Kuaidi100Sandbox, case: object) -> None:
    assert callable(case)
    param = json.dumps({"lastResult": {"nu": NUMBER, "com": "shunfeng", "data": []}})
    body = urlencode({"sign": case(sign(param, SALT)), "param": param}).encode()

    assert read(account(platform), body)[1].number == NUMBER


@pytest.mark.parametrize(
    "body", [b"", b"param={}", b"param={}&sign=", b"param=%FF&sign=\xff", b"&".join([b"a=1"] * 30)]
)
def test_a_call_that_is_not_signed_or_not_by_it_is_refused(platform: Kuaidi100Sandbox, body: bytes) -> None:
    platform.move(NUMBER, "3", "已签收")
    source = account(platform)
    for delivery in (body, platform.call(NUMBER, salt="somebody else's salt"), platform.call(NUMBER) + b"x"):
        with pytest.raises(AuthError):
            source.read_webhook(request(delivery))


def test_a_channel_that_asked_for_no_calls_believes_none(platform: Kuaidi100Sandbox) -> None:
    platform.move(NUMBER, "3", "已签收")
    source = account(platform, callback_url=None, salt=None)

    assert source.watch_track(PARCEL) is False
    with pytest.raises(AuthError):
        source.read_webhook(request(platform.call(NUMBER, salt="")))


@pytest.mark.parametrize("param", ["[]", "{", "null", '{"lastResult":3}', '{"lastResult":{"nu":7}}'])
def test_a_signed_call_that_cannot_be_read_is_stored_and_named(platform: Kuaidi100Sandbox, param: str) -> None:
    source = account(platform)
    result = source.read_webhook(request(urlencode({"sign": sign(param, SALT), "param": param}).encode()))
    [record] = result.records

    assert record.raw.head.external_id.startswith("unreadable-")
    with pytest.raises(PayloadError):
        source.normalise_track(record.raw)


def test_a_call_about_a_wrong_courier_says_who_has_the_parcel(platform: Kuaidi100Sandbox) -> None:
    """Kuaidi100 finds out by itself after three days, and goes on calling about the right one."""
    source = account(platform)
    platform.move(NUMBER, "0", "运输中", com="yuantong")
    told = read(source, platform.call(NUMBER, status="abort", message="3天查询无记录", com_new="ems"))[1]
    later = read(source, platform.call(NUMBER, com_new="ems"))[1]

    assert [(page.carrier, page.over, page.watch_again) for page in (told, later)] == [("EMS", False, False)] * 2


@pytest.mark.parametrize(
    ("message", "over", "again"), [("3天查询无记录", False, True), ("60天无变化", True, False), ("", True, False)]
)
def test_after_three_days_without_news_it_may_be_asked_to_call_once_more(
    platform: Kuaidi100Sandbox, message: str, over: bool, again: bool
) -> None:
    platform.move(NUMBER, "0", "运输中")
    page = read(account(platform), platform.call(NUMBER, status="abort", message=message))[1]

    assert (page.over, page.watch_again) == (over, again)


def test_asking_for_calls_twice_is_no_mistake_and_names_us(platform: Kuaidi100Sandbox) -> None:
    source = account(platform)

    assert [source.watch_track(PARCEL), source.watch_track(PARCEL)] == [True, True]
    assert platform.watched[NUMBER] == {
        "callbackurl": "https://erp.example.com/hooks/kuaidi100",
        "salt": SALT,
        "resultv2": "4",
        "phone": "8000",
    }


def test_without_a_secret_it_is_asked_for_tracks_alone(platform: Kuaidi100Sandbox) -> None:
    values = settings(secret=None, carrier=None)
    made = Kuaidi100Connector(values, HttpClient(clock=platform.clock, mount=platform.handle), platform.clock)

    assert playing(made, CourierSink) is None
    assert Kuaidi100Connector.played_by(values) is Kuaidi100Connector
    assert Kuaidi100Connector.played_by(settings()) is Kuaidi100Account
