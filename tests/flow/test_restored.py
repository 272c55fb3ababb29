"""A database that is lost and had again from a backup: nothing is lost, nothing done twice, no number given twice.

The shops and warehouses of these tests keep their own books, and those go on while the database goes back.
"""

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from erpsync.core.policy import SealPolicy
from erpsync.flows.access.users import create_user
from erpsync.flows.backups.restore import Restoration
from erpsync.flows.inventory import counts
from erpsync.flows.operations import tasks
from erpsync.flows.operations.dead_letters import replay_letter
from erpsync.flows.orders import actions
from erpsync.flows.shipments import record
from erpsync.flows.warehouses import release as releasing
from erpsync.sdk.errors import RejectedError
from erpsync.sdk.types import Repeat
from erpsync.store.cursors import read_cursors
from erpsync.store.db.bulk import new_ids
from erpsync.store.feed import settled_id
from erpsync.store.restored import GAP
from erpsync.store.tables import event, lease, login_session, orders, outbox, release, seal_window, task
from tests.support import looking, walk
from tests.support.depot import Depot, build_depot, read_shop, work
from tests.support.losing import back_up, lose_and_restore, url_of
from tests.support.shop import Town, build_town

HOUR_S = 3600
Restart = Callable[..., Town]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "backup.erpsync"


@pytest.fixture
def restored(file: Path) -> Iterator[Callable[..., tuple[Town, Restoration]]]:
    """Lose a town's database, restore the backup, and build the town anew on it."""
    built: list[Town] = []

    def again(town: Town, **options: Any) -> tuple[Town, Restoration]:
        done = lose_and_restore(town, file)
        built.append(build_town(url_of(town.store), town=town, **options))
        return built[-1], done

    yield again
    for town in built:
        town.store.close()


@pytest.fixture
def depot_restored(file: Path) -> Iterator[Callable[..., Town]]:
    """As `restored`, with the depot that runs the warehouse."""
    built: list[Town] = []

    def again(town: Town, depot: Depot, **options: Any) -> Town:
        lose_and_restore(town, file)
        built.append(build_depot(url_of(town.store), town=town, depot=depot, **options)[0])
        return built[-1]

    yield again
    for town in built:
        town.store.close()


def live(town: Town) -> None:
    """Let the shop be read, and all that is due be done, until it comes to rest."""
    town.advance(600)
    walk.run(town)


def numbers(town: Town) -> set[str]:
    return {number for (number,) in looking.rows(town, select(orders.c.number))}


def the_task(town: Town, key: str) -> int:
    query = select(task.c.id).where(task.c.kind == "restored", task.c.key == key, task.c.closed_at.is_(None))
    return int(looking.rows(town, query)[0][0])


def test_a_shop_goes_on_after_its_database_was_lost_and_nothing_is_lost_or_told_twice(
    town: Town, file: Path, restored: Callable[..., tuple[Town, Restoration]]
) -> None:
    walk.make_known(town, on_hand=10)
    town.shop.place("o1", ("A", 2))
    town.shop.place("o2", ("A", 1))
    live(town)
    record.ship(town.ctx, order="o1", carrier="SF", tracking="SF1", actor="me")
    back_up(town, file)
    given_before = numbers(town)
    town.advance(HOUR_S)
    live(town)  # o1's parcel is told, by what is lost soon
    town.shop.change("o1", state="shipped")
    town.shop.place("o3", ("A", 3))
    live(town)
    record.ship(town.ctx, order="o3", carrier="SF", tracking="SF3", actor="me")
    live(town)
    town.shop.change("o3", state="shipped")
    town.shop.place("o4", ("A", 1))
    live(town)
    given = numbers(town)
    told = looking.told_parcels(town)
    town.advance(HOUR_S)
    town.shop.place("o5", ("A", 1))

    town, _ = restored(town)
    live(town)
    town.advance(HOUR_S)
    live(town)

    known = {external_id for (external_id,) in looking.rows(town, select(orders.c.external_id))}
    assert known == {"o1", "o2", "o3", "o4", "o5"}
    assert looking.told_parcels(town) == told == ["SF1", "SF3"]
    assert given_before < numbers(town)
    assert (numbers(town) - given_before).isdisjoint(given)
    assert town.shop.shown == {"A": 10 - 2 - 3 - 1 - 1 - 1}  # two left, three left, and three orders hold one each
    assert looking.problems(town) == []
    assert looking.tasks(town) == ["restored"]


