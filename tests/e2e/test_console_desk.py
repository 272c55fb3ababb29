"""The shipping desk at the console: what waits, waves, papers, scans, the stop list, and who may do it."""

import inspect
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import requests
from sqlalchemy import text

from erpsync.flows.desk import scans, verdicts
from erpsync.flows.desk.waves import make_wave
from erpsync.flows.orders.actions import hold_order
from erpsync.flows.shipments import record
from erpsync.flows.shipments.tracks import Told, apply_tracks
from erpsync.sdk.types import TrackNode, TrackPage, TrackState
from erpsync.store.tables import RELEASE_STATES, WAVE_STATES
from erpsync.web.console.desk.words import RELEASE_WORDS, SCAN_WORDS, WAVE_WORDS
from tests.support.desk import printed, states, work
from tests.support.order_desk import OrderDesk, words_of
from tests.support.packing import PackingDesk, packing_desk, release_of, waves_of
from tests.support.papers import texts
from tests.support.scene import eventually
from tests.support.visitor import visitor


@pytest.fixture
def desk(database_url: str) -> Iterator[PackingDesk]:
    with packing_desk(database_url, role="pack") as opened:
        yield opened


def scan(desk: OrderDesk, code: str, browser: requests.Session | None = None, **fields: str) -> requests.Response:
    """Return the page that a scan is answered with."""
    return desk.post("desk/scanned", browser, do="leave", code=code, once="0", **fields)


def tone_of(answer: requests.Response) -> str:
    """Return whether a scan counts (`ok`), asks for something (`ask`), or must not be (`no`)."""
    return str(re.findall(r'data-tone="(\w+)"', answer.text)[0])


def recalled(desk: OrderDesk, order: str) -> str:
    """Let a printed release be one that must not leave; return its number."""
    number = release_of(desk, order)
    printed(desk.town, number)
    hold_order(desk.town.ctx, desk.named(order), reason="the buyer asks", actor="lin")
    work(desk.town, shop=False)
    return number


def test_every_state_has_words() -> None:
    assert (set(RELEASE_WORDS), set(WAVE_WORDS)) == (set(RELEASE_STATES), set(WAVE_STATES))


def test_every_reason_to_refuse_a_scan_has_words() -> None:
    told = re.findall(r'why="(\w+)"', "".join(inspect.getsource(module) for module in (scans, verdicts)))

    assert set(SCAN_WORDS) == set(told)


def test_without_a_desk_the_page_says_how_to_have_one(desk: OrderDesk) -> None:
    ctx = desk.town.ctx
    places = {id: replace(policy, desk=False) for id, policy in ctx.warehouses.items()}
    desk.town.ctx = replace(ctx, warehouses=places)

    assert "No warehouse has a desk" in words_of(desk.get("desk"))


def test_the_desk_says_what_waits_with_its_goods_shelf_and_time(desk: OrderDesk) -> None:
    page = words_of(desk.get("desk"))

    assert "3 to pick 0 in waves, not printed 0 printed, to leave 0 to take out" in page
    assert "No wave is under way. Make one of what waits to be picked." in page
    goods = "手冲咖啡壶 600ml 细口 ×1"  # in a column of its own, on a phone below the number
    assert f"{release_of(desk, 'o2')} {goods} {goods} A-2 {desk.named('o2')}" in page
    assert re.search(r"1 d 2\d h left", page)


def test_what_is_late_is_said(desk: OrderDesk) -> None:
    desk.town.advance(3 * 24 * 3600)
    page = words_of(desk.get("desk", visitor(desk.store, "next-day", role="pack")))

    assert "3 to pick, 3 of them late" in page
    assert "1 d late" in page


def test_a_wave_is_made_of_those_that_are_due_first_or_of_the_chosen(desk: OrderDesk) -> None:
    chosen = release_of(desk, "o3")

    page = words_of(desk.act("waves/make", on="desk", warehouse="SH", release=[chosen]))
    assert re.search(r"wave W\d+ is made", page, re.IGNORECASE)
    assert "1 in waves, not printed" in page

    desk.act("waves/make", on="desk", warehouse="SH", oldest="yes")
    assert [wave["releases"] for wave in waves_of(desk)] == [2, 1]
    again = words_of(desk.act("waves/make", on="desk", warehouse="SH", oldest="yes"))
    assert "no release waits to be picked" in again.lower()


