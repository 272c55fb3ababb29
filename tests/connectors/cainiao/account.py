"""An account at Cainiao for tests: requests, connectors and the sandbox they speak to."""

from dataclasses import replace
from random import Random
from typing import Any

from connectors.cainiao.connector import CainiaoConnector
from connectors.cainiao.sandbox import CainiaoSandbox
from connectors.cainiao.settings import CainiaoSettings
from erpsync.sdk.clock import ManualClock
from erpsync.sdk.http import HttpClient
from erpsync.sdk.types import BookedParcel, BookingRequest, ParcelGoods, Recipient, Sender

PERSON = ("王小明", "13800138000", "张江路88号3栋501室")
SECRETS = ("sandbox-secret", "6100000sandbox-session")
SETTINGS = {
    "gateway": "http://top.invalid/router/rest",
    "app_key": "12345678",
    "app_secret": SECRETS[0],
    "session": SECRETS[1],
    "carrier": "STO",
    "cp_code": "STO",
    "user_id": 2054718218,
    "template_url": "http://cloudprint.cainiao.com/template/standard/201",
}
PARCEL = BookedParcel(goods=(ParcelGoods(name="连衣裙", qty=2),), weight_g=350, volume_cm3=4200)
REQUEST = BookingRequest(
    key="R20270302000017-1-1",
    carrier="STO",
    sender=Sender(
        name="仓库甲", phone="0571-26680001", province="浙江省", city="杭州市", district="余杭区", address="文一西路1号"
    ),
    recipient=Recipient(
        name=PERSON[0], phone=PERSON[1], province="上海市", city="上海市", district="浦东新区", address=PERSON[2]
    ),
    parcels=(PARCEL,),
)
HIDDEN = replace(
    REQUEST,
    platform="taobao",
    orders=("3870012345600000001", "3870012345600000002"),
    recipient=Recipient(
        name="王**", phone="*******8000", province="上海市", city="上海市", district="浦东新区", address="张江**",
        ciphertext="1exampleOaidValue0000",
    ),
)  # fmt: skip


def request(number: int = 17, **changes: Any) -> BookingRequest:
    return replace(REQUEST, key=f"R20270302{number:06}-1-1", **changes)


def connector(shop: CainiaoSandbox, **more: Any) -> CainiaoConnector:
    clock = shop.clock
    http = HttpClient(clock=clock, mount=shop.handle, rng=Random(0))
    return CainiaoConnector(CainiaoSettings.model_validate(SETTINGS | more), http, clock)


def sandbox() -> CainiaoSandbox:
    return CainiaoSandbox(clock=ManualClock())
