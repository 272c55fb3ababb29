"""What the daemon does beside selling, with stages that hang: no shop's trouble keeps another from anything."""

import threading
from collections.abc import Callable
from dataclasses import replace

import pytest

from erpsync.flows.context import Channel, Context
from erpsync.flows.reconcile.compare import Reconciled
from erpsync.settings import Loaded
from erpsync.store.db.store import Store
from tests.support.scene import LONG_S, Scene, built_of, eventually, running_with

pytestmark = pytest.mark.concurrent("threads")


@pytest.fixture
def clock() -> None:
    """That of the database itself."""


def test_shops_that_do_not_answer_keep_no_other_from_being_compared_and_no_reservation_from_ending(
    store: Store,
) -> None:
    let_go, scene = threading.Event(), Scene()

    def compare(ctx: Context, channel: Channel, *, stopping: Callable[[], bool]) -> Reconciled:
        scene.note("compared", channel.name)
        if channel.name != "well":
            let_go.wait(LONG_S)
        return Reconciled(sealed=1)

    def expire(ctx: Context) -> int:
        scene.note("expired")
        return 0

    built = built_of(store, "hang-1", "hang-2", "hang-3", "well")
    stages = replace(scene.stages(), reconcile=compare, expire_reservations=expire)
    try:
        with running_with(built, stages) as daemon:
            assert all(scene.wait_for("compared", name) for name in ("hang-1", "hang-2", "hang-3", "well"))
            assert scene.wait_for("expired", times=scene.count("expired") + 1)
            assert eventually(lambda: daemon.meters.value("erpsync_windows_sealed_total", channel="well") == 1)
            let_go.set()
    finally:
        let_go.set()


def test_a_shop_that_is_added_by_a_reload_is_compared_too(store: Store) -> None:
    scene = Scene()

    def compare(ctx: Context, channel: Channel, *, stopping: Callable[[], bool]) -> Reconciled:
        scene.note("compared", channel.name)
        return Reconciled()

    built = built_of(store, "jd")
    with running_with(built, replace(scene.stages(), reconcile=compare)) as daemon:
        assert scene.wait_for("compared", "jd")
        added = replace(built.config.channels[0], id="pdd")
        built.next = Loaded(config=replace(built.config, channels=(*built.config.channels, added)))

        assert daemon.reload().taken

        assert scene.wait_for("compared", "pdd")
