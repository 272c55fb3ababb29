"""Says in another language what our code has said in English.

Why texts and not keys come in: see `templates`. A text may be a message, be made of one, or join several with a colon,
a comma or brackets between them; its values may be texts of ours again. Of all ways to read it the one counts that
recognises most of it. What nobody recognises is somebody else's, and comes back as it is.
"""

import re
from collections.abc import Iterator
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

from erpsync.languages.catalogue import Catalogue
from erpsync.languages.templates import Template, filled, words_of
from erpsync.languages.vocabulary import OWN_WORDS, UNTOUCHED

CACHED = 8192
LONGEST = 1500
"""Characters of a text that is read; none of ours is as long, and a made-up one must not cost for ever."""
_JOINTS = (("; ", "；"), (": ", ": "), (", ", "，"))
_SPAN = re.compile(r"(\d[\d.,]*) (s|min|h|d)(?: (\d+) (min|h))?")
_UNITS = {"s": "second", "min": "minute", "h": "hour", "d": "day"}
_NUMBERED = re.compile(r"_\d+$")
_BRACKETS = re.compile(r"(.+?) ?\((.+)\)", re.DOTALL)
_ENDS = ";,:( "
_WORD = re.compile("[A-Za-z]{2}")
_JOINT = re.compile(r"[;:](?: |$)")

Made = tuple[Template, Template]
"""A template and what it says in the other language."""


class Said(NamedTuple):
    """A reading of a text: how many of its characters were recognised, and what it says in the other language."""

    known: int
    text: str


def _known(reading: Said) -> int:
    return reading.known


