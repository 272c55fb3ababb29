"""Bar codes as paths that fit any size: one unit a module, with the quiet zone that readers ask for."""

import re
from typing import NamedTuple

from erpsync.papers.errors import BarCodeError

QUIET = 10
"""Modules of white on both sides. Source: ISO/IEC 15417."""

MOST = 48
"""Characters of a bar code: as many digits fit on a label of 100 mm."""

_BAR = re.compile("1+")
_CODE = re.compile(rf"[ -~]{{1,{MOST}}}")


class Drawing(NamedTuple):
    """What is black, as a path of SVG, and how many modules it is wide and high."""

    width: int
    height: int
    path: str


def code128(text: str) -> Drawing:
    """Return the Code 128 of a text. Raises `BarCodeError`."""
    from barcode.codex import Code128

    if not _CODE.fullmatch(text):
        raise BarCodeError(f"'{text}' cannot be a bar code, which takes 1 to {MOST} letters, digits and ASCII signs")
    bits: str = Code128(text).build()[0]
    runs = [(bar.start() + QUIET, len(bar[0])) for bar in _BAR.finditer(bits)]
    return Drawing(len(bits) + 2 * QUIET, 1, "".join(f"M{place} 0h{width}v1h-{width}z" for place, width in runs))


def qr(text: str) -> Drawing:
    """Return the QR code of a text, with error correction M."""
    import segno

    rows = [bytes(row) for row in segno.make_qr(text, error="m").matrix_iter(border=4)]
    dots = [f"M{x} {y}h1v1h-1z" for y, row in enumerate(rows) for x, dot in enumerate(row) if dot]
    return Drawing(len(rows), len(rows), "".join(dots))
