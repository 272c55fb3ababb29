"""The suite catches each way of breaking a promise, by the name of the defect.

failures.md rows 2, 3, 7, 12, 13, 14 and 16: the connectors in `broken` are wrong as real ones were.
"""

import pytest

from erpsync.sdk.testing import Finding, audit
from tests.contract.broken import (
    AnswersForStrangers,
    CallsInInit,
    CannotLook,
    ChangesThePayload,
    CheckShips,
    CheckShowsNothing,
    ClaimsTheEffect,
    CountsMoneyInFloats,
    DeclaresTheShipmentRepeatable,
    DeclaresTheShipmentSafe,
    DeniesTheEffect,
    DigestsTheTimeOfReading,
    DropsRefusals,
    FollowsItsOwnClock,
    ForgetsLevels,
    ForgetsUncommittedReports,
    HalfAHarness,
    InventsOrders,
    KeepsProgressInTheObject,
    LetsAKeyErrorOut,
    LetsAPayloadKeyErrorOut,
    LetsOneListingBlockTheOthers,
    LooksAtTheClockInNormalise,
    LosesTheLastPage,
    MissesAnUpdate,
    MovesTheCursorTooEarly,
    NamesNoPath,
    PagesForward,
    QuotesTheBuyer,
    RaisesForNothing,
    RefusesEveryWebhook,
    RepeatsANeverCall,
    RoundsMoneyThroughFloats,
    ScansOnePage,
    ScansTheSeamTwice,
    ScansUntilItFails,
    SellsNegatively,
    SpeaksOfNaiveTimes,
    StopsTheCatalogueEarly,
    SwallowsAnError,
    TakesBeijingForTheMachinesZone,
    TreatsABadTokenAsTransient,
    TreatsALimitAsTransient,
    TreatsARefusalAsTransient,
    TrustsEveryWebhook,
)
from tests.contract.reference import ShopConnector, ShopHarness
from tests.contract.test_broken_couriers import BROKEN as BROKEN_COURIERS
from tests.contract.test_broken_messages import BROKEN as BROKEN_MESSAGES

