"""Files put together into one, page by page: labels of couriers come as PDFs of their own, and a wave is one file.

Why in the process that sets pages: what a courier sends is read here for the first time, and a file that is made badly
may ask for any time and any memory.
"""

from collections.abc import Sequence
from io import BytesIO


class NoPdfError(Exception):
    """A file that is none, or not all of one. `place` counts from 0."""

    def __init__(self, place: int) -> None:
        super().__init__(f"file {place} cannot be read")
        self.place = place


def joined(files: Sequence[bytes]) -> bytes:
    """Return one PDF with the pages of all files, as they are and in their order. Raises `NoPdfError`."""
    from pypdf import PdfReader, PdfWriter
    from pypdf.errors import PyPdfError

    whole = PdfWriter()
    for place, file in enumerate(files):
        try:
            pages = list(PdfReader(BytesIO(file)).pages)
            for page in pages:
                whole.add_page(page)
        except (PyPdfError, ArithmeticError, LookupError, RecursionError, TypeError, ValueError, AttributeError):
            pages = []
        if not pages:
            raise NoPdfError(place)
    out = BytesIO()
    whole.write(out)
    return out.getvalue()