def test_what_another_wave_has_is_refused_and_nothing_ticked_is_said(desk: OrderDesk) -> None:
    chosen = release_of(desk, "o3")
    number = make_wave(desk.town.ctx, warehouse="SH", numbers=[chosen], actor="li")

    page = words_of(desk.act("waves/make", on="desk", warehouse="SH", release=[chosen]))
    assert f"release {chosen} is in wave {number} already" in page.lower().replace("r2", "R2").replace("w2", "W2")
    assert "tick those that are meant" in words_of(desk.act("waves/make", on="desk", warehouse="SH"))


def test_a_wave_is_dropped_while_it_is_not_printed(desk: OrderDesk) -> None:
    number = make_wave(desk.town.ctx, warehouse="SH", actor="li") or ""

    page = words_of(desk.act("waves/drop", on="desk", wave=number))

    assert "its releases wait to be picked" in page
    assert [wave["state"] for wave in waves_of(desk)] == ["dropped"]


def test_a_wave_shows_its_releases_in_the_order_of_picking(desk: OrderDesk) -> None:
    number = make_wave(desk.town.ctx, warehouse="SH", actor="li") or ""
    page = words_of(desk.get(f"waves/{number}"))

    places = [page.index(release_of(desk, order)) for order in ("o2", "o1", "o3")]
    assert places == sorted(places)
    assert "0 of 3 have left · 3 to leave" in page
    assert desk.get("waves/W0").status_code == 404


def test_a_scanned_parcel_without_a_label_of_ours_asks_for_courier_and_label_then_leaves(desk: OrderDesk) -> None:
    number = release_of(desk, "o1")

    asked = scan(desk, number)
    assert (tone_of(asked), states(desk.town)[number]) == ("ask", "told")
    assert f'name="release" value="{number}"' in asked.text
    assert "choose the courier, and scan its label" in words_of(asked)

    left = scan(desk, "SF1400000001", release=number, carrier="SF")
    assert (tone_of(left), states(desk.town)[number]) == ("ok", "shipped")
    assert desk.order("o1")["shipments"][0]["tracking"] == "SF1400000001"
    assert 'value="SF" selected' in left.text, "the courier stays chosen for the next parcel"
    assert desk.named("o1") in words_of(left)


def test_who_scans_the_next_slip_instead_of_the_label_is_told(desk: OrderDesk) -> None:
    first, second = release_of(desk, "o1"), release_of(desk, "o2")

    answer = scan(desk, second, release=first, carrier="SF")

    assert tone_of(answer) == "ask"
    assert f"{second} is one of our numbers; scan the label of the courier for release {first}" in words_of(answer)
    assert set(states(desk.town).values()) == {"told"}


def test_a_parcel_that_is_scanned_twice_left_once_and_the_second_scan_is_refused(desk: OrderDesk) -> None:
    number = release_of(desk, "o1")
    scan(desk, "SF1400000001", release=number, carrier="SF")

    again = scan(desk, number)

    assert tone_of(again) == "no"
    assert f"release {number} has left already, with SF1400000001" in words_of(again)
    assert len(desk.order("o1")["shipments"]) == 1
    assert [each["detail"]["why"] for each in desk.events("scan.refused")] == ["left"]


def test_what_nobody_knows_is_refused_and_a_wave_is_told_apart(desk: OrderDesk) -> None:
    number = make_wave(desk.town.ctx, warehouse="SH", actor="li") or ""

    assert tone_of(scan(desk, "no-such-thing")) == "no"
    assert "3 of the 3 releases of wave" in words_of(scan(desk, number))


