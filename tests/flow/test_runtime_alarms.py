"""Who looks at what is wrong: each node at its own disks, one of them at the rest, none while nothing is written."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from erpsync.runtime.alarms import LOOK_S, Alarms
from erpsync.runtime.jobs import Jobs
from erpsync.runtime.meters import Meters
from erpsync.runtime.world import World
from erpsync.settings.config import StatusLimits
from erpsync.store.db.store import Store
from erpsync.store.leases import take_lease
from erpsync.store.status.storage import Disk
from tests.support.dialects import on_postgresql
from tests.support.scene import Scene, built_of, running_with

pytestmark = pytest.mark.concurrent("threads")

DISKS = (Disk(folder="/var", free_mb=7),)


class Watched(Scene):
    """Notes who looked at what."""

    def look_at(self) -> object:
        return replace(
            self.stages(),
            watch_alarms=lambda ctx, limits: (self.note(f"alarms {limits.dead_letters}"), 0)[1],
            watch_disks=lambda ctx, disks, limits: (self.note(f"disks {[disk.free_mb for disk in disks]}"), 0)[1],
            tell_late=lambda ctx: (self.note("late"), 0)[1],
            tell_stale=lambda ctx: 0,
            watch_accounts=lambda ctx: 0,
            learn_arrivals=lambda ctx: (self.note("learned"), 0)[1],
        )


@pytest.fixture
def other(database_url: str) -> Iterator[Store]:
    """Another node of the same database."""
    opened = Store.open(database_url)
    yield opened
    opened.close()


def alarms_of(store: Store, scene: Watched) -> tuple[Alarms, World]:
    built, meters = built_of(store, "jd"), Meters()
    world = World(built.ctx, stages=scene.look_at(), meters=meters)  # type: ignore[arg-type]
    jobs = Jobs({"upkeep": 1}, meters)
    return Alarms(world, jobs, limits=lambda: StatusLimits(dead_letters=3), disks=lambda: DISKS), world


def test_a_node_looks_at_its_disks_and_at_all_that_any_node_sees(store: Store) -> None:
    scene = Watched()
    alarms, _ = alarms_of(store, scene)

    assert alarms.look() == LOOK_S
    assert [what for what, _, _ in scene.diary] == ["disks [7]", "learned", "late", "alarms 3"]


@on_postgresql
def test_what_another_node_is_looking_at_is_left_to_it(store: Store, other: Store) -> None:
    scene = Watched()
    alarms, _ = alarms_of(store, scene)
    assert take_lease(other, "upkeep:alarms") is not None

    assert alarms.look() == LOOK_S
    assert [what for what, _, _ in scene.diary] == ["disks [7]"]


def test_nothing_is_tried_while_the_database_takes_no_writes(store: Store) -> None:
    scene = Watched()
    alarms, world = alarms_of(store, scene)
    world.presence.problem = "the database cannot be written to: the disk is full"

    assert alarms.look() == LOOK_S
    assert scene.diary == []


def test_the_daemon_looks_by_itself(store: Store) -> None:
    scene = Watched()
    with running_with(built_of(store, "jd"), scene.look_at()):  # type: ignore[arg-type]
        assert scene.wait_for("alarms 0")