def test_no_number_rises_before_the_shop_was_read_once_more(
    town: Town, file: Path, restored: Callable[..., tuple[Town, Restoration]]
) -> None:
    """Row 4: 10 were there when the backup was made, and 6 of them are sold since."""
    walk.make_known(town, on_hand=8)
    walk.arrive(town, 2)
    walk.fan(town)
    town.advance(60)
    walk.read(town, "orders")  # in the backup a rise to 10 waits, which a pass of that time allows
    back_up(town, file)
    town.shop.place("o1", ("A", 6))
    live(town)
    assert town.shop.shown == {"A": 4}
    town.advance(HOUR_S)

    town, _ = restored(town)
    walk.push_due(town)
    town.advance(HOUR_S)
    walk.push_due(town)
    assert town.shop.shown == {"A": 4}

    town.shop.stock_calls.clear()
    live(town)
    assert town.shop.shown == {"A": 4}
    assert all(call == {"A": 4} for call in town.shop.stock_calls)
    assert town.shop.stock_calls  # it was told anew: what it shows nobody here could know
    assert looking.told(town) == {"A": (4, True)}


@pytest.mark.parametrize("repeat", [Repeat.SAFE, Repeat.LOOK_FIRST, Repeat.NEVER])
@pytest.mark.parametrize("was_told", [True, False])
def test_a_parcel_that_was_open_is_looked_for_or_asked_about_and_never_sent_blindly(
    left: Town, file: Path, restored: Callable[..., tuple[Town, Restoration]], repeat: Repeat, was_told: bool
) -> None:
    back_up(left, file)
    if was_told:
        walk.tell(left)
    town, done = restored(left)
    town.channel().connector.repeat = repeat  # type: ignore[union-attr]
    live(town)

    assert done.consequences.in_doubt == 1
    if repeat is Repeat.NEVER:
        assert looking.told_parcels(town) == ["SF1"] * was_told
        query = select(task.c.id, task.c.reason).where(task.c.kind == "unknown")
        ((id, reason),) = looking.rows(town, query)
        assert "SF SF1" in reason
        tasks.finish_task(town.ctx, id, arrived=was_told, actor="me")
        live(town)
    if repeat is Repeat.SAFE and was_told:
        return  # this shop takes no parcel twice; that it is sent again is what SAFE promises to be harmless
    assert looking.told_parcels(town) == ["SF1"]
    assert looking.parcel_state(town) == "sent"


def test_a_parcel_that_waited_at_the_gate_is_looked_for_and_goes_back_to_it(
    left: Town, file: Path, restored: Callable[..., tuple[Town, Restoration]]
) -> None:
    left.shop.refund("r1", "o1", n1=2)
    walk.read(left, "refunds")
    walk.tell(left)
    assert looking.parcel_state(left) == "waiting"
    back_up(left, file)

    town, _ = restored(left)
    live(town)
    assert (looking.told_parcels(town), looking.parcel_state(town)) == ([], "waiting")

    town.shop.refund("r1", "o1", state="closed", n1=2)
    town.advance(HOUR_S)
    live(town)
    assert (looking.told_parcels(town), looking.parcel_state(town)) == (["SF1"], "sent")


def test_a_parcel_that_was_given_up_is_looked_for_when_somebody_tries_it_again(
    left: Town, file: Path, restored: Callable[..., tuple[Town, Restoration]]
) -> None:
    left.shop.trouble["ship before"] = [RejectedError("no such carrier")]
    walk.tell(left)
    assert looking.letters(left) == [("shipment", f"{looking.see(left, 'o1')['number']}-1")]
    back_up(left, file)
    ((letter,),) = looking.rows(left, "SELECT id FROM dead_letter")
    replay_letter(left.ctx, letter, actor="me")
    walk.tell(left)
    assert looking.told_parcels(left) == ["SF1"]

    town, _ = restored(left)
    replay_letter(town.ctx, letter, actor="me")
    walk.tell(town)

    assert looking.told_parcels(town) == ["SF1"]
    assert looking.parcel_state(town) == "sent"


def test_numbers_of_orders_of_a_day_that_the_backup_did_not_see_are_passed_too(
    town: Town, file: Path, restored: Callable[..., tuple[Town, Restoration]]
) -> None:
    back_up(town, file)
    town.advance(24 * HOUR_S)
    town.shop.place("o1", ("A", 1))
    live(town)
    (given,) = numbers(town)
    town.advance(HOUR_S)

    town, _ = restored(town)
    town.shop.place("o0", ("A", 1), placed_at=town.shop.orders["o1"]["placed_at"])
    live(town)
    assert given not in numbers(town)
    assert len(numbers(town)) == 2

    town.advance(24 * HOUR_S)
    town.shop.place("o2", ("A", 1))
    live(town)
    assert looking.see(town, "o2")["number"].endswith("000001")  # of a day after it none was given


