"""Lines of text for a terminal, where Chinese characters take two columns and may be broken anywhere."""

import unicodedata
from collections.abc import Iterator

_CLOSING = "，。；：、）」』”？！"


def wrapped(text: str, width: int) -> Iterator[str]:
    """Yield lines of text that take no more columns of a terminal than `width`, as long as no word is longer.

    Chinese has no blanks between words; a line may begin with any character but a closing mark.
    """
    line, used = "", 0
    for piece in _pieces(" ".join(text.split())):
        size = sum(map(columns, piece))
        if line and used + size > width and piece.strip():
            yield line.rstrip()
            begun = piece.lstrip()
            line, used = begun, sum(map(columns, begun))
        else:
            line, used = line + piece, used + size
    if line:
        yield line.rstrip()


def _pieces(text: str) -> Iterator[str]:
    """Yield what must not be broken: a word with the blank before it, or a wide character with its closing marks."""
    piece = ""
    for char in text:
        breaks = char == " " or columns(char) == 2 or (piece and columns(piece[-1]) == 2)
        if breaks and char not in _CLOSING and piece:
            yield piece
            piece = ""
        piece += char
    if piece:
        yield piece


def columns(char: str) -> int:
    """Return how many columns of a terminal a character takes."""
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1
