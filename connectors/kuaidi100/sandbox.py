"""Kuaidi100's side: checks signatures, keeps a key for 48 hours, makes labels a little late, calls when a parcel moves.

Source: protocol note couriers.md section 2. What the note calls uncertain is played as a person would expect it.
"""

import json
import struct
import threading
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Any, ClassVar
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from connectors.kuaidi100.mapping import COMPANIES
from connectors.kuaidi100.signing import sign
from erpsync.sdk.clock import Clock, SystemClock
from erpsync.sdk.sandbox import Fault, FaultPlan, Sandbox, SandboxRequest, SandboxResponse
from erpsync.sdk.sandbox.base import HTML

KEY, CUSTOMER, SECRET = "LEnGjKcw1234", "ABCDEF0123456789", "s3cr3t-of-the-sandbox"
SALT = "sandbox-salt-0123456789"
PARTNER = "7551234567"
BEIJING = ZoneInfo("Asia/Shanghai")
REMEMBERS = timedelta(hours=48)
LOCKS_WITHIN = timedelta(minutes=30)
LETTERS: Mapping[str, str] = {"shunfeng": "SF", "yuantong": "YT"}
"""What numbers of a courier begin with."""

ACCOUNT = ("partnerId", "partnerKey", "partnerSecret", "partnerName", "net", "code", "checkMan")
"""What was given with an order has to be given to void it."""


@dataclass(slots=True, kw_only=True)
class Booked:
    """A waybill. `used` is set once the courier has the parcel."""

    param: Mapping[str, Any]
    number: str
    children: tuple[str, ...]
    order: str
    at: datetime
    void: bool = False
    used: bool = False


@dataclass(slots=True, kw_only=True)
class Parcel:
    """What is known of a number, newest last."""

    com: str
    nodes: list[dict[str, str]] = field(default_factory=list)
    asked_at: datetime | None = None


