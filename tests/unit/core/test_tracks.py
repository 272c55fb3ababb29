"""What the nodes of a parcel come to, and how often its courier is asked."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from erpsync.core.tracks import ask_again_s, stand
from erpsync.sdk.types import TrackNode, TrackState

BEGAN = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def node(state: str, hours: float = 0, *, place: str = "", key: str = "") -> TrackNode:
    return TrackNode(key=key or f"{hours}-{state}", at=BEGAN + hours * HOUR, state=TrackState(state), place=place)


def parcel(*states: str) -> list[TrackNode]:
    """Return one node an hour."""
    return [node(state, hours) for hours, state in enumerate(states)]


def test_nothing_is_known_of_a_parcel_that_nobody_told_of() -> None:
    assert (stand([]).state, stand([]).scanned_at, stand([]).ended) == (None, None, False)


def test_the_latest_node_says_where_a_parcel_is() -> None:
    got = stand([node("in_transit", 2, place="上海市"), node("picked_up", 1, place="深圳市")])

    assert (got.state, got.place, got.last_at) == (TrackState.IN_TRANSIT, "上海市", BEGAN + 2 * HOUR)


def test_a_booking_that_the_courier_knows_of_is_no_scan() -> None:
    assert stand(parcel("announced")).scanned_at is None
    assert stand(parcel("announced", "picked_up")).scanned_at == BEGAN + HOUR


def test_delivered_is_final_whatever_else_is_written_later() -> None:
    got = stand(parcel("picked_up", "delivered", "in_transit", "problem"))

    assert (got.state, got.delivered_at, got.last_at) == (TrackState.DELIVERED, BEGAN + HOUR, BEGAN + HOUR)


@pytest.mark.parametrize("states", [("delivered", "returned"), ("returned", "delivered")])
def test_a_parcel_that_went_back_is_returned_though_it_was_signed_for(states: tuple[str, str]) -> None:
    assert stand(parcel(*states)).state is TrackState.RETURNED


def test_a_parcel_on_its_way_back_comes_back_though_it_is_not_there_yet() -> None:
    got = stand(parcel("picked_up", "returning"))

    assert (got.comes_back, got.returned_at, got.ended) == (True, None, False)


@given(st.data())
def test_the_order_in_which_nodes_are_told_does_not_matter(data: st.DataObject) -> None:
    drawn = data.draw(st.lists(st.tuples(st.sampled_from(TrackState), st.integers(0, 5)), unique=True, max_size=8))
    nodes = [node(state.value, hours) for state, hours in drawn]

    assert stand(data.draw(st.permutations(nodes))) == stand(nodes)


@pytest.mark.parametrize(
    ("age", "watched", "hours"), [(0, False, 0.5), (7, False, 2), (72, False, 6), (400, False, 24), (0, True, 6)]
)
def test_the_older_a_parcel_is_the_more_rarely_is_it_asked_about(age: int, watched: bool, hours: float) -> None:
    assert ask_again_s(age * HOUR, least_s=1800, watched=watched) == hours * 3600
