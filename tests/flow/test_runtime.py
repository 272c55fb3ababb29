"""The daemon in this process, with stages that count, hang and fail: who runs when, on which thread, until when."""

import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest
from sqlalchemy import insert, select, text, update
from sqlalchemy.event import listen
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs

from erpsync.flows.context import Context
from erpsync.flows.intake.schedule import outlooks
from erpsync.runtime.daemon import Daemon, take_over
from erpsync.runtime.meters import Meters
from erpsync.runtime.polls import REST_S
from erpsync.runtime.presence import Presence
from erpsync.runtime.pushes import Due, due_rows
from erpsync.runtime.reload import reload
from erpsync.runtime.wakes import PostgresWatcher
from erpsync.runtime.world import World
from erpsync.sdk.clock import ManualClock
from erpsync.settings import Config, Loaded, Problem
from erpsync.store import tables
from erpsync.store.cursors import read_cursor, want_pass
from erpsync.store.db.store import Stage, Store
from erpsync.store.events import Event, write_events
from erpsync.store.leases import LEASE_S, take_lease
from erpsync.store.nodes import living
from erpsync.store.outbox.queue import LANE_REST, LANE_URGENT, STOCK, Effect, enqueue
from erpsync.store.tables import event, lease, node
from tests.support.dialects import on_postgresql
from tests.support.scene import LONG_S, FakeBuilt, Pass, Scene, built_of, config_of, eventually, running, running_with


@pytest.fixture
def clock() -> None:
    """That of the database itself."""


@pytest.mark.concurrent("threads")
def test_four_hanging_shops_never_delay_a_healthy_one(store: Store) -> None:
    """Row 13 and the starved pool: a shop that does not answer blocks only itself."""
    let_go = threading.Event()
    shops = ["hang-1", "hang-2", "hang-3", "hang-4", "healthy"]
    scene = Scene(due={name: ["orders", "refunds", "backfill"] for name in shops})
    scene.poll = lambda channel, stream, stopping: (channel == "healthy" or let_go.wait(LONG_S), Pass())[1]
    try:
        with running(built_of(store, *shops), scene):
            assert scene.wait_for("orders", "healthy", times=20)
            assert scene.wait_for("refunds", "healthy", times=20)
            assert scene.wait_for("backfill", "healthy", times=20)
            assert [scene.count("orders", name) for name in shops[:4]] == [1, 1, 1, 1]
            let_go.set()
    finally:
        let_go.set()


@pytest.mark.concurrent("threads")
def test_a_hanging_order_list_does_not_delay_the_refunds_of_its_shop(store: Store) -> None:
    """Row 6: refunds have a lane of their own."""
    let_go = threading.Event()
    scene = Scene(due={"jd": ["orders", "refunds"]})
    scene.poll = lambda channel, stream, stopping: (stream == "refunds" or let_go.wait(LONG_S), Pass())[1]
    try:
        with running(built_of(store, "jd"), scene):
            assert scene.wait_for("refunds", "jd", times=5)
            let_go.set()
    finally:
        let_go.set()


@pytest.mark.concurrent("threads")
def test_a_shop_that_timed_out_twice_runs_on_the_pool_for_slow_ones_until_it_answers(store: Store) -> None:
    built = built_of(store, "jd")
    scene = Scene(due={"jd": ["orders"]})

    def set_timeouts(count: int) -> None:
        with store.begin() as tx:
            tx.execute(update(tables.channel).values(timeouts=count))

    def last_thread() -> str:
        return [thread for what, _, thread in scene.diary if what == "orders"][-1]

    with capture_logs() as records, running(built, scene):
        assert scene.wait_for("orders", "jd")
        set_timeouts(2)
        assert eventually(lambda: last_thread().startswith("slow"))
        set_timeouts(0)
        assert eventually(lambda: last_thread().startswith("poll"))

    told = [record["event"] for record in records if record["event"].startswith("channel.")]
    assert told == ["channel.isolated", "channel.rejoined"]


@pytest.mark.concurrent("threads")
def test_a_lane_that_failed_rests_a_moment_and_is_tried_again(store: Store) -> None:
    clock, scene = ManualClock(), Scene(due={"jd": ["orders"]})
    polled_at_s: list[float] = []

    def fail(channel: str, stream: str, stopping: Callable[[], bool]) -> Pass:
        polled_at_s.append(clock.monotonic())
        return Pass(failed=True)

    def polled_often_while_time_passes() -> bool:
        clock.advance(seconds=0.05)
        return len(polled_at_s) >= 3

    scene.poll = fail
    timed = Store(store.engine, clock=clock)
    with closing(timed), running(built_of(timed, "jd", stop_s=LONG_S), scene) as daemon:
        assert eventually(polled_often_while_time_passes)

    assert all(later - before >= REST_S for before, later in pairwise(polled_at_s))
    failed = daemon.meters.value("erpsync_polls_total", channel="jd", stream="orders", outcome="failed")
    assert failed == len(polled_at_s)


