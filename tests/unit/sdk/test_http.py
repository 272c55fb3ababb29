"""The HTTP client against `responses`: tries, waits, classes of errors, and what is never told."""

import random
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime

import pytest
import requests
import responses
import structlog

from erpsync.sdk.clock import ManualClock
from erpsync.sdk.deadline import to_be_sent_within
from erpsync.sdk.errors import OutcomeUnknownError, RateLimitedError, RejectedError, TooLateError, TransientError
from erpsync.sdk.http import HttpClient, HttpResponse, current_lane, lane

URL = "https://shop.test/api"


@pytest.fixture
def web() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


class Counting:
    """A limiter that notes the lanes it was asked for, and refuses from some call on."""

    def __init__(self, refuse_from: int = 1000) -> None:
        self.lanes: list[str] = []
        self.refuse_from = refuse_from

    def acquire(self, lane: str) -> None:
        self.lanes.append(lane)
        if len(self.lanes) >= self.refuse_from:
            raise RateLimitedError("budget used up", retry_after_s=7)


def client(clock: ManualClock | None = None, limiter: Counting | None = None) -> HttpClient:
    return HttpClient(clock=clock or ManualClock(), limiter=limiter, rng=random.Random(1))


def get(http: HttpClient, *, repeatable: bool = True) -> HttpResponse:
    return http.request("GET", URL, params={"sign": "SECRET"}, repeatable=repeatable)


def answers(web: responses.RequestsMock, *statuses: int, **headers: str) -> None:
    for status in statuses:
        web.get(URL, status=status, body="{}", headers=headers)


def test_an_answer_carries_its_lower_case_headers_and_the_instants_of_our_clock(web: responses.RequestsMock) -> None:
    web.get(URL, body='{"id": 12345678901234567890123}', headers={"X-Trace": "7"})
    clock = ManualClock(datetime(2026, 3, 2, 8, 0, tzinfo=UTC))

    got = get(client(clock))

    assert got.json() == {"id": 12345678901234567890123}
    assert got.headers["x-trace"] == "7"
    assert got.sent_at == got.received_at == datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


def test_a_throttled_call_waits_as_long_as_the_platform_asks_and_goes_on(web: responses.RequestsMock) -> None:
    """failures.md row 13: Retry-After 3, then 503, then an answer."""
    clock = ManualClock()
    answers(web, 429, **{"Retry-After": "3"})
    answers(web, 503, 200)

    assert get(client(clock)).status == 200
    assert 3.0 <= clock.monotonic() <= 5.0


def test_a_wait_longer_than_seconds_is_the_daemon_s_matter(web: responses.RequestsMock) -> None:
    """failures.md row 13: a long Retry-After is not slept through."""
    clock = ManualClock()
    answers(web, 429, **{"Retry-After": "120"})

    with pytest.raises(RateLimitedError) as told:
        get(client(clock))

    assert told.value.retry_after_s == 120
    assert clock.monotonic() == 0
    assert len(web.calls) == 1


def test_a_retry_after_may_be_a_date(web: responses.RequestsMock) -> None:
    answers(web, 503, **{"Retry-After": "Mon, 02 Mar 2026 08:02:00 GMT"})

    with pytest.raises(RateLimitedError) as told:
        get(client(ManualClock(datetime(2026, 3, 2, 8, 0, tzinfo=UTC))))

    assert told.value.retry_after_s == 120


def test_a_retry_after_that_says_nothing_is_ignored(web: responses.RequestsMock) -> None:
    answers(web, 429, 429, 429, **{"Retry-After": "soon"})

    with pytest.raises(RateLimitedError) as told:
        get(client())

    assert told.value.retry_after_s == 5


@pytest.mark.parametrize("status", [408, 502, 503, 504])
def test_a_repeatable_call_is_tried_three_times(web: responses.RequestsMock, status: int) -> None:
    """failures.md row 16: retries have a cap."""
    answers(web, *[status] * 5)

    with pytest.raises(TransientError):
        get(client())

    assert len(web.calls) == 3


def test_a_500_is_told_at_once(web: responses.RequestsMock) -> None:
    answers(web, 500, 200)

    with pytest.raises(TransientError):
        get(client())

    assert len(web.calls) == 1


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (408, TransientError),
        (429, RateLimitedError),
        (500, OutcomeUnknownError),
        (502, OutcomeUnknownError),
        (503, TransientError),
        (504, OutcomeUnknownError),
        (520, OutcomeUnknownError),
    ],
)
def test_a_call_that_must_not_be_repeated_is_sent_once(
    web: responses.RequestsMock, status: int, error: type[Exception]
) -> None:
    answers(web, status, 200)

    with pytest.raises(error):
        get(client(), repeatable=False)

    assert len(web.calls) == 1


@pytest.mark.parametrize("status", [200, 201, 302, 400, 401, 403, 404, 409, 422])
def test_other_statuses_are_the_connector_s_to_judge(web: responses.RequestsMock, status: int) -> None:
    answers(web, status, Location="https://elsewhere.test/")

    assert get(client()).status == status
    assert len(web.calls) == 1


def test_a_lost_answer_is_transient_or_unknown_as_the_caller_said(web: responses.RequestsMock) -> None:
    web.get(URL, body=requests.exceptions.ReadTimeout("read timed out"))

    with pytest.raises(TransientError):
        get(client())
    with pytest.raises(OutcomeUnknownError):
        get(client(), repeatable=False)

    assert len(web.calls) == 4


