"""What to do about an order, said for somebody at the console: with the button or page where it is done.

Why made of the sentences that commands print, and not told anew: what is to be done is decided in one place
(`core.advice`); only where that place names a command, the console names what it has instead.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from erpsync.core import advice
from erpsync.core.order_holds import HoldReason

TASKS, LETTERS, CHANNELS, STOCK, LISTINGS = "/tasks", "/dead-letters", "/channels", "/stock", "/listings"
PLACE_WORDS = {
    TASKS: "Tasks",
    LETTERS: "Dead letters",
    CHANNELS: "Channels",
    STOCK: "Stock",
    LISTINGS: "Listings",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ToDo:
    """One thing to do: a sentence, and the page where it is done; "" where that is the order's own."""

    text: str
    page: str = ""

    @property
    def label(self) -> str:
        """The name of that page."""
        return PLACE_WORDS.get(self.page, "")


_HOLDS = {
    HoldReason.REFUND_OPEN: ToDo(
        text="grant or refuse the refund on the channel; only lines that no refund names may leave before"
    ),
    HoldReason.OPERATOR: ToDo(text="release it when the reason is gone"),
    HoldReason.WAREHOUSE_REFUSED: ToDo(text="ask its warehouse why it does not send it, then release it"),
    HoldReason.UNREAD_UPDATE: ToDo(
        text="mend settings or connector and replay the dead letter it names, or compare the order with the channel "
        "and drop that letter",
        page=LETTERS,
    ),
    HoldReason.RULE: ToDo(text="see below which rule holds it: approve what it asks, or wait until it ends by itself"),
    HoldReason.VOID: ToDo(text="decide whether it is a real order: approve it, or cancel it"),
    HoldReason.UNMAPPED_SKU: ToDo(text="tie its seller code to a SKU; the order goes on by itself", page=LISTINGS),
}
_WAITS = {
    "person": ToDo(text="a parcel of it waits for a person: do what its open task says", page=TASKS),
    "brake": ToDo(text="look at the stock, then let the numbers go or set the right ones", page=STOCK),
    "restored": ToDo(text="its warehouse is handed nothing new: do what the open task about it says", page=TASKS),
}
_BACKORDERED = ToDo(text="enter what arrives: the oldest paid order is served first, at once", page=STOCK)
_SEND = ToDo(text="send it, then record the parcel with “Ship”")
_SHIP = re.compile(r"send it, then ")
_TASK = re.compile(r"task (\d+): ")
_LETTER = re.compile(r"dead letter (\d+): ")


def to_do(sentences: Iterable[str], *, order: str, channel: str) -> list[ToDo]:
    """Return what to do as the console says it.

    Args:
        sentences: as `next_of_order` has them.
    """
    said = {advice.fill(advice.HOLDS[reason], order=order): step for reason, step in _HOLDS.items()}
    said |= {advice.fill(advice.WAITS[wait], channel=channel): step for wait, step in _WAITS.items()}
    said[advice.STOCK["backordered"]] = _BACKORDERED
    return list(dict.fromkeys(step for sentence in sentences for step in _told(sentence, said, channel)))


def _told(sentence: str, said: dict[str, ToDo], channel: str) -> Iterator[ToDo]:
    if step := said.get(sentence):
        yield step
    elif task := _TASK.match(sentence):
        id = task[1]
        yield ToDo(text=f"task {id} is open about it: do what it says", page=TASKS)
    elif letter := _LETTER.match(sentence):
        id = letter[1]
        yield ToDo(text=f"dead letter {id} is open about it: mend its cause, then replay it", page=LETTERS)
    elif _SHIP.match(sentence):
        yield _SEND
    elif sentence.startswith(f"{channel} ") and "`" in sentence:
        yield ToDo(text=f"channel {channel} does not work now: see why, and what ends it", page=CHANNELS)
    else:
        yield ToDo(text=sentence)
