"""Subscribers are told of events: signed, in order, at least once, and never given up silently."""

import json
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError

from erpsync.flows.api.event_webhooks import AT_ONCE, push_events
from erpsync.flows.api.subscriptions import Wanted, go_back, restart, reveal_secret, subscribe, unsubscribe
from erpsync.flows.channels.control import ask_poll
from erpsync.flows.errors import Refused
from erpsync.flows.intake.poll import poll_stream
from erpsync.flows.operations.prune import prune
from erpsync.flows.operations.rotate_keys import rotate_keys
from erpsync.runtime.once import drain
from erpsync.sdk.http import HttpClient
from erpsync.sdk.sandbox.base import ConnectionLost, SandboxRequest, SandboxResponse
from erpsync.sdk.signing import decode_key, signed_headers
from erpsync.store.db.privacy import Vault
from erpsync.store.events import Event, write_events
from erpsync.store.feed import settled_id
from erpsync.store.views import list_tasks
from erpsync.store.views.feed import list_events, show_subscription
from tests.support.shop import Town, build_town

WAIT_S = 120
URL = "https://erp.example.com/events"
VECTORS = json.loads((Path(__file__).parent / "standardwebhooks.json").read_text(encoding="utf-8"))["vectors"]


@dataclass
class Subscriber:
    """Takes calls; `answers` are the statuses it gives before it takes everything, 0 being no answer at all."""

    calls: list[SandboxRequest] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    always: int = 200

    def __call__(self, request: SandboxRequest) -> SandboxResponse:
        status = self.answers.pop(0) if self.answers else self.always
        if status == 0:
            raise ConnectionLost(effect_done=True)
        if status < 300:
            self.calls.append(request)
        return SandboxResponse(status=status, headers={"retry-after": str(WAIT_S)} if status == 429 else {})

    @property
    def told(self) -> list[int]:
        return [call.json()["data"]["id"] for call in self.calls]


@pytest.fixture
def town(database_url: str) -> Iterator[Town]:
    found = build_town(database_url)
    yield found
    found.store.close()


@pytest.fixture
def subscriber() -> Subscriber:
    return Subscriber()


@pytest.fixture
def push(town: Town, subscriber: Subscriber) -> Callable[[], int]:
    http = HttpClient(clock=town.store.clock, mount=subscriber)
    return lambda: push_events(town.ctx, http=http)


def happen(town: Town, *kinds: str) -> None:
    """Let events happen, each in a commit of its own."""
    for kind in kinds:
        with town.store.begin() as tx:
            write_events(tx, [Event(kind=kind, detail={"n": 1})])


def listen(town: Town, *kinds: str, after: int | None = 0) -> int:
    return subscribe(town.ctx, Wanted(url=URL, kinds=kinds, after=after), actor="api:erp")


def state(town: Town, id: int) -> dict[str, Any]:
    with town.store.read() as connection:
        return show_subscription(connection, id)


def tasks(town: Town) -> list[str]:
    with town.store.read() as connection:
        return [task["kind"] for task in list_tasks(connection)]


@pytest.mark.parametrize("vector", VECTORS)
def test_calls_are_signed_as_standard_webhooks_says(vector: dict[str, Any]) -> None:
    at = datetime.fromtimestamp(int(vector["params"]["webhook-timestamp"]), UTC)

    got = signed_headers(
        decode_key(vector["secret"]), vector["body"].encode(), id=vector["params"]["webhook-id"], at=at
    )

    assert got == vector["params"] | {"webhook-signature": vector["expected"]}


def test_a_subscriber_is_told_every_event_in_order_and_can_check_the_signature(
    town: Town, subscriber: Subscriber, push: Callable[[], int]
) -> None:
    happen(town, "order.imported", "order.held", "order.freed")
    id = listen(town)
    secret = reveal_secret(town.ctx, id, actor="api:erp")

    while push():
        pass

    first = subscriber.calls[0]
    assert [call.json()["type"] for call in subscriber.calls][:3] == ["order.imported", "order.held", "order.freed"]
    assert subscriber.told == sorted(subscriber.told)
    assert first.json()["data"] | {"id": 0, "cursor": ""} == {
        "id": 0,
        "order": None,
        "external_id": None,
        "channel": None,
        "sku": None,
        "detail": {"n": 1},
        "actor": "",
        "cursor": "",
    }
    signed = signed_headers(decode_key(secret), first.body, id=f"evt_{subscriber.told[0]}", at=town.store.clock.now())
    assert first.headers["webhook-signature"] == signed["webhook-signature"]


def test_events_of_an_order_name_the_order_its_channel_and_nobody(
    town: Town, subscriber: Subscriber, push: Callable[[], int]
) -> None:
    listen(town, "order.")
    town.shop.place("o1", ("A", 2))
    for stream in ("backfill", "orders"):
        poll_stream(town.ctx, town.channel(), stream)

    push()

    data = subscriber.calls[0].json()["data"]
    assert (data["order"], data["external_id"], data["channel"]) == ("S20260302000001", "o1", "shop")
    assert all("王小明".encode() not in call.body for call in subscriber.calls)