@pytest.mark.concurrent("threads")
def test_a_commit_wakes_the_next_stages_at_once(store: Store) -> None:
    scene = Scene()
    with running(built_of(store, "jd"), scene):
        assert scene.wait_for("fan_out")
        assert scene.wait_for("inbox")
        before = (scene.count("fan_out"), scene.count("inbox"))
        with store.begin() as tx:
            tx.wake(Stage.DIRTY)
            tx.wake(Stage.INBOX)
        assert scene.wait_for("fan_out", times=before[0] + 1)
        assert scene.wait_for("inbox", times=before[1] + 1)


@pytest.mark.concurrent("threads")
def test_subscribers_are_told_of_an_event_as_soon_as_it_is_committed(store: Store) -> None:
    scene = Scene()
    with running(built_of(store, "jd"), scene):
        assert scene.wait_for("events")
        before = scene.count("events")
        with store.begin() as tx:
            write_events(tx, [Event(kind="stock.confirmed")])
        assert scene.wait_for("events", times=before + 1)


@pytest.mark.concurrent("threads")
def test_a_commit_of_another_process_wakes_the_daemon(store: Store, database_url: str) -> None:
    scene = Scene()
    built = built_of(store, "jd")
    other = Store.open(database_url)
    channel_id = built.ctx.channel("jd").id
    try:
        with running(built, scene):
            assert scene.wait_for("inbox")
            scene.due["jd"] = ["orders"]
            with other.begin() as tx:
                want_pass(tx, channel_id, ["orders"])
            assert scene.wait_for("orders", "jd")
    finally:
        other.close()


def stock_row(store: Store, ctx: Context, *, lane: int, in_s: float) -> None:
    channel_id = ctx.channel("jd").id
    with store.begin() as tx:
        effect = Effect(
            destination_id=channel_id,
            kind=STOCK,
            key=f"listing {lane} {in_s}",
            ref_id=1,
            serial_key=f"{lane} {in_s}",
            lane=lane,
            run_at=tx.now + timedelta(seconds=in_s),
            marked_at=tx.now,
        )
        enqueue(tx, [effect])


@pytest.mark.concurrent("threads")
@on_postgresql  # SQLite says that something was committed, not by whom
def test_a_commit_of_the_daemon_itself_wakes_it_once(store: Store) -> None:
    heard: list[set[Stage]] = []
    watching = PostgresWatcher(store, heard.append)
    watching.start()
    try:
        assert eventually(lambda: len(heard) == 1)
        with store.begin() as tx:
            tx.wake(Stage.DIRTY)
        with Store(store.engine).begin() as tx:
            tx.wake(Stage.PUSH)
        assert eventually(lambda: len(heard) == 2)
    finally:
        watching.stop()

    assert heard[1] == {"push"}


def test_looking_what_is_due_costs_no_more_for_forty_shops_than_for_one(store: Store) -> None:
    ctx = built_of(store, *(f"shop-{number}" for number in range(40))).ctx
    asked: list[str] = []
    listen(store.engine, "before_cursor_execute", lambda *what: asked.append(what[2]))

    outlooks(ctx, ctx.channels.values())

    assert len([query for query in asked if query.startswith("SELECT")]) == 2


@pytest.mark.concurrent("threads")
def test_a_due_row_is_pushed_at_once_and_a_later_one_when_its_time_comes(store: Store) -> None:
    built, scene = built_of(store, "jd"), Scene()
    with running(built, scene):
        stock_row(store, built.ctx, lane=LANE_REST, in_s=0.5)
        assert scene.wait_for("push", "jd")
        stock_row(store, built.ctx, lane=LANE_URGENT, in_s=0)
        assert scene.wait_for("urgent", "jd")


def test_what_is_due_is_found_per_destination_kind_and_urgency(store: Store) -> None:
    built = built_of(store, "jd")
    clocked = Store(store.engine, clock=ManualClock(store.clock.now()))
    jd = built.ctx.channel("jd").id
    stock_row(clocked, built.ctx, lane=LANE_REST, in_s=60)
    stock_row(clocked, built.ctx, lane=LANE_REST, in_s=90)
    stock_row(clocked, built.ctx, lane=LANE_URGENT, in_s=-5)

    assert sorted(due_rows(clocked), key=lambda due: due.in_s) == [
        Due(destination_id=jd, kind=STOCK, urgent=True, in_s=pytest.approx(-5, abs=0.001)),
        Due(destination_id=jd, kind=STOCK, urgent=False, in_s=pytest.approx(60, abs=0.001)),
    ]


