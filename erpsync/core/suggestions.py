"""Which of our SKUs a seller code that nobody has mapped may be, the likeliest first.

Why only suggested: a code that merely looks alike is another code until a person says so. Why words and pairs of
characters and no distance between spellings: sellers write the same goods with other words in another order, and
Chinese has no spaces between them.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal
from unicodedata import normalize

Why = Literal["equal", "barcode", "twin", "spelling", "part", "title"]

MOST = 3
"""So many are suggested for one code."""

LEAST_CHARS = 4
"""A code shorter than that is part of too many others to say anything."""

LEAST_ALIKE = 0.4
LOOSE = " -_./"
"""What does not count in a code, beside case and width."""

_LOOSE = re.compile(f"[{re.escape(LOOSE)}\\s\u2010-\u2015\u2212]+")
_WORD = re.compile("[a-z0-9]+|[\u3400-\u9fff\uf900-\ufaff\u3040-\u30ff\uac00-\ud7af]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a channel sells under a code that nobody has mapped."""

    key: int
    code: str
    title: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """A SKU that it may be, how many of it one of the channel's is, and why.

    Args:
        why: the code is `equal`; it is the SKU's own `barcode`; another listing of this code is mapped so (`twin`); the
            codes differ in case, spaces and dashes only (`spelling`); one begins or ends with the other (`part`); the
            titles are alike (`title`).
    """

    sku: str
    why: Why
    factor: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidates:
    """What is known of our goods, as far as it may fit what is wanted.

    Args:
        codes: codes of SKUs.
        twins: (SKU, factor) of what is mapped under the very same code.
        titled: titles of SKUs and of what is mapped, each with its SKU.
        barcodes: SKUs by their barcode.
    """

    codes: Iterable[str] = ()
    twins: Mapping[str, Sequence[tuple[str, int]]]
    titled: Iterable[tuple[str, str]] = ()
    barcodes: Mapping[str, Sequence[str]] = field(default_factory=dict)


def dense(code: str) -> str:
    """Return a code as it is compared: whatever its width and case, without spaces, dashes, underscores and dots."""
    return _LOOSE.sub("", normalize("NFKC", code)).casefold()


def affixes(code: str) -> set[str]:
    """Return the whole of a dense code, and each beginning and end of it that is long enough to say something."""
    whole = dense(code)
    sizes = range(LEAST_CHARS, len(whole))
    return {whole, *(whole[:size] for size in sizes), *(whole[-size:] for size in sizes)} - {""}


@lru_cache(maxsize=20_000)
def tokens(title: str) -> frozenset[str]:
    """Return the words of a title, and of what is written without spaces each pair of characters."""
    return frozenset(_tokens(normalize("NFKC", title).casefold()))


def _tokens(text: str) -> Iterator[str]:
    for word in _WORD.findall(text):
        if word[0] <= "z" or len(word) == 1:
            yield word
        else:
            yield from (word[at : at + 2] for at in range(len(word) - 1))


def suggest(wanted: Sequence[Wanted], candidates: Candidates) -> dict[int, tuple[Suggestion, ...]]:
    """Return what each may be, by its key, the likeliest first and no more than `MOST`."""
    by_dense: dict[str, list[str]] = {}
    for code in sorted(set(candidates.codes)):
        by_dense.setdefault(dense(code), []).append(code)
    alike = _by_title(wanted, candidates.titled)
    return {thing.key: _ranked(thing, by_dense, candidates, alike.get(thing.key, ())) for thing in wanted}


def _ranked(
    thing: Wanted,
    by_dense: Mapping[str, Sequence[str]],
    candidates: Candidates,
    alike: Iterable[str],
) -> tuple[Suggestion, ...]:
    whole = dense(thing.code)
    same = by_dense.get(whole, ())
    parts = sorted(affixes(thing.code) - {whole}, key=lambda part: (-len(part), part))
    ranked = (
        *(Suggestion(sku=code, why="equal") for code in same if code == thing.code),
        *(Suggestion(sku=code, why="barcode") for code in candidates.barcodes.get(thing.code, ())),
        *(Suggestion(sku=code, why="twin", factor=factor) for code, factor in candidates.twins.get(thing.code, ())),
        *(Suggestion(sku=code, why="spelling") for code in same),
        *(Suggestion(sku=code, why="part") for part in parts for code in by_dense.get(part, ())),
        *(Suggestion(sku=code, why="title") for code in alike),
    )
    first: dict[str, Suggestion] = {}
    for each in ranked:
        first.setdefault(each.sku, each)
    return tuple(first.values())[:MOST]


def _by_title(wanted: Sequence[Wanted], titled: Iterable[tuple[str, str]]) -> dict[int, list[str]]:
    """Return the SKUs whose titles share enough with that of each thing, by its key, the most alike first.

    Each title is gone through once, whatever number of things is wanted.
    """
    of_things = {thing.key: tokens(thing.title) for thing in wanted if thing.title}
    holders: dict[str, list[int]] = {}
    for key, words in of_things.items():
        for word in words:
            holders.setdefault(word, []).append(key)
    best: dict[int, dict[str, float]] = {}
    for title, sku in titled if holders else ():
        words = tokens(title)
        for key, shared in Counter(key for word in words for key in holders.get(word, ())).items():
            likeness = 2 * shared / (len(words) + len(of_things[key]))
            if likeness >= LEAST_ALIKE and likeness > best.setdefault(key, {}).get(sku, 0):
                best[key][sku] = likeness
    return {key: sorted(skus, key=lambda sku: (-skus[sku], sku))[:MOST] for key, skus in best.items()}