@pytest.mark.parametrize("body", ["<html>busy</html>", "", "{", "NaN", "[" * 100_000])
def test_a_body_that_is_not_json_is_no_answer(web: responses.RequestsMock, body: str) -> None:
    """failures.md row 3: a page of HTML with status 200 is not an empty list."""
    web.get(URL, body=body)

    with pytest.raises(TransientError):
        get(client()).json()
    with pytest.raises(OutcomeUnknownError):
        get(client(), repeatable=False).json()


def test_tries_end_with_the_deadline(web: responses.RequestsMock) -> None:
    answers(web, 503, 503, 503, **{"Retry-After": "4"})
    clock = ManualClock()

    with pytest.raises(TransientError):
        HttpClient(clock=clock, deadline_s=6).request("GET", URL, repeatable=True)

    assert len(web.calls) == 2
    assert clock.monotonic() == 4


def test_a_body_larger_than_the_limit_is_refused(web: responses.RequestsMock) -> None:
    web.get(URL, body=b"x" * (32 * 1024 * 1024 + 1))

    with pytest.raises(OutcomeUnknownError):
        get(client(), repeatable=False)


@pytest.mark.parametrize("url", ["shop.test/api", "ftp://shop.test/", "https://", "http://[::1"])
def test_an_address_that_cannot_be_called_is_rejected(url: str) -> None:
    with pytest.raises(RejectedError):
        client().request("GET", url, repeatable=True)


def test_every_try_asks_the_limiter_for_its_lane(web: responses.RequestsMock) -> None:
    """failures.md row 13: the urgent lane is known to the budget."""
    answers(web, 503, 200)
    limiter = Counting()

    with lane("urgent"):
        get(client(limiter=limiter))

    assert limiter.lanes == ["urgent", "urgent"]
    assert current_lane.get() == "rest"


def test_a_limiter_that_refuses_keeps_the_call_from_going_out(web: responses.RequestsMock) -> None:
    with pytest.raises(RateLimitedError):
        get(client(limiter=Counting(refuse_from=1)))

    assert len(web.calls) == 0


def test_a_lane_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="no lane 'express'"), lane("express"):
        pass


def test_neither_errors_nor_logs_tell_query_headers_or_bodies(web: responses.RequestsMock) -> None:
    web.post(URL, status=500, body="token TOPSECRET")
    web.post(URL, body=requests.exceptions.ConnectionError("/api?sign=TOPSECRET"))
    http, told = client(), []

    with structlog.testing.capture_logs() as logs:
        for _ in range(2):
            with pytest.raises(OutcomeUnknownError) as caught:
                http.request(
                    "POST",
                    URL,
                    params={"sign": "TOPSECRET"},
                    data={"phone": "TOPSECRET"},
                    headers={"x": "TOPSECRET"},
                    repeatable=False,
                )
            told.append(caught.value)

    assert "TOPSECRET" not in repr(logs) + repr(told) + str(told)
    assert [error.__cause__ for error in told] == [None, None]
    assert [sorted(entry) for entry in logs] == [["event", "host", "log_level", "path", "status", "took_ms"]] * 2
    assert logs[0]["event"] == "http.called"


def test_cookies_are_not_kept(web: responses.RequestsMock) -> None:
    answers(web, 200, 200, **{"Set-Cookie": "session=1; Path=/"})
    http = client()

    get(http)
    get(http)

    assert "Cookie" not in web.calls[1].request.headers


class Slow:
    """A limiter that lets time go by."""

    def __init__(self, clock: ManualClock, seconds: float) -> None:
        self.clock, self.seconds = clock, seconds

    def acquire(self, lane: str) -> None:
        self.clock.advance(seconds=self.seconds)


@pytest.mark.parametrize("repeatable", [True, False])
def test_a_call_whose_own_time_was_up_before_it_was_sent_is_not_sent(
    web: responses.RequestsMock, repeatable: bool
) -> None:
    clock = ManualClock()
    answers(web, 200)

    with pytest.raises(TooLateError, match="not sent"):
        get(HttpClient(clock=clock, limiter=Slow(clock, 31), deadline_s=30), repeatable=repeatable)
    assert len(web.calls) == 0


def test_the_limit_of_who_decided_on_a_call_holds_also_where_the_client_has_time_left(
    web: responses.RequestsMock,
) -> None:
    clock = ManualClock()
    answers(web, 200, 200)
    http = HttpClient(clock=clock, limiter=Slow(clock, 3))

    with to_be_sent_within(clock, 5):
        assert get(http).status == 200
        with pytest.raises(TooLateError):
            get(http)
    assert len(web.calls) == 1
    assert get(http).status == 200


@pytest.mark.parametrize(("held", "sent"), [(True, 1), (False, 0)])
def test_a_claim_that_is_asked_for_anew_lets_the_call_go_on(web: responses.RequestsMock, held: bool, sent: int) -> None:
    clock = ManualClock()
    answers(web, 200)

    with suppress(TooLateError), to_be_sent_within(clock, 60), to_be_sent_within(clock, 1, renew=lambda: held):
        get(HttpClient(clock=clock, limiter=Slow(clock, 3)))
    assert len(web.calls) == sent


def test_no_second_try_begins_behind_the_limit_of_who_decided(web: responses.RequestsMock) -> None:
    clock = ManualClock()
    answers(web, 503, **{"Retry-After": "4"})
    answers(web, 200)

    with pytest.raises(TransientError, match="answered 503"), to_be_sent_within(clock, 3):
        get(client(clock))
    assert len(web.calls) == 1
