"""What a call shows of a record: the fields that were asked for, with the receiver masked.

Source: protocol note taobao.md sections 3.6, 9 and 10.
"""

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

Record = Mapping[str, Any]

DETAIL_ONLY = frozenset({"buyer_message", "buyer_memo", "seller_memo"})
NEEDED_FOR_OAID = frozenset({"receiver_name", "receiver_address", "receiver_mobile", "receiver_phone", "created"})
RECEIVER = ("receiver_name", "receiver_mobile", "receiver_phone", "receiver_address")


@lru_cache(maxsize=64)
def fields_of(text: str) -> tuple[frozenset[str], frozenset[str]]:
    """Return the fields asked for, of the trade and of its sub-orders (empty: all of them)."""
    names = frozenset(part.strip() for part in text.split(",") if part.strip())
    inner = frozenset() if "orders" in names else frozenset(n[7:] for n in names if n.startswith("orders."))
    return names, inner


def picked(record: Record, fields: str) -> dict[str, Any]:
    """Return the fields of a flat record that were asked for."""
    names, _ = fields_of(fields)
    return {name: value for name, value in record.items() if name in names and value not in (None, "")}


def trade_view(trade: Record, fields: str, *, detail: bool, oaid: bool = False) -> dict[str, Any]:
    """Return a trade as a list (`detail` False) or the detail call shows it."""
    names, inner = fields_of(fields)
    view = {
        name: masked(name, value)
        for name, value in trade.items()
        if name in names and value not in (None, "") and (detail or name not in DETAIL_ONLY)
    }
    if "tid" in names:
        view["tid_str"] = str(trade["tid"])
    if "oaid" in view or "oaid" in names or oaid:
        view.pop("oaid", None)
        if names >= NEEDED_FOR_OAID and trade.get("receiver_name"):
            view["oaid"] = trade.get("oaid") or oaid_of(trade)
    if inner:
        rows = trade["orders"]["order"]
        view["orders"] = {"order": [{k: v for k, v in row.items() if k in inner} for row in rows]}
    return view


def masked(name: str, value: Any) -> Any:
    """Return a value as an ordinary app sees it."""
    if name in ("receiver_name", "buyer_nick"):
        return _starred(str(value), keep=1)
    if name in ("receiver_mobile", "receiver_phone"):
        text = str(value)
        return text if "*" in text else "*" * max(0, len(text) - 4) + text[-4:]
    return "***" if name == "receiver_address" and "*" not in str(value) else value


def _starred(text: str, *, keep: int) -> str:
    return text if "*" in text else text[:keep] + "**"


def oaid_of(trade: Record) -> str:
    """Return the id that stands for the receiver; another address gives another id."""
    text = "|".join(str(trade.get(name, "")) for name in (*RECEIVER, "receiver_state", "receiver_city"))
    return "1" + hashlib.sha256(text.encode("utf-8")).hexdigest()[:40]
