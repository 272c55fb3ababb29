"""What a courier sends as a label is one, or is refused before it is stored."""

import pytest

from erpsync.sdk.errors import PayloadError
from erpsync.sdk.labels import demand_label
from erpsync.sdk.types import LabelKind, TrackState

PDF = b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(30) + b"IEND\xaeB`\x82"
JPEG = b"\xff\xd8\xff\xe0" + bytes(30) + b"\xff\xd9"


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (PDF, LabelKind.PDF),
        (PNG, LabelKind.PICTURE),
        (JPEG, LabelKind.PICTURE),
        ('{"data":{"mailNo":"汉"}}'.encode(), LabelKind.PRINT_DATA),
    ],
)
def test_a_label_is_given_back_as_it_came(data: bytes, kind: LabelKind) -> None:
    assert demand_label(data, kind) == data


@pytest.mark.parametrize(
    ("data", "kind", "said"),
    [
        (b"", LabelKind.PDF, "found nothing"),
        (b"<html>busy</html>", LabelKind.PDF, "expected a PDF, found something else or not all of one"),
        (PDF[:20], LabelKind.PDF, "expected a PDF, found something else or not all of one"),
        (PNG[:-1], LabelKind.PICTURE, "expected a PNG or a JPEG, found something else or not all of one"),
        (JPEG[:-2], LabelKind.PICTURE, "expected a PNG or a JPEG, found something else or not all of one"),
        (b"<html>busy</html>", LabelKind.PICTURE, "expected a PNG or a JPEG, found something else or not all of one"),
        (b"[1]", LabelKind.PRINT_DATA, "expected a JSON object to print, found something else"),
        (b"{}", LabelKind.PRINT_DATA, "expected a JSON object to print, found something else"),
        (b"{", LabelKind.PRINT_DATA, "expected a JSON object to print, found something else"),
        (PDF, LabelKind.NONE, "expected no label, found one"),
    ],
)
def test_what_is_no_label_is_refused_without_being_quoted(data: bytes, kind: LabelKind, said: str) -> None:
    with pytest.raises(PayloadError, match=said) as raised:
        demand_label(data, kind, path="$.files[0]")

    assert raised.value.path == "$.files[0]"
    assert "busy" not in str(raised.value)


def test_only_what_is_announced_has_not_been_in_the_courier_s_hands() -> None:
    assert [state for state in TrackState if not state.scanned] == [TrackState.ANNOUNCED]
