"""A desk whose parcels are told of: by SF's sandbox, Kuaidi100's, or both, and what is known of them then."""

from dataclasses import dataclass, replace
from random import Random
from typing import Any

from sqlalchemy import select

from connectors.kuaidi100.connector import Kuaidi100Connector
from connectors.kuaidi100.sandbox import Kuaidi100Sandbox
from connectors.sf.sandbox import SfSandbox
from erpsync.core.policy import AccountPolicy
from erpsync.flows.intake.track_questions import ask_tracks
from erpsync.flows.intake.webhooks import apply_inbox, store_webhook
from erpsync.flows.shipments import record
from erpsync.sdk.http import HttpClient
from erpsync.sdk.roles import Connector
from erpsync.sdk.types import WebhookRequest
from erpsync.store.tables import track, track_node
from tests.connectors.kuaidi100 import account as kuaidi100
from tests.connectors.sf import account as sf
from tests.support import looking
from tests.support.courier import build_courier_desk, push, release_one, rows
from tests.support.shop import Town

SUMMED = ("state", "scanned_at", "delivered_at", "returned_at")


@dataclass(slots=True, kw_only=True)
class SfDesk:
    """A town with a desk and an account with SF, and SF's side of it."""

    town: Town
    platform: SfSandbox

    def book(self, name: str = "o1", qty: int = 2) -> str:
        """Let an order be released and booked; return the parcel's number."""
        release_one(self.town, name, qty)
        push(self.town)
        return str(rows(self.town, "number")[-1])

    def leave(self, name: str = "o1", qty: int = 2) -> str:
        """Let an order be booked and leave; return the parcel's number."""
        number = self.book(name, qty)
        record.ship(self.town.ctx, order=name, carrier="SF", tracking=number, actor="me")
        return number

    def scan(self, number: str, code: str) -> None:
        """Let SF write something about a parcel."""
        self.platform.scan(number, self.town.clock.now(), code)

    def pushed(self, number: str, *, times: int = 1, as_number: str = "") -> None:
        """Let SF push what happened to a parcel last; `as_number` as if it were another one's."""
        body = self.platform.push_of(number).replace(number.encode(), (as_number or number).encode())
        for _ in range(times):
            request = WebhookRequest(
                headers={}, query={}, body=body, received_at=self.town.clock.now(), path=sf.PUSH_SECRET
            )
            store_webhook(self.town.ctx, self.town.channel("sf"), request)
            apply_inbox(self.town.ctx)


def build_sf_desk(url: str, *, town: Town | None = None, platform: SfSandbox | None = None) -> SfDesk:
    """Return a desk whose account `sf` is SF's sandbox; given ones keep what they know (a restart, a second node)."""
    side = platform or SfSandbox()
    built, _ = build_courier_desk(url, town=town, make=lambda town: sf.connector(side, town.clock))
    return SfDesk(town=built, platform=side)


def build_kuaidi_desk(url: str, **settings: Any) -> tuple[Town, Kuaidi100Sandbox]:
    """Return a desk whose account `sf` is Kuaidi100's sandbox."""
    made: list[Kuaidi100Sandbox] = []

    def make(town: Town) -> Connector:
        made.append(Kuaidi100Sandbox(clock=town.clock))
        http = HttpClient(clock=town.clock, mount=made[-1].handle, rng=Random(0))
        return Kuaidi100Connector(kuaidi100.settings(**settings), http, town.clock)

    town, _ = build_courier_desk(url, make=make)
    return town, made[-1]


def set_tracks(town: Town, tracks: Any, name: str = "sf") -> None:
    """Configure which parcels an account is asked about."""
    channel = replace(town.channel(name), courier=AccountPolicy(tracks=tracks))
    town.ctx = replace(town.ctx, channels={**town.ctx.channels, channel.id: channel})


def ask(town: Town, name: str = "sf") -> int:
    """Ask an account about all that is due; return how many calls that took."""
    calls = 0
    while ask_tracks(town.ctx, town.channel(name)):
        calls += 1
    return calls


def summed(town: Town) -> list[tuple[Any, ...]]:
    """Return the sum of each parcel, in the order of their ids."""
    return looking.rows(town, select(*(track.c[name] for name in SUMMED)).order_by(track.c.id))


def where(town: Town) -> list[str]:
    """Return the state of each parcel."""
    return [state for state, *_ in summed(town)]


def nodes(town: Town) -> list[str]:
    """Return the keys of all that was told."""
    return [key for (key,) in looking.rows(town, select(track_node.c.key).order_by(track_node.c.at, track_node.c.key))]


def said(town: Town) -> list[str]:
    """Return what was said of parcels as events, in its order."""
    return [kind for kind, _ in looking.events(town, "parcel.")]
