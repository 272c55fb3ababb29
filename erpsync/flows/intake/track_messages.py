"""What couriers push of parcels: read, applied, and counted where it is about none of ours.

Why no dead letter for a parcel that nobody knows: couriers tell of all that an account ever booked, also what another
program sent, and nothing of it waits for us.
"""

from collections.abc import Sequence

from erpsync.flows.context import Channel
from erpsync.flows.intake.unknown_messages import note_unknown
from erpsync.flows.shipments.tracks import Told, apply_tracks
from erpsync.sdk.roles import TrackSource, playing
from erpsync.sdk.types import Raw, UnknownMessage, WebhookResult
from erpsync.store.db.store import Tx

UNKNOWN, UNREAD = "parcel", "scan"
"""What is counted of pushes: a parcel that is none of ours, a scan that cannot be read."""


def read_tracks(channel: Channel, raws: Sequence[Raw]) -> list[Told]:
    """Return what records tell of parcels; raises `PayloadError` for one that says of none."""
    source = playing(channel.connector, TrackSource)
    if source is None:
        raise LookupError(f"channel {channel.name} tells of no parcels")
    return [Told(page=source.normalise_track(raw), payload=raw.payload, read_to=raw.read_to) for raw in raws]


def keep_tracks(tx: Tx, channel: Channel, told: Sequence[Told], *, key: str) -> None:
    """Apply what a delivery of this key tells; what is about no parcel of ours, or cannot be read, is counted."""
    unknown = [UnknownMessage(type=UNKNOWN, payload=each.payload) for each in apply_tracks(tx, channel, told)]
    unread = [UnknownMessage(type=UNREAD, payload=bad.row) for each in told for bad in each.page.bad]
    note_unknown(tx, channel, WebhookResult(key=key, unknown=(*unknown, *unread)))
