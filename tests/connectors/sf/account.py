"""An account with SF for tests: requests, connectors and the sandbox they speak to."""

from dataclasses import replace
from random import Random
from typing import Any

from connectors.sf.connector import SfConnector
from connectors.sf.sandbox import SfSandbox
from connectors.sf.settings import SfSettings
from erpsync.sdk.clock import ManualClock
from erpsync.sdk.http import HttpClient
from erpsync.sdk.types import BookedParcel, BookingRequest, ParcelGoods, Recipient, Sender

CHECKWORD = "sandbox-checkword"
PUSH_SECRET = "kJ2m8Qx5Zt7Wb1Nc4Vd9Rf6y"
PERSON = ("王小明", "13800138000", "张江路88号3栋501室")
SETTINGS = {
    "gateway": "http://sf.invalid/std/service",
    "partner_id": "SANDBOX",
    "checkword": CHECKWORD,
    "monthly_card": "7551234567",
    "push_secret": PUSH_SECRET,
}
PARCEL = BookedParcel(goods=(ParcelGoods(name="连衣裙", qty=2),), weight_g=350)
REQUEST = BookingRequest(
    key="R20270302000017-1-1",
    carrier="SF",
    sender=Sender(
        name="仓库甲", phone="0755-26680001", province="广东省", city="深圳市", district="南山区", address="科技路1号"
    ),
    recipient=Recipient(
        name=PERSON[0], phone=PERSON[1], province="上海市", city="上海市", district="浦东新区", address=PERSON[2]
    ),
    parcels=(PARCEL,),
)


def request(number: int = 17, **changes: Any) -> BookingRequest:
    return replace(REQUEST, key=f"R20270302{number:06}-1-1", **changes)


def connector(shop: SfSandbox, clock: ManualClock, **more: Any) -> SfConnector:
    http = HttpClient(clock=clock, mount=shop.handle, rng=Random(0))
    return SfConnector(SfSettings.model_validate(SETTINGS | more), http, clock)