class Speaker:
    """A catalogue made ready for looking texts up in it."""

    def __init__(self, catalogue: Catalogue, locale: str) -> None:
        self._locale = locale
        self._contexts = catalogue.in_context
        self._messages = catalogue.plain
        self._whole: dict[str, str] = {}
        made: list[Made] = []
        for message, text in catalogue.plain.items():
            template = Template(message)
            if template.names:
                made.append((template, Template(text)))
            else:
                self._whole[template.texts[0]] = filled(text, {})
        self._made = by_word(made)
        begins = [message for message in self._whole if message and message[0] in _ENDS]
        begins += [template.texts[0] for template, _ in made if template.texts[0] and template.texts[0][0] in _ENDS]
        self._begins = sorted({begin for begin in begins if re.search("[a-z]", begin)})
        self._read = lru_cache(CACHED)(self._best)

    def say(self, text: str) -> str:
        """Return a text in this language; what is not ours comes back as it is."""
        return self._read(text).text if len(text) <= LONGEST else text

    def in_context(self, context: str, word: str) -> str | None:
        """Return what a word means where it stands, None where it has no meaning there."""
        return self._contexts.get((context, word))

    def message(self, message: str) -> str | None:
        """Return a message with its places still to be filled; None when it is not in the catalogue."""
        return self._messages.get(message)

    def candidates(self, text: str) -> list[Made]:
        """Return the templates that a text may be made of, those with most text first."""
        candidates = [made for word in sorted(words_of(text)) for made in self._made.get(word, ())]
        return sorted(candidates, key=lambda made: -made[0].weight)

    def _best(self, text: str) -> Said:
        """Return the reading of a text that recognises most of it; of equal ones the first."""
        whole = self._whole.get(text) or self._span(text)
        if whole is not None:
            return Said(len(text), whole)
        if " " not in text or _WORD.search(text) is None:
            return Said(0, text)
        matches = list(self._matches(text))
        plain = [match for match in matches if is_plain(match[0][0], match[1])]
        first = [Said(0, text)]
        if plain:
            beyond_doubt = len(plain) == 1 or plain[0][0][0].weight > max(len(text) / 3, 2 * plain[1][0][0].weight)
            best = max((self._filled(*match) for match in (plain[:1] if beyond_doubt else plain)), key=_known)
            if 2 * best.known >= len(text):
                return best
            first = [best]
        others = [self._filled(*match) for match in matches]
        return max([*first, *self._by_pieces(text), *others], key=_known)

    def _matches(self, text: str) -> Iterator[tuple[Made, tuple[str, ...]]]:
        """Yield the templates that a text is made of, with what stands in the places.

        One that any sentence may fit counts where a place holds a text of ours, or each no more than a word.
        """
        for made in self.candidates(text):
            runs = made[0].match(text)
            if runs is None:
                continue
            if not made[0].loose or all(" " not in run for run in runs) or any(self._read(run).known for run in runs):
                yield made, runs

    def _filled(self, made: Made, runs: tuple[str, ...]) -> Said:
        """Return the reading of a text that is made of a template."""
        template, translated = made
        known, values = template.weight, {}
        for names, text in zip(template.runs(), runs, strict=True):
            for name, said in zip(names, self._divided(names, text), strict=True):
                known += said.known
                values[name] = said.text
        return Said(known, translated.filled(values))

    def _divided(self, names: list[str], text: str) -> list[Said]:
        """Divide what stands in places that touch one another: each but the first holds a text of ours, or nothing."""
        best = [self._value(names[0], text), *(Said(0, "") for _ in names[1:])]
        if len(names) > 1:
            for at in self._tails(text):
                divided = [self._value(names[0], text[:at]), *self._divided(names[1:], text[at:])]
                if sum(said.known for said in divided) > sum(said.known for said in best):
                    best = divided
        return best

    def _value(self, name: str, text: str) -> Said:
        """Return what stands in a place: a word of ours, somebody's name with a text of ours behind it, or a text."""
        kind = _NUMBERED.sub("", name)
        if kind in OWN_WORDS and (word := self._contexts.get(("code", text))) is not None:
            return Said(len(text), word)
        if kind in UNTOUCHED:
            at = next(self._tails(text), len(text))
            tail = self._read(text[at:])
            return Said(tail.known, f"{text[:at]}{tail.text}")
        return self._read(text) if kind in OWN_WORDS or " " in text.strip() else Said(0, text)

    def _tails(self, text: str) -> Iterator[int]:
        """Yield where in a text one of ours may begin that is always put behind others: "; did you mean …"."""
        for at, char in enumerate(text):
            if char in _ENDS and any(text.startswith(begin, at) for begin in self._begins):
                yield at

    def _by_pieces(self, text: str) -> Iterator[Said]:
        """Yield the readings of a text as two with something between them."""
        for joint, ours in _JOINTS:
            before, there, after = text.partition(joint)
            if there:
                first, second = self._piece(before), self._piece(after)
                yield Said(first.known + second.known, f"{first.text}{ours}{second.text}")
        if (match := _BRACKETS.fullmatch(text)) is not None:
            first, second = self._piece(match[1]), self._piece(match[2])
            yield Said(first.known + second.known, f"{first.text}（{second.text}）")

    def _piece(self, text: str) -> Said:
        """Return a part of a text; a single word may be anybody's."""
        return self._read(text) if " " in text.strip() else Said(0, text)

    def _span(self, text: str) -> str | None:
        """Return a length of time: 3 h 5 min."""
        match = _SPAN.fullmatch(text)
        if match is None:
            return None
        from babel.units import format_unit

        big, unit, small, other = match.groups()
        parts = [(big, unit)] if small is None else [(big, unit), (small, other)]
        return "".join(
            format_unit(Decimal(value.replace(",", "")), f"duration-{_UNITS[name]}", "short", locale=self._locale)
            for value, name in parts
        )


def is_plain(template: Template, runs: tuple[str, ...]) -> bool:
    """Whether a text is made of this template beyond doubt: no place but the last holds more than one text."""
    inner = runs if template.texts[-1] else runs[:-1]
    return not any(map(_JOINT.search, inner))


def by_word(made: list[Made]) -> dict[str, list[Made]]:
    """Return templates by the rarest of their words: a text made of one holds that word."""
    counts: dict[str, int] = {}
    words = [sorted(set(template.words())) for template, _ in made]
    for words_in in words:
        for word in words_in:
            counts[word] = counts.get(word, 0) + 1
    index: dict[str, list[Made]] = {}
    for pair, words_in in zip(made, words, strict=True):
        if words_in:
            index.setdefault(min(words_in, key=lambda word: counts[word]), []).append(pair)
    return index
