"""The commands of what is made here, as data."""

from erpsync.cli.command import Command, arg
from erpsync.cli.readers import code, count

_FILES = arg("files", nargs="+", metavar="FILE", help="text, .xlsx or .xls; - is standard input")
_SHEET = arg("--sheet", default="", metavar="NAME", help="which sheet of a workbook, where it has several")
_MADE = arg("sku", type=code, metavar="SKU", help="what is made")

WORK = (
    Command(
        "bom list",
        "list what SKUs are made of, the newest version first",
        "boms:list_",
        (
            arg("--sku", metavar="CODE", help="only of this SKU"),
            arg("--state", choices=("draft", "active", "retired"), help="only those in this state"),
            arg("--limit", type=count, default=0, metavar="N", help="how many at most; 0, the default, is all"),
        ),
    ),
    Command(
        "bom show",
        "show a bill of material with its components and steps",
        "boms:show",
        (_MADE, arg("--version", metavar="V", help="this version (default: the active one, else the newest)")),
    ),
    Command(
        "bom import",
        "take bills of material as drafts: sku,version and yields,component,qty,scrap_percent,step; steps with"
        " step,name,station,fixed_minutes,seconds_each",
        "boms:import_",
        (_FILES, _SHEET),
    ),
    Command(
        "bom activate",
        "let a version be what a SKU is made of; what was begun by another is finished by that",
        "boms:activate",
        (_MADE, arg("version", type=code, metavar="VERSION", help="which version")),
    ),
    Command(
        "bom where-used",
        "list what a SKU goes into",
        "boms:where_used",
        (arg("sku", type=code, metavar="SKU", help="the component"),),
    ),
)
