"""Windows of a channel's past: scanned, compared, sealed; what was missed is brought in and told (failures row 2)."""

from collections.abc import Callable

import pytest

from erpsync.flows.channels.control import pause_channel
from erpsync.flows.inventory.counts import set_stock
from erpsync.flows.reconcile.certificate import prove
from erpsync.flows.reconcile.compare import reconcile
from erpsync.flows.reconcile.windows import SealReport, seal_windows
from erpsync.sdk.errors import TransientError
from tests.support.looking import letters, rows, see, status, story
from tests.support.shop import NOON, Town, days
from tests.support.walk import poll, settle_in

HOUR = 3600
MakeTown = Callable[..., Town]


@pytest.fixture
def town(proven: Town) -> Town:
    return proven


def an_hour_goes_by(town: Town) -> None:
    """Let an hour and the lag go by, with a pass at its end."""
    town.advance(HOUR + 301)
    settle_in(town)


def seal(town: Town) -> SealReport:
    return seal_windows(town.ctx, town.channel(), most=100)


def certificate(town: Town) -> dict[str, object]:
    with town.store.read() as connection:
        found = prove(connection, town.ctx, channels=[town.channel()], until=NOON + 2 * days(1 / 24), at=NOON + days(9))
    return dict(found["channels"][0])


def windows(town: Town) -> list[tuple[object, ...]]:
    return rows(town, "SELECT order_count, sealed_at IS NOT NULL, reopened, missed FROM seal_window ORDER BY start_at")


def test_an_hour_is_sealed_by_two_scans_an_hour_apart(town: Town) -> None:
    town.shop.place("o1", ("TEA", 1))
    an_hour_goes_by(town)

    first, second = seal(town), seal(town)
    town.advance(HOUR + 1)
    third = seal(town)

    assert [(each.scanned, each.sealed) for each in (first, second, third)] == [(1, 0), (0, 0), (1, 1)]
    assert windows(town) == [(1, 1, 0, 0)]


def test_an_order_that_no_pass_ever_showed_is_found_stored_and_keeps_its_hour_open(town: Town) -> None:
    town.shop.place("o1", ("TEA", 1))
    town.shop.place("o2", ("TEA", 1))
    town.shop.unlisted = {"o2"}
    an_hour_goes_by(town)
    seal(town)
    town.shop.unlisted = set()
    town.advance(HOUR + 1)

    found = seal(town)

    assert (found.missed, found.sealed) == (1, 0)
    assert status(town, "o2") == ("held", "unmapped_sku")
    assert "order.found_late" in story(town, "o2")
    assert windows(town) == [(2, 0, 0, 1)]

    town.advance(HOUR + 1)
    assert seal(town).sealed == 1
    assert certificate(town)["late"] == ["o2"]


def test_an_order_that_comes_late_opens_a_sealed_hour_again(town: Town) -> None:
    town.shop.place("o1", ("TEA", 1))
    town.shop.place("o2", ("TEA", 1))
    town.shop.unlisted = {"o2"}
    an_hour_goes_by(town)
    seal(town)
    town.advance(HOUR + 1)
    assert seal(town).sealed == 1

    town.shop.unlisted = set()
    town.advance(86_401)
    found = seal(town)

    assert found.missed == 1
    assert windows(town)[0] == (2, 0, 1, 1)
    assert certificate(town)["state"] == "open"


@pytest.mark.parametrize("later", [1, 9], ids="{}d".format)
def test_an_order_that_a_pass_brings_late_opens_its_hour_at_once_however_old_it_is(town: Town, later: int) -> None:
    """Failures row 2: hours are scanned again for three days only, a certificate is asked for later too."""
    town.shop.place("o1", ("TEA", 1))
    town.shop.place("o2", ("TEA", 1))
    town.shop.unlisted = {"o2"}
    an_hour_goes_by(town)
    seal(town)
    town.advance(HOUR + 1)
    assert seal(town).sealed == 1
    assert certificate(town)["state"] == "sealed"

    town.advance(later * 86_400)
    town.shop.unlisted = set()
    town.shop.change("o2")
    poll(town)

    assert windows(town)[0] == (1, 0, 1, 0)
    assert certificate(town)["state"] == "open"
    assert "o2" in str(certificate(town)["unsealed"])
    query = "SELECT detail FROM event WHERE kind = 'window.reopened'"
    assert ["o2" in str(detail) for (detail,) in rows(town, query)] == [True]

    for _ in range(2):
        seal(town)
        town.advance(HOUR + 1)
        settle_in(town)
    assert windows(town)[0] == (2, 1, 1, 0)


def test_an_order_of_an_hour_that_is_not_sealed_opens_nothing(town: Town) -> None:
    town.shop.place("o1", ("TEA", 1))
    an_hour_goes_by(town)
    seal(town)
    town.advance(HOUR + 1)
    assert seal(town).sealed == 1

    town.shop.place("o2", ("TEA", 1))
    town.shop.change("o1")
    poll(town)

    assert windows(town)[0] == (1, 1, 0, 0)


