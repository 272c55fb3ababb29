"""What no courier can book, refused before it is sent.

Why here and not in each connector: what was refused before the call is certain not to have happened, and a refusal by
the courier itself may have taken the key.
"""

from erpsync.sdk.errors import RejectedError
from erpsync.sdk.roles.couriers import CourierSink
from erpsync.sdk.types import BookingRequest


def demand_bookable(sink: CourierSink, request: BookingRequest) -> None:
    """Raise `RejectedError` for a request that this account cannot book, whatever the courier would say."""
    if request.carrier not in sink.carriers():
        raise RejectedError(f"this account books no parcels with {request.carrier}", code="carrier")
    if not 1 <= len(request.parcels) <= sink.most_parcels:
        raise RejectedError(
            f"one booking here has from 1 to {sink.most_parcels} parcels, this one has {len(request.parcels)}",
            code="parcels",
        )
    if not all(parcel.goods for parcel in request.parcels):
        raise RejectedError("nothing says what is in a parcel of this booking", code="goods")
    if request.recipient.ciphertext and request.platform not in sink.ciphertexts_of:
        raise RejectedError(
            f"the recipient is hidden by {request.platform or 'a platform'} and cannot be read by this courier",
            code="ciphertext",
        )
    if not request.recipient.complete:
        raise RejectedError("the recipient lacks a name, a phone or an address", code="recipient")
