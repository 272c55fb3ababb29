"""What a text was made of: a template with named places, read from a message and found again in a text.

Why by what was said and not by a key: sentences are stored as English text, by versions before this one too, and made
in hundreds of places. Whoever shows one finds the template that it fits and says the same in another language.
"""

import re
from collections.abc import Iterator, Mapping

_PLACE = re.compile(r"\{\{|\}\}|\{(\w+)\}")
_WORD = re.compile(r"[A-Za-z]+")
_LITTLE = frozenset(
    ["a", "an", "and", "are", "at", "by", "for", "from", "in", "is", "not", "of", "on", "the", "to", "was", "with"]
)


def escaped(text: str) -> str:
    """Return a text as a message that has no places."""
    return text.replace("{", "{{").replace("}", "}}")


def places(message: str) -> tuple[str, ...]:
    """Return a message as texts and the names of places in turn; the first and the last are texts."""
    parts = [""]
    if "{" not in message and "}" not in message:
        return (message,)
    at = 0
    for match in _PLACE.finditer(message):
        parts[-1] += message[at : match.start()]
        at = match.end()
        if match[1] is None:
            parts[-1] += match[0][0]
        else:
            parts += [match[1], ""]
    parts[-1] += message[at:]
    return tuple(parts)


class Template:
    """A message with places.

    Attributes:
        names: of its places, from left to right.
        weight: how much of it is text: the more, the less can it be met by chance.
        loose: it begins with a place and its text is little words, as "{number} is {state}": any sentence may fit it.
    """

    def __init__(self, message: str) -> None:
        parts = places(message)
        self.texts, self.names = parts[::2], parts[1::2]
        self.weight = sum(map(len, self.texts))
        self.loose = self.texts[0] == "" and _LITTLE.issuperset(map(str.lower, self.words()))

    def words(self) -> Iterator[str]:
        """Yield the words that stand whole in every text of this template."""
        last = len(self.texts) - 1
        for at, text in enumerate(self.texts):
            for word in _WORD.finditer(text):
                if not ((word.start() == 0 and at > 0) or (word.end() == len(text) and at < last)):
                    yield word[0]

    def runs(self) -> list[list[str]]:
        """Return the names of places, those together between which nothing stands."""
        runs: list[list[str]] = []
        for at, name in enumerate(self.names):
            if at and not self.texts[at]:
                runs[-1].append(name)
            else:
                runs.append([name])
        return runs

    def match(self, text: str) -> tuple[str, ...] | None:
        """Return what stands in each run of places, None where the text is not made of this template.

        Each text is looked for behind the one before, as near as can be: nearer leaves more room for those that follow.
        """
        first, *between, last = self.texts
        end = len(text) - len(last)
        if not (text.startswith(first) and text.endswith(last)) or end < len(first):
            return None
        runs, at = [], len(first)
        for text_between in filter(None, between):
            place = text.find(text_between, at, end)
            if place < 0:
                return None
            runs.append(text[at:place])
            at = place + len(text_between)
        return (*runs, text[at:end])

    def filled(self, values: Mapping[str, str]) -> str:
        """Return the text with values in its places; a place without a value is left empty."""
        said = [self.texts[0]]
        for name, text in zip(self.names, self.texts[1:], strict=True):
            said += [values.get(name, ""), text]
        return "".join(said)


def words_of(text: str) -> set[str]:
    """Return the words of a text, by which templates are looked up."""
    return set(_WORD.findall(text))


def filled(message: str, values: Mapping[str, str]) -> str:
    """Return a message with values in its places; a place without a value is left empty."""
    return Template(message).filled(values)
