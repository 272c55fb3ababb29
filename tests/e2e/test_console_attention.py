"""Tasks and dead letters at the console: what they say, and that a click settles them."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
import requests
from sqlalchemy import select, update

from erpsync.core import advice
from erpsync.flows.context import Context
from erpsync.sdk.clock import ManualClock
from erpsync.store import tables
from erpsync.store.db.store import Store
from erpsync.store.views.letter_groups import MOST_GROUPED, letter_groups
from erpsync.web.console.attention.many import MOST_AT_ONCE, MOST_S, one_by_one
from erpsync.web.console.attention.remedies import LETTERS, REMEDIES
from tests.support.visitor import act, visitor
from tests.support.waiting_shop import (
    OTHER,
    PERSON,
    PHONE,
    ScannedConnector,
    open_waiting_shop,
    put_effect_letter,
    put_order_letter,
    put_task,
    with_connector,
)
from tests.support.web_shop import NOW, AppServer, add, fill, order_row, serve


@dataclass
class Desk:
    """The console of a shop, and who sits at it; `connect` gives the shop another connector, as an update does."""

    server: AppServer
    store: Store
    contexts: list[Context]
    browser: requests.Session

    @property
    def ctx(self) -> Context:
        return self.contexts[-1]

    def get(self, path: str) -> str:
        answer = self.browser.get(self.server.url + path.lstrip("/"), timeout=60)
        answer.encoding = "utf-8"
        return words_of(answer.text)

    def send(self, path: str, *, at: str, **form: str | list[str]) -> str:
        self.browser.headers["Referer"] = self.server.url + at.lstrip("/")
        return words_of(act(self.browser, self.server.url, path.lstrip("/"), **form).text)

    def connect(self, connector: ScannedConnector) -> None:
        self.contexts.append(with_connector(self.ctx, connector))

    def states(self) -> dict[str, str]:
        with self.store.read() as connection:
            rows = connection.execute(select(tables.dead_letter.c.key, tables.dead_letter.c.state))
            return {row.key: row.state for row in rows}

    def events(self, kind: str) -> list[tuple[dict[str, str], str]]:
        query = select(tables.event.c.detail, tables.event.c.actor).where(tables.event.c.kind == kind)
        with self.store.read() as connection:
            return [(json.loads(row.detail), row.actor) for row in connection.execute(query)]

    def closed(self) -> dict[str, str]:
        query = select(tables.task.c.key, tables.task.c.closed_by).where(tables.task.c.closed_at.is_not(None))
        with self.store.read() as connection:
            return {row.key: row.closed_by for row in connection.execute(query)}


@pytest.fixture
def desk(database_url: str) -> Iterator[Desk]:
    store, ctx = open_waiting_shop(database_url)
    contexts = [ctx]
    server, site = serve(store, ctx, keep_s=0)
    site.ctx = lambda: contexts[-1]
    yield Desk(server, store, contexts, visitor(store))
    server.stop(2)
    store.close()


def words_of(text: str) -> str:
    """Return what a page says, without its marks."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text))


def task_ids(desk: Desk, count: int, kind: str = "currency_changed") -> list[str]:
    with desk.store.begin() as tx:
        return [str(put_task(tx, desk.ctx, kind, f"S{number}")) for number in range(count)]


# -- tasks


def test_a_shop_without_tasks_says_that_nothing_waits(desk: Desk) -> None:
    assert "Nothing waits for you: erpsync opens a task when only a person can decide." in desk.get("/tasks")


def test_every_kind_of_task_says_what_it_means_and_what_to_do() -> None:
    assert set(REMEDIES) == set(advice.TASKS)
    assert set(LETTERS) == set(advice.REPLAYS)
    assert not any("erpsync " in f"{each.do} {each.done}" for each in REMEDIES.values() if "`" in each.do)


def test_tasks_stand_by_kind_the_kind_with_most_first(desk: Desk) -> None:
    task_ids(desk, 1, "recall")
    task_ids(desk, 2)
    page = desk.get("/tasks")

    assert re.search(r"currency changed 2 .*recall 1 ", page)
    assert "The shop changed the currency of an order. Compare its amounts with the shop." in page
    assert "The oldest was opened 50 min ago." in page


