"""Routes of SF: asked and pushed, out of order, twice, unknown, unreadable, and from nobody one knows."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from connectors.sf.sandbox import SfSandbox
from erpsync.sdk.clock import ManualClock
from erpsync.sdk.errors import AuthError
from erpsync.sdk.sandbox import SandboxRequest, SandboxResponse
from erpsync.sdk.types import Head, Raw, TrackedParcel, TrackPage, WebhookRequest
from tests.connectors.sf.account import PUSH_SECRET, connector

GOLDEN = json.loads((Path(__file__).parent / "golden" / "routes.json").read_text(encoding="utf-8"))
AT = datetime(2027, 3, 4, tzinfo=UTC)
PUSH = WebhookRequest(
    headers={}, query={}, body=json.dumps(GOLDEN["pushed"]).encode(), received_at=AT, path=PUSH_SECRET
)


def told(page: TrackPage) -> list[list[str]]:
    return [[node.key, str(node.state), node.code] for node in page.nodes]


def test_routes_that_were_asked_for_are_what_their_golden_copy_says() -> None:
    head = Head(external_id="SF7444400031887", version_at=AT, digest="", read_from=AT, read_to=AT)
    raw = Raw(head=head, payload=GOLDEN["asked"], read_from=AT, read_to=AT)

    page = connector(SfSandbox(), ManualClock()).normalise_track(raw)

    assert told(page) == GOLDEN["nodes"]
    assert page.nodes[1].at == datetime(2027, 3, 2, 7, 30, tzinfo=UTC)
    assert page.nodes[1].place == "深圳市"
    assert [(bad.key, bad.error.path) for bad in page.bad] == [("SF7444400031887@6", "$.routes[6].acceptTime")]


def test_a_push_has_a_record_for_each_parcel() -> None:
    account = connector(SfSandbox(), ManualClock())
    result = account.read_webhook(PUSH)

    pages = {record.raw.head.external_id: account.normalise_track(record.raw) for record in result.records}
    assert {number: told(page) for number, page in pages.items()} == GOLDEN["pushed_nodes"]
    assert {record.kind for record in result.records} == {"track"}
    assert json.loads(account.webhook_reply(result).body) == {"return_code": "0000", "return_msg": "成功"}


def test_a_push_without_the_secret_in_its_address_is_refused() -> None:
    account = connector(SfSandbox(), ManualClock())
    for path in ("", PUSH_SECRET[:-1], f"{PUSH_SECRET}/", "秘密"):
        with pytest.raises(AuthError) as raised:
            account.read_webhook(replace(PUSH, path=path))
        assert PUSH_SECRET[:-1] not in repr(raised.value)
    with pytest.raises(AuthError):
        connector(SfSandbox(), ManualClock(), push_secret=None).read_webhook(replace(PUSH, path=""))


@pytest.mark.parametrize("body", [b"", b"content=%3CBody%3E", b"[]", b'{"Body":{"WaybillRoute":[]}}', b'{"Body":1}'])
def test_a_push_that_is_none_of_routes_is_kept_and_told(body: bytes) -> None:
    account = connector(SfSandbox(), ManualClock())
    result = account.read_webhook(replace(PUSH, body=body))

    assert [unknown.type for unknown in result.unknown] == ["no route"]
    assert result.records == ()
    assert account.read_webhook(replace(PUSH, body=body)).key == result.key


def test_numbers_are_asked_for_ten_at_once_and_those_of_others_with_the_end_of_a_phone_number() -> None:
    asked: list[tuple[int, object]] = []

    class Listening(SfSandbox):
        def answer(self, request: SandboxRequest) -> SandboxResponse:
            data = json.loads(request.form()["msgData"])
            asked.append((len(data["trackingNumber"]), data.get("checkPhoneNo")))
            return super().answer(request)

    ours = [TrackedParcel(carrier="SF", number=f"SF{n}") for n in range(12)]
    others = [TrackedParcel(carrier="SF", number=f"SF{n}", phone="138 0013 8000") for n in (98, 99)]
    raws = connector(Listening(), ManualClock()).pull_tracks([others[0], *ours, others[1]])

    assert asked == [(10, None), (2, None), (2, "8000")]
    assert len(raws) == 14


def test_pushes_come_where_the_address_is_entered() -> None:
    parcel = TrackedParcel(carrier="SF", number="SF1")

    assert connector(SfSandbox(), ManualClock()).watch_track(parcel)
    assert not connector(SfSandbox(), ManualClock(), push_secret=None).watch_track(parcel)


def test_the_check_says_what_is_not_set_and_books_nothing() -> None:
    shop = SfSandbox()
    report = connector(shop, ManualClock(), push_secret=None).check()

    assert report.notes == (
        "push_secret is not set: what happens to parcels is asked for, never pushed",
        "cod_account is not set: parcels with cash on delivery are refused",
    )
    assert (shop.orders, shop.attempts) == ({}, [])
