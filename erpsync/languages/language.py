"""A language: says our texts, words for codes, money, dates and lengths of time in it.

Why one object for all: whoever shows something is handed the reader's language and needs nothing else.
"""

from functools import cache, cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date
    from decimal import Decimal

    from erpsync.languages.speaker import Speaker


class Language:
    """English: what our code says is shown as it is.

    Attributes:
        code: as `--lang` takes it.
        tag: as pages name it (BCP 47).
        locale: by which Babel writes money and dates.
        comma: what stands between parts of a list.
    """

    code = "en"
    tag = "en"
    locale = "en_GB"  # days stand before months, as they always did here
    comma = ", "

    def say(self, text: str) -> str:
        """Return a text of ours in this language; what is not ours comes back as it is."""
        return text

    def word(self, code: str) -> str:
        """Return the word for a code (a status, a reason, a kind); one without a word comes back as it is."""
        return code

    def phrase(self, code: str) -> str:
        """Return a code in words, by its word or, without one, by what it is made of: order.held -> order held."""
        return code.replace(".", " ").replace("_", " ").replace("-", " ")

    def head(self, text: str) -> str:
        """Return the head of a table's column."""
        return text

    def counted(self, one: str, more: str, count: int) -> str:
        """Return the message that goes with a count; its places are still to be filled."""
        return one if count == 1 else more

    def money(self, amount: "Decimal", currency: str) -> str:
        """Return an amount in whole units as people write it, with its currency's sign."""
        from babel.numbers import format_currency

        return format_currency(amount, currency, locale=self.locale)

    def day(self, at: "date", *, year: bool) -> str:
        """Return a day as people write it, with its year or without."""
        from babel.dates import format_skeleton

        return format_skeleton("yMMMd" if year else "MMMd", at, locale=self.locale)


class Translated(Language):
    """A language with a catalogue, which is read when something is first said in it."""

    def __init__(self, code: str, tag: str, locale: str) -> None:
        self.code, self.tag, self.locale = code, tag, locale
        self.comma = "，"

    @cached_property
    def speaker(self) -> "Speaker":
        """What says texts by the catalogue."""
        from erpsync.languages.catalogue import read
        from erpsync.languages.speaker import Speaker

        return Speaker(read(self.code), self.locale)

    def say(self, text: str) -> str:
        """Return a text of ours in this language; what is not ours comes back as it is."""
        return self.speaker.say(text)

    def word(self, code: str) -> str:
        """Return the word for a code (a status, a reason, a kind); of several codes in a row, the word for each."""
        translated = self.speaker.in_context("code", code)
        if translated is not None or " " not in code:
            return translated or code
        first, _, rest = code.partition(" ")
        first_word = self.speaker.in_context("code", first)
        if first_word is None:
            return self.say(code)
        said = self.say(rest)
        return f"{first_word} {self.word(rest) if said == rest else said}"

    def phrase(self, code: str) -> str:
        """Return a code in words, by its word or, without one, by what it is made of: order.held -> order held."""
        return self.speaker.in_context("code", code) or super().phrase(code)

    def head(self, text: str) -> str:
        """Return the head of a table's column."""
        return self.speaker.in_context("column", text) or self.say(text)

    def counted(self, one: str, more: str, count: int) -> str:
        """Return the message that goes with a count; its places are still to be filled."""
        return self.speaker.message(one) or super().counted(one, more, count)


ENGLISH = Language()
_TRANSLATED = {"zh": {"tag": "zh-CN", "locale": "zh_CN"}}


@cache
def language(code: str) -> Language:
    """Return a language by its code; raises `KeyError` for one that is not there."""
    return ENGLISH if code == ENGLISH.code else Translated(code, **_TRANSLATED[code])
