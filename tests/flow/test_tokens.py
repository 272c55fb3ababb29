"""Access tokens that end: renewed once, kept in one commit, watched, and never silently off. failures.md row 10."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import structlog
from sqlalchemy import select, text

from erpsync.flows.channels.credentials import adopt, renew, watch_tokens
from erpsync.flows.channels.health import may_call
from erpsync.flows.operations.rotate_keys import rotate_keys
from erpsync.sdk.errors import OutcomeUnknownError, TransientError
from erpsync.sdk.tokens import TokenBox, TokenPair
from erpsync.settings.config import StatusLimits
from erpsync.store.db.privacy import Vault
from erpsync.store.status import figures
from erpsync.store.tables import task, token
from tests.support import looking, walk
from tests.support.shop import NOON, Town
from tests.support.tokens import Desk, TokenShop, pair_of, with_tokens

FIRST = pair_of("access-1", "refresh-1", NOON + timedelta(days=10))
HOUR_S = 3600
LAST_DAY_S = 9.5 * 24 * HOUR_S


class Killed(BaseException):
    """The process is gone."""


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def shop(town: Town, desk: Desk) -> TokenShop:
    """A shop whose token ends in ten days."""
    return with_tokens(town, desk, FIRST)


def in_use(shop: TokenShop) -> tuple[str, str]:
    pair = shop.tokens.current()
    assert pair.refresh_token is not None
    return pair.access_token.get_secret_value(), pair.refresh_token.get_secret_value()


def reasons(town: Town, kind: str = "token") -> list[str]:
    found = looking.rows(town, select(task.c.reason).where(task.c.kind == kind, task.c.closed_at.is_(None)))
    return [reason for (reason,) in found]


def raising(error: BaseException) -> Callable[[], None]:
    def fail() -> None:
        raise error

    return fail


# -- renewed in time, and kept


def test_a_token_is_left_alone_before_its_last_day(town: Town, shop: TokenShop, desk: Desk) -> None:
    town.advance(8 * 24 * HOUR_S)

    assert (watch_tokens(town.ctx), desk.asked, in_use(shop)) == (0, 0, ("access-1", "refresh-1"))


def test_in_its_last_day_it_is_renewed_once_and_outlives_the_process(
    town: Town, shop: TokenShop, desk: Desk, make_town: Callable[..., Town]
) -> None:
    town.advance(LAST_DAY_S)
    assert (watch_tokens(town.ctx), watch_tokens(town.ctx)) == (1, 0)

    again = make_town(town=town)
    assert in_use(with_tokens(again, desk, FIRST)) == in_use(shop) == ("access-2", "refresh-2")
    assert desk.asked == 1
    with town.store.read() as connection:
        facts = figures.status(connection, town.ctx, StatusLimits(), town.clock.now())
    assert facts["channels"][0]["token_days"] == 30.0


def test_the_stored_pair_wins_over_the_configured_one_it_descends_from(town: Town, shop: TokenShop, desk: Desk) -> None:
    town.advance(LAST_DAY_S)
    watch_tokens(town.ctx)
    corrected = pair_of("access-1", "refresh-1", NOON + timedelta(days=11))

    assert in_use(with_tokens(town, desk, corrected)) == ("access-2", "refresh-2")


def test_a_token_that_the_operator_puts_in_wins_over_the_stored_one(town: Town, shop: TokenShop, desk: Desk) -> None:
    town.advance(LAST_DAY_S)
    watch_tokens(town.ctx)

    fresh = with_tokens(town, desk, pair_of("access-9", "refresh-9", NOON + timedelta(days=40)))
    assert in_use(fresh) == ("access-9", "refresh-9")
    watch_tokens(town.ctx)
    assert in_use(fresh) == ("access-9", "refresh-9")


def test_neither_token_stands_readable_in_the_database_and_a_new_key_seals_them_again(
    town: Town, shop: TokenShop, desk: Desk
) -> None:
    town.advance(LAST_DAY_S)
    watch_tokens(town.ctx)
    town.store.vault = Vault([b"n" * 32, b"k" * 32], b"i" * 32)
    rotate_keys(town.store)

    ((sealed,),) = looking.rows(town, select(token.c.pair))
    assert [secret for secret in (b"access-2", b"refresh-2") if secret in bytes(sealed)] == []
    town.store.vault = Vault([b"n" * 32], b"i" * 32)
    assert in_use(with_tokens(town, desk, FIRST)) == ("access-2", "refresh-2")


# -- one at a time


@pytest.mark.concurrent("threads")
def test_eight_threads_renew_once(town: Town, shop: TokenShop, desk: Desk) -> None:
    town.advance(LAST_DAY_S)
    with ThreadPoolExecutor(8) as pool:
        renewed = sum(pool.map(lambda _: watch_tokens(town.ctx), range(8)))

    assert (renewed, desk.asked, in_use(shop)) == (1, 1, ("access-2", "refresh-2"))


class Interrupted(TokenBox):
    """Lets something happen right after the store was looked at for a renewed pair."""

    def __init__(self, configured: TokenPair) -> None:
        self.looks, self.then = 0, None
        super().__init__(configured)

    @property
    def configured(self) -> TokenPair:
        self.looks += 1
        if self.then is not None and self.looks == 2:
            then, self.then = self.then, None
            then()
        return self._configured

    @configured.setter
    def configured(self, pair: TokenPair) -> None:
        self._configured = pair


def test_a_pair_that_was_renewed_while_the_store_was_looked_at_is_not_replaced_by_the_old_one(
    town: Town, shop: TokenShop, desk: Desk
) -> None:
    town.advance(LAST_DAY_S)
    shop.tokens = Interrupted(FIRST)
    shop.tokens.then = lambda: renew(town.ctx, town.channel())

    assert not adopt(town.ctx, town.channel())

    assert (desk.asked, in_use(shop)) == (1, ("access-2", "refresh-2"))


def test_while_one_node_renews_another_waits_and_then_takes_the_pair_over(
    town: Town, shop: TokenShop, desk: Desk, make_town: Callable[..., Town]
) -> None:
    other = make_town(town=town)
    theirs = with_tokens(other, desk, FIRST)
    town.advance(LAST_DAY_S)
    during: list[int] = []
    desk.before = lambda: during.append(watch_tokens(other.ctx)) if not during else None

    assert watch_tokens(town.ctx) == 1
    assert (during, desk.asked) == ([0], 1)
    watch_tokens(other.ctx)
    assert in_use(theirs) == in_use(shop) == ("access-2", "refresh-2")


# -- refused calls


def test_a_refused_call_renews_once_and_nobody_is_alarmed(town: Town, shop: TokenShop, desk: Desk) -> None:
    town.advance(LAST_DAY_S)
    desk.access = "revoked by the platform"
    walk.read(town, "orders")
    assert (desk.asked, may_call(town.ctx, town.channel()), reasons(town, "auth")) == (1, True, [])

    walk.read(town, "orders")
    assert (desk.asked, looking.rows(town, text("SELECT error FROM cursor WHERE stream = 'orders'"))) == (1, [("",)])


def test_a_call_refused_with_the_old_token_is_repeated_when_another_node_has_renewed(
    town: Town, shop: TokenShop, desk: Desk, make_town: Callable[..., Town]
) -> None:
    other = make_town(town=town)
    theirs = with_tokens(other, desk, FIRST)
    town.advance(LAST_DAY_S)
    watch_tokens(town.ctx)
    walk.read(other, "orders")

    assert (in_use(theirs), desk.asked) == (("access-2", "refresh-2"), 1)
    assert may_call(other.ctx, other.channel())


def test_a_platform_that_refuses_to_renew_is_asked_once_and_a_person_told(
    town: Town, shop: TokenShop, desk: Desk
) -> None:
    town.advance(LAST_DAY_S)
    desk.access, desk.refuses = "revoked", True
    for _ in range(5):
        walk.read(town, "orders")
        watch_tokens(town.ctx)
        town.advance(HOUR_S)

    assert desk.asked == 1
    assert not may_call(town.ctx, town.channel())
    assert len(reasons(town, "auth")) == 1
    ((reason),) = reasons(town)
    assert "authorise the app again" in reason


def test_before_its_last_day_a_refused_token_is_the_operators_business(town: Town, shop: TokenShop, desk: Desk) -> None:
    desk.access = "revoked"
    walk.read(town, "orders")

    assert (desk.asked, len(reasons(town, "auth"))) == (0, 1)


# -- what may be lost


@pytest.mark.parametrize("voids", [False, True])
def test_a_process_killed_between_the_answer_and_the_commit_tries_the_old_pair_once_more(
    town: Town, shop: TokenShop, desk: Desk, make_town: Callable[..., Town], voids: bool
) -> None:
    """Where the platform has voided it, nothing can be done but say so."""
    desk.voids = voids
    town.advance(LAST_DAY_S)
    desk.after = raising(Killed())
    with pytest.raises(Killed):
        watch_tokens(town.ctx)

    desk.after = lambda: None
    again = make_town(town=town)
    connector = with_tokens(again, desk, FIRST)
    assert watch_tokens(again.ctx) == 0
    again.advance(400)
    watch_tokens(again.ctx)

    assert desk.asked == 2
    if voids:
        ((reason),) = reasons(again)
        assert "may have used the refresh token up" in reason
    else:
        assert (in_use(connector), reasons(again)) == (("access-3", "refresh-3"), [])


def test_a_platform_that_is_away_is_asked_ever_more_seldom_and_the_old_token_serves(
    town: Town, shop: TokenShop, desk: Desk
) -> None:
    town.advance(LAST_DAY_S)
    desk.before = raising(TransientError("away"))
    for _ in range(120):
        watch_tokens(town.ctx)
        town.advance(60)
    assert desk.asked == 5  # at 0, 5, 15, 35 and 75 minutes
    assert may_call(town.ctx, town.channel())

    desk.before = lambda: None
    town.advance(4 * HOUR_S)
    watch_tokens(town.ctx)
    assert in_use(shop) == ("access-2", "refresh-2")


def test_no_answer_is_an_open_question_and_the_old_pair_is_tried_again(town: Town, shop: TokenShop, desk: Desk) -> None:
    desk.voids = False
    town.advance(LAST_DAY_S)
    desk.after = raising(OutcomeUnknownError("no answer"))
    watch_tokens(town.ctx)
    assert in_use(shop) == ("access-1", "refresh-1")

    desk.after = lambda: None
    town.advance(600)
    watch_tokens(town.ctx)
    assert (in_use(shop), reasons(town)) == (("access-3", "refresh-3"), [])


# -- the end comes near


def test_people_hear_of_it_14_3_and_1_days_before_once_each(town: Town, desk: Desk) -> None:
    with_tokens(town, desk, pair_of("access-1", None, NOON + timedelta(days=20)))
    heard = []
    for day in range(20):
        with structlog.testing.capture_logs() as logs:
            watch_tokens(town.ctx)
            watch_tokens(town.ctx)
        heard += [(day, entry["days"]) for entry in logs if entry["event"] == "token.expiring"]
        town.advance(24 * HOUR_S)

    assert heard == [(6, 14), (17, 3), (19, 1)]
    assert len(reasons(town)) == 1


def test_a_new_token_takes_the_task_back(town: Town, desk: Desk) -> None:
    with_tokens(town, desk, pair_of("access-1", None, NOON + timedelta(days=2)))
    watch_tokens(town.ctx)
    assert len(reasons(town)) == 1

    with_tokens(town, desk, pair_of("access-2", None, NOON + timedelta(days=90)))
    watch_tokens(town.ctx)
    assert reasons(town) == []


def test_a_token_that_renews_itself_asks_nobody_until_its_last_day_went_wrong(
    town: Town, shop: TokenShop, desk: Desk
) -> None:
    walk.read(town)
    town.advance(8 * 24 * HOUR_S)
    walk.read(town, "orders", "refunds")
    watch_tokens(town.ctx)
    with town.store.read() as connection:
        facts = figures.status(connection, town.ctx, StatusLimits(), town.clock.now())
    assert (reasons(town), facts["channels"][0]["token_days"], facts["ok"]) == ([], 2.0, True)

    desk.before = raising(TransientError("away"))
    town.advance(1.5 * 24 * HOUR_S)
    watch_tokens(town.ctx)
    assert len(reasons(town)) == 1