def test_the_same_backup_restored_twice_gives_no_number_of_the_life_between(
    town: Town, file: Path, restored: Callable[..., tuple[Town, Restoration]]
) -> None:
    back_up(town, file)
    town.advance(HOUR_S)
    town, _ = restored(town)
    town.shop.place("o1", ("A", 1))
    live(town)
    between = numbers(town)
    town.advance(HOUR_S)

    town, _ = restored(town)
    live(town)

    assert len(numbers(town)) == 1
    assert numbers(town).isdisjoint(between)


def test_parcels_events_and_tasks_get_numbers_that_nobody_has_seen(
    town: Town, file: Path, restored: Callable[..., tuple[Town, Restoration]]
) -> None:
    walk.make_known(town, on_hand=10)
    town.shop.place("o1", ("A", 2))
    live(town)
    back_up(town, file)
    seen = settled_id(town.store)

    town, done = restored(town)
    parcel = record.ship(
        town.ctx, order="o1", carrier="SF", tracking="SF9", lines=[record.ShipLine(line="o1-1", qty=1)], actor="me"
    )
    town.shop.place("o2", ("A", 1))
    live(town)
    later = record.ship(town.ctx, order="o2", carrier="SF", tracking="SF2", actor="me")

    assert done.consequences.gap >= GAP
    assert re.fullmatch(rf"\w+-{done.consequences.gap + 1}", parcel.number)
    assert later.number.endswith("-1")
    newer = looking.rows(town, select(func.min(event.c.id)).where(event.c.id > seen))
    assert newer[0][0] > seen + GAP
    assert min(id for (id,) in looking.rows(town, select(task.c.id))) > GAP


def test_log_ins_leases_and_nodes_are_of_another_life(
    town: Town, file: Path, restored: Callable[..., tuple[Town, Restoration]]
) -> None:
    create_user(town.store, "wang", role="read", password="long enough 1", actor="me")
    with town.store.begin() as tx:
        ((user,),) = tx.all(select(func.max(login_session.metadata.tables["user_account"].c.id)))
        [id] = new_ids(tx, login_session, 1)
        row = {"id": id, "digest": b"d", "user_id": user, "created_at": tx.now, "last_seen_at": tx.now}
        tx.execute(login_session.insert().values(**row, expires_at=tx.now))
        tx.execute(lease.insert().values(key="k", owner="n", epoch=1, until_at=tx.now))
    back_up(town, file)

    town, done = restored(town)

    assert done.consequences.sessions == 1
    assert (looking.count(town, "login_session"), looking.count(town, "lease"), looking.count(town, "node")) == (
        0,
        0,
        0,
    )
    assert looking.count(town, "user_account") == 1


def test_streams_go_on_from_where_they_stood_and_the_back_fill_reaches_to_the_backup_less_the_overlap(
    town: Town, file: Path, restored: Callable[..., tuple[Town, Restoration]]
) -> None:
    walk.make_known(town)
    stood = looking.mark(town, "orders")
    taken_at = back_up(town, file).taken_at
    town.advance(HOUR_S)
    live(town)
    assert looking.mark(town, "orders") != stood

    town, _ = restored(town)

    with town.store.read() as connection:
        rows = {stream: row for (_, stream), row in read_cursors(connection).items()}
    overlap = timedelta(seconds=town.channel().poll.overlap_s)
    assert rows["orders"].mark == stood
    assert (rows["backfill"].mark, rows["backfill"].since_at) == (None, taken_at - overlap)
    assert rows["listings"].mark is None
    assert all(row.complete_ended_at is None and row.wanted for row in rows.values())


def test_a_window_that_was_sealed_close_to_the_backup_is_proven_again(
    make_town: Callable[..., Town], file: Path, restored: Callable[..., tuple[Town, Restoration]]
) -> None:
    town = make_town(sealing=SealPolicy(after_s=HOUR_S))
    walk.settle_in(town)
    channel_id, hour = town.channel().id, HOUR_S
    with town.store.begin() as tx:
        for hours in (5, 1):
            start = tx.now.replace(minute=0) - _span(hours * hour)
            end = start + _span(hour)
            values = {"scanned_at": tx.now, "since_at": start, "sealed_at": tx.now, "order_count": 0}
            tx.execute(seal_window.insert().values(channel_id=channel_id, start_at=start, end_at=end, **values))
    back_up(town, file)

    town, _ = restored(town, sealing=SealPolicy(after_s=HOUR_S))

    query = select(seal_window.c.sealed_at.is_(None), seal_window.c.reopened).order_by(seal_window.c.start_at)
    assert [(bool(is_open), times) for is_open, times in looking.rows(town, query)] == [(False, 0), (True, 1)]


