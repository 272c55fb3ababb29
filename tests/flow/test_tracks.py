"""Where parcels are, as real connectors' sandboxes tell it: asked and pushed, lost, doubled, and in any order."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import select

from connectors.kuaidi100.sandbox import SALT, Kuaidi100Sandbox
from erpsync.flows.explain.explain import explain_order
from erpsync.flows.intake.webhooks import apply_inbox, store_webhook
from erpsync.flows.operations.prune import prune
from erpsync.flows.shipments import record
from erpsync.flows.shipments.corrections import correct
from erpsync.sdk.sandbox import Fault
from erpsync.sdk.types import WebhookRequest
from erpsync.store.tables import track, track_node
from erpsync.store.tasks import close_tasks
from erpsync.store.views import list_shipments
from erpsync.store.views.releases import list_releases
from tests.support import looking
from tests.support.courier import push, release_one, rows
from tests.support.explaining import Written, one
from tests.support.shop import Town
from tests.support.tracked import (
    SfDesk,
    ask,
    build_kuaidi_desk,
    build_sf_desk,
    nodes,
    said,
    set_tracks,
    summed,
    where,
)

HOUR_S = 3600
PICKED_UP, ON_ITS_WAY, DELIVERED, GOES_BACK, RETURNED = "50", "30", "80", "99", "648"


@pytest.fixture
def desk(database_url: str) -> Iterator[SfDesk]:
    """A desk whose parcels SF carries and tells of."""
    made = build_sf_desk(database_url)
    yield made
    made.town.store.close()


@pytest.fixture
def kuaidi(database_url: str) -> Iterator[tuple[Town, Kuaidi100Sandbox]]:
    """A desk whose parcels Kuaidi100 books and tells of."""
    town, platform = build_kuaidi_desk(database_url)
    yield town, platform
    town.store.close()


def test_a_parcel_that_left_is_asked_about_and_its_order_hears_once_what_happened(desk: SfDesk) -> None:
    number = desk.leave()
    assert (ask(desk.town), where(desk.town)) == (1, [""])

    desk.scan(number, PICKED_UP)
    desk.town.advance(HOUR_S)
    picked_up_at = desk.town.clock.now() - timedelta(seconds=HOUR_S)
    desk.scan(number, DELIVERED)
    ask(desk.town)

    assert summed(desk.town) == [("delivered", picked_up_at, desk.town.clock.now(), None)]
    assert said(desk.town) == ["parcel.scanned", "parcel.delivered"]
    assert [what for what in looking.story(desk.town, "o1") if what.startswith("parcel.")] == said(desk.town)
    desk.town.advance(24 * HOUR_S)
    assert ask(desk.town) == 0


def test_nobody_is_asked_about_a_parcel_more_often_than_the_courier_allows(desk: SfDesk) -> None:
    desk.leave()
    assert [ask(desk.town) for _ in range(3)] == [1, 0, 0]

    desk.town.advance(1799)
    assert ask(desk.town) == 0
    desk.town.advance(1)
    assert ask(desk.town) == 0  # its news are pushed: it is asked about a few times a day


def test_ten_parcels_are_asked_about_in_one_call(desk: SfDesk) -> None:
    for place in range(10):
        desk.leave(f"o{place}", 1)

    assert ask(desk.town) == 1


def test_what_is_asked_and_pushed_doubled_and_late_is_one_scan(desk: SfDesk) -> None:
    number = desk.leave()
    desk.platform.faults.force(Fault.DUPLICATE)
    desk.scan(number, PICKED_UP)
    desk.pushed(number, times=2)
    ask(desk.town)
    desk.town.advance(7 * HOUR_S)
    ask(desk.town)

    assert len(nodes(desk.town)) == 1
    assert said(desk.town) == ["parcel.scanned"]


def test_an_answer_that_was_lost_is_asked_for_again_as_soon_as_the_courier_allows(desk: SfDesk) -> None:
    number = desk.leave()
    desk.scan(number, PICKED_UP)
    desk.platform.faults.force(Fault.TIMEOUT_AFTER, times=20)
    assert ask(desk.town) == 0
    desk.platform.faults.clear()

    assert (ask(desk.town), where(desk.town)) == (0, [""])
    desk.town.advance(1800)
    assert (ask(desk.town), where(desk.town)) == (1, ["picked_up"])


def test_two_nodes_ask_about_a_parcel_once(database_url: str, desk: SfDesk) -> None:
    desk.leave()
    other = build_sf_desk(database_url, town=desk.town, platform=desk.platform)

    assert (ask(desk.town), ask(other.town)) == (1, 0)
    other.town.store.close()


def test_a_scan_before_anybody_said_that_the_parcel_left_is_kept_and_nobody_asks(desk: SfDesk) -> None:
    number = desk.book()
    desk.scan(number, PICKED_UP)
    desk.pushed(number)

    assert (where(desk.town), said(desk.town), ask(desk.town)) == (["picked_up"], ["parcel.scanned"], 0)
    record.ship(desk.town.ctx, order="o1", carrier="SF", tracking=number, actor="me")
    assert ask(desk.town) == 1


def test_a_parcel_that_comes_back_is_a_person_s_matter_and_nothing_is_restocked(desk: SfDesk) -> None:
    number = desk.leave()
    shelf = looking.on_shelf(desk.town)
    for code in (PICKED_UP, GOES_BACK, RETURNED):
        desk.scan(number, code)
        desk.pushed(number)
        desk.town.advance(60)

    assert (where(desk.town), looking.tasks(desk.town)) == (["returned"], ["parcel_back"])
    assert said(desk.town) == ["parcel.scanned", "parcel.returned"]
    assert looking.on_shelf(desk.town) == shelf


def test_a_task_about_a_parcel_that_comes_back_is_asked_once(desk: SfDesk) -> None:
    number = desk.leave()
    desk.scan(number, GOES_BACK)
    desk.pushed(number)
    with desk.town.store.begin() as tx:
        close_tasks(tx, "parcel_back", [f"SF {number}"], by="me")
    desk.town.advance(60)
    desk.scan(number, RETURNED)
    desk.pushed(number)

    assert looking.tasks(desk.town) == []


def test_after_so_many_days_nobody_is_asked_any_more_which_is_said_once(desk: SfDesk) -> None:
    desk.leave()
    for _ in range(40):
        ask(desk.town)
        desk.town.advance(24 * HOUR_S)

    assert said(desk.town) == ["parcel.given_up"]
    assert looking.rows(desk.town, select(track.c.ask_at)) == [(None,)]


def test_a_corrected_number_is_asked_about_and_the_former_one_is_not(desk: SfDesk) -> None:
    number = desk.leave()
    correct(desk.town.ctx, number=looking.shipments(desk.town)[0][0], tracking="SF999", actor="me")

    asked = looking.rows(desk.town, select(track.c.number).where(track.c.ask_at.is_not(None)))
    assert (asked, number) == ([("SF999",)], rows(desk.town, "number")[0])


def test_a_push_about_nobody_s_parcel_is_counted_and_told_once(desk: SfDesk) -> None:
    number = desk.book()
    desk.scan(number, PICKED_UP)
    desk.pushed(number, as_number="SF0000000000000", times=2)

    assert (looking.letters(desk.town), looking.tasks(desk.town)) == ([], ["unknown_message"])
    assert looking.rows(desk.town, "SELECT count FROM unknown_message") == [(1,)]
    assert where(desk.town) == []


def test_retention_erases_what_was_told_and_keeps_the_sum(desk: SfDesk) -> None:
    number = desk.leave()
    desk.scan(number, PICKED_UP)
    desk.pushed(number)
    desk.scan(number, DELIVERED)
    desk.pushed(number)
    texts = [text for (text,) in looking.rows(desk.town, select(track_node.c.text))]
    assert len(texts) == 2
    assert all("快件".encode() not in text for text in texts)
    desk.town.advance(200 * 24 * HOUR_S)
    desk.town.shop.change("o1", state="finished")
    with desk.town.store.begin() as tx:
        tx.connection.exec_driver_sql("UPDATE orders SET phase = 'completed'")
    prune(desk.town.ctx, 180)

    assert (nodes(desk.town), where(desk.town)) == ([], ["delivered"])
    desk.scan(number, RETURNED)
    desk.pushed(number)
    assert (nodes(desk.town), where(desk.town)) == ([], ["delivered"])


def test_orders_releases_and_explanations_say_where_a_parcel_is(desk: SfDesk) -> None:
    number = desk.leave()
    assert looking.see(desk.town, "o1")["shipments"][0]["track"] is None
    desk.scan(number, PICKED_UP)
    desk.pushed(number)

    at = {"state": "picked_up", "at": "2026-03-02T12:00:01Z", "place": "上海市"}
    assert looking.see(desk.town, "o1")["shipments"][0]["track"] == at
    with desk.town.store.read() as connection:
        [listed], [release] = list_shipments(connection), list_releases(connection)
    assert (listed["track"], release["tracks"]) == (at, [{"tracking": number} | at])
    steps = explain_order(desk.town.ctx, "o1", Written())["steps"]
    assert one(steps, "picked_up")["text"] == "SF has fetched it"
    assert one(steps, "place")["text"] == "it was seen last in 上海市"


# ---- Kuaidi100


def call(town: Town, platform: Kuaidi100Sandbox, number: str, **said: str) -> None:
    """Let Kuaidi100 call about a parcel."""
    body = platform.call(number, salt=SALT, **said)
    request = WebhookRequest(headers={}, query={}, body=body, received_at=town.clock.now(), path="")
    store_webhook(town.ctx, town.channel("sf"), request)


def leave(town: Town, platform: Kuaidi100Sandbox) -> str:
    release_one(town)
    push(town)
    [number] = rows(town, "number")
    record.ship(town.ctx, order="o1", carrier="SF", tracking=number, actor="me")
    return str(number)


def test_kuaidi100_is_asked_to_call_once_and_again_when_it_stopped(kuaidi: tuple[Town, Kuaidi100Sandbox]) -> None:
    town, platform = kuaidi
    number = leave(town, platform)
    platform.move(number, "1", "已揽收")
    ask(town)
    assert platform.calls.count("subscribe") == 1
    town.advance(7 * HOUR_S)
    ask(town)
    assert platform.calls.count("subscribe") == 1

    call(town, platform, number, status="abort", message="3天查询无记录")
    apply_inbox(town.ctx)
    town.advance(7 * HOUR_S)
    ask(town)
    assert platform.calls.count("subscribe") == 2
    assert platform.hurried == set()


def test_a_list_that_was_late_takes_nothing_back(kuaidi: tuple[Town, Kuaidi100Sandbox]) -> None:
    town, platform = kuaidi
    number = leave(town, platform)
    platform.move(number, "1", "已揽收")
    early = platform.call(number)
    town.advance(60)
    platform.move(number, "3", "已签收")
    call(town, platform, number)
    apply_inbox(town.ctx)
    request = WebhookRequest(headers={}, query={}, body=early, received_at=town.clock.now(), path="")
    store_webhook(town.ctx, town.channel("sf"), request)
    apply_inbox(town.ctx)

    assert (where(town), len(nodes(town))) == (["delivered"], 2)


def test_a_newer_list_takes_the_place_of_what_was_told(kuaidi: tuple[Town, Kuaidi100Sandbox]) -> None:
    town, platform = kuaidi
    number = leave(town, platform)
    platform.move(number, "1", "已揽收")
    platform.move(number, "0", "已到达上海")
    call(town, platform, number)
    town.advance(60)
    platform.parcels[number].nodes.pop()
    platform.move(number, "0", "已到达杭州")
    call(town, platform, number)
    apply_inbox(town.ctx)

    assert len(nodes(town)) == 2


@pytest.mark.parametrize(("tracks", "asked"), [("own", 0), ("all", 1), ("none", 0)])
def test_parcels_of_other_accounts_are_asked_about_where_that_is_configured(
    kuaidi: tuple[Town, Kuaidi100Sandbox], tracks: str, asked: int
) -> None:
    town, platform = kuaidi
    set_tracks(town, tracks)
    release_one(town)
    record.ship(town.ctx, order="o1", carrier="YTO", tracking="YT1234567890", actor="me")
    platform.move("YT1234567890", "1", "已揽收", com="yuantong")

    assert (ask(town), where(town)) == (asked, ["picked_up"] if asked else [""])


def test_an_account_that_books_nothing_is_asked_about_every_courier_it_knows(database_url: str) -> None:
    town, platform = build_kuaidi_desk(database_url, secret=None)
    for place, (carrier, known) in enumerate((("YTO", "yuantong"), ("ZTO", "zhongtong"))):
        release_one(town, f"o{place}", 1)
        record.ship(town.ctx, order=f"o{place}", carrier=carrier, tracking=f"N12345678{place}", actor="me")
        platform.move(f"N12345678{place}", "1", "已揽收", com=known)

    ask(town)
    assert where(town) == ["picked_up", "picked_up"]
    town.store.close()
