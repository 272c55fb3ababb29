"""Cells that a spreadsheet program would run as formulas, in files that we write, and the way back in files we read.

Why: a buyer chooses their name and address, and `=HYPERLINK(…)` in a file that a clerk opens runs on their machine.
An apostrophe before it makes every such program show it as text.
"""

import re
from collections.abc import Sequence
from typing import Literal

Formulas = Literal["escape", "keep"]
FORMULAS = "text cells that a spreadsheet program would run (= + - @): escape puts ' before them, keep is for machines"
_BEGINS = ("=", "+", "-", "@", "\t", "\r")
_NUMBER = re.compile(r"[-+]?(?:[0-9]+(?:[.,][0-9]+)*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")


def escaped(text: str) -> str:
    """Return a cell as it is written: with an apostrophe where it begins like a formula and is no number.

    One that begins with an apostrophe gets another, because readers of tables take the first one off.
    """
    return f"'{text}" if text.startswith((*_BEGINS, "'")) and not _NUMBER.fullmatch(text) else text


def unescaped(text: str) -> str:
    """Return a cell as it was before `escaped`."""
    bare = text[1:]
    return bare if text.startswith("'") and escaped(bare) != bare else text


def safe_row(row: Sequence[object], formulas: Formulas) -> Sequence[object]:
    """Return a row to be written; only text is looked at, numbers stay numbers."""
    if formulas == "keep":
        return row
    return [escaped(cell) if isinstance(cell, str) else cell for cell in row]