@pytest.mark.concurrent("threads")
def test_what_runs_at_the_end_gets_its_time_and_is_waited_for(store: Store) -> None:
    scene = Scene(due={"jd": ["orders"]})
    inside = threading.Event()

    def page_by_page(channel: str, stream: str, stopping: Callable[[], bool]) -> Pass:
        inside.set()
        assert eventually(stopping)
        return Pass()

    scene.poll = page_by_page
    daemon = Daemon(built_of(store, "jd", stop_s=LONG_S), stages=scene.stages())
    daemon.start()
    assert inside.wait(LONG_S)

    assert daemon.stop()


@pytest.mark.concurrent("threads")
def test_a_call_that_hangs_at_the_end_is_named_and_left_behind(store: Store) -> None:
    let_go = threading.Event()
    scene = Scene(due={"jd": ["orders"]})
    scene.poll = lambda channel, stream, stopping: (let_go.wait(LONG_S), Pass())[1]
    daemon = Daemon(built_of(store, "jd", stop_s=0.1), stages=scene.stages())
    daemon.start()
    assert scene.wait_for("orders", "jd")
    try:
        with capture_logs() as records:
            assert not daemon.stop()
    finally:
        let_go.set()
        daemon._jobs.wait_idle(LONG_S)

    assert [record["call"] for record in records if record["event"] == "call.abandoned"] == ["poll jd orders"]


def test_a_daemon_that_starts_takes_over_at_once_on_sqlite_and_waits_for_leases_elsewhere(store: Store) -> None:
    built, scene = built_of(store, "jd"), Scene()
    dead = Store(store.engine)
    assert take_lease(dead, "poll:jd:orders") is not None

    take_over(built, scene.stages())

    assert scene.reclaimed == [store.is_sqlite]
    assert (take_lease(store, "poll:jd:orders") is not None) == store.is_sqlite


@pytest.mark.concurrent("threads")
def test_a_changed_shop_starts_anew_on_reload_and_the_others_go_on(store: Store) -> None:
    built = built_of(store, "jd", "tmall")
    scene = Scene(due={"jd": ["orders"], "tmall": ["orders"]})
    ends: dict[str, int] = {"jd": 0, "tmall": 0}
    let_go = threading.Event()

    def until_told(channel: str, stream: str, stopping: Callable[[], bool]) -> Pass:
        assert eventually(lambda: stopping() or let_go.is_set())
        ends[channel] += 1
        return Pass()

    scene.poll = until_told
    with running(built, scene) as daemon:
        assert scene.wait_for("orders", "jd")
        assert scene.wait_for("orders", "tmall")
        jd = replace(built.config.channels[0], retention_days=7)
        added = replace(built.config.channels[0], id="pdd")
        built.next = Loaded(config=replace(built.config, channels=(jd, built.config.channels[1], added)))
        scene.due["pdd"] = ["orders"]

        with capture_logs() as records:
            assert daemon.reload().taken

        assert scene.wait_for("orders", "jd", times=2)
        assert scene.wait_for("orders", "pdd")
        assert (ends["tmall"], scene.count("orders", "tmall")) == (0, 1)
        let_go.set()

    (record,) = [record for record in records if record["event"] == "config.reloaded"]
    assert (record["added"], record["changed"], record["removed"]) == ("pdd", "jd", "")
    assert daemon.meters.value("erpsync_config_last_reload_successful") == 1


@pytest.mark.concurrent("threads")
def test_a_shop_that_is_taken_out_is_read_no_more(store: Store) -> None:
    built = built_of(store, "jd", "tmall")
    scene = Scene(due={"jd": ["orders"]})
    with running(built, scene) as daemon:
        assert scene.wait_for("orders", "jd")
        built.next = Loaded(config=replace(built.config, channels=built.config.channels[1:]))
        assert daemon.reload().taken
        assert daemon._jobs.wait_idle(LONG_S)
        count = scene.count("orders", "jd")
        scene.due["tmall"] = ["orders"]
        daemon._wake({Stage.POLL})
        assert scene.wait_for("orders", "tmall")
        assert scene.count("orders", "jd") == count