BROKEN = [
    (LosesTheLastPage, "orders_hands_over_every_record", Finding.LOST_PAGE),
    (PagesForward, "orders_loses_nothing_while_rows_move", Finding.LOST_PAGE),
    (MovesTheCursorTooEarly, "orders_mark_of_a_page_covers_no_more_than_the_page", Finding.CURSOR_TOO_EARLY),
    (KeepsProgressInTheObject, "orders_page_that_was_not_committed_is_read_again", Finding.HIDDEN_PROGRESS),
    (SwallowsAnError, "orders_failed_request_is_no_end_of_data", Finding.SWALLOWED_ERROR),
    (FollowsItsOwnClock, "windows_follow_the_platform_s_clock", Finding.OWN_CLOCK),
    (CountsMoneyInFloats, "orders_hands_over_every_record", Finding.FLOAT_MONEY),
    (RoundsMoneyThroughFloats, "orders_amounts_arrive_to_the_cent", Finding.WRONG_MONEY),
    (SpeaksOfNaiveTimes, "orders_hands_over_every_record", Finding.NAIVE_TIME),
    (TakesBeijingForTheMachinesZone, "orders_the_machine_s_time_zone_changes_nothing", Finding.WRONG_TIME),
    (DigestsTheTimeOfReading, "orders_unchanged_record_looks_unchanged", Finding.UNSTABLE_DIGEST),
    (InventsOrders, "orders_hands_over_every_record", Finding.INVENTED_RECORD),
    (SellsNegatively, "orders_hands_over_every_record", Finding.BAD_QUANTITY),
    (LetsAKeyErrorOut, "orders_failures_get_the_class_that_says_who_acts", Finding.UNMAPPED_ERROR),
    (RaisesForNothing, "orders_hands_over_every_record", Finding.UNPROVOKED_ERROR),
    (MissesAnUpdate, "orders_loses_nothing_while_rows_move", Finding.STALE_RECORD),
    (TreatsALimitAsTransient, "orders_failures_get_the_class_that_says_who_acts", Finding.WRONG_ERROR_CLASS),
    (TreatsABadTokenAsTransient, "orders_expired_credentials_are_an_operator_s_matter", Finding.WRONG_ERROR_CLASS),
    (LooksAtTheClockInNormalise, "orders_normalise_depends_on_its_argument_alone", Finding.NOT_PURE),
    (ChangesThePayload, "orders_hands_over_every_record", Finding.NOT_PURE),
    (LetsAPayloadKeyErrorOut, "orders_mutilated_payload_names_the_field", Finding.UNMAPPED_PAYLOAD),
    (NamesNoPath, "orders_mutilated_payload_names_the_field", Finding.WRONG_PATH),
    (QuotesTheBuyer, "orders_mutilated_payload_names_the_field", Finding.PERSONAL_DATA),
    (RepeatsANeverCall, "shipment_is_repeated_only_as_declared", Finding.REPEATED_NEVER_CALL),
    (DeclaresTheShipmentRepeatable, "shipment_is_repeated_only_as_declared", Finding.REPEATED_NEVER_CALL),
    (DeclaresTheShipmentSafe, "shipment_declared_safe_may_be_sent_twice", Finding.DOUBLED_EFFECT),
    (DeniesTheEffect, "shipment_error_tells_the_truth", Finding.EFFECT_DENIED),
    (ClaimsTheEffect, "shipment_error_tells_the_truth", Finding.EFFECT_CLAIMED),
    (CannotLook, "shipment_can_be_looked_for", Finding.CANNOT_LOOK),
    (TreatsARefusalAsTransient, "shipment_the_platform_refuses_is_an_operator_s_matter", Finding.WRONG_ERROR_CLASS),
    (LetsOneListingBlockTheOthers, "refused_listing_blocks_no_other", Finding.BLOCKED_BY_ONE),
    (DropsRefusals, "refused_listing_blocks_no_other", Finding.SWALLOWED_ERROR),
    (ForgetsLevels, "stock_levels_are_absolute", Finding.STOCK_NOT_SET),
    (AnswersForStrangers, "refused_listing_blocks_no_other", Finding.UNKNOWN_KEY),
    (CallsInInit, "making_a_connector_calls_nobody", Finding.IO_IN_INIT),
    (CheckShips, "check_changes_nothing", Finding.CHECK_CHANGES),
    (CheckShowsNothing, "check_says_what_is_wrong", Finding.SWALLOWED_ERROR),
    (TrustsEveryWebhook, "forged_webhook_is_refused", Finding.FORGED_WEBHOOK),
    (RefusesEveryWebhook, "genuine_webhook_is_read", Finding.UNREAD_WEBHOOK),
    (StopsTheCatalogueEarly, "catalogue_is_read_to_its_end", Finding.LOST_LISTING),
    (ScansTheSeamTwice, "scan_names_every_order_of_its_window_and_no_other", Finding.INVENTED_RECORD),
    (ScansOnePage, "scan_names_every_order_of_its_window_and_no_other", Finding.LOST_PAGE),
    (ScansUntilItFails, "scan_that_fails_is_no_short_list", Finding.SWALLOWED_ERROR),
    (ForgetsUncommittedReports, "parcels_reports_arrive_whatever_page_the_daemon_dies_at", Finding.LOST_REPORT),
]


@pytest.mark.parametrize(("broken", "check", "finding"), BROKEN, ids=[row[0].__name__ for row in BROKEN])
def test_a_broken_connector_is_caught_by_the_name_of_its_defect(
    broken: type[ShopConnector], check: str, finding: Finding
) -> None:
    found = audit(lambda: ShopHarness(broken), only=[check])

    assert found[check].finding is finding


def test_every_finding_is_shown_by_a_broken_connector() -> None:
    shown = {finding for _, _, finding in (*BROKEN, *BROKEN_COURIERS, *BROKEN_MESSAGES)} | {Finding.NO_HARNESS}

    assert set(Finding) - shown == set()


def test_a_harness_that_lacks_a_method_is_told_which() -> None:
    found = audit(HalfAHarness, only=["orders_hands_over_every_record"])

    assert found["orders_hands_over_every_record"].finding is Finding.NO_HARNESS
    assert "HalfAHarness.add_order" in str(found["orders_hands_over_every_record"])


def test_a_check_that_does_not_exist_cannot_be_asked_for() -> None:
    with pytest.raises(ValueError, match="no check 'orders_are_nice'"):
        audit(ShopHarness, only=["orders_are_nice"])
