"""Roles of couriers: parcels are booked with them, and they say what happens to each.

Why nothing here is sent again by itself: a second booking costs money and makes a second number, and which of the two
is on the parcel nobody can tell afterwards.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence

from erpsync.sdk.types import (
    Booking,
    BookingRequest,
    Cursor,
    Raw,
    Region,
    Repeat,
    TrackedParcel,
    TrackPage,
    Waybill,
    WaybillPage,
)


class CourierSink(ABC):
    """An account with a courier, or with a platform that books for several.

    Attributes:
        repeat: what may follow an unknown outcome of `book`.
        idempotent: whether the platform promises that a second booking of one key is no second waybill. What looking
            does not find is then sent again with its key; elsewhere it is looked for twice, `settle_s` apart, and
            then a person decides.
        settle_s: seconds after which looking finds what was booked.
        remembers_s: seconds for which the platform knows a key; what is older is as `Repeat.NEVER`. None: for ever.
        most_parcels: parcels that one booking may have.
        ciphertexts_of: names of the connectors whose hidden recipients it can be given.
    """

    repeat: Repeat
    idempotent: bool = False
    settle_s: int = 0
    remembers_s: int | None = None
    most_parcels: int = 1
    ciphertexts_of: frozenset[str] = frozenset()

    @abstractmethod
    def carriers(self) -> frozenset[str]:
        """Return our codes of the couriers that carry what is booked here. Asks nobody."""

    @abstractmethod
    def book(self, request: BookingRequest) -> Waybill | None:
        """Book once; returns only when the courier has accepted and given a number.

        None only from a `WaybillSource`: the booking is handed over, and its number follows there.

        Raises:
            RejectedError: refused, also where the courier took the key first and then says that it does not carry it
                (an area it does not serve). The key may be taken: another attempt needs a proven cancel.
            OutcomeUnknownError: no answer, or accepted without a number yet; `find_booking` tells later.

        `erpsync.sdk.bookings` refuses what cannot be booked here before it is sent.
        """

    def find_booking(self, request: BookingRequest) -> Waybill | None:
        """Return the waybill of a request's key, None where the courier has none of it; for `Repeat.LOOK_FIRST`.

        Raises:
            RejectedError: the courier has it and does not carry it.
            TransientError: the courier has it and gives no number yet, or cannot be asked now: look again later.
            OutcomeUnknownError: there is one that may be of this key or of another; a person has to say.
        """
        raise TypeError(f"{type(self).__name__} cannot look for bookings; {request.key} needs a person")

    @abstractmethod
    def cancel_booking(self, booking: Booking) -> bool | None:
        """Ask to void a booking; may be repeated, also for one that the courier may never have got.

        Returns True when it is void, which the courier has to have said; False when it is used or cannot be voided any
        more; None when that is not known, or the courier knows no such booking, which proves nothing.

        Raises:
            RejectedError: the courier does not void it for a reason that a person has to read.
        """

    @abstractmethod
    def label(self, booking: Booking) -> bytes:
        """Return the labels of all its parcels in one, of the kind that the waybill says.

        `erpsync.sdk.labels` checks that it is one.

        Raises:
            TransientError: it is not made yet.
            PayloadError: what came is no label; the waybill stays as it is.
        """

    def covers(self, region: Region) -> bool | None:
        """Return whether the courier delivers there; None where only a booking tells."""
        del region
        return None

    def balance(self) -> int | None:
        """Return how many more waybills can be booked; None where that is not counted."""
        return None


class WaybillSource(ABC):
    """A courier that tells numbers by itself: of what was handed over before, and such as were bought in advance.

    Where one of a booking never comes, nobody knows whether the courier has it; that is a person's matter, as after an
    unknown outcome.
    """

    @abstractmethod
    def carriers(self) -> frozenset[str]:
        """Return our codes of the couriers whose numbers it tells. Asks nobody."""

    @abstractmethod
    def pull_waybills(self, cursor: Cursor) -> Iterator[WaybillPage]:
        """Yield numbers, oldest first; code after a `yield` runs only when that page is committed.

        A number that is read twice changes nothing the second time.
        """


class TrackSource(ABC):
    """A courier that says what happens to parcels: asked by number, or by pushing it (`WebhookSource`), or both.

    A push is a `WebhookRecord` of the kind `track`, one per parcel; its head's `external_id` is the parcel's number, as
    that of what `pull_tracks` returns. What is told both ways, twice or in another order ends the same.

    Attributes:
        track_batch: most parcels that are asked about in one call of `pull_tracks`.
        ask_every_s: seconds between two questions about one parcel; a courier locks out who asks more often.
    """

    track_batch: int = 1
    ask_every_s: int = 1800

    @abstractmethod
    def pull_tracks(self, parcels: Sequence[TrackedParcel]) -> Sequence[Raw]:
        """Return what the courier says of these parcels, one record for each that it says anything of."""

    @abstractmethod
    def normalise_track(self, raw: Raw) -> TrackPage:
        """Return one parcel's nodes in normal form. Pure; raises `PayloadError` naming the field.

        A node that cannot be read costs no other: it is in `bad`.
        """

    def tracks(self, carrier: str) -> bool:
        """Whether it can be asked about parcels of a courier (our code) that were not booked with it. Asks nobody."""
        del carrier
        return False

    def watch_track(self, parcel: TrackedParcel) -> bool:
        """Ask for pushes about a parcel and return whether they come; may be repeated. Without pushes, False."""
        del parcel
        return False


COURIERS = (CourierSink, WaybillSource, TrackSource)
"""What an account with a courier plays; it is no shop."""