class Kuaidi100Sandbox(Sandbox):
    """One account, its courier, and parcels that move.

    Attributes:
        waybills: what was booked, by number; `attempts` the key of every call that asked for one.
        unserved: provinces and cities that the courier does not go to.
        picture: what a label looks like.
        parcels: what is known of numbers; `watched` who is to be called about which.
        hurried: numbers that were asked about twice in half an hour, which locks them in time.
        calls: what was called, method or path.
    """

    addresses: ClassVar[Mapping[str, str]] = {
        "label_url": "/label/order",
        "query_url": "/poll/query.do",
        "subscribe_url": "/poll",
    }
    """Settings that hold an address of this sandbox, with its path."""

    def __init__(
        self,
        *,
        key: str = KEY,
        customer: str = CUSTOMER,
        secret: str = SECRET,
        carrier: str = "SF",
        partner_id: str = PARTNER,
        clock: Clock | None = None,
        faults: FaultPlan | None = None,
    ) -> None:
        super().__init__(faults=faults)
        self.clock = clock or SystemClock()
        self.key, self.customer, self.secret = key, customer, secret
        self.company, self.partner_id = COMPANIES[carrier], partner_id
        self.waybills: dict[str, Booked] = {}
        self.attempts: list[str] = []
        self.unserved: set[str] = set()
        self.picture = png()
        self.parcels: dict[str, Parcel] = {}
        self.watched: dict[str, Mapping[str, Any]] = {}
        self.hurried: set[str] = set()
        self.calls: list[str] = []
        self._numbers, self._bad = count(1), count()
        self._lock = threading.RLock()

    # ---- what happens with the courier -----------------------------------------------------------------------------

    def move(self, number: str, code: str, text: str, *, at: datetime | None = None, com: str = "shunfeng") -> None:
        """Let a parcel be scanned."""
        with self._lock:
            when = (at or self.clock.now()).astimezone(BEIJING).strftime("%Y-%m-%d %H:%M:%S")
            node = {
                "time": when,
                "ftime": when,
                "context": text,
                "areaName": "上海市",
                "status": "",
                "statusCode": code,
            }
            self.parcels.setdefault(number, Parcel(com=com)).nodes.append(node)
            if number in self.waybills and code not in ("101", "102"):
                self.waybills[number].used = True

    def call(
        self, number: str, *, status: str = "polling", message: str = "", com_new: str = "", salt: str = SALT
    ) -> bytes:
        """Return the body of a call about a parcel; it always holds the whole list."""
        with self._lock:
            param = json.dumps(
                {
                    "status": status,
                    "billstatus": "got",
                    "message": message,
                    "autoCheck": "1" if com_new and status != "abort" else "0",
                    "comOld": self.parcels[number].com if com_new and status != "abort" else "",
                    "comNew": com_new,
                    "lastResult": self._known(number),
                },
                ensure_ascii=False,
            )
        return urlencode({"sign": sign(param, salt), "param": param}).encode()

    # ---- what erpsync asks -----------------------------------------------------------------------------------------

    def answer(self, request: SandboxRequest) -> SandboxResponse:
        """Carry out one call."""
        with self._lock:
            if request.path == "/label/order":
                return self._label(request.form())
            if request.path == "/poll/query.do":
                return self._query(request.form())
            if request.path == "/poll":
                return self._subscribe(request.form())
            return self._picture(request.path)

    def _label(self, form: Mapping[str, str]) -> SandboxResponse:
        method, text = form.get("method", ""), form.get("param", "")
        self.calls.append(method)
        if form.get("key") != self.key or self.faults.strikes(Fault.EXPIRED_TOKEN):
            return _refused(30003, "账号信息不正确")
        if form.get("sign") != sign(text, form.get("t", ""), self.key, self.secret):
            return _refused(30002, "验证签名失败")
        param = json.loads(text)
        if method == "order":
            return self._order(param)
        return self._cancel(param) if method == "cancel" else _refused(30009, "查无此单")

    def _order(self, param: Mapping[str, Any]) -> SandboxResponse:
        self.attempts.append(param.get("orderId", ""))
        to = param["recMan"]
        if (param.get("kuaidicom"), param.get("partnerId")) != (self.company, self.partner_id):
            return _refused(500, "电子面单账号不存在")
        if self.faults.strikes(Fault.PLATFORM_ERROR):
            return _refused(500, f"收件人电话{to.get('mobile') or to.get('tel')}格式错误")
        if any(place in to["printAddr"] for place in self.unserved):
            return _refused(500, "收件地址不在服务范围内")
        found = self._remembered(param)
        if found is None:
            found = self._booked(param)
        if self.faults.strikes(Fault.NO_NUMBER):
            return _accepted({"taskId": found.order, "kdComOrderNum": found.order})
        label = {"label": f"../l/{found.number}"} if param["printType"] == "IMAGE" else {}
        answer = {"taskId": found.order, "kuaidinum": found.number, "kdComOrderNum": found.order, "bulkpen": "021-A1"}
        return _accepted({**answer, "childNum": ",".join(found.children), **label})

    def _remembered(self, param: Mapping[str, Any]) -> Booked | None:
        """Return what was booked under a key less than 48 hours ago, where the caller wants no other number."""
        key, since = param.get("orderId"), self.clock.now() - REMEMBERS
        if param.get("reorder", True) or not key:
            return None
        known = [each for each in self.waybills.values() if each.param.get("orderId") == key and each.at > since]
        return known[-1] if known else None

    def _booked(self, param: Mapping[str, Any]) -> Booked:
        letters = LETTERS.get(self.company, "")
        numbers = [f"{letters}{next(self._numbers):013}" for _ in range(int(param["count"]))]
        children = tuple(numbers[1:]) if param.get("needChild") == "1" else ()
        order = f"KD{next(self._numbers):08}"
        booked = Booked(param=param, number=numbers[0], children=children, order=order, at=self.clock.now())
        self.waybills[booked.number] = booked
        return booked

    def _cancel(self, param: Mapping[str, Any]) -> SandboxResponse:
        booked = self.waybills.get(param.get("kuaidinum", ""))
        if booked is None:
            return _refused(30009, "查无此单")
        if any(booked.param.get(name) != param.get(name) for name in ACCOUNT) or param.get("orderId") != booked.order:
            return _refused(30001, "参数错误")
        if booked.void:
            return _refused(500, "该运单已取消")
        if booked.used:
            return _refused(500, "快件已揽收,不能取消")
        booked.void = True
        return _accepted({})

    def _picture(self, path: str) -> SandboxResponse:
        """A short link leads on; what it leads to may not be made yet."""
        self.calls.append("picture")
        if path.startswith("/l/"):
            return SandboxResponse(status=302, headers={"location": path.replace("/l/", "../labels/")})
        if self.faults.strikes(Fault.LATE_LABEL):
            return SandboxResponse(status=404)
        if self.faults.strikes(Fault.BAD_LABEL):
            return SandboxResponse(body=(b"", self.picture[:-9], HTML)[next(self._bad) % 3])
        return SandboxResponse(headers={"content-type": "image/png"}, body=self.picture)

    def _query(self, form: Mapping[str, str]) -> SandboxResponse:
        text = form.get("param", "")
        self.calls.append("query")
        if self.faults.strikes(Fault.EXPIRED_TOKEN):
            return _no(601, "KEY已过期")
        if form.get("customer") != self.customer or form.get("sign") != sign(text, self.key, self.customer):
            return _no(503, "验证签名失败")
        param = json.loads(text)
        number = param["num"]
        if len(number) < 6:
            return _no(400, "提交的数据不完整,或者贵公司没授权")
        parcel = self.parcels.get(number)
        if parcel is None or parcel.com != param["com"]:
            return _no(500, "查询无结果,请隔段时间再查")
        if parcel.com == "shunfeng" and not param.get("phone"):
            return _no(408, "验证码错误")
        now = self.clock.now()
        if parcel.asked_at is not None and now - parcel.asked_at < LOCKS_WITHIN:
            self.hurried.add(number)
        parcel.asked_at = now
        return SandboxResponse.of_json(self._known(number))

    def _subscribe(self, form: Mapping[str, str]) -> SandboxResponse:
        self.calls.append("subscribe")
        param = json.loads(form["param"])
        if param["key"] != self.key or self.faults.strikes(Fault.EXPIRED_TOKEN):
            return _no(601, "KEY已过期")
        if param["number"] in self.watched:
            return _no(501, "重复订阅")
        self.watched[param["number"]] = param["parameters"]
        return SandboxResponse.of_json({"result": True, "returnCode": "200", "message": "提交成功"})

    def _known(self, number: str) -> dict[str, Any]:
        """Return all that is known of a parcel, newest first."""
        parcel = self.parcels[number]
        nodes: Sequence[dict[str, str]] = sorted(parcel.nodes, key=lambda node: node["ftime"])[::-1]
        if self.faults.strikes(Fault.DUPLICATE):
            nodes = [node for each in nodes for node in (each, each)]
        state = nodes[0]["statusCode"] if nodes else "0"
        return {
            "message": "ok",
            "state": state,
            "status": "200",
            "condition": "F00",
            "ischeck": "1" if state.startswith("3") else "0",
            "com": parcel.com,
            "nu": number,
            "data": nodes,
        }


def png() -> bytes:
    """Return a picture of one white point."""
    parts = (
        (b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)),
        (b"IDAT", zlib.compress(b"\0\xff")),
        (b"IEND", b""),
    )
    chunks = [
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in parts
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def _accepted(data: Mapping[str, Any]) -> SandboxResponse:
    return SandboxResponse.of_json({"success": True, "code": 200, "message": "success", "time": 12, "data": data})


def _refused(code: int, text: str) -> SandboxResponse:
    return SandboxResponse.of_json({"success": False, "code": code, "message": text, "time": 12, "data": None})


def _no(code: int, text: str) -> SandboxResponse:
    return SandboxResponse.of_json({"result": False, "returnCode": str(code), "message": text})
