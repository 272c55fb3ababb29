"""Labels in the words of SF's cloud print."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from erpsync.sdk.read import Fields
from erpsync.sdk.types import Booking


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelFile:
    """Where a label lies; `token` opens it."""

    url: str
    token: str


def label_data(booking: Booking, template: str) -> dict[str, Any]:
    """Return the data of COM_RECE_CLOUD_PRINT_WAYBILLS for all parcels of a booking, to be made into one PDF.

    Source: protocol note couriers.md section 1.4, and the interface's public description: children are named by
    branchWaybillNo with their place, extJson merges the pages.
    """
    documents: list[dict[str, Any]] = [{"masterWaybillNo": booking.number}]
    if booking.children:
        several = len(booking.children) + 1
        documents[0] |= {"seq": 1, "sum": several}
        documents += [
            {"masterWaybillNo": booking.number, "branchWaybillNo": child, "seq": place, "sum": several}
            for place, child in enumerate(booking.children, start=2)
        ]
    data = {"templateCode": template, "version": "2.0", "fileType": "pdf", "sync": True, "documents": documents}
    return data | ({"extJson": {"mergePdf": True, "mergeType": "all"}} if booking.children else {})


def label_files(result: Mapping[str, Any]) -> list[LabelFile]:
    """Return the files that an answer names; they stand in `obj`, beside `msgData`."""
    made = Fields(result).part("obj") or Fields(result).part("msgData")
    if made is None:
        return []
    rows = made.parts("files")
    return [LabelFile(url=row.text("url"), token=row.side_text("token") or "") for row in rows]