def test_what_must_not_leave_stands_on_the_stop_list_until_it_is_taken_out(desk: OrderDesk) -> None:
    number = recalled(desk, "o1")
    page = words_of(desk.get("desk"))
    assert "Take these out of the pile 1" in page

    answer = scan(desk, number)
    assert (tone_of(answer), "must not leave" in words_of(answer)) == ("no", True)

    page = words_of(desk.act("releases/stop", on="desk", release=number))
    assert "is out of the pile" in page
    assert "Take these out of the pile" not in page
    assert states(desk.town)[number] == "stopped"


def test_it_is_taken_out_by_a_scan_too_and_what_may_leave_is_not(desk: OrderDesk) -> None:
    number, other = recalled(desk, "o1"), release_of(desk, "o2")

    out = desk.post("desk/scanned", do="stop", code=number, once="0")
    assert (tone_of(out), states(desk.town)[number]) == ("ok", "stopped")
    kept = desk.post("desk/scanned", do="stop", code=other, once="0")
    assert (tone_of(kept), states(desk.town)[other]) == ("no", "told")
    assert "nobody has recalled it" in words_of(kept)


def test_what_was_too_late_to_stop_is_said_to_have_left(desk: OrderDesk) -> None:
    number = recalled(desk, "o1")

    page = words_of(desk.act("releases/stop", on="desk", release=number, left="yes"))

    assert "a task asks for the parcel back" in page
    assert states(desk.town)[number] == "kept"


def test_a_release_shows_what_is_in_it_and_what_happened(desk: OrderDesk) -> None:
    number = release_of(desk, "o3")
    page = words_of(desk.get(f"releases/{number}"))

    assert f"Holds goods of {desk.named('o3')}" in page
    assert "龙井茶 明前特级 250g 礼盒 A" in page
    assert "Nothing of it was printed." in page
    assert "release made" in page
    assert desk.get("releases/R0").status_code == 404


def test_order_and_release_say_where_their_parcel_is(desk: OrderDesk) -> None:
    number, town = release_of(desk, "o1"), desk.town
    record.ship(town.ctx, order="o1", carrier="SF", tracking="SF77", actor="me")
    at = town.clock.now()
    node = TrackNode(key="1", at=at, state=TrackState.DELIVERING, text="派件中", place="上海市浦东新区")
    with town.store.begin() as tx:
        page = TrackPage(carrier="SF", number="SF77", nodes=(node,))
        apply_tracks(tx, town.channel(), [Told(page=page, payload={}, read_to=at)])
        tx.execute(text("UPDATE release SET state = 'shipped'"))

    release = words_of(desk.get(f"releases/{number}"))
    assert re.search(r"Courier says delivering .* 上海市浦东新区", release)
    order = words_of(desk.get(f"orders/{desk.named('o1')}", visitor(desk.store, "ana", role="read")))
    assert re.search(r"SF77 delivering .* 上海市浦东新区", order)
    assert "parcel scanned" in order


def test_a_person_stops_a_release_with_a_reason(desk: OrderDesk) -> None:
    number = release_of(desk, "o1")

    desk.act("releases/stop", on=f"releases/{number}", release=number, reason="broken glass")

    assert states(desk.town)[number] == "stopped"
    assert desk.order("o1")["status"] == "held"


def test_an_order_names_its_releases_and_the_overview_what_waits_at_the_desk(desk: OrderDesk) -> None:
    ana, number = visitor(desk.store, "ana", role="read"), recalled(desk, "o1")
    wave = make_wave(desk.town.ctx, warehouse="SH", actor="li") or ""

    order = desk.get(f"orders/{desk.named('o2')}", ana).text
    assert f"/releases/{release_of(desk, 'o2')}" in order
    assert f"/waves/{wave}" in order
    overview = words_of(desk.get("", ana))
    assert "1 printed release is to be taken out of the pile at SH" in overview
    assert "1 wave is to be printed at SH" in overview
    assert number in words_of(desk.get(f"orders/{desk.named('o1')}", ana))


def test_the_search_finds_releases_waves_and_couriers_numbers(desk: OrderDesk) -> None:
    ana, number = visitor(desk.store, "ana", role="read"), release_of(desk, "o1")
    wave = make_wave(desk.town.ctx, warehouse="SH", actor="li") or ""

    assert desk.get(f"orders?q={number.lower()}", ana).headers["location"] == f"/releases/{number}"
    assert desk.get(f"orders?q={wave}", ana).headers["location"] == f"/waves/{wave}"