def _span(seconds: int) -> timedelta:
    return timedelta(seconds=seconds)


def test_the_restoring_stands_in_the_events_with_its_facts(
    town: Town, file: Path, restored: Callable[..., tuple[Town, Restoration]]
) -> None:
    back_up(town, file)
    town.advance(HOUR_S)

    town, done = restored(town)

    query = select(event.c.detail, event.c.actor).where(event.c.kind == "store.restored")
    ((detail, actor),) = looking.rows(town, query)
    assert actor == "me"
    assert '"taken_at": "2026-03-02T12:00:0' in detail
    assert f'"gap": {done.consequences.gap}' in detail
    assert '"age_s": 3600' in detail


@pytest.mark.parametrize("repeat", [Repeat.LOOK_FIRST, Repeat.SAFE, Repeat.NEVER])
@pytest.mark.parametrize("was_told", [True, False])
def test_a_release_that_was_open_is_looked_for_and_its_goods_leave_once(
    database_url: str, file: Path, depot_restored: Callable[..., Town], repeat: Repeat, was_told: bool
) -> None:
    town, depot = build_depot(database_url, repeat=repeat)
    counts.set_stock(town.ctx, warehouse="SH", sku="A", on_hand=10, actor="me")
    town.shop.place("o1", ("A", 2))
    read_shop(town)
    assert releasing.release_ready(town.ctx) == 1
    back_up(town, file)
    if was_told:
        work(town)
        assert len(depot.got) == 1

    town = depot_restored(town, depot, repeat=repeat)
    work(town)
    if repeat is Repeat.NEVER:
        ((id,),) = looking.rows(town, select(task.c.id).where(task.c.kind == "unknown"))
        tasks.finish_task(town.ctx, id, arrived=was_told, actor="me")
        work(town)
    if not was_told:
        assert depot.got == []  # nobody has looked yet what it got since the backup
    tasks.finish_task(town.ctx, the_task(town, "releases:wms"), actor="me")
    work(town)

    assert len(depot.got) == 1
    depot.send(depot.numbers[0], "SF1")
    work(town)
    assert looking.on_shelf(town) == {("SH", "A"): (8, 0)}
    assert looking.letters(town) == []
    assert looking.problems(town) == []


def test_what_a_warehouse_was_handed_after_the_backup_is_handed_to_it_a_second_time_by_nobody(
    pair: tuple[Town, Depot], file: Path, depot_restored: Callable[..., Town]
) -> None:
    town, depot = pair
    town.shop.place("o1", ("A", 2))
    back_up(town, file)
    work(town)
    town.shop.place("o2", ("A", 1))
    work(town)
    handed = {release.order for release in depot.got}
    assert len(handed) == 2
    given = set(depot.numbers)
    town.advance(HOUR_S)

    town = depot_restored(town, depot)
    town.shop.place("o3", ("A", 1))
    work(town)
    assert len(depot.got) == 2
    assert {row[1] for row in looking.effects(town, "release")} == {"restored"}

    for name in ("o1", "o2"):  # a person sees them packed over there
        actions.hold_order(town.ctx, name, reason="it is in the warehouse", actor="me")
    tasks.finish_task(town.ctx, the_task(town, "releases:wms"), actor="me")
    work(town)

    assert len(depot.got) == 3
    assert depot.got[-1].order == looking.see(town, "o3")["number"]
    assert depot.numbers[-1] not in given
    assert looking.rows(town, select(func.count()).where(outbox.c.waiting_for == "restored")) == [(0,)]
    assert looking.rows(town, select(func.count()).where(release.c.state == "unsure")) == [(0,)]


def test_a_cancelled_order_of_a_release_in_doubt_is_recalled_and_not_forgotten(
    pair: tuple[Town, Depot], file: Path, depot_restored: Callable[..., Town]
) -> None:
    town, depot = pair
    town.shop.place("o1", ("A", 2))
    read_shop(town)
    releasing.release_ready(town.ctx)
    back_up(town, file)
    work(town)
    assert len(depot.got) == 1
    town.advance(60)
    town.shop.change("o1", state="cancelled")

    town = depot_restored(town, depot)
    work(town)

    assert depot.asked == depot.numbers
    assert looking.on_shelf(town) == {("SH", "A"): (10, 0)}
