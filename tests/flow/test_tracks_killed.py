"""A process that ends at a commit while parcels are asked about or wait for their scan: run again, all is whole."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from erpsync.flows.context import Context
from erpsync.flows.intake.track_questions import ask_tracks
from erpsync.flows.operations.upkeep import reclaim_leases
from erpsync.flows.shipments.push import push_shipments
from tests.support import looking
from tests.support.dying import Crash, DyingStore
from tests.support.shop import Town
from tests.support.tracked import SfDesk, ask, build_sf_desk, nodes, said, where

HOUR_S = 3600


@pytest.fixture
def desk(database_url: str) -> Iterator[SfDesk]:
    """A desk of a shop that is told at the scan."""
    made = build_sf_desk(database_url)
    channel = replace(made.town.channel(), orders=replace(made.town.channel().orders, tell="scan"))
    made.town.ctx = replace(made.town.ctx, channels={**made.town.ctx.channels, channel.id: channel})
    yield made
    made.town.store.close()


def dies(town: Town, commits: int, act: Callable[[Context], Any]) -> bool:
    """Let a process end behind so many commits; whether it did."""
    store = DyingStore(town.store.engine, clock=town.clock, vault=town.store.vault)
    store.clock, store.commits_left = town.store.clock, commits
    try:
        act(replace(town.ctx, store=store))
    except Crash:
        return True
    return False


@pytest.mark.parametrize("commits", range(1, 7))
def test_a_parcel_is_asked_about_again_in_its_next_turn_and_said_once(desk: SfDesk, commits: int) -> None:
    number = desk.leave()
    desk.scan(number, "50")
    dies(desk.town, commits, lambda ctx: ask_tracks(ctx, ctx.channel("sf")))
    assert ask(desk.town) <= 1
    desk.town.advance(6 * HOUR_S)
    ask(desk.town)

    assert (where(desk.town), said(desk.town), len(nodes(desk.town))) == (["picked_up"], ["parcel.scanned"], 1)


@pytest.mark.parametrize("commits", range(1, 7))
def test_a_parcel_that_waits_for_its_scan_is_told_once(desk: SfDesk, commits: int) -> None:
    number = desk.leave()

    def tell(ctx: Context) -> None:
        while push_shipments(ctx, ctx.channel("shop")):
            pass

    def scan_and_tell(ctx: Context) -> None:
        tell(ctx)
        ask_tracks(ctx, ctx.channel("sf"))
        tell(ctx)

    desk.scan(number, "50")
    dies(desk.town, commits, scan_and_tell)
    desk.town.advance(6 * HOUR_S)
    reclaim_leases(desk.town.ctx)
    ask(desk.town)
    for _ in range(3):
        desk.town.advance(400)
        tell(desk.town.ctx)

    assert looking.told_parcels(desk.town) == [number]
