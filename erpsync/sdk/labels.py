"""Whether the bytes of a label are one.

Why so early: what a courier answers instead of a label (a page of HTML, nothing at all) would else be stored, and be
found out at the printer, where somebody waits with a parcel in his hands.
"""

from erpsync.sdk.errors import PayloadError
from erpsync.sdk.text import read_json
from erpsync.sdk.types import LabelKind

_END = 1024
"""Bytes at the end of a PDF in which its end is marked. Source: ISO 32000-1 annex H, implementation note 18."""

_PICTURES = ((b"\x89PNG\r\n\x1a\n", b"IEND\xaeB`\x82"), (b"\xff\xd8\xff", b"\xff\xd9"))
"""How a PNG and a JPEG begin and end. Source: ISO 15948 sections 5.2 and 11.2.5; ITU T.81 table B.1."""


def demand_label(data: bytes, kind: LabelKind, *, path: str = "$") -> bytes:
    """Return the bytes when they are a label of this kind, whole as far as can be told; raises `PayloadError`."""
    if not data:
        raise PayloadError("expected a label, found nothing", path=path)
    if kind is LabelKind.NONE:
        raise PayloadError("expected no label, found one", path=path)
    if kind is LabelKind.PDF and not (data.startswith(b"%PDF-") and b"%%EOF" in data[-_END:]):
        raise PayloadError("expected a PDF, found something else or not all of one", path=path)
    if kind is LabelKind.PICTURE and not _is_picture(data):
        raise PayloadError("expected a PNG or a JPEG, found something else or not all of one", path=path)
    if kind is LabelKind.PRINT_DATA and not _is_object(data):
        raise PayloadError("expected a JSON object to print, found something else", path=path)
    return data


def _is_picture(data: bytes) -> bool:
    return any(data.startswith(begin) and data.endswith(end) for begin, end in _PICTURES)


def _is_object(data: bytes) -> bool:
    try:
        return isinstance(found := read_json(data), dict) and bool(found)
    except (ValueError, RecursionError):
        return False