@pytest.mark.concurrent("threads")
def test_a_bad_configuration_changes_nothing_and_each_problem_is_told(store: Store) -> None:
    built, scene = built_of(store, "jd"), Scene()
    before = built.ctx
    problems = (
        Problem(file="erpsync.yaml", line=3, column=1, path="web", text="unknown key"),
        Problem(file="channels/jd.yaml", line=7, column=3, path="poll.orders_s", text="must be at least 1, is 0"),
    )
    with running(built, scene) as daemon, capture_logs() as records:
        built.next = Loaded(config=None, problems=problems)
        refused = daemon.reload()

    assert [str(problem) for problem in problems] == list(refused.problems)
    assert [record["problem"] for record in records if record["event"] == "config.refused"] == list(refused.problems)
    assert built.ctx is before
    assert daemon.meters.value("erpsync_config_last_reload_successful") == 0
    with store.read() as connection:
        told = connection.execute(select(event.c.detail).where(event.c.kind == "config.refused")).scalars().all()
    assert ["and 1 more" in detail for detail in told] == [True]


@pytest.mark.concurrent("threads")
def test_a_database_that_is_away_during_a_reload_keeps_the_old_configuration(store: Store) -> None:
    class Cut(FakeBuilt):
        def rebuild(self, config: Config) -> Context:
            raise OperationalError("update channel", {}, OSError("connection reset"))

    built, scene = Cut(config_of(store.engine.url.render_as_string(), "jd"), store), Scene()
    before = built.ctx
    with running(built, scene) as daemon:
        refused = daemon.reload()

    assert refused.problems == ("the database did not take it (OperationalError)",)
    assert built.ctx is before


@pytest.mark.concurrent("threads")
def test_a_database_that_is_away_behind_a_reload_does_not_end_the_daemon(store: Store) -> None:
    """What the new configuration changes is told and planned a little later."""
    scene = Scene()
    away = [OperationalError("select", {}, OSError("connection reset"))]

    def untold(ctx: Context) -> None:
        if scene.count("reloaded") and away:
            raise away.pop()
        scene.note("mark_untold")

    with running_with(built_of(store, "jd"), replace(scene.stages(), mark_untold=untold)) as daemon:
        scene.note("reloaded")

        assert daemon.reload().taken

        assert scene.wait_for("mark_untold", times=2)


def test_a_shop_that_refused_our_credentials_is_tried_at_once_after_a_reload(store: Store) -> None:
    """Row 10: nobody has to wait for the next probe once the token is renewed."""
    built, scene = built_of(store, "jd"), Scene(due={"jd": ["orders"]})
    with store.begin() as tx:
        tx.execute(update(tables.channel).values(auth_failed_at=tx.now))

    assert reload(built, World(built.ctx, stages=scene.stages(), meters=Meters())).taken

    with store.read() as connection:
        assert connection.execute(select(tables.channel.c.auth_failed_at)).scalar_one() is None
        assert read_cursor(connection, built.ctx.channel("jd").id, "orders").wanted


@pytest.mark.concurrent("threads")
def test_another_database_needs_a_restart(store: Store) -> None:
    built, scene = built_of(store, "jd"), Scene()
    with running(built, scene) as daemon:
        built.next = Loaded(config=replace(built.config, database="sqlite:////elsewhere.db", web_port=9000))

        assert daemon.reload().problems == (
            "database changed; that needs a restart",
            "web.listen changed; that needs a restart",
        )


@pytest.mark.concurrent("threads")
def test_the_daemon_is_alive_while_it_ticks_writes_and_no_worker_is_overdue(store: Store) -> None:
    scene = Scene()
    with running(built_of(store, "jd"), scene) as daemon:
        assert eventually(daemon.alive)
        run = daemon._world.runs.begin("poll jd orders", deadline_s=-1)
        assert not daemon.alive()
        daemon._world.runs.end(run)
        assert eventually(daemon.alive)


@pytest.mark.concurrent("threads")
def test_a_heart_that_does_not_beat_stops_the_signs_of_life_and_not_the_loop(store: Store) -> None:
    """The watchdog hears of it; `/livez` asks for the loop alone, and `/readyz` for the database."""
    with running(built_of(store, "jd"), Scene()) as daemon:
        assert eventually(daemon.alive)
        daemon._beat.close()
        assert eventually(lambda: not daemon._beat.busy)
        daemon._world.presence.tried_at_s = float("-inf")

        assert not daemon.alive()
        assert eventually(daemon.turns)


