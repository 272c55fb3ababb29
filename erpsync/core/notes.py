"""Who bought and what people wrote on an order: what a newer view changes of it, and what an older one adds.

Why apart from the order: it is personal, kept encrypted, and opened only to be compared or shown.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from erpsync.sdk.types import Order


@dataclass(frozen=True, slots=True, kw_only=True)
class Notes:
    """None is what no view has told, an empty text is what a view says that there is not.

    `invoice_note` is told by people, of own orders; no view carries it.
    """

    buyer: str | None = None
    buyer_note: str | None = None
    seller_note: str | None = None
    invoice_note: str | None = None


def told(notes: Notes) -> dict[str, str]:
    """Return what is told, by name; nothing where there is not a word."""
    values = {name: getattr(notes, name) for name in Notes.__dataclass_fields__}
    return {name: text for name, text in values.items() if text is not None} if any(values.values()) else {}


def newer(stored: Notes, view: Order) -> Notes:
    """Return the notes as a newer view has them; what it does not carry stays."""
    return _with(_carried(view), instead_of=stored)


def older(stored: Notes, view: Order) -> Notes:
    """Return the notes with what an older view tells where nothing is known."""
    return _with(
        {name: getattr(stored, name) for name in Notes.__dataclass_fields__}, instead_of=Notes(**_carried(view))
    )


def changed(stored: Notes, now: Notes) -> tuple[str, ...]:
    """Return the names of what reads otherwise than before; that a buyer becomes known is no change of an order."""
    before, after = told(stored), told(now)
    names = [name for name in Notes.__dataclass_fields__ if before.get(name, "") != after.get(name, "")]
    return tuple(name for name in names if name != "buyer" or before.get(name))


def _carried(view: Order) -> dict[str, str | None]:
    return {"buyer": view.buyer, "buyer_note": view.buyer_note, "seller_note": view.seller_note, "invoice_note": None}


def _with(values: Mapping[str, str | None], *, instead_of: Notes) -> Notes:
    return Notes(**{name: getattr(instead_of, name) if text is None else text for name, text in values.items()})
