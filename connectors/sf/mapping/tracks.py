"""Routes in SF's words: rows of a question, and rows that SF pushes.

Why a node's key is its time and code and not the id of a push: what is asked carries no id, and one scan told both ways
is one.

Source: protocol note couriers.md sections 1.5 and 1.6.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

from erpsync.sdk import read
from erpsync.sdk.digest import digest_of
from erpsync.sdk.errors import PayloadError
from erpsync.sdk.types import BadLine, Head, Payload, Raw, TrackNode, TrackPage, TrackState

BEIJING = timezone(timedelta(hours=8))
ASKED, PUSHED = "routes", "WaybillRoute"

STATES: Mapping[str, TrackState] = {
    "50": TrackState.PICKED_UP,
    "51": TrackState.PICKED_UP,
    "54": TrackState.PICKED_UP,
    "30": TrackState.IN_TRANSIT,
    "31": TrackState.IN_TRANSIT,
    "36": TrackState.IN_TRANSIT,
    "34": TrackState.DELIVERING,
    "44": TrackState.DELIVERING,
    "204": TrackState.DELIVERING,
    "33": TrackState.PROBLEM,
    "70": TrackState.PROBLEM,
    "80": TrackState.DELIVERED,
    "8000": TrackState.DELIVERED,
    "99": TrackState.RETURNING,
    "648": TrackState.RETURNED,
}
"""By opCode."""

FIRST_STATES: Mapping[str, TrackState] = {
    "1": TrackState.PICKED_UP,
    "2": TrackState.IN_TRANSIT,
    "3": TrackState.DELIVERING,
    "4": TrackState.DELIVERED,
    "5": TrackState.PROBLEM,
    "6": TrackState.PROBLEM,
    "7": TrackState.ANNOUNCED,
}
"""By firstStatusCode, where the opCode says nothing; 5 and 6 are cancelled and returned, in an order not known."""


class Fields(read.Fields):
    """Reads the fields of one object; times are Beijing time."""

    __slots__ = ()

    def read_instant(self, value: object, *, path: str) -> datetime:
        """Return an instant as SF writes it, like 2026-03-02 08:00:00."""
        return read.local(value, BEIJING, path=path)


def raw_track(payload: Payload, *, number: str, read_from: datetime, read_to: datetime) -> Raw:
    """Return the record of one parcel. SF gives no version: it is when the record was read."""
    head = Head(
        external_id=number,
        version_at=read_to,
        digest=digest_of(payload),
        read_from=read_from,
        read_to=read_to,
        row=payload,
        dated=False,
    )
    return Raw(head=head, payload=payload, read_from=read_from, read_to=read_to)


def pushed_rows(document: object) -> dict[str, list[Any]] | None:
    """Return the rows of a push by waybill number, in their order; None where it is no push of routes."""
    body = document.get("Body") if isinstance(document, dict) else None
    rows = body.get(PUSHED) if isinstance(body, dict) else None
    if not isinstance(rows, list) or not rows:
        return None
    by_number: dict[str, list[Any]] = {}
    for row in rows:
        number = row.get("mailno") if isinstance(row, dict) else None
        by_number.setdefault(number if isinstance(number, str) else "", []).append(row)
    return by_number


def track_page(payload: Payload) -> TrackPage:
    """Return one parcel's nodes. A row that cannot be read stands beside those that can."""
    parcel = Fields(payload)
    number = parcel.text("mailNo")
    pushed = PUSHED in payload
    name = PUSHED if pushed else ASKED
    rows = parcel.raw(name)
    if rows is not None and not isinstance(rows, list):
        raise parcel.error(name, "expected a list")
    nodes: dict[str, TrackNode] = {}
    bad: list[BadLine] = []
    for index, row in enumerate(rows or ()):
        path = f"{parcel.path_of(name)}[{index}]"
        try:
            node = _node(row, path)
            nodes.setdefault(node.key, node)
        except PayloadError as error:
            bad.append(BadLine(key=f"{number}@{index}", error=error, row=row if isinstance(row, dict) else {}))
    return TrackPage(carrier="SF", number=number, nodes=_in_order(nodes.values()), bad=tuple(bad))


def _in_order(nodes: Iterable[TrackNode]) -> tuple[TrackNode, ...]:
    return tuple(sorted(nodes, key=lambda node: (node.at, node.key)))


def _code(fields: Fields, name: str) -> str:
    """Return a code, which is written as text or as a number; empty where there is none."""
    value = fields.raw(name)
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""


def _node(row: object, path: str) -> TrackNode:
    if not isinstance(row, dict):
        raise PayloadError(f"expected an object, found {read.kind(row)}", path=path)
    fields = Fields(row, path)
    at, code, first = fields.at("acceptTime"), _code(fields, "opCode"), _code(fields, "firstStatusCode")
    return TrackNode(
        key=f"{at:%Y%m%dT%H%M%SZ}-{code or first}",
        at=at,
        state=STATES.get(code) or FIRST_STATES.get(first) or TrackState.IN_TRANSIT,
        text=fields.side_text("remark") or "",
        place=fields.side_text("acceptAddress") or "",
        code=code or first,
    )
