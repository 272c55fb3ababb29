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


def pdf(copy: int) -> dict[int | str, Json]:
    """Return the documentation of an answer that is a paper."""
    headers = {
        "Print-Copy": {
            "description": "which copy of the release's or the wave's paper this is",
            "schema": {"type": "integer"},
            "example": copy,
        },
        "Print-Left-Out": {
            "description": "a JSON object: by release, why it is not in the file; of the first 20",
            "schema": {"type": "string"},
            "example": '{"R20261122000018": "release R20261122000018 is to be stopped: take its papers out"}',
        },
    }
    content = {"application/pdf": {"schema": {"type": "string", "format": "binary"}, "example": "%PDF-1.7 …"}}
    return {200: {"description": "the paper", "content": content, "headers": headers}}


_LINE = {
    "external_id": "1",
    "channel_sku": "LINEN-W-L",
    "sku": "LINEN-W-L",
    "origin": "channel",
    "rule": "",
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
    "kind": "channel",
    "external_id": "2910447700000007",
    "status": "allocated",
    "hold_reason": None,
    "tags": ["VIP"],
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
RELEASE: Json = {
    "number": "R20260302000007",
    "warehouse": "SH",
    "state": "told",
    "reason": "",
    "orders": ["S20260302000007"],
    "lines": [
        {"order": "S20260302000007", "sku": "LINEN-W-L", "title": "Linen shirt", "qty": 2, "shelf": "A-03"},
    ],
    "tracking": [],
    "tracks": [],
    "copies": {},
    "carrier": "",
    "service": "",
    "weight_g": None,
    "parcels": 1,
    "wave": "W202603020001",
    "slot": 1,
    "made_at": "2026-03-02T07:28:10Z",
    "printed_at": None,
    "ended_at": None,
}
WAVE_LISTED: Json = {
    "number": "W202603020001",
    "warehouse": "SH",
    "state": "open",
    "actor": "api:packer",
    "made_at": "2026-03-02T07:30:00Z",
    "printed_at": None,
    "ended_at": None,
    "releases": 1,
    "states": {"told": 1},
}
WAVE: Json = WAVE_LISTED | {"members": [RELEASE]}
SCANNED: Json = {
    "kind": "release",
    "number": "R20260302000007",
    "text": "release R20260302000007 has no waybill; say which courier takes it, and scan its label",
    "why": "",
    "may": ["leave", "stop"],
    "asks": ["carrier", "tracking"],
    "left": None,
    "shown": RELEASE,
}
CREATED = {"number": "S20260302000008", "repeated": False}
_BECAUSE = [{"fact": "total", "value": "258.00", "operator": ">=", "word": "200"}]
ORDER = ORDER_LISTED | {
    "marks": [
        {"name": "carrier", "value": "SF", "rule": "large", "actor": ""},
        {"name": "tag:VIP", "value": "", "rule": "", "actor": "api:erp"},
    ],
    "look_at": None,
    "events": [
        {"at": "2026-03-02T07:28:10Z", "kind": "order.new", "detail": {"phase": "ready"}, "actor": ""},
    ],
    "rules": [{"id": "large", "outcome": "matched", "because": _BECAUSE}],
}
RULE = {
    "id": "large",
    "about": "order",
    "then": {"hold": "大额，先核对", "ask": True, "carrier": ["SF"]},
    "written": "rules.yaml:7",
    "holds": 2,
    "wants": 3,
}
TRIED = {
    "order": "S20260302000007",
    "judged": True,
    "at": "2026-03-02T07:30:00Z",
    "look_at": None,
    "rules": [
        {
            "id": "large",
            "outcome": "matched",
            "because": _BECAUSE,
            "hold": {"text": "大额，先核对", "asks": True, "void": False, "approved": False, "until_at": None},
            "marks": [{"name": "carrier", "value": "SF"}],
            "gift": None,
            "passed_over": [],
            "written": "rules.yaml:7",
        }
    ],
    "parcels": [
        {
            "release": "R20260302000001",
            "warehouse": "SH",
            "carrier": ["DBL"],
            "held": None,
            "rules": [{"id": "large", "outcome": "matched", "because": _BECAUSE}],
        }
    ],
}
ASKS = {
    "rule": "large",
    "text": "大额，先核对",
    "void": False,
    "because": _BECAUSE,
    "digest": "5f1d6a0a3cfe2b3b8a7c7f2f4b0a9c1d3e5f7a9b1c3d5e7f9a1b3c5d7e9f1a3b",
}


def _step(what: str, text: str, amount: int | None = None, **more: Any) -> Json:
    """Return a step of an explanation."""
    step = {"what": what, "amount": amount, "text": text, "since": None, "until": None, "setting": None}
    return {**step, "orders": [], "more_orders": 0, "steps": [], **more}


EXPLAINED_ORDER = {
    "summary": "all of S20260302000007 is held in SH and can be sent",
    "why": [
        "all of S20260302000007 is held in SH and can be sent",
        "2 of LINEN-W-L for line 1, held in SH",
        "SH may serve tmall-flagship, preferred first",
        "tmall-flagship is to be told by 2026-03-04T07:27:00Z that it left",
    ],
    "steps": [
        _step("allocated", "of LINEN-W-L for line 1, held in SH", 2, since="2026-03-02T07:28:10Z"),
        _step(
            "sourcing",
            "SH may serve tmall-flagship, preferred first",
            steps=[_step("free", "of LINEN-W-L free to promise in SH as things stand now", 38)],
        ),
        _step(
            "ship_by",
            "tmall-flagship is to be told by 2026-03-04T07:27:00Z that it left",
            until="2026-03-04T07:27:00Z",
            setting={"file": "config/channels/tmall-flagship.yaml", "line": 5},
        ),
    ],
    "order": ORDER_LISTED,
    "story": [
        {"at": "2026-03-02T07:28:10Z", "about": "event", "what": "order.new", "detail": {"phase": "ready"}, "actor": ""}
    ],
    "next": ["send it, then `erpsync ship S20260302000007 --carrier CODE --tracking NUMBER`"],
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
    "track": {"state": "in_transit", "at": "2026-03-02T12:10:00Z", "place": "上海市"},
    "shipped_at": "2026-03-02T08:00:00Z",
    "sent_at": "2026-03-02T08:00:02Z",
    "forced": False,
    "forced_reason": "",
    "actor": "api:warehouse",
}
STOCK = {"warehouse": "SH", "sku": "LINEN-W-L", "on_hand": 40, "reserved": 2, "available": 38}
GOODS = {
    "sku": "LINEN-W-L",
    "title": "亚麻短袖衬衫",
    "barcode": "6901234567892",
    "weight_g": 240,
    "volume_cm3": 1800,
    "floor_minor": 9900,
    "floor_currency": "CNY",
    "tags": ["夏装"],
    "shelves": [{"warehouse": "SH", "shelf": "A-03-2"}],
}
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
EXPLAINED_SKU = {
    "sku": "LINEN-W-L",
    "summary": "tmall-flagship shows 35 for LINEN-W-L, as it should",
    "levels": [
        {
            "channel": "tmall-flagship",
            "channel_sku": "LINEN-W-L",
            "item_ref": "6801122334/5100998877",
            "factor": 1,
            "told": 35,
            "sure": True,
            **_step("listing", "tmall-flagship shows 35 for LINEN-W-L, as it should", 35),
            "steps": [
                _step(
                    "share",
                    "of LINEN-W-L may be shown on tmall-flagship",
                    35,
                    steps=[
                        _step(
                            "warehouse",
                            "free to promise in SH",
                            38,
                            steps=[
                                _step("on_hand", "on hand in SH, counted last at 2026-03-01T02:00:00Z", 40),
                                _step("held", "held in SH", -2),
                            ],
                        ),
                        _step(
                            "buffer",
                            "buffer of LINEN-W-L that tmall-flagship is never told",
                            -3,
                            setting={"file": "config/channels/tmall-flagship.yaml", "line": 7},
                        ),
                    ],
                ),
                _step("level", "what tmall-flagship should show for LINEN-W-L", 35),
                _step("told", "tmall-flagship accepted this number last", 35, since="2026-03-02T08:00:05Z"),
            ],
        }
    ],
    "stock": [STOCK],
    "holds": [
        {
            "order": "S20260302000007",
            "channel": "tmall-flagship",
            "line": "1",
            "warehouse": "SH",
            "qty": 2,
            "expires_at": None,
            "released": False,
            "owner": "line",
        }
    ],
    "more_holds": 0,
    "backorders": [],
    "listings": [LISTING],
    "bundles": [],
    "story": [],
    "next": ["nothing to do"],
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
    "balance": None,
    "balance_at": None,
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
ROUTE = {
    "id": "warehouse",
    "to": "wecom-warehouse",
    "department": "仓库",
    "lang": "zh",
    "event": ["order.held", "release."],
    "state": "active",
    "cursor": "4711",
    "behind": 0,
    "told_at": "2026-03-02T08:00:00Z",
    "failing_since_at": None,
    "run_at": "2026-03-02T08:00:00Z",
    "attempts": 0,
    "error": "",
}
SECRET = {"id": 3, "secret": "whsec_…"}
