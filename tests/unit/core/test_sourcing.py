"""Which warehouses may serve whom, and which of them can bring the parts of a unit together."""

import pytest

from erpsync.core.sourcing import Sourcing

SHOP, OTHER = 1, 2
SH, GZ, WMS = 10, 20, 30


def test_warehouses_that_people_ship_from_count_as_one_place_where_the_first_of_them_stands() -> None:
    sourcing = Sourcing(by_channel={SHOP: (WMS, SH, GZ)}, run={WMS})

    assert sourcing.together((SH, WMS, GZ)) == ((SH, GZ), (WMS,))
    assert sourcing.together(sourcing.of(SHOP)) == ((WMS,), (SH, GZ))


def test_a_channel_that_is_not_configured_is_served_from_nowhere() -> None:
    assert Sourcing(by_channel={SHOP: (SH,)}).of(OTHER) == ()
    assert Sourcing(by_channel={SHOP: (SH,)}).of(None) == ()


@pytest.mark.parametrize(
    ("by_channel", "tears"),
    [
        ({SHOP: (SH, GZ)}, False),
        ({SHOP: (WMS,), OTHER: (SH, GZ)}, False),
        ({SHOP: (SH, GZ), OTHER: (SH, WMS)}, True),
    ],
)
def test_units_can_be_torn_where_one_channel_has_places_that_bring_nothing_together(
    by_channel: dict[int, tuple[int, ...]], tears: bool
) -> None:
    assert Sourcing(by_channel=by_channel, run={WMS}).tears is tears


def test_what_some_channel_sells_from_is_selling() -> None:
    assert Sourcing(by_channel={SHOP: (SH,), OTHER: (SH, GZ)}).selling == {SH, GZ}