def test_only_the_kinds_asked_for_are_told_and_others_are_passed_over(
    town: Town, subscriber: Subscriber, push: Callable[[], int]
) -> None:
    listen(town, "order.held", "stock.")
    happen(town, "order.held", "order.heldback", "stock.confirmed", "channel.down")

    assert push() == 2

    assert [call.json()["type"] for call in subscriber.calls] == ["order.held", "stock.confirmed"]
    assert push() == 0


def test_a_new_subscriber_hears_from_now_on_unless_it_asks_for_the_past(town: Town, push: Callable[[], int]) -> None:
    happen(town, "order.held")
    listen(town, "order.", after=None)

    assert push() == 0


def test_an_event_that_is_not_taken_is_told_again_before_any_other(
    town: Town, subscriber: Subscriber, push: Callable[[], int]
) -> None:
    """Row 16: retries for ever, or not at all."""
    happen(town, "a.a", "b.b", "c.c")
    id = listen(town, "a.", "b.", "c.")
    subscriber.answers = [200, 400]

    assert push() == 1
    assert (push(), state(town, id)["error"]) == (0, "the subscriber answered 400")
    town.advance(5)
    push()

    assert [call.json()["type"] for call in subscriber.calls] == ["a.a", "b.b", "c.c"]
    assert (state(town, id)["attempts"], state(town, id)["error"]) == (0, "")


def test_a_lost_answer_repeats_the_event_under_the_same_id(
    town: Town, subscriber: Subscriber, push: Callable[[], int]
) -> None:
    happen(town, "a.a")
    listen(town, "a.")
    subscriber.answers = [200, 200]
    push()
    lost = subscriber.calls[0]
    go_back(town.ctx, 1, after=0, actor="wang")
    push()

    assert subscriber.calls[1].headers["webhook-id"] == lost.headers["webhook-id"]


def test_one_subscriber_that_cannot_be_reached_keeps_no_other_waiting(
    town: Town, subscriber: Subscriber, push: Callable[[], int]
) -> None:
    happen(town, "a.a")
    broken, well = listen(town, "a."), listen(town, "a.")
    subscriber.answers = [500]

    assert push() == 1

    assert (state(town, broken)["attempts"], state(town, well)["attempts"]) == (1, 0)


def test_a_subscriber_that_fails_for_long_is_never_given_up_silently(
    town: Town, subscriber: Subscriber, push: Callable[[], int]
) -> None:
    """Row 9: a subscription is switched off behind our back."""
    happen(town, "a.a")
    id = listen(town, "a.")
    subscriber.always = 400
    for _ in range(5):
        push()
        town.advance(300)
    assert (state(town, id)["state"], tasks(town)) == ("active", ["events_not_taken"])

    town.advance(3 * 86_400)
    push()

    assert (state(town, id)["state"], tasks(town)) == ("stopped", ["events_not_taken"])
    subscriber.always = 200
    assert push() == 0
    restart(town.ctx, id, actor="wang")
    assert (push(), state(town, id)["state"], tasks(town)) == (1, "active", [])


def test_a_subscriber_that_says_gone_is_told_nothing_more(
    town: Town, subscriber: Subscriber, push: Callable[[], int]
) -> None:
    happen(town, "a.a")
    id = listen(town, "a.")
    subscriber.always = 410

    push()

    assert (state(town, id)["state"], tasks(town)) == ("stopped", ["events_not_taken"])


def test_a_throttled_call_waits_as_long_as_the_subscriber_says(
    town: Town, subscriber: Subscriber, push: Callable[[], int]
) -> None:
    happen(town, "a.a")
    id = listen(town, "a.")
    subscriber.answers = [429]
    push()
    town.advance(WAIT_S - 1)
    assert (push(), state(town, id)["attempts"]) == (0, 1)

    town.advance(2)
    assert push() == 1


def test_a_crowd_of_events_is_told_in_turns(town: Town, subscriber: Subscriber, push: Callable[[], int]) -> None:
    happen(town, *["a.a"] * (AT_ONCE + 7))
    listen(town, "a.")

    assert (push(), push(), push()) == (AT_ONCE, 7, 0)
    assert subscriber.told == sorted(set(subscriber.told))


def test_an_ended_subscription_is_told_nothing(town: Town, subscriber: Subscriber, push: Callable[[], int]) -> None:
    id = listen(town)
    unsubscribe(town.ctx, id, actor="wang")
    happen(town, "a.a")

    assert (push(), subscriber.calls) == (0, [])