def test_a_change_that_was_missed_is_brought_in_but_one_that_is_only_young_is_no_miss(town: Town) -> None:
    town.shop.place("o1", ("TEA", 1))
    an_hour_goes_by(town)
    town.shop.change("o1", state="cancelled")

    found = seal(town)

    assert found.missed == 0
    assert status(town, "o1")[0] == "cancelled"


def test_an_order_that_cannot_be_read_is_a_dead_letter_and_keeps_its_hour_open(town: Town) -> None:
    town.shop.place("o1", ("TEA", 1), broken=True)
    an_hour_goes_by(town)
    seal(town)
    town.advance(HOUR + 1)

    assert seal(town).sealed == 0
    assert letters(town) == [("order", "o1")]
    assert "cannot be stored" in str(certificate(town)["unsealed"])


def test_a_list_that_lacks_what_we_have_seals_nothing_however_often_it_agrees(town: Town) -> None:
    """Failures row 11: an empty answer without an error is no proof."""
    town.shop.place("o1", ("TEA", 1))
    an_hour_goes_by(town)
    town.shop.unlisted = {"o1"}
    seal(town)
    town.advance(HOUR + 1)

    assert seal(town).sealed == 0
    assert "lacks 1 order that" in str(certificate(town)["unsealed"])


def test_a_scan_that_breaks_off_leaves_the_hour_for_the_next_run(town: Town) -> None:
    town.shop.place("o1", ("TEA", 1))
    an_hour_goes_by(town)
    town.shop.trouble["scan"] = [TransientError("no answer")]

    broken, again = seal(town), seal(town)

    assert (broken.scanned, again.scanned) == (0, 1)


def test_what_a_scan_found_before_it_broke_off_is_kept_and_stays_reported(town: Town) -> None:
    """Failures row 3: a scan whose second page fails is no scan, but its first page is not thrown away."""
    for name in ("o1", "o2", "o3"):
        town.shop.place(name, ("TEA", 1))
    town.shop.unlisted = {"o1"}
    an_hour_goes_by(town)
    town.shop.unlisted = set()
    town.shop.trouble["scan page 2"] = [TransientError("no answer")]

    broken, whole = seal(town), seal(town)

    assert (broken.scanned, whole.scanned, whole.missed) == (0, 1, 0)
    assert "order.found_late" in story(town, "o1")
    assert certificate(town)["late"] == ["o1"]


def test_a_scan_that_another_node_has_overtaken_changes_nothing(town: Town) -> None:
    town.shop.place("o1", ("TEA", 1))
    an_hour_goes_by(town)
    seal(town)
    town.advance(HOUR + 1)
    town.shop.at_scan = lambda: seal(town)

    assert seal(town).sealed == 1
    assert windows(town) == [(1, 1, 0, 0)]


def test_an_older_scan_does_not_overwrite_what_another_node_has_found_since(town: Town) -> None:
    town.shop.place("o1", ("TEA", 1))
    town.shop.place("o2", ("TEA", 1))
    town.shop.unlisted = {"o2"}
    an_hour_goes_by(town)

    def another_node_sees_more() -> None:
        town.shop.unlisted = set()
        seal(town)
        town.shop.unlisted = {"o2"}

    town.shop.at_scan = another_node_sees_more
    seal(town)

    assert windows(town) == [(2, 0, 0, 1)]


def test_an_hour_is_not_scanned_before_a_whole_pass_has_covered_it(town: Town) -> None:
    town.shop.place("o1", ("TEA", 1))
    town.advance(HOUR + 301)

    before = seal(town).scanned
    poll(town)

    assert (before, seal(town).scanned) == (0, 1)


def test_the_back_filled_days_are_scanned_a_few_hours_at_a_time_oldest_first(make_town: MakeTown) -> None:
    town = make_town()
    settle_in(town)

    found = seal_windows(town.ctx, town.channel(), most=6)

    assert (found.scanned, found.more) == (6, True)
    assert len(windows(town)) == 166
    assert rows(town, "SELECT count(*) FROM seal_window WHERE scanned_at IS NOT NULL") == [(6,)]


def test_a_comparison_of_a_channel_that_is_paused_calls_nobody(town: Town) -> None:
    an_hour_goes_by(town)
    pause_channel(town.ctx, "shop", reason="", actor="me")

    assert reconcile(town.ctx, town.channel()).scanned == 0


def test_a_found_order_is_allocated_like_any_other(town: Town) -> None:
    set_stock(town.ctx, warehouse="SH", sku="TEA", on_hand=5, actor="me")
    town.shop.place("o1", ("TEA", 2))
    town.shop.unlisted = {"o1"}
    an_hour_goes_by(town)
    town.shop.unlisted = set()

    seal(town)

    assert see(town, "o1")["status"] == "allocated"