def test_the_papers_of_a_wave_are_printed_once_and_are_on_record(desk: OrderDesk) -> None:
    number = make_wave(desk.town.ctx, warehouse="SH", actor="li") or ""

    answer = desk.act("waves/print", on="desk", number=number, paper="slip", once="first")

    assert answer.headers["content-type"] == "application/pdf"
    assert release_of(desk, "o3") in " ".join(texts(answer.content))
    assert [wave["state"] for wave in waves_of(desk)] == ["printed"]
    again = desk.act("waves/print", on="desk", number=number, paper="slip", once="first")
    assert f"{number} was printed; if its page did not open, print a copy" in words_of(again)
    page = words_of(desk.get(f"releases/{release_of(desk, 'o1')}"))
    assert "Slip 1 web:lin" in page
    assert "Slip again, copy 2…" in page


def test_a_copy_needs_a_reason_which_its_release_shows(desk: OrderDesk) -> None:
    number = release_of(desk, "o1")
    for once in ("first", "second"):
        answer = desk.act("releases/print", on=f"releases/{number}", number=number, paper="slip", once=once)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert 'class="told is-bad"' in answer.text

    answer = desk.act("releases/print", on=f"releases/{number}", number=number, paper="slip", reason="it was torn")
    assert answer.headers["content-type"] == "application/pdf"
    assert "Slip it was torn 2 web:lin" in words_of(desk.get(f"releases/{number}"))


def test_what_may_not_be_printed_is_named_beside_the_papers_of_the_others(desk: OrderDesk) -> None:
    number = make_wave(desk.town.ctx, warehouse="SH", actor="li") or ""
    out = recalled(desk, "o1")

    answer = desk.act("waves/print", on="desk", number=number, paper="slip")

    page = words_of(answer)
    assert "1 release is left out" in page
    assert out in page
    assert "Save the papers of the other 2 releases" in page
    assert 'href="data:application/pdf;base64,JVBER' in answer.text


def test_without_a_font_the_desk_says_what_to_install(desk: PackingDesk) -> None:
    desk.fonts[:] = [Path("/none.ttf")]
    number = release_of(desk, "o1")

    assert eventually(lambda: "/none.ttf is no font file that can be read" in words_of(desk.get("desk")))
    answer = desk.act("releases/print", on=f"releases/{number}", number=number, paper="slip")
    assert "/none.ttf is no font file that can be read" in words_of(answer)
    assert desk.events("release.printed") == []


def test_who_only_reads_sees_the_desk_and_does_nothing_there(desk: OrderDesk) -> None:
    ana = visitor(desk.store, "ana", role="read")
    make_wave(desk.town.ctx, warehouse="SH", most=1, actor="li")
    number = recalled(desk, "o2")

    for address in ("desk", f"releases/{number}"):
        page = desk.get(address, ana)
        assert (page.status_code, number in page.text) == (200, True)
        assert not re.search(r'action="/(waves|releases)', page.text)
    for path in ("waves/make", "waves/drop", "waves/done", "waves/print", "releases/stop", "releases/print"):
        assert desk.act(path, ana, on="desk").status_code == 403
    assert scan(desk, release_of(desk, "o1"), ana).status_code == 403


def test_who_packs_begins_at_the_desk_and_sees_no_other_page_at_the_top(desk: OrderDesk) -> None:
    assert desk.get("").headers["location"] == "/desk"
    top = desk.get("desk").text.partition("</header>")[0]

    assert 'href="/desk"' in top
    assert 'href="/stock"' not in top


def test_what_was_done_at_the_desk_is_on_record(desk: OrderDesk) -> None:
    number = release_of(desk, "o1")
    scan(desk, "SF1400000001", release=number, carrier="SF")

    [done] = desk.events("console.changed")
    assert (done["actor"], done["detail"]["path"]) == ("web:lin", "/desk/scanned")
    with desk.store.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM shipment")).scalar() == 1
