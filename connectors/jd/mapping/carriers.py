"""Our courier codes and the platform's carrier ids."""

from collections.abc import Mapping

from erpsync.sdk.carriers import CARRIERS as OURS
from erpsync.sdk.carriers import map_carrier

CARRIERS: Mapping[str, str] = {
    "SF": "467",
    "YTO": "463",
    "ZTO": "1499",
    "STO": "470",
    "YUNDA": "1327",
    "EMS": "465",
    "POST": "2170",
    "JD": "2087",
    "DBL": "3046",
    "UC": "1747",
    "ZJS": "1409",
    "GTO": "2465",
}
"""Source: protocol notes jd.md section 4 and couriers.md section 4, JD column (2017). JT, BEST, TTK and freight have no
certain id, so a channel must set its own for them; a shop may use only carriers it has activated."""


def carrier_id(carrier: str, own: Mapping[str, str]) -> str:
    """Return the platform's id for our courier code; `own` goes before the table.

    Raises `RejectedError` for a courier that the platform cannot be told.
    """
    return map_carrier({**CARRIERS, **own}, carrier)


def carrier_name(carrier: str) -> str:
    """Return the courier's Chinese name, as part shipments want it beside the id."""
    courier = OURS.get(carrier.strip().upper())
    return courier.name_zh if courier else carrier
