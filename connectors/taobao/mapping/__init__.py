"""Between the platform's words and ours. All pure; `PayloadError` names the field."""

from connectors.taobao.mapping.carriers import CARRIERS, company_code
from connectors.taobao.mapping.listings import item_ref_of, listing_rows, split_ref
from connectors.taobao.mapping.orders import COD_TYPES, LIST_FIELDS, NOTES, WHOLE_FIELDS, is_open, order_of
from connectors.taobao.mapping.refunds import REFUND_FIELDS, refund_of
from connectors.taobao.mapping.values import BEIJING, Fields, format_time, parse_time

__all__ = [
    "BEIJING",
    "CARRIERS",
    "COD_TYPES",
    "LIST_FIELDS",
    "NOTES",
    "REFUND_FIELDS",
    "WHOLE_FIELDS",
    "Fields",
    "company_code",
    "format_time",
    "is_open",
    "item_ref_of",
    "listing_rows",
    "order_of",
    "parse_time",
    "refund_of",
    "split_ref",
]
