"""What the marks of an order say about its parcels: seals, parts, couriers.

Why a mark that cannot be read is kept by name: the order waits for a person then. Taken as no mark, a seal would be
broken in silence.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

SEALS = ("merge", "split")
PART = "part:"


@dataclass(frozen=True, slots=True, kw_only=True)
class PartMark:
    """Units that leave in a parcel of their own: those whose SKU, or one of whose tags, is among the words.

    A `*` at the end of a word stands for whatever follows.
    """

    name: str
    by: str
    words: tuple[str, ...]

    def takes(self, sku: str, tags: Iterable[str]) -> bool:
        """Whether it is about a SKU."""
        said = (sku,) if self.by == "sku" else tuple(tags)
        return any(_fits(word, each) for word in self.words for each in said)


def _fits(word: str, said: str) -> bool:
    return said.startswith(word[:-1]) if word.endswith("*") else said == word


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderMarks:
    """What is marked of an order.

    Args:
        no_merge: it leaves with no other order.
        no_split: it leaves in one parcel or waits.
        carrier: couriers that it wishes for, first choice first.
        parts: by name; units that several are about belong to the first.
        void: it is no real order.
        unreadable: names of marks that could not be understood.
    """

    no_merge: bool = False
    no_split: bool = False
    carrier: tuple[str, ...] = ()
    parts: tuple[PartMark, ...] = ()
    void: bool = False
    unreadable: tuple[str, ...] = ()


NO_MARKS = OrderMarks()


def read_marks(marks: Mapping[str, str]) -> OrderMarks:
    """Return what marks, value by name, say about parcels; those about other things are passed over.

    `seal` has `merge`, `split` or both with a blank between, `carrier` codes with blanks between, and `part:NAME`
    `{"sku_tag": [...]}` or `{"sku": [...]}` as JSON. `void` counts by being there.
    """
    seals = marks.get("seal", "").split()
    parts = {name: _part(name.removeprefix(PART), value) for name, value in marks.items() if name.startswith(PART)}
    unreadable = [name for name, part in parts.items() if part is None]
    if "seal" in marks and (not seals or not set(seals) <= set(SEALS)):
        unreadable.append("seal")
    return OrderMarks(
        no_merge="merge" in seals,
        no_split="split" in seals,
        carrier=tuple(marks.get("carrier", "").split()),
        parts=tuple(sorted((part for part in parts.values() if part), key=lambda part: part.name)),
        void="void" in marks,
        unreadable=tuple(sorted(unreadable)),
    )


def _part(name: str, value: str) -> PartMark | None:
    try:
        said = json.loads(value)
    except (ValueError, RecursionError):
        return None
    if not name or not isinstance(said, dict) or len(said) != 1:
        return None
    [(by, words)] = said.items()
    if by not in ("sku", "sku_tag") or not isinstance(words, list) or not words:
        return None
    return PartMark(name=name, by=by, words=tuple(words)) if all(isinstance(w, str) and w for w in words) else None
