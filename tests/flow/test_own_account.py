"""What people change about themselves, on both databases: language, password, sessions."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from sqlalchemy import select

from erpsync.flows.access.log_in import Attempt, Begun, log_in
from erpsync.flows.access.own import change_password, set_language
from erpsync.flows.access.sessions import UNUSED, Caller, Visitor, end_one, list_sessions, visitor_of
from erpsync.flows.access.users import create_user, sign_out
from erpsync.flows.errors import Refused
from erpsync.sdk.clock import ManualClock
from erpsync.store.db.store import Store
from erpsync.store.tables import event, user_account
from tests.support.web_shop import NOW

OLD, NEW = "correct horse battery", "another horse battery"
HERE = Caller(address="192.0.2.7", user_agent="Firefox")


@dataclass
class House:
    """A store with a user, `lin`, who is logged in."""

    store: Store
    visitor: Visitor

    def enter(self, password: str = OLD, *, caller: Caller = HERE) -> Begun | None:
        return log_in(self.store, Attempt(name="lin", password=password, caller=caller), lambda mark: False)

    def change(self, old: str = OLD, new: str = NEW) -> int:
        return change_password(self.store, self.visitor, HERE, old=old, new=new)

    def failures(self) -> int:
        with self.store.read() as connection:
            return int(connection.execute(select(user_account.c.failed_count)).scalar_one())

    def kinds(self) -> list[str]:
        with self.store.read() as connection:
            return list(connection.execute(select(event.c.kind).order_by(event.c.id)).scalars())


@pytest.fixture
def house(database_url: str) -> Iterator[House]:
    store = Store.open(database_url, clock=ManualClock(NOW))
    create_user(store, "lin", role="operate", password=OLD, actor="root")
    begun = log_in(store, Attempt(name="lin", password=OLD, caller=HERE), lambda mark: False)
    assert begun is not None
    visitor = visitor_of(store, begun.secret)
    assert visitor is not None
    yield House(store, visitor)
    store.close()


def test_a_language_that_was_chosen_is_told_with_the_next_log_in(house: House) -> None:
    before = house.enter()
    set_language(house.store, house.visitor, "zh")
    after = house.enter()

    assert before is not None
    assert after is not None
    assert (before.language, after.language) == (None, "zh")


def test_another_password_ends_all_other_sessions(house: House) -> None:
    house.enter()

    assert house.change() == 1
    assert [row["id"] for row in list_sessions(house.store, "lin")] == [house.visitor.session_id]
    assert house.enter() is None
    assert house.enter(NEW) is not None


def test_a_wrong_old_password_counts_as_at_the_log_in_and_makes_wait(house: House) -> None:
    for _ in range(5):
        with pytest.raises(Refused, match="the old password is wrong"):
            house.change(old="wrong horse battery")

    assert house.failures() == 5
    with pytest.raises(Refused, match="too many wrong passwords"):
        house.change()
    assert house.enter() is None
    assert house.kinds().count("session.refused") == 5


@pytest.mark.parametrize(("new", "why"), [("short", "10 to 1024"), ("", "10 to 1024")])
def test_a_new_password_that_is_none_is_refused_before_the_old_one_is_tried(house: House, new: str, why: str) -> None:
    with pytest.raises(Refused, match=why):
        house.change(old="wrong horse battery", new=new)

    assert house.failures() == 0


def test_sessions_are_told_with_where_from_the_one_used_last_first(house: House) -> None:
    house.store.clock.sleep(60)
    house.enter(caller=Caller(address="192.0.2.8", user_agent="Phone"))

    rows = list_sessions(house.store, "lin")

    assert [(row["address"], row["user_agent"]) for row in rows] == [("192.0.2.8", "Phone"), ("192.0.2.7", "Firefox")]


def test_a_session_that_nobody_used_for_long_is_not_told_any_more(house: House) -> None:
    house.store.clock.sleep(UNUSED.total_seconds() + 1)

    assert list_sessions(house.store, "lin") == []


def test_one_session_is_ended_and_only_once(house: House) -> None:
    house.enter()
    other = next(row["id"] for row in list_sessions(house.store, "lin") if row["id"] != house.visitor.session_id)
    end_one(house.store, house.visitor, other, HERE)

    with pytest.raises(Refused, match="this session has ended already"):
        end_one(house.store, house.visitor, other, HERE)
    assert house.kinds().count("session.ended") == 1


def test_all_sessions_of_a_user_end_and_the_user_may_log_in_again(house: House) -> None:
    house.enter()

    assert sign_out(house.store, "lin", actor="ana") == 2
    assert list_sessions(house.store, "lin") == []
    assert house.enter() is not None


def test_nobody_is_logged_out_who_is_not_known(house: House) -> None:
    with pytest.raises(Refused, match="user chen is not known"):
        sign_out(house.store, "chen", actor="ana")
