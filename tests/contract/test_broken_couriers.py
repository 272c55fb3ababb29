"""The suite catches couriers that break their promises, by the name of the defect.

Each is the connector of SF Express or of Cainiao with one thing gone wrong, as shipping modules were found to be wrong:
a second booking after a time-out, "success" read where the parcel is not carried, a cancel that nobody confirmed.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, timedelta

import pytest

from connectors.cainiao.connector import BY_TRADE, CainiaoConnector
from connectors.cainiao.mapping import looked_up, trade_codes, waybill_of
from connectors.sf.connector import CREATE, SfConnector
from connectors.sf.mapping import label_data, label_files, order_data, personal
from erpsync.sdk.errors import (
    ConnectorError,
    OutcomeUnknownError,
    RateLimitedError,
    RejectedError,
    TransientError,
)
from erpsync.sdk.labels import demand_label
from erpsync.sdk.roles import Connector
from erpsync.sdk.testing import Finding, Harness, audit
from erpsync.sdk.testing.checks import CHECKS
from erpsync.sdk.types import (
    Booking,
    BookingRequest,
    LabelKind,
    Raw,
    Region,
    Repeat,
    TrackedParcel,
    TrackNode,
    TrackPage,
    TrackState,
    Waybill,
    WebhookRequest,
    WebhookResult,
)
from tests.connectors.cainiao.test_conformance import HiddenHarness
from tests.connectors.sf.account import PUSH_SECRET
from tests.connectors.sf.test_conformance import SfHarness


class Rewrites(SfConnector):
    """Changes what it found of a parcel."""

    def changed(self, page: TrackPage) -> TrackPage:
        return page

    def normalise_track(self, raw: Raw) -> TrackPage:
        return self.changed(super().normalise_track(raw))


class Relabels(SfConnector):
    """Raises another error than the one it met while it booked."""

    met: type[ConnectorError] = OutcomeUnknownError
    told: type[ConnectorError] = RejectedError

    def book(self, request: BookingRequest) -> Waybill:
        try:
            return super().book(request)
        except self.met as error:
            raise self.told(error.problem, code=error.code) from error


# ---- booking


class RepeatsTheBooking(SfConnector):
    def book(self, request: BookingRequest) -> Waybill:
        self._client.call(CREATE, order_data(request, self.settings), repeatable=True, hidden=personal(request))
        return super().book(request)


class DeniesTheBooking(Relabels):
    told = TransientError


class ClaimsTheBooking(SfConnector):
    def book(self, request: BookingRequest) -> Waybill:
        try:
            return super().book(request)
        except OutcomeUnknownError:
            return Waybill(key=request.key, carrier="SF", number="SF0", label_kind=LabelKind.PDF)


class CannotFindTheBooking(SfConnector):
    def find_booking(self, request: BookingRequest) -> Waybill | None:
        return None


class FindsANeighbour(SfConnector):
    def find_booking(self, request: BookingRequest) -> Waybill | None:
        found = super().find_booking(request)
        return found and replace(found, number="SF0")


class BooksAnotherKeyEachTime(SfConnector):
    def book(self, request: BookingRequest) -> Waybill:
        return replace(super().book(replace(request, key=f"{request.key}-{self.clock.now():%f}")), key=request.key)


class GivesNoNumber(SfConnector):
    def book(self, request: BookingRequest) -> Waybill:
        return replace(super().book(request), number="")


class ForgetsTheChildren(SfConnector):
    def book(self, request: BookingRequest) -> Waybill:
        return replace(super().book(request), children=())


class BooksAgainWhatItHas(SfConnector):
    """Takes a second number for a key that was cancelled in between, as if that were the same."""

    def book(self, request: BookingRequest) -> Waybill:
        first = self.find_booking(request)
        if first is not None:
            return replace(first, number=f"{first.number}0")
        return super().book(request)


class RefusesAKeyItHas(SfConnector):
    def book(self, request: BookingRequest) -> Waybill:
        if self.find_booking(request) is not None:
            raise RejectedError("SF has this key", code="8016")
        return super().book(request)


class KeepsTheReasonToItself(SfConnector):
    def book(self, request: BookingRequest) -> Waybill:
        try:
            return super().book(request)
        except RejectedError as error:
            raise RejectedError("SF refuses the booking", code=error.code) from error


class TakesEveryAcceptedBookingForCarried(SfConnector):
    def book(self, request: BookingRequest) -> Waybill:
        try:
            return super().book(request)
        except RejectedError:
            return Waybill(key=request.key, carrier="SF", number="SF0", label_kind=LabelKind.PDF)


class TakesAPendingNumberForARefusal(Relabels):
    pass


class ReturnsABookingWithoutANumber(SfConnector):
    def book(self, request: BookingRequest) -> Waybill:
        try:
            return super().book(request)
        except OutcomeUnknownError:
            return Waybill(key=request.key, carrier="SF", number="", label_kind=LabelKind.PDF)


class SendsWhatItCannotBook(SfConnector):
    def book(self, request: BookingRequest) -> Waybill:
        self._client.call(CREATE, order_data(request, self.settings), repeatable=False)
        return super().book(request)


class TakesTooFastForARefusal(Relabels):
    met = RateLimitedError


# ---- cancelling


class TakesNotFoundForVoid(SfConnector):
    def cancel_booking(self, booking: Booking) -> bool | None:
        said = super().cancel_booking(booking)
        return True if said is None else said


class VoidsWhatWasPickedUp(SfConnector):
    def cancel_booking(self, booking: Booking) -> bool | None:
        return True if super().cancel_booking(booking) is False else None


class TakesALostAnswerForACancel(SfConnector):
    def cancel_booking(self, booking: Booking) -> bool | None:
        try:
            return super().cancel_booking(booking)
        except TransientError:
            return True


class TakesVoidForUsed(SfConnector):
    def cancel_booking(self, booking: Booking) -> bool | None:
        return super().cancel_booking(booking) and False


# ---- labels


class HandsOverWhateverCame(SfConnector):
    def label(self, booking: Booking) -> bytes:
        answer = self._client.call("COM_RECE_CLOUD_PRINT_WAYBILLS", label_data(booking, self.settings.template))
        (file,) = label_files(answer.result)
        return self._client.fetch(file.url, file.token)


class HandsOverNothingYet(SfConnector):
    def label(self, booking: Booking) -> bytes:
        try:
            return super().label(booking)
        except TransientError:
            return b""


class CallsAPictureAPdf(SfConnector):
    def label(self, booking: Booking) -> bytes:
        return b"\x89PNG" + super().label(booking)


class OwesWaybills(SfConnector):
    def balance(self) -> int | None:
        return -1


class SaysPerhapsOfAPlace(SfConnector):
    def covers(self, region: Region) -> bool | None:
        return "perhaps"  # type: ignore[return-value]


# ---- tracks


class TellsInTheOrderOfTheList(Rewrites):
    def changed(self, page: TrackPage) -> TrackPage:
        return replace(page, nodes=page.nodes[::-1])


class TakesEveryScanForADelivery(Rewrites):
    def changed(self, page: TrackPage) -> TrackPage:
        return replace(page, nodes=tuple(replace(node, state=TrackState.DELIVERED) for node in page.nodes))


class TakesBeijingForUtc(Rewrites):
    def changed(self, page: TrackPage) -> TrackPage:
        hours = timedelta(hours=8)
        return replace(page, nodes=tuple(replace(node, at=node.at.astimezone(UTC) + hours) for node in page.nodes))


class TellsTheLastNodeOnly(Rewrites):
    def changed(self, page: TrackPage) -> TrackPage:
        return replace(page, nodes=page.nodes[-1:])


class NumbersTheNodes(Rewrites):
    """Makes keys out of places in the list, of which a push has another one."""

    def changed(self, page: TrackPage) -> TrackPage:
        nodes = [replace(node, key=f"{page.number}-{place}") for place, node in enumerate(page.nodes)]
        return replace(page, nodes=tuple(nodes))


class ListsANodeTwice(SfConnector):
    def normalise_track(self, raw: Raw) -> TrackPage:
        page, rows = super().normalise_track(raw), raw.payload.get("routes", [])
        if len(rows) == len(page.nodes):
            return page
        again = tuple(replace(node, key=f"{node.key}-again") for node in page.nodes)
        return replace(page, nodes=tuple(sorted((*page.nodes, *again), key=lambda node: node.at)))


class AsksForTheFirstOnly(SfConnector):
    def pull_tracks(self, parcels: Sequence[TrackedParcel]) -> list[Raw]:
        return super().pull_tracks(parcels[:1])


class TakesNoAnswerForNoNews(SfConnector):
    def pull_tracks(self, parcels: Sequence[TrackedParcel]) -> list[Raw]:
        try:
            return super().pull_tracks(parcels)
        except ConnectorError:
            return []


class LooksAtTheClock(SfConnector):
    def normalise_track(self, raw: Raw) -> TrackPage:
        now = TrackNode(key="now", at=self.clock.now(), state=TrackState.IN_TRANSIT)
        page = super().normalise_track(raw)
        return replace(page, nodes=(*page.nodes, now))


class LosesAllForOne(Rewrites):
    def changed(self, page: TrackPage) -> TrackPage:
        for bad in page.bad:
            raise bad.error
        return page


class LetsAKeyErrorOut(SfConnector):
    def normalise_track(self, raw: Raw) -> TrackPage:
        str(raw.payload["mailNo"] + "")
        return super().normalise_track(raw)


class ReadsNoPush(SfConnector):
    def read_webhook(self, request: WebhookRequest) -> WebhookResult:
        return WebhookResult(key=super().read_webhook(request).key, hints=("tracks",))


class TrustsEveryPush(SfConnector):
    def read_webhook(self, request: WebhookRequest) -> WebhookResult:
        return super().read_webhook(replace(request, path=PUSH_SECRET))


class WatchesOnlyOnce(SfConnector):
    def watch_track(self, parcel: TrackedParcel) -> bool:
        watched = vars(self).setdefault("watched", set[str]())
        known = parcel.number in watched
        watched.add(parcel.number)
        return not known


# ---- Cainiao, whose keys are not taken once


class ClaimsThatAKeyIsTakenOnce(CainiaoConnector):
    idempotent = True


class TakesTheFirstWaybillOfTheOrder(CainiaoConnector):
    def find_booking(self, request: BookingRequest) -> Waybill | None:
        ask = json.dumps([{"biz_sub_code": trade_codes(request)[0], "object_id": "look"}])
        found = next(looked_up(self._client.call(BY_TRADE, {"param_list": ask}).body), None)
        return None if found is None else waybill_of(found, request)


class LosesTheWaybillForItsLabel(CainiaoConnector):
    def book(self, request: BookingRequest) -> Waybill:
        waybill = super().book(request)
        demand_label(waybill.label, LabelKind.PRINT_DATA)
        return waybill


class LooksTwiceAtOnce(CainiaoConnector):
    settle_s = 0


class TellsThePerson(CainiaoConnector):
    def book(self, request: BookingRequest) -> Waybill:
        try:
            return super().book(request)
        except RejectedError as error:
            raise RejectedError(f"{error.problem} {request.recipient.name}") from error


BROKEN = [
    (ClaimsThatAKeyIsTakenOnce, "key_that_is_idempotent_is_one_waybill", Finding.DOUBLED_EFFECT),
    (TakesTheFirstWaybillOfTheOrder, "waybill_of_a_lost_answer_is_found_by_its_key", Finding.WRONG_NUMBER),
    (LosesTheWaybillForItsLabel, "label_that_is_none_costs_no_waybill", Finding.WRONG_ERROR_CLASS),
    (LooksTwiceAtOnce, "second_look_waits_for_what_is_late", Finding.CANNOT_LOOK),
    (TellsThePerson, "booking_that_is_refused_says_why", Finding.PERSONAL_DATA),
    (DeniesTheBooking, "booking_error_tells_the_truth", Finding.EFFECT_DENIED),
    (ClaimsTheBooking, "booking_error_tells_the_truth", Finding.EFFECT_CLAIMED),
    (RepeatsTheBooking, "booking_is_repeated_only_as_declared", Finding.REPEATED_NEVER_CALL),
    (CannotFindTheBooking, "booking_can_be_looked_for", Finding.CANNOT_LOOK),
    (CannotFindTheBooking, "waybill_of_a_lost_answer_is_found_by_its_key", Finding.CANNOT_LOOK),
    (FindsANeighbour, "waybill_of_a_lost_answer_is_found_by_its_key", Finding.WRONG_NUMBER),
    (GivesNoNumber, "waybill_has_the_numbers_that_the_courier_gave", Finding.EMPTY_NUMBER),
    (BooksAnotherKeyEachTime, "waybill_has_the_numbers_that_the_courier_gave", Finding.WRONG_NUMBER),
    (ForgetsTheChildren, "waybill_has_the_numbers_that_the_courier_gave", Finding.WRONG_NUMBER),
    (BooksAgainWhatItHas, "key_that_is_idempotent_is_one_waybill", Finding.WRONG_NUMBER),
    (RefusesAKeyItHas, "key_that_is_idempotent_is_one_waybill", Finding.WRONG_ERROR_CLASS),
    (KeepsTheReasonToItself, "booking_that_is_refused_says_why", Finding.WRONG_ERROR_CLASS),
    (TakesEveryAcceptedBookingForCarried, "booking_that_is_refused_says_why", Finding.SWALLOWED_ERROR),
    (TakesEveryAcceptedBookingForCarried, "booking_to_where_it_does_not_go_is_refused", Finding.SWALLOWED_ERROR),
    (TakesAPendingNumberForARefusal, "booking_without_a_number_is_looked_for_later", Finding.WRONG_ERROR_CLASS),
    (ReturnsABookingWithoutANumber, "booking_without_a_number_is_looked_for_later", Finding.EMPTY_NUMBER),
    (CannotFindTheBooking, "booking_without_a_number_is_looked_for_later", Finding.EMPTY_NUMBER),
    (SendsWhatItCannotBook, "booking_that_it_cannot_make_is_not_sent", Finding.EFFECT_DENIED),
    (TakesEveryAcceptedBookingForCarried, "booking_that_it_cannot_make_is_not_sent", Finding.EFFECT_CLAIMED),
    (TakesTooFastForARefusal, "booking_that_fails_says_who_acts", Finding.WRONG_ERROR_CLASS),
    (TakesNotFoundForVoid, "cancel_is_told_as_the_courier_said", Finding.UNPROVEN_CANCEL),
    (VoidsWhatWasPickedUp, "cancel_is_told_as_the_courier_said", Finding.UNPROVEN_CANCEL),
    (TakesVoidForUsed, "cancel_is_told_as_the_courier_said", Finding.EFFECT_DENIED),
    (TakesALostAnswerForACancel, "cancel_that_fails_is_no_cancel", Finding.UNPROVEN_CANCEL),
    (CallsAPictureAPdf, "label_is_one_of_its_kind", Finding.BAD_LABEL),
    (HandsOverNothingYet, "label_that_is_late_is_asked_for_again", Finding.BAD_LABEL),
    (HandsOverWhateverCame, "label_that_is_none_costs_no_waybill", Finding.BAD_LABEL),
    (OwesWaybills, "area_and_balance_are_told_or_not_known", Finding.BAD_QUANTITY),
    (SaysPerhapsOfAPlace, "area_and_balance_are_told_or_not_known", Finding.EFFECT_CLAIMED),
    (TellsInTheOrderOfTheList, "tracks_are_in_the_order_in_which_things_happened", Finding.WRONG_NODE),
    (TakesBeijingForUtc, "tracks_are_in_the_order_in_which_things_happened", Finding.WRONG_TIME),
    (TellsTheLastNodeOnly, "tracks_are_in_the_order_in_which_things_happened", Finding.LOST_NODE),
    (ListsANodeTwice, "node_that_the_courier_lists_twice_is_one", Finding.DOUBLED_NODE),
    (TakesEveryScanForADelivery, "code_that_nobody_knows_is_in_transit", Finding.WRONG_NODE),
    (AsksForTheFirstOnly, "parcels_that_are_asked_about_together_are_told_apart", Finding.LOST_NODE),
    (TakesNoAnswerForNoNews, "question_that_fails_is_no_answer", Finding.SWALLOWED_ERROR),
    (LooksAtTheClock, "normalise_track_depends_on_its_argument_alone", Finding.NOT_PURE),
    (LetsAKeyErrorOut, "mutilated_track_names_the_field", Finding.UNMAPPED_PAYLOAD),
    (LosesAllForOne, "node_that_cannot_be_read_costs_no_other", Finding.LOST_NODE),
    (NumbersTheNodes, "pushed_and_asked_are_the_same", Finding.DOUBLED_NODE),
    (ReadsNoPush, "pushed_and_asked_are_the_same", Finding.UNREAD_WEBHOOK),
    (TrustsEveryPush, "forged_webhook_is_refused", Finding.FORGED_WEBHOOK),
    (WatchesOnlyOnce, "watching_twice_is_allowed", Finding.EFFECT_CLAIMED),
]


def harness_of(broken: type[Connector]) -> Callable[[], Harness]:
    """Return harnesses whose connector is of another class than the one they were written for."""
    kind = HiddenHarness if issubclass(broken, CainiaoConnector) else SfHarness

    class Broken(kind):  # type: ignore[misc, valid-type]
        def connector(self) -> Connector:
            made = super().connector()
            return broken(made.settings, made.http, made.clock)

    return Broken


@pytest.mark.parametrize(("broken", "check", "finding"), BROKEN, ids=lambda each: getattr(each, "__name__", str(each)))
def test_a_broken_courier_is_caught_by_the_name_of_its_defect(
    broken: type[Connector], check: str, finding: Finding
) -> None:
    found = audit(harness_of(broken), only=[check])

    assert found[check].finding is finding


def test_every_check_of_couriers_is_shown_by_a_broken_one() -> None:
    modules = ("erpsync.sdk.testing.couriers", "erpsync.sdk.testing.tracks")
    names = {item.name for item in CHECKS if item.body.__module__ in modules}

    assert names - {check for _, check, _ in BROKEN} == set()


def test_a_courier_that_is_never_asked_twice_owes_no_look() -> None:
    class AsksAPerson(SfConnector):
        repeat = Repeat.NEVER
        idempotent = False

    assert audit(harness_of(AsksAPerson)) == {}
