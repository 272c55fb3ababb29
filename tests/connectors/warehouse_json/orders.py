"""Releases as tests need them."""

from datetime import UTC, datetime

from erpsync.sdk.types import Recipient, Release, ReleaseLine

PERSON = ("王小明", "13800138000", "世纪大道1号")
NOW = datetime(2026, 3, 2, 8, 10, tzinfo=UTC)


def release(number: str = "R20260302000001") -> Release:
    """Return a release of two units of A."""
    name, phone, address = PERSON
    return Release(
        number=number,
        order="S1",
        warehouse="SH",
        lines=(ReleaseLine(line="1", sku="A", qty=2),),
        recipient=Recipient(name=name, phone=phone, address=address),
        placed_at=NOW,
    )
