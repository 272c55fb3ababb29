"""Nine weeks of a shop's orders in a real database: what is learned of them, and which silences are told."""

import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from erpsync.core.policy import PollPolicy
from erpsync.flows.alarms.arrivals import learn_arrivals
from erpsync.flows.alarms.watch import watch
from erpsync.flows.context import Context
from erpsync.sdk.clock import ManualClock
from erpsync.settings.config import StatusLimits
from erpsync.store.db.bulk import insert_many
from erpsync.store.db.store import Store
from erpsync.store.status import figures
from erpsync.store.tables import arrival_pattern, channel, orders
from tests.support import looking, walk
from tests.support.shop import Shop, Town, build_town

NEW_YEAR = datetime(2026, 2, 17, tzinfo=UTC)
LIMITS = StatusLimits(freshness_s=None, cursor_lag_s=None)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
PER_HOUR = (0, 0, 0, 0, 0, 0, 0, 1, 3, 6, 8, 9, 9, 8, 8, 8, 8, 7, 7, 9, 12, 12, 8, 3)
"""Orders in each hour of a day in Shanghai."""


def placed(since: datetime, until: datetime, *, share: float = 1.0, seed: float = 5) -> Iterator[datetime]:
    """Yield when buyers ordered, by chance."""
    chance, at = random.Random(seed), since
    while at < until:
        if chance.random() < share * PER_HOUR[(at.hour + 8) % 24] / 60:
            yield at + timedelta(seconds=chance.randrange(60))
        at += MINUTE


def sell(town: Town, instants: Iterator[datetime], *, late: timedelta = timedelta(seconds=20)) -> None:
    """Store orders as a daemon that reads every few seconds would have left them."""
    with town.store.begin() as tx:
        first = tx.execute(select(func.coalesce(func.max(orders.c.id), 0))).scalar_one() + 1
        rows = [
            {
                "channel_id": town.channel().id,
                "external_id": f"x{number}",
                "number": f"N{number:08}",
                "phase": "completed",
                "state": "completed",
                "version_at": at,
                "read_from_at": at + late,
                "read_to_at": at + late,
                "placed_at": at,
                "currency": "CNY",
                "total_minor": 100,
                "imported_at": at + late,
            }
            for number, at in enumerate(instants, first)
        ]
        insert_many(tx, orders, rows)


def told(town: Town) -> list[tuple[str, str]]:
    alarms = [(kind.removeprefix("alarm."), detail) for kind, detail in looking.events(town, "alarm.")]
    return [(way, detail.get("level", "")) for way, detail in alarms if detail["check"] == "nothing_arrived"]


def silence(town: Town) -> dict[str, object]:
    with town.store.read() as connection:
        shop = figures.status(connection, town.ctx, LIMITS, town.clock.now())["channels"][0]
    return dict(shop["silence"] or {})


def look_until(
    town: Town, until: datetime, *, share: float = 0.0, answers: bool = False, step: timedelta = 10 * MINUTE
) -> None:
    """Let time go by, with buyers who order `share` of the usual, orders read, and looks."""
    while town.clock.now() < until:
        began = town.clock.now()
        town.advance(step.total_seconds())
        sell(town, placed(began, town.clock.now() - MINUTE, share=share, seed=began.timestamp()))
        walk.poll(town)
        if answers:
            with town.store.begin() as tx:
                tx.execute(channel.update().values(clock_told_at=tx.now))
        watch(town.ctx, LIMITS)


@pytest.fixture
def old_shop(database_url: str) -> Iterator[Callable[[datetime], Town]]:
    """Make a shop with nine weeks of sales up to an instant, that has learned of them."""
    made: list[Town] = []

    def make(now: datetime) -> Town:
        clock = ManualClock(now)
        shell = Town(store=Store.open(database_url, clock=clock), clock=clock, ctx=None, shops={"shop": Shop(clock)})  # type: ignore[arg-type]
        made.append(shell)
        town = build_town(database_url, town=shell, poll=PollPolicy(backfill_days=0))
        made.append(town)
        sell(town, placed(now - 63 * DAY, now))
        walk.settle_in(town)
        assert learn_arrivals(town.ctx) == 1
        return town

    yield make
    for town in made:
        town.store.close()