def test_a_task_links_its_order_and_its_sku(desk: Desk) -> None:
    with desk.store.begin() as tx:
        [order_id] = add(tx, tables.orders, order_row(desk.ctx.channel("tmall-flagship").id, 1))
        [sku_id] = add(tx, tables.sku, {"code": "TEA 1/2"})
        listing = {"channel_id": desk.ctx.channel("jd-main").id, "channel_sku": "T", "sku_id": sku_id}
        [listing_id] = add(tx, tables.listing, listing | {"told_qty": 4, "told_sure": True})
        put_task(tx, desk.ctx, "order_edited", "S1", order_id=order_id)
        put_task(tx, desk.ctx, "stock_drift", str(listing_id))
        put_task(tx, desk.ctx, "stock_short", f"SH:{sku_id}")
        put_task(tx, desk.ctx, "count_rose", "SH TEA 1/2")
        put_task(tx, desk.ctx, "count_fell", "SH NOBODY")
    text = desk.browser.get(f"{desk.server.url}tasks", timeout=60).text

    assert 'href="/orders/S20260302000001"' in text
    assert text.count('<td class="mid about"> <a class="number code" href="/stock/TEA%201/2"') == 3
    assert "NOBODY</a>" not in text


def test_three_tasks_are_closed_at_once(desk: Desk) -> None:
    first, second, third, fourth = task_ids(desk, 4)
    page = desk.send("/tasks/done", at="/tasks", task=[first, second, third], answer="done")

    assert "3 tasks are closed." in page
    assert desk.closed() == {"S0": "web:ana", "S1": "web:ana", "S2": "web:ana"}
    assert f"#{fourth}" in page


def test_a_closed_task_is_said_to_be_closed_and_by_whom(desk: Desk) -> None:
    [id] = task_ids(desk, 1)
    desk.send("/tasks/done", at="/tasks", task=id)

    assert f"task {id} was closed by web:ana" in desk.send("/tasks/done", at="/tasks", task=id)
    assert re.search(r"Closed last .*currency changed.* web:ana ", desk.get("/tasks?closed=1"))


def test_that_a_parcel_is_there_ends_its_question_and_does_not_send_it_again(desk: Desk) -> None:
    fill(desk.store, desk.ctx)
    with desk.store.begin() as tx:
        task = str(put_task(tx, desk.ctx, "unknown", "P1"))
    page = desk.get("/tasks")
    assert "It is there: do not send it again It is not there: send it again" in page

    desk.send("/tasks/done", at="/tasks", task=task, answer="arrived")

    with desk.store.read() as connection:
        query = select(tables.outbox.c.state, tables.outbox.c.error).where(tables.outbox.c.key == "P1")
        assert connection.execute(query).one() == ("done", "found there by web:ana")


def test_only_a_question_about_what_was_sent_can_be_answered_with_it_is_there(desk: Desk) -> None:
    [id] = task_ids(desk, 1)

    assert "does not ask whether something arrived" in desk.send("/tasks/done", at="/tasks", task=id, answer="arrived")
    assert desk.closed() == {}


@pytest.mark.parametrize(
    ("form", "said"),
    [({}, "no task was chosen: tick those that are done"), ({"task": "1 or 2"}, "is no id of ours")],
)
def test_a_form_that_chooses_no_task_says_so(desk: Desk, form: dict[str, str], said: str) -> None:
    assert said in desk.send("/tasks/done", at="/tasks", **form)


def test_whoever_may_only_read_is_shown_no_button(desk: Desk) -> None:
    task_ids(desk, 2)
    with desk.store.begin() as tx:
        put_effect_letter(tx, desk.ctx, "listing:1")
    desk.browser = visitor(desk.store, "eve", role="read")
    for path in ("tasks", "dead-letters", "dead-letters/1"):
        text = desk.browser.get(desk.server.url + path, timeout=60).text
        assert "/tasks/done" not in text
        assert "/dead-letters/replay" not in text
        assert "/dead-letters/drop" not in text


def test_many_tasks_of_a_kind_stand_on_a_page_of_their_own(desk: Desk) -> None:
    task_ids(desk, 30)

    assert "All 30 of these" in desk.get("/tasks")
    assert "#1 " in desk.get("/tasks?kind=currency_changed")
    assert "No open task of this kind is left." in desk.get("/tasks?kind=recall")


def test_the_tasks_of_one_shop_are_looked_at_alone(desk: Desk) -> None:
    task_ids(desk, 2)
    with desk.store.begin() as tx:
        put_task(tx, desk.ctx, "recall", "R1", channel_id=desk.ctx.channel(OTHER).id)
    page = desk.get(f"/tasks?channel={OTHER}")

    assert f"All open tasks / {OTHER}" in page
    assert "#3 " in page
    assert "#1 " not in page
    assert "#1 " not in desk.get(f"/tasks?kind=currency_changed&channel={OTHER}")


