"""Which texts are whole telephone numbers, and how else the same number is written.

Why spellings: a number is looked up by a keyed hash of its digits, and a landline with its area code, with and without
the country's, is three values.
"""

import re
from unicodedata import normalize

# Mainland China: mobiles have 11 digits, landlines 10 or 11 with the area code but without the 0 before it.
_NUMBER = re.compile(
    r"(?:(?:\+|00)?86)?(?P<mobile>1[3-9]\d{9})"
    r"|(?:(?:\+|00)860?|0)(?P<landline>[1-9]\d{9,10})"
    r"|\+\d{7,15}",
    re.ASCII,
)
_BETWEEN = re.compile("[\\s()./\\-\u2010-\u2015\u2212]+")
_EXTENSION = re.compile(r"\s*(?:-|,|#|转|x|ext\.?)\s*\d{1,6}$")


def whole_digits(phone: str) -> str:
    """Return the digits by which a telephone number is looked up, 11 at most; none where it is starred or too short."""
    digits = re.sub(r"\D", "", normalize("NFKC", phone))[-11:]
    return "" if len(digits) < 7 or "*" in phone else digits


def spellings(text: str) -> tuple[str, ...]:
    """Return the ways a text that is a whole telephone number may be written; nothing when it is none.

    What platforms give instead of the buyer's own, a number with an extension, is one, with its extension.
    """
    said = normalize("NFKC", text).casefold()
    match = _NUMBER.fullmatch(_BETWEEN.sub("", said))
    if match is None:
        base = _EXTENSION.sub("", said)
        return (said,) if base != said and _NUMBER.fullmatch(_BETWEEN.sub("", base)) else ()
    if bare := match["landline"]:
        return (f"0{bare}", f"86{bare}", bare)
    return (match["mobile"] or match[0],)
