"""Compiled catalogues as dictionaries.

Why read here and not by `gettext`: it gives no list of its messages, and sentences are found by going through them.
"""

import struct
from dataclasses import dataclass, field
from pathlib import Path

FOLDER = Path(__file__).parent
"""Where the catalogues lie."""

_MAGIC = 0x950412DE


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Translations by message; those in a context by (context, message). Of forms with a count, the first."""

    plain: dict[str, str] = field(default_factory=dict)
    in_context: dict[tuple[str, str], str] = field(default_factory=dict)


def read(code: str, folder: Path = FOLDER) -> Catalogue:
    """Return the catalogue of a language; raises `ValueError` for a file that is none."""
    return decoded((folder / code / "LC_MESSAGES" / "erpsync.mo").read_bytes())


def decoded(data: bytes) -> Catalogue:
    """Return what a `.mo` file holds, the head left out.

    Source: The GNU gettext manual, "The Format of GNU MO Files": magic, revision, count, and the places of two tables
    of (length, place); a context stands before its message, divided by U+0004; forms with a count divided by U+0000.
    """
    magic, _, count, messages_at, texts_at = struct.unpack_from("<5I", data)
    if magic != _MAGIC:
        raise ValueError("no compiled catalogue of this machine's byte order")
    catalogue = Catalogue()
    for at in range(count):
        message, text = (_entry(data, table_at + 8 * at) for table_at in (messages_at, texts_at))
        context, divided, plain = message.rpartition("\x04")
        plain, text = plain.partition("\0")[0], text.partition("\0")[0]
        if divided:
            catalogue.in_context[context, plain] = text
        elif plain:
            catalogue.plain[plain] = text
    return catalogue


def _entry(data: bytes, table_at: int) -> str:
    length, at = struct.unpack_from("<2I", data, table_at)
    return data[at : at + length].decode()
