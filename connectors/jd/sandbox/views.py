"""What a call shows of an order: the fields that were asked for, with the receiver as cipher text in the en forms.

Source: protocol note jd.md sections 3.1 and 10.
"""

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

Record = Mapping[str, Any]
HIDDEN = ("fullname", "mobile", "telephone", "fullAddress")


@lru_cache(maxsize=64)
def _names(text: str) -> frozenset[str]:
    return frozenset(part.strip() for part in text.split(",")) | {"orderId"}


def order_view(order: Record, fields: str, *, encrypted: bool) -> dict[str, Any]:
    """Return an order as a call shows it; orderId always comes."""
    names = _names(fields)
    view = {name: value for name, value in order.items() if name in names}
    if encrypted and "consigneeInfo" in view:
        view["consigneeInfo"] = _hidden(view["consigneeInfo"])
    return view


def _hidden(receiver: Mapping[str, str]) -> dict[str, str]:
    shown = {name: _cipher(value) if name in HIDDEN else value for name, value in receiver.items()}
    mobile, whole = receiver.get("mobile", ""), "|".join(receiver.get(name, "") for name in HIDDEN)
    masked = f"{mobile[:3]}****{mobile[-4:]}" if len(mobile) > 7 else ""
    return {**shown, "desenMobile": masked, "desenTelephone": "", "oaid": _cipher(whole)}


def _cipher(text: str) -> str:
    """Return a text that looks like the platform's cipher text; empty stays empty."""
    return f"AA{hashlib.sha256(text.encode()).hexdigest()[:40]}==" if text.strip("|") else ""