# -- dead letters


def put_letters(desk: Desk, *, effects: int = 0, orders: int = 0) -> list[str]:
    with desk.store.begin() as tx:
        ids = [put_effect_letter(tx, desk.ctx, f"listing:{80 + number}") for number in range(effects)]
        return [str(id) for id in [*ids, *(put_order_letter(tx, desk.ctx, f"o{number}") for number in range(orders))]]


def group_name(desk: Desk, kind: str) -> str:
    with desk.store.read() as connection:
        [group] = [group for group in letter_groups(connection).groups if group.kind == kind]
        return group.name


def test_a_shop_without_dead_letters_says_what_that_means(desk: Desk) -> None:
    assert "No dead letter is open: everything that came could be read and applied." in desk.get("/dead-letters")


def test_letters_stand_by_cause_with_most_first_and_an_example(desk: Desk) -> None:
    put_letters(desk, effects=7, orders=3)
    page = desk.get("/dead-letters")

    assert re.search(r"stock 7 the shop refuses the number of item listing:86: it is off the shelf .* order 3 ", page)
    assert "Replay all 7" in page


def test_a_group_shows_its_letters_and_what_to_do(desk: Desk) -> None:
    put_letters(desk, orders=2)
    page = desk.get(f"/dead-letters?group={group_name(desk, 'order')}")

    assert "Mend the order at its source: this ends when it is read." in page
    assert re.search(r"#2 o1 .* page 3, order o1 .*#1 o0 ", page)


def test_a_group_that_is_settled_leads_back_to_the_others(desk: Desk) -> None:
    assert "None of the open dead letters has this cause any more." in desk.get("/dead-letters?group=abc")


def test_ten_letters_are_replayed_and_the_page_says_which_went_and_which_cannot_yet(desk: Desk) -> None:
    letters = put_letters(desk, effects=7, orders=3)
    page = desk.send("/dead-letters/replay", at="/dead-letters", letter=letters)

    assert "7 dead letters were replayed: they are settled." in page
    for id in letters[7:]:
        assert f"#{id} it still cannot be read: $.total: expected an amount like 12.50, found text" in page
    assert sorted(desk.states().values()) == ["open"] * 3 + ["replayed"] * 7


def test_an_order_that_todays_connector_reads_is_there_after_a_replay(desk: Desk) -> None:
    letters = put_letters(desk, orders=3)
    desk.connect(ScannedConnector(lenient=True))
    page = desk.send("/dead-letters/replay", at=f"/dead-letters?group={group_name(desk, 'order')}", letter=letters)

    assert "3 dead letters were replayed: they are settled." in page
    assert "None of the open dead letters has this cause any more." in page
    with desk.store.read() as connection:
        assert set(connection.execute(select(tables.orders.c.external_id)).scalars()) == {"o0", "o1", "o2"}


def test_a_whole_group_is_replayed(desk: Desk) -> None:
    put_letters(desk, effects=4, orders=1)
    page = desk.send("/dead-letters/replay", at="/dead-letters", group=group_name(desk, "stock"))

    assert "4 dead letters were replayed" in page
    assert desk.states()["o0"] == "open"


def test_a_group_is_replayed_of_the_shop_that_is_looked_at_and_of_no_other(desk: Desk) -> None:
    put_letters(desk, effects=1)
    with desk.store.begin() as tx:
        theirs = desk.ctx.channel(OTHER).id
        put_effect_letter(tx, desk.ctx, "listing:90", channel_id=theirs)
        tx.execute(update(tables.outbox).where(tables.outbox.c.key == "listing:90").values(destination_id=theirs))
    at = f"/dead-letters?channel={OTHER}"

    assert "listing:80" not in desk.get(at)
    assert "was replayed" in desk.send("/dead-letters/replay", at=at, group=group_name(desk, "stock"), channel=OTHER)
    assert desk.states() == {"listing:80": "open", "listing:90": "replayed"}


def test_a_group_that_is_gone_is_not_replayed(desk: Desk) -> None:
    assert "none of the open dead letters has this cause any more" in desk.send(
        "/dead-letters/replay", at="/dead-letters", group="nothing"
    )


