"""People who may log in, and their sessions, on both databases: who is out is out with the commit that says so."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select, update

from erpsync.flows.access import log_in as door
from erpsync.flows.access import passwords, sessions
from erpsync.flows.access.log_in import Attempt, Begun, log_in, wait_s
from erpsync.flows.access.sessions import Caller, log_out, visitor_of
from erpsync.flows.access.users import (
    create_user,
    disable_user,
    enable_user,
    has_users,
    list_users,
    set_password,
    set_role,
)
from erpsync.flows.context import open_context
from erpsync.flows.errors import Refused
from erpsync.flows.operations.prune import prune
from erpsync.sdk.clock import ManualClock
from erpsync.store.db.store import Store
from erpsync.store.tables import counter, event, login_session, user_account

SHANGHAI = ZoneInfo("Asia/Shanghai")
RIGHT, WRONG = "correct horse battery", "wrong horse battery"
HERE = Caller(address="192.0.2.7", user_agent="Firefox")
HOUR = 3600


class House:
    """A database with one user, `wang`, and a clock that is set by hand."""

    def __init__(self, url: str) -> None:
        self.clock = ManualClock()
        self.store = Store.open(url, clock=self.clock)
        create_user(self.store, "wang", role="operate", password=RIGHT, actor="root")

    def log_in(self, password: str = RIGHT, name: str = "wang", *, mark: str = "", old: str = "") -> Begun | None:
        return log_in(self.store, Attempt(name=name, password=password, caller=HERE, mark=mark, replaces=old), _may)

    def begun(self, **more: str) -> str:
        found = self.log_in(**more)
        assert found is not None
        return found.secret

    def is_in(self, secret: str) -> bool:
        return visitor_of(self.store, secret) is not None

    def rows(self, *columns: Any) -> list[tuple[Any, ...]]:
        with self.store.read() as connection:
            return [tuple(row) for row in connection.execute(select(*columns)).all()]

    def events(self) -> list[tuple[str, dict[str, Any], str]]:
        found = self.rows(event.c.kind, event.c.detail, event.c.actor)
        return [(kind, json.loads(detail), actor) for kind, detail, actor in found]


def _may(mark: str) -> bool:
    del mark
    return True


@pytest.fixture
def house(database_url: str) -> Iterator[House]:
    opened = House(database_url)
    yield opened
    opened.store.close()


def test_who_logs_in_has_a_session_with_the_role_of_the_user(house: House) -> None:
    found = visitor_of(house.store, house.begun())

    assert found is not None
    assert (found.name, found.role, found.actor, found.language) == ("wang", "operate", "web:wang", None)
    assert [found.may(role) for role in ("read", "operate", "admin")] == [True, True, False]


def test_neither_password_nor_cookie_is_stored(house: House) -> None:
    secret = house.begun()

    [(kept,)] = house.rows(user_account.c.password_hash)
    [(digest, agent)] = house.rows(login_session.c.digest, login_session.c.user_agent)
    assert kept.startswith("$argon2id$")
    assert RIGHT not in kept
    assert (secret.encode() in digest, len(digest), agent) == (False, 32, "Firefox")


def test_a_log_in_and_its_refusal_are_events_that_hold_no_password(house: House) -> None:
    house.log_in(WRONG)
    house.begun()

    told = house.events()
    assert told[1:] == [
        ("session.refused", {"user": "wang", "address": "192.0.2.7", "failures": 1, "wait_s": 0}, "web:wang"),
        ("session.began", {"user": "wang", "address": "192.0.2.7", "failures": 1}, "web:wang"),
    ]
    assert "horse" not in str(told)


def test_a_session_is_over_twelve_hours_after_its_last_use(house: House) -> None:
    secret = house.begun()
    for _ in range(3):
        house.clock.advance(seconds=12 * HOUR - 1)
        assert house.is_in(secret)
    house.clock.advance(seconds=12 * HOUR + 1)

    assert not house.is_in(secret)


def test_a_session_is_over_after_seven_days_however_often_it_is_used(house: House) -> None:
    secret = house.begun()
    for _ in range(7 * 4 - 1):
        house.clock.advance(seconds=6 * HOUR)
        assert house.is_in(secret)
    house.clock.advance(seconds=6 * HOUR + 1)

    assert not house.is_in(secret)


def test_a_clock_that_is_set_back_brings_no_session_back_to_life(house: House) -> None:
    """One that was seen to be over, and one that only upkeep has looked at."""
    seen, unseen = house.begun(), house.begun()
    house.clock.advance(seconds=13 * HOUR)
    assert not house.is_in(seen)
    prune(open_context(house.store, warehouses=[], channels_=[], timezone=SHANGHAI), 180)
    house.clock.jump(seconds=-20 * HOUR)

    assert (house.is_in(seen), house.is_in(unseen)) == (False, False)


def test_a_clock_that_is_set_back_lets_a_session_last_no_longer_than_its_span(house: House) -> None:
    house.clock.jump(seconds=30 * 24 * HOUR)
    secret = house.begun()
    house.clock.jump(seconds=-30 * 24 * HOUR)
    with house.store.begin() as tx:
        [expires_at] = tx.execute(select(login_session.c.expires_at)).scalars()

        assert timedelta(days=7) - timedelta(seconds=1) < expires_at - tx.now <= timedelta(days=7)
    assert house.is_in(secret)
    house.clock.advance(seconds=12 * HOUR + 1)
    assert not house.is_in(secret)


def test_a_clock_that_leaps_ahead_ends_sessions(house: House) -> None:
    secret = house.begun()
    house.clock.jump(seconds=30 * 24 * HOUR)

    assert not house.is_in(secret)


def test_the_use_of_a_session_is_noted_once_a_minute(house: House) -> None:
    secret = house.begun()
    noted = []
    for _ in range(5):
        house.clock.advance(seconds=25)
        assert house.is_in(secret)
        noted += house.rows(login_session.c.last_seen_at)

    assert len(set(noted)) == 2


def test_each_log_in_is_a_new_session_and_the_one_before_it_in_that_browser_ends(house: House) -> None:
    first = house.begun()
    second = house.begun(old=first)

    assert first != second
    assert (house.is_in(first), house.is_in(second)) == (False, True)


def test_a_session_ends_when_its_user_logs_out_and_no_other_does(house: House) -> None:
    mine, elsewhere = house.begun(), house.begun()
    visitor = visitor_of(house.store, mine)
    assert visitor is not None
    log_out(house.store, visitor, HERE)
    log_out(house.store, visitor, HERE)

    assert (house.is_in(mine), house.is_in(elsewhere)) == (False, True)
    ends = [detail for kind, detail, _ in house.events() if kind == "session.ended"]
    assert ends == [{"user": "wang", "address": "192.0.2.7", "why": "logged out"}]


@pytest.mark.parametrize("what", ["disabled", "password", "role"])
def test_whoever_is_disabled_or_gets_another_password_or_role_is_out_everywhere(house: House, what: str) -> None:
    secrets = [house.begun(), house.begun()]
    ended = {
        "disabled": lambda: disable_user(house.store, "wang", actor="root"),
        "password": lambda: set_password(house.store, "wang", password=WRONG, actor="root"),
        "role": lambda: set_role(house.store, "wang", role="read", actor="root"),
    }[what]()

    assert (ended, [house.is_in(secret) for secret in secrets]) == (2, [False, False])
    kind, detail, actor = house.events()[-1]
    assert (kind, detail["sessions"], actor) == (f"user.{what}", 2, "root")


@pytest.mark.parametrize("what", ["disabled", "password", "role"])
def test_who_dies_between_the_change_and_its_commit_has_changed_nothing(house: House, what: str) -> None:
    """Account, sessions and event are of one commit: there is no instant at which a session outlives its right."""
    secret = house.begun()
    dying = house.store.stamped(_die)
    change = {
        "disabled": lambda: disable_user(dying, "wang", actor="root"),
        "password": lambda: set_password(dying, "wang", password=WRONG, actor="root"),
        "role": lambda: set_role(dying, "wang", role="read", actor="root"),
    }[what]
    before = house.events()
    with pytest.raises(KeyboardInterrupt):
        change()

    assert (house.is_in(secret), house.events()) == (True, before)
    assert list_users(house.store)[0]["role"] == "operate"
    assert house.log_in() is not None


def test_who_dies_in_a_log_in_has_no_session(house: House) -> None:
    dying = house.store.stamped(_die)
    with pytest.raises(KeyboardInterrupt):
        log_in(dying, Attempt(name="wang", password=RIGHT, caller=HERE), _may)

    assert house.rows(func.count(login_session.c.id)) == [(0,)]


def _die(tx: object) -> None:
    del tx
    raise KeyboardInterrupt


def test_a_disabled_user_cannot_log_in_until_enabled(house: House) -> None:
    disable_user(house.store, "wang", actor="root")
    assert house.log_in() is None
    with pytest.raises(Refused, match="disabled already"):
        disable_user(house.store, "wang", actor="root")
    enable_user(house.store, "wang", actor="root")

    assert house.log_in() is not None
    with pytest.raises(Refused, match="is not disabled"):
        enable_user(house.store, "wang", actor="root")


def test_only_the_new_password_opens(house: House) -> None:
    set_password(house.store, "wang", password=WRONG, actor="root")

    assert (house.log_in(RIGHT), house.log_in(WRONG) is None) == (None, False)


@pytest.mark.parametrize(
    ("failures", "wait"), [(0, 0), (4, 0), (5, 5), (6, 10), (8, 40), (12, 640), (13, 900), (99, 900)]
)
def test_the_wait_grows_with_the_wrong_passwords_in_a_row_up_to_a_quarter_of_an_hour(failures: int, wait: int) -> None:
    assert wait_s(failures) == wait


def test_after_five_wrong_passwords_the_right_one_waits_and_then_opens(house: House) -> None:
    for _ in range(5):
        assert house.log_in(WRONG) is None
    assert house.log_in() is None
    house.clock.advance(seconds=4)
    assert house.log_in() is None
    house.clock.advance(seconds=2)

    assert house.log_in() is not None
    assert house.rows(user_account.c.failed_count, user_account.c.locked_until_at) == [(0, None)]


def test_what_is_tried_while_one_has_to_wait_is_not_counted_so_nobody_is_shut_out_for_ever(house: House) -> None:
    for _ in range(5):
        house.log_in(WRONG)
    for _ in range(20):
        house.log_in(WRONG)

    assert house.rows(user_account.c.failed_count) == [(5,)]
    assert [kind for kind, _, _ in house.events()].count("session.refused") == 5


def test_the_wait_is_the_same_at_every_node(house: House, database_url: str) -> None:
    for _ in range(5):
        house.log_in(WRONG)
    other = Store.open(database_url, clock=house.clock)

    assert log_in(other, Attempt(name="wang", password=RIGHT, caller=HERE), _may) is None
    other.close()


def test_a_browser_in_which_one_has_logged_in_before_does_not_wait(house: House) -> None:
    known = house.log_in()
    assert known is not None
    for _ in range(5):
        house.log_in(WRONG)

    assert house.log_in() is None
    assert house.log_in(mark=known.mark) is not None


def test_the_mark_of_a_browser_helps_only_its_user_and_only_under_this_password(house: House) -> None:
    create_user(house.store, "li", role="read", password=RIGHT, actor="root")
    of_li, of_wang = house.log_in(name="li"), house.log_in()
    assert of_li is not None
    assert of_wang is not None
    set_password(house.store, "wang", password="another horse battery", actor="root")
    for _ in range(5):
        house.log_in(WRONG)
    marks = (of_li.mark, of_wang.mark, of_li.mark.replace("li:", "wang:"), "wang:x:y", "wang::", "wang", ":")

    assert [house.log_in("another horse battery", mark=mark) for mark in marks] == [None] * len(marks)


def test_a_known_browser_that_has_used_up_its_tries_waits_like_all_others(house: House) -> None:
    known = house.log_in()
    assert known is not None
    for _ in range(5):
        house.log_in(WRONG)
    attempt = Attempt(name="wang", password=RIGHT, caller=HERE, mark=known.mark)

    assert log_in(house.store, attempt, lambda mark: False) is None


def test_enabling_a_user_ends_the_wait(house: House) -> None:
    for _ in range(5):
        house.log_in(WRONG)
    enable_user(house.store, "wang", actor="root")

    assert house.log_in() is not None


def test_a_clock_that_is_set_back_makes_nobody_wait_longer_than_a_quarter_of_an_hour(house: House) -> None:
    house.clock.advance(seconds=24 * HOUR)
    for _ in range(5):
        house.log_in(WRONG)
    house.clock.jump(seconds=-24 * HOUR)
    house.log_in()  # the first transaction after the jump settles what the old clock has left
    house.clock.advance(seconds=901)

    assert house.log_in() is not None


@pytest.mark.parametrize("name", ["nobody", "", "wang'--", "王"])
def test_of_a_name_that_nobody_has_nothing_is_kept_but_that_somebody_tried(house: House, name: str) -> None:
    before = house.events()

    assert house.log_in(RIGHT, name) is None
    assert house.events() == before
    assert (door.REFUSED, 1) in house.rows(counter.c.name, counter.c.value)


def test_every_refusal_looks_at_one_password_and_makes_one_commit(house: House) -> None:
    """Unknown, wrong, disabled, waiting: whoever measures how long the answer takes learns nothing."""
    create_user(house.store, "gone", role="read", password=RIGHT, actor="root")
    create_user(house.store, "waits", role="read", password=RIGHT, actor="root")
    disable_user(house.store, "gone", actor="root")
    for _ in range(5):
        house.log_in(WRONG, "waits")
    commits: list[str] = []

    def note(tx: object) -> None:
        del tx
        commits.append("one")

    for name in ("nobody", "wang", "gone", "waits"):
        counted = house.store.stamped(note)
        assert log_in(counted, Attempt(name=name, password=WRONG, caller=HERE), _may) is None

    assert commits == ["one"] * 4


def test_a_password_hashed_by_other_parameters_is_hashed_anew_with_the_log_in(house: House) -> None:
    old = passwords._hasher.__class__(time_cost=1, memory_cost=8, parallelism=1).hash(RIGHT)
    with house.store.begin() as tx:
        tx.execute(update(user_account).values(password_hash=old))

    assert house.log_in() is not None
    [(kept,)] = house.rows(user_account.c.password_hash)
    assert (kept != old, "m=65536" in kept, house.log_in() is not None) == (True, True, True)


def test_a_password_that_was_changed_while_it_was_looked_at_opens_nothing(house: House) -> None:
    """The slow part runs without a lock; what it found counts only for the password that is still there."""
    attempt = Attempt(name="wang", password=RIGHT, caller=HERE)
    [(kept,)] = house.rows(user_account.c.password_hash)
    set_password(house.store, "wang", password=WRONG, actor="root")
    judged = door._Judged(known=False, tried=kept, renewed=kept)

    assert house.store.retrying(lambda tx: door._decide(tx, attempt, judged)) is None


@pytest.mark.parametrize(
    ("password", "said"),
    [("short", "has 10 to 1024 characters"), ("x" * 1025, "has 10 to 1024 characters"), ("Wang.Xiaoming", "own name")],
)
def test_a_password_is_refused_for_its_length_or_for_being_the_name(house: House, password: str, said: str) -> None:
    with pytest.raises(Refused, match=said):
        create_user(house.store, "wang.xiaoming", role="read", password=password, actor="root")
    assert len(list_users(house.store)) == 1


def test_any_other_password_of_ten_characters_does_and_each_character_counts(house: House) -> None:
    create_user(house.store, "li", role="read", password="一二三四五六七八九十", actor="root")

    assert house.log_in("一二三四五六七八九十", "li") is not None
    assert house.log_in("一二三四五六七八九百", "li") is None


@pytest.mark.parametrize("name", ["", "two words", "-x", "a" * 65, "王"])
def test_a_user_is_called_as_a_token_may_be(house: House, name: str) -> None:
    with pytest.raises(Refused, match="a user's name is up to 64"):
        create_user(house.store, name, role="read", password=RIGHT, actor="root")


def test_a_name_is_had_once(house: House) -> None:
    with pytest.raises(Refused, match="user wang exists"):
        create_user(house.store, "wang", role="read", password=RIGHT, actor="root")
    with pytest.raises(Refused, match="user li is not known"):
        set_role(house.store, "li", role="read", actor="root")
    with pytest.raises(Refused, match="has the role operate already"):
        set_role(house.store, "wang", role="operate", actor="root")


def test_the_list_shows_users_with_their_sessions_and_nothing_of_their_passwords(house: House) -> None:
    house.begun()
    house.begun()

    [row] = list_users(house.store)
    assert (row["name"], row["role"], row["sessions"], row["created_by"]) == ("wang", "operate", 2, "root")
    assert "argon2" not in str(row)


def test_somebody_is_there_from_the_first_user_on(database_url: str) -> None:
    store = Store.open(database_url, clock=ManualClock())
    before = has_users(store)
    create_user(store, "wang", role="read", password=RIGHT, actor="root")
    disable_user(store, "wang", actor="root")

    assert (before, has_users(store)) == (False, True)
    store.close()


def test_sessions_that_ended_long_ago_are_pruned_and_users_stay(house: House) -> None:
    house.begun()
    house.clock.advance(seconds=8 * 24 * HOUR)
    fresh = house.begun()
    house.clock.advance(seconds=7 * 24 * HOUR)
    prune(open_context(house.store, warehouses=[], channels_=[], timezone=SHANGHAI), 180)

    assert house.rows(login_session.c.digest) == [(sessions.digest_of(fresh),)]
    assert len(list_users(house.store)) == 1