@pytest.mark.concurrent("threads")
def test_a_database_that_takes_no_writes_is_no_reason_to_restart_and_is_named(store: Store) -> None:
    """A restart would not get the lock either, and while it tries nobody tells the shops to come again."""
    with running(built_of(store, "jd"), Scene()) as daemon:
        with locked_by_another(store):
            daemon._world.presence.tried_at_s = float("-inf")
            assert eventually(lambda: "TAKES NO WRITES: another program holds" in daemon._summary())
            assert eventually(daemon.alive)
        daemon._beat.wake()
        assert eventually(lambda: daemon._summary() == "1 channels")


@contextmanager
def locked_by_another(store: Store) -> Iterator[None]:
    """Keep others from writing the heartbeat, as a backup program or an administrator's session does."""
    with store.engine.connect() as other, other.begin():
        if not store.is_sqlite:
            other.execute(text("LOCK TABLE node IN SHARE MODE"))
        yield


@pytest.mark.concurrent("threads")
def test_each_pass_runs_under_a_lease_unless_the_file_itself_is_locked(store: Store) -> None:
    scene = Scene(due={"jd": ["orders"]})
    with running(built_of(store, "jd"), scene):
        assert scene.wait_for("orders", "jd", times=2)

    assert {lease_ is None for lease_ in scene.leases} == {store.is_sqlite}
    with store.read() as connection:
        ends = connection.execute(select(lease.c.until_at).where(lease.c.key == "poll:jd:orders")).scalars().all()
    assert all(end <= store.clock.now() for end in ends)


@pytest.fixture
def two_nodes(postgres_server: object, migrated_postgres: str) -> Iterator[tuple[Store, Store, ManualClock]]:
    """Two nodes on one PostgreSQL, with a clock of ours."""
    name = "two_nodes"
    url = postgres_server.create(name, template=migrated_postgres)
    clock = ManualClock()
    first, second = Store.open(url, clock=clock), Store.open(url, clock=clock)
    yield first, second, clock
    first.close()
    second.close()
    postgres_server.drop(name)


@pytest.mark.postgresql
def test_two_nodes_share_the_shops_and_one_takes_over_when_the_other_dies(
    two_nodes: tuple[Store, Store, ManualClock],
) -> None:
    """Row 15; a dead node's leases pass on within 15 s."""
    first, second, clock = two_nodes
    one, two = Presence(first, Meters()), Presence(second, Meters())
    shops = [f"shop-{number}" for number in range(40)]
    assert not one.beat()
    assert not two.beat()
    assert not one.beat()

    assert [one.preferred(shop) != two.preferred(shop) for shop in shops] == [True] * 40
    assert 5 < sum(one.preferred(shop) for shop in shops) < 35
    with one.lease("poll:shop-1:orders") as held:
        assert held is not None
        with two.lease("poll:shop-1:orders") as refused:
            assert refused is None
        clock.advance(seconds=LEASE_S + 0.001)
        assert not one.good(held)
        assert two.beat()
        with two.lease("poll:shop-1:orders") as taken:
            assert taken is not None
            assert all(two.preferred(shop) for shop in shops)


@pytest.mark.postgresql
def test_a_lease_in_use_is_prolonged_and_a_lost_one_is_told(two_nodes: tuple[Store, Store, ManualClock]) -> None:
    first, second, clock = two_nodes
    meters = Meters()
    one, two = Presence(first, meters), Presence(second, Meters())
    with one.lease("poll:jd:orders") as held:
        clock.advance(seconds=8)
        one.beat()
        clock.advance(seconds=8)
        assert one.good(held)
        with two.lease("poll:jd:orders") as refused:
            assert refused is None
        clock.advance(seconds=LEASE_S)
        with two.lease("poll:jd:orders"), capture_logs() as records:
            one.beat()
            assert not one.good(held)

    assert [record["event"] for record in records] == ["lease.lost"]
    assert meters.value("erpsync_lease_changes_total", change="lost") == 1


@pytest.mark.postgresql
def test_a_node_that_leaves_is_no_longer_counted(two_nodes: tuple[Store, Store, ManualClock]) -> None:
    first, second, _ = two_nodes
    one, two = Presence(first, Meters()), Presence(second, Meters())
    with first.begin() as tx:
        row = {"id": "long gone", "version": "1", "started_at": tx.now, "heartbeat_at": tx.now - timedelta(days=2)}
        tx.execute(insert(node).values(row))
    one.beat()
    two.beat()

    one.leave()
    two.beat()

    assert all(two.preferred(f"shop-{number}") for number in range(20))
    with second.read() as connection:
        alive = select(node.c.id).where(living(second.clock.now()))
        assert connection.execute(alive).scalars().all() == [second.owner]
        assert connection.execute(select(node.c.id).where(node.c.id == "long gone")).first() is None