def test_dropping_takes_a_reason_that_stays_on_record(desk: Desk) -> None:
    [letter] = put_letters(desk, effects=1)
    assert "a reason is needed" in desk.send("/dead-letters/drop", at="/dead-letters", letter=letter, reason=" ")
    assert desk.states() == {"listing:80": "open"}

    page = desk.send("/dead-letters/drop", at=f"/dead-letters/{letter}", letter=letter, reason="下架商品")

    assert "The dead letter was dropped." in page
    assert "letter dropped" in page
    assert "下架商品" in page
    [(told, who)] = desk.events("letter.dropped")
    assert (told["reason"], who) == ("下架商品", "web:ana")


def test_a_letter_shows_what_it_holds_and_names_nobody(desk: Desk) -> None:
    [letter] = put_letters(desk, orders=1)
    page = desk.get(f"/dead-letters/{letter}")

    assert "&#34;total&#34;: &#34;12,90&#34;" in page
    assert "亚麻短袖衬衫" in page
    assert "***" in page
    assert all(text not in page for text in (PERSON, PHONE, "文三路"))


def test_a_letter_whose_payload_cannot_be_opened_says_why(desk: Desk) -> None:
    with desk.store.begin() as tx:
        letter = put_order_letter(tx, desk.ctx, "o9", body=b"v1|other|no")

    assert "it cannot be opened:" in desk.get(f"/dead-letters/{letter}")


def test_a_letter_of_an_effect_says_that_it_holds_no_record(desk: Desk) -> None:
    [letter] = put_letters(desk, effects=1)

    assert "It holds no record" in desk.get(f"/dead-letters/{letter}")


def test_a_letter_tells_what_was_tried(desk: Desk) -> None:
    [letter] = put_letters(desk, orders=1)
    desk.send("/dead-letters/replay", at=f"/dead-letters/{letter}", letter=letter)
    page = desk.get(f"/dead-letters/{letter}")

    assert re.search(r"letter replay failed .* web:ana .*it still cannot be read.* It came ", page)


def test_a_letter_that_is_none_is_not_found(desk: Desk) -> None:
    assert "no dead letter 77" in desk.get("/dead-letters/77")
    assert "no dead letter" in desk.get(f"/dead-letters/{2**70}")


def test_what_a_channel_says_is_text_and_nothing_else(desk: Desk) -> None:
    bad = '"><img src=x onerror=alert(1)>{{7*7}}'
    with desk.store.begin() as tx:
        put_order_letter(tx, desk.ctx, bad, error=bad, source=bad)
        put_task(tx, desk.ctx, "recall", bad, reason=bad)
        tx.execute(tables.event.insert().values(at=NOW, kind="order.new", detail=json.dumps({bad: bad}), actor=bad))
    for path in ("dead-letters", f"dead-letters?group={group_name(desk, 'order')}", "dead-letters/1", "tasks", "trail"):
        text = desk.browser.get(desk.server.url + path, timeout=60).text
        assert "<img" not in text
        assert "&lt;img src=x onerror=alert(1)&gt;{{7*7}}" in text


# -- many at once


def test_no_more_than_some_are_acted_on_at_once_and_the_others_are_counted(desk: Desk) -> None:
    acted: list[int] = []
    outcome = one_by_one(desk.ctx, range(MOST_AT_ONCE + 30), acted.append)

    assert (len(acted), outcome.done, outcome.left) == (MOST_AT_ONCE, MOST_AT_ONCE, 30)
    assert outcome.said("done").refused[-1][1].startswith("30 were not reached")


def test_an_act_on_many_ends_when_its_time_is_over(desk: Desk) -> None:
    clock = ManualClock(NOW)
    store = Store.open(desk.store.engine.url.render_as_string(hide_password=False), clock=clock)

    outcome = one_by_one(replace(desk.ctx, store=store), range(5), lambda id: clock.advance(seconds=MOST_S / 2))

    assert (outcome.done, outcome.left) == (2, 3)
    store.close()


def test_only_the_newest_letters_are_put_into_groups_and_all_are_counted(desk: Desk) -> None:
    with desk.store.begin() as tx:
        letter = {"channel_id": desk.ctx.channel("jd-main").id, "kind": "order", "state": "open", "error": "bad 1"}
        rows = [letter | {"key": f"k{n}", "at": NOW - timedelta(minutes=n)} for n in range(MOST_GROUPED + 5)]
        add(tx, tables.dead_letter, *rows)
    with desk.store.read() as connection:
        groups = letter_groups(connection)

    assert (groups.total, groups.grouped, len(groups.groups)) == (MOST_GROUPED + 5, MOST_GROUPED, 1)
    assert "The newest 2,000 of 2,005 are shown by cause" in desk.get("/dead-letters")
