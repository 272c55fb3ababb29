"""Between the platform's words and ours. All pure; `PayloadError` names the field."""

from connectors.jd.mapping.carriers import CARRIERS, carrier_id, carrier_name
from connectors.jd.mapping.lines import Item, items_of, sent_units
from connectors.jd.mapping.listings import SKU_FIELDS, listing_rows, sku_number
from connectors.jd.mapping.orders import OPTIONAL_FIELDS, do_not_ship, order_of
from connectors.jd.mapping.refunds import refund_of
from connectors.jd.mapping.values import BEIJING, Fields, format_time, parse_time

__all__ = [
    "BEIJING",
    "CARRIERS",
    "OPTIONAL_FIELDS",
    "SKU_FIELDS",
    "Fields",
    "Item",
    "carrier_id",
    "carrier_name",
    "do_not_ship",
    "format_time",
    "items_of",
    "listing_rows",
    "order_of",
    "parse_time",
    "refund_of",
    "sent_units",
    "sku_number",
]
