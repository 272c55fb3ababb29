"""What couriers tell of a parcel comes doubled and in any order, by nodes or whole lists: the sum is the same."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from erpsync.flows.shipments.tracks import Told, apply_tracks
from erpsync.sdk.types import TrackNode, TrackPage, TrackState
from erpsync.store.tables import track, track_node
from erpsync.store.tracks import begin_tracks
from tests.support import looking
from tests.support.shop import NOON, Town
from tests.support.tracked import SfDesk, build_sf_desk

NUMBERS = count(1)
STATES = (
    TrackState.ANNOUNCED,
    TrackState.PICKED_UP,
    TrackState.IN_TRANSIT,
    TrackState.DELIVERED,
    TrackState.IN_TRANSIT,
    TrackState.RETURNED,
)
TALE = [
    TrackNode(key=f"n{hours}", at=NOON + timedelta(hours=hours), state=state, text="快件", place=f"P{hours}")
    for hours, state in enumerate(STATES)
]
OFTEN = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def desk(database_url: str) -> Iterator[SfDesk]:
    """A desk whose parcels SF tells of."""
    made = build_sf_desk(database_url)
    yield made
    made.town.store.close()


def told(town: Town, pages: Sequence[tuple[Sequence[TrackNode], bool]], *, at_once: bool) -> tuple[object, ...]:
    """Let a new parcel be told of by these (nodes, whole) in turn; return its sum and nodes."""
    number = f"SF{next(NUMBERS)}"
    read = [
        Told(
            page=TrackPage(carrier="SF", number=number, nodes=tuple(nodes), whole=whole),
            payload={},
            read_to=NOON + timedelta(days=1),
        )
        for nodes, whole in pages
    ]
    with town.store.begin() as tx:
        begin_tracks(tx, [("SF", number)])
    for batch in [read] if at_once else [[each] for each in read]:
        with town.store.begin() as tx:
            assert apply_tracks(tx, town.channel("sf"), batch) == []
    summed = select(track.c.state, track.c.place, track.c.last_at, track.c.scanned_at, track.c.returned_at)
    keys = select(track_node.c.key).join(track).where(track.c.number == number).order_by(track_node.c.key)
    return (*looking.rows(town, summed.where(track.c.number == number)), *looking.rows(town, keys))


@OFTEN
@given(data=st.data())
def test_nodes_that_come_doubled_and_in_any_order_end_the_same(desk: SfDesk, data: st.DataObject) -> None:
    some = data.draw(st.lists(st.sampled_from(TALE), min_size=1, max_size=6, unique_by=lambda node: node.key))
    doubled = data.draw(st.permutations([*some, *some[:2]]))
    once = sorted(some, key=lambda node: node.at)
    at_once = data.draw(st.booleans())

    got = told(desk.town, [([node], False) for node in doubled], at_once=at_once)

    assert got == told(desk.town, [(once, False)], at_once=True)


@OFTEN
@given(data=st.data())
def test_whole_lists_that_come_in_any_order_end_with_the_newest(desk: SfDesk, data: st.DataObject) -> None:
    lists = [(TALE[:length], True) for length in range(1, len(TALE) + 1)]
    shuffled = data.draw(st.permutations([*lists, lists[0]]))

    got = told(desk.town, shuffled, at_once=data.draw(st.booleans()))

    assert got == told(desk.town, lists[-1:], at_once=True)