@pytest.mark.parametrize(
    "url", ["ftp://a.example", "http://a.example/x", "https://u:p@a.example/", "nothing", "https://", "http://8.8.8.8/"]
)
def test_events_go_to_signed_https_addresses_only(town: Town, url: str) -> None:
    with pytest.raises(Refused, match="url must"):
        subscribe(town.ctx, Wanted(url=url), actor="wang")


def test_plain_http_is_for_private_addresses_and_listed_ones_of_this_machine(town: Town) -> None:
    listed = replace(town.ctx, local_targets=frozenset({"127.0.0.1:9", "::1:80", "localhost:8080"}))
    for url in ("http://127.0.0.1:9/x", "http://[::1]/x", "http://192.168.1.5/x", "http://localhost:8080/"):
        assert subscribe(listed, Wanted(url=url), actor="wang") > 0


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:9/x", "http://[::1]/x", "https://localhost/x", "https://a.localhost/", "https://127.9.9.9/",
     "http://169.254.169.254/latest", "https://[fe80::1]/", "https://0.0.0.0/", "https://[::ffff:127.0.0.1]/",
     "https://localhost./", "http://127.0.0.1:10/x"],
)  # fmt: skip
def test_events_are_told_to_nobody_on_this_machine_who_is_not_listed(town: Town, url: str) -> None:
    listed = replace(town.ctx, local_targets=frozenset({"127.0.0.1:11"}))

    with pytest.raises(Refused, match=r"url must not lead to this machine, unless web.local_targets lists \S+:\d+"):
        subscribe(listed, Wanted(url=url), actor="wang")


@pytest.mark.parametrize(
    "host",
    ["a..example", "-a.example", "a-.example", "shop.invalid", "256.1.1.1", "1.2.3", f"{'a' * 64}.example", "a b"],
)
def test_a_name_that_can_never_be_called_is_refused(town: Town, host: str) -> None:
    with pytest.raises(Refused, match="url must"):
        subscribe(town.ctx, Wanted(url=f"https://{host}/"), actor="wang")


def test_a_subscriber_whose_name_leads_here_later_is_told_nothing(town: Town) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        listed = replace(town.ctx, local_targets=frozenset({f"localhost:{port}"}))
        id = subscribe(listed, Wanted(url=f"http://localhost:{port}/x", after=0), actor="wang")
        happen(town, "a.a")
        push_events(town.ctx)

        listener.settimeout(0)
        with pytest.raises(BlockingIOError):
            listener.accept()
    assert "leads to this machine or a link-local address" in state(town, id)["error"]


def test_the_secret_is_kept_sealed_and_sealed_again_with_a_new_key(town: Town, push: Callable[[], int]) -> None:
    id = listen(town)
    secret = reveal_secret(town.ctx, id, actor="wang")
    fresh = Vault([b"n" * 32, b"k" * 32], b"i" * 32)
    town.store.vault = fresh

    assert rotate_keys(town.store) >= 1
    town.store.vault = Vault([b"n" * 32], b"i" * 32)
    assert reveal_secret(town.ctx, id, actor="wang") == secret


def test_running_once_tells_subscribers_too(town: Town, subscriber: Subscriber) -> None:
    town.ctx = replace(town.ctx, local_targets=frozenset({"127.0.0.1:9"}))
    id = subscribe(town.ctx, Wanted(url="http://127.0.0.1:9/x", kinds=("channel.",)), actor="wang")
    ask_poll(town.ctx, "shop", actor="wang")

    drain(town.ctx)

    assert state(town, id)["attempts"] == 1


@pytest.mark.parametrize("dialect", [pytest.param("postgresql", marks=pytest.mark.postgresql)], indirect=True)
def test_an_event_that_becomes_visible_late_is_not_passed_by(
    town: Town, subscriber: Subscriber, push: Callable[[], int]
) -> None:
    listen(town, "late.", "early.")
    with town.store.begin() as late:
        write_events(late, [Event(kind="late.first")])
        happen(town, "early.second")
        told_before = push()

    push()

    assert told_before == 0
    assert [call.json()["type"] for call in subscriber.calls] == ["late.first", "early.second"]


@pytest.mark.parametrize("dialect", [pytest.param("postgresql", marks=pytest.mark.postgresql)], indirect=True)
def test_an_event_whose_transaction_fails_holds_nobody_up(town: Town, push: Callable[[], int]) -> None:
    listen(town, "a.")
    with pytest.raises(IntegrityError), town.store.begin() as lost:
        write_events(lost, [Event(kind="a.lost"), Event(kind="a.lost", order_id=404)])
    happen(town, "a.kept")

    assert push() == 1


def test_the_newest_event_is_kept_so_that_its_id_is_never_given_again(town: Town) -> None:
    happen(town, "a.a", "b.b")
    newest = settled_id(town.store)
    town.clock.advance(seconds=timedelta(days=200).total_seconds())

    prune(town.ctx, 180)

    with town.store.read() as connection:
        assert [each["id"] for each in list_events(connection, after=0, until=newest)] == [newest]