@pytest.mark.parametrize("answers", [False, True])
def test_a_quiet_night_is_not_told_and_a_dead_midday_is_once_each_way(
    old_shop: Callable[[datetime], Town], answers: bool
) -> None:
    evening = datetime(2026, 1, 19, 15, 30, tzinfo=UTC)  # half past eleven in Shanghai
    town = old_shop(evening)
    look_until(town, evening + 8.5 * HOUR, answers=answers)
    assert told(town) == []

    morning = town.clock.now()
    look_until(town, morning + 4 * HOUR, answers=answers, share=1)
    assert told(town) == []
    look_until(town, morning + 7 * HOUR, answers=answers)
    assert told(town) == [("raised", "warn" if answers else "bad")]
    assert ("the platform answers and has no orders" in str(silence(town)["text"])) is answers

    look_until(town, town.clock.now() + HOUR, answers=answers, share=1)
    assert [way for way, _ in told(town)] == ["raised", "ended"]


def test_only_a_silence_of_which_nobody_knows_makes_the_status_red(old_shop: Callable[[datetime], Town]) -> None:
    town = old_shop(datetime(2026, 1, 20, 3, 0, tzinfo=UTC))
    look_until(town, town.clock.now() + 3 * HOUR, answers=True)
    with town.store.read() as connection:
        believed = figures.status(connection, town.ctx, LIMITS, town.clock.now())
    town.advance(1200)
    walk.poll(town)
    with town.store.read() as connection:
        unknown = figures.status(connection, town.ctx, LIMITS, town.clock.now())

    assert (believed["ok"], [problem["check"] for problem in unknown["problems"]]) == (True, ["nothing_arrived"])


def test_the_week_of_the_spring_festival_is_not_told_after_its_first_days(
    old_shop: Callable[[datetime], Town],
) -> None:
    """Buyers are few for a week, a twelfth of the usual; the platform answers, and is believed."""
    town = old_shop(NEW_YEAR - 3 * DAY)
    look_until(town, NEW_YEAR - DAY, share=0.4, answers=True, step=HOUR)
    look_until(town, NEW_YEAR + DAY, share=1 / 12, answers=True, step=HOUR)
    before = told(town)

    look_until(town, NEW_YEAR + 4 * DAY, share=1 / 12, answers=True, step=HOUR)

    assert told(town)[len(before) :] in ([], [("ended", "")])
    assert before in ([], [("raised", "warn")], [("raised", "warn"), ("ended", "")])


def test_a_shop_whose_orders_cannot_be_read_is_not_called_silent(old_shop: Callable[[datetime], Town]) -> None:
    town = old_shop(datetime(2026, 1, 20, 3, 0, tzinfo=UTC))
    for _ in range(20):
        town.advance(600)
        watch(town.ctx, StatusLimits())

    assert told(town) == []


def test_what_was_learned_is_kept_for_a_day_and_then_learned_anew(old_shop: Callable[[datetime], Town]) -> None:
    town = old_shop(datetime(2026, 1, 20, 3, 0, tzinfo=UTC))
    assert learn_arrivals(town.ctx) == 0

    town.advance(DAY.total_seconds() + 1)

    assert learn_arrivals(town.ctx) == 1
    with town.store.read() as connection:
        assert connection.execute(select(func.count()).select_from(arrival_pattern)).scalar() == 1


def test_orders_read_from_the_past_teach_nothing(town: Town) -> None:
    now = town.clock.now()
    sell(town, placed(now - 60 * DAY, now - 5 * DAY), late=3 * DAY)

    assert learn_arrivals(town.ctx) == 1
    assert silence(town) == {}


def test_a_young_shop_is_not_called_silent(town: Town) -> None:
    now = town.clock.now()
    walk.settle_in(town)
    sell(town, placed(now - 10 * DAY, now - DAY))
    learn_arrivals(town.ctx)
    for _ in range(5):
        town.advance(60)
        watch(town.ctx, LIMITS)

    assert told(town) == []


def test_one_shop_is_not_taught_by_the_orders_of_another(make_town: Callable[..., Town]) -> None:
    town = make_town(names=("shop", "other"))
    now = town.clock.now()
    sell(town, placed(now - 60 * DAY, now))
    learn_arrivals(town.ctx)

    assert learned(town.ctx) == {"shop": True, "other": False}


def learned(ctx: Context) -> dict[str, bool]:
    with ctx.store.read() as connection:
        rows = {row.channel_id: row.rates != "null" for row in connection.execute(select(arrival_pattern))}
    return {channel.name: rows[channel.id] for channel in ctx.channels.values()}
