"""What answers look like, for `openapi.json`. A test holds every example against a real answer."""

from typing import Any

from erpsync.core import advice

Json = dict[str, Any]


def one(example: Any, *, status: int = 200) -> dict[int | str, Json]:
    """Return the documentation of an answer that is this."""
    return {status: {"description": "so it is now", "content": {"application/json": {"example": example}}}}


def page_of(example: Any, *, following: str | None = None) -> dict[int | str, Json]:
    """Return the documentation of an answer that is a page of these."""
    return one({"items": [example], "next": following})


_LINE = {
    "external_id": "1",
    "channel_sku": "LINEN-W-L",
    "sku": "LINEN-W-L",
    "origin": "channel",
    "qty": 2,
    "cancelled_qty": 0,
    "price_minor": 12900,
    "allocations": [{"warehouse": "SH", "sku": "LINEN-W-L", "qty": 2}],
    "backordered_qty": 0,
    "shipped_qty": 0,
}
ORDER_LISTED = {
    "number": "S20260302000007",
    "channel": "tmall-flagship",
    "external_id": "2910447700000007",
    "status": "allocated",
    "hold_reason": None,
    "placed_at": "2026-03-02T07:25:00Z",
    "paid_at": "2026-03-02T07:27:00Z",
    "ready_at": "2026-03-02T07:27:00Z",
    "currency": "CNY",
    "total_minor": 25800,
    "paid_minor": 25800,
    "refunded_minor": None,
    "goods_minor": 25800,
    "freight_minor": 0,
    "discount_minor": 0,
    "residual_minor": 0,
    "seller_flag": 0,
    "lines": [_LINE],
    "shipments": [],
    "refunds": [],
}
ORDER = ORDER_LISTED | {
    "events": [
        {"at": "2026-03-02T07:28:10Z", "kind": "order.new", "detail": {"phase": "ready"}, "actor": ""},
    ]
}
FOUND = {"items": [ORDER_LISTED], "next": None, "notes": []}
SHIPPED = {"number": "S20260302000007-1", "order": "S20260302000007", "repeated": False}
CORRECTED = {
    "number": "S20260302000007-1",
    "order": "S20260302000007",
    "carrier": "SF",
    "tracking": "SF1400022332",
    "follows": "told",
}
SHIPMENT = {
    "number": "S20260302000007-1",
    "order": "S20260302000007",
    "channel": "tmall-flagship",
    "carrier": "SF",
    "tracking": "SF1400022331",
    "lines": [{"external_id": "1", "qty": 2}],
    "state": "sent",
    "waiting_for": "",
    "error": "",
    "shipped_at": "2026-03-02T08:00:00Z",
    "sent_at": "2026-03-02T08:00:02Z",
    "forced": False,
    "forced_reason": "",
    "actor": "api:warehouse",
}
STOCK = {"warehouse": "SH", "sku": "LINEN-W-L", "on_hand": 40, "reserved": 2, "available": 38}
IMPORTED = {"taken": 1, "refused": [{"at": "counts[1]", "problem": "warehouse XX is not configured"}]}
LISTING = {
    "channel": "tmall-flagship",
    "channel_sku": "LINEN-W-L",
    "item_ref": "6801122334/5100998877",
    "title": "亚麻短袖衬衫",
    "sku": "LINEN-W-L",
    "factor": 1,
    "no_stock": False,
    "told_qty": 38,
    "told_sure": True,
    "told_at": "2026-03-02T08:00:05Z",
    "shown_qty": 38,
    "shown_at": "2026-03-02T06:00:00Z",
    "refused": "",
}
CHANNEL_LISTED = {
    "id": "tmall-flagship",
    "connector": "taobao",
    "active": True,
    "paused": False,
    "paused_reason": "",
    "paused_by": "",
    "down_since_at": None,
    "down_error": "",
    "auth_failed_at": None,
    "blocked_until_at": None,
    "token_expires_at": None,
}
CHANNEL = CHANNEL_LISTED | {
    "streams": [],
    "queue": [{"kind": "stock", "state": "pending", "waiting_for": "", "rows": 3}],
    "listings": 120,
    "unmapped_listings": 0,
    "dead_letters": 0,
    "tasks": 0,
}
LETTER = {
    "id": 12,
    "channel": "tmall-flagship",
    "kind": "order",
    "key": "2910447799",
    "at": "2026-03-02T07:41:00Z",
    "attempts": 1,
    "error": "expected an amount like 12.50",
    "source": "page 3",
    "remedy": "replay",
    "next": advice.fill(advice.letter("order", "replay"), id=12),
}
LETTER_ENDED = LETTER | {"remedy": "", "next": "", "state": "replayed"}
EVENT = {
    "id": 4712,
    "at": "2026-03-02T07:28:10Z",
    "kind": "order.new",
    "order": "S20260302000007",
    "external_id": "2910447700000007",
    "channel": "tmall-flagship",
    "sku": None,
    "detail": {"phase": "ready"},
    "actor": "",
}
SUBSCRIPTION = {
    "id": 3,
    "url": "https://erp.example.com/events",
    "state": "active",
    "created_at": "2026-03-02T08:00:00Z",
    "created_by": "api:erp",
    "failing_since_at": None,
    "told_at": None,
    "attempts": 0,
    "error": "",
    "cursor": "4711",
    "kinds": ["order."],
}
SECRET = {"id": 3, "secret": "whsec_…"}
