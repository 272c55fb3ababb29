"""The commands of our SKUs: what they are, and how they are planned."""

from erpsync.cli.command import Command, arg
from erpsync.cli.readers import count

_ALL = arg("--limit", type=count, default=0, metavar="N", help="how many at most; 0, the default, is all")
_SKU = arg("--sku", metavar="CODE", help="only of this SKU")
_FILES = arg("files", nargs="+", metavar="FILE", help="text, .xlsx or .xls; - is standard input")
_SHEET = arg("--sheet", default="", metavar="NAME", help="which sheet of a workbook, where it has several")
_LACKS = ("title", "barcode", "weight_g", "volume_cm3", "floor", "tags", "shelf")

ITEMS = (
    Command(
        "goods list",
        "list what is known of SKUs, and on which shelf they lie",
        "goods:list_",
        (
            _SKU,
            arg("--tag", metavar="TAG", help="only those with this tag"),
            arg("--lacks", choices=_LACKS, help="only those of which this is not known"),
            _ALL,
        ),
    ),
    Command(
        "goods import",
        "take goods data: sku and any of title,barcode,weight_g,volume_cm3,floor,currency,tags,shelf,warehouse",
        "goods:import_",
        (_FILES, _SHEET),
    ),
    Command(
        "items list",
        "list how SKUs are planned: what is made, for whom, and by which rules a buyer's wishes are read",
        "items:list_",
        (_SKU, arg("--spec", metavar="RULES", help="only those whose specs are read by this set of rules"), _ALL),
    ),
    Command(
        "items import",
        "say how SKUs are planned, from files: sku and any of supply,make_for,warehouse,spec,offer,lead_days",
        "items:import_",
        (_FILES, _SHEET),
    ),
)
