"""The commands of what is made here, as data."""

from erpsync.cli.command import FILES, SHEET, Command, arg
from erpsync.cli.order_commands import WHY
from erpsync.cli.readers import code, count, identity

_WORK = arg("work", type=code, metavar="WORK", help="the work order's number")
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
        (FILES, SHEET),
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
    Command(
        "work list",
        "list work orders that have not ended, the one that is waited for longest first",
        "works:list_",
        (
            arg("--sku", metavar="CODE", help="only those that make this SKU"),
            arg("--station", metavar="NAME", help="only those with a step at this station"),
            arg("--limit", type=count, default=100, metavar="N", help="how many at most; 0 is all (default 100)"),
        ),
    ),
    Command("work show", "show a work order with its steps, components and reports", "works:show", (_WORK,)),
    Command(
        "work start",
        "begin a work order: its components go to where it is worked on, all of them or none",
        "works:start",
        (
            _WORK,
            arg("--qty", type=count, metavar="N", help="begin so many; the others are a work order of their own"),
            arg("--force", action="store_true", help="also where all orders that wait for it are held"),
        ),
    ),
    Command(
        "work report",
        "say what came out of a step of a work order, or take such a report back",
        "works:report",
        (
            _WORK,
            arg("--step", type=count, metavar="N", help="the step's number"),
            arg("--good", type=count, default=0, metavar="N", help="units that came out good"),
            arg("--scrap", type=count, default=0, metavar="N", help="units that were lost"),
            arg("--key", type=code, metavar="KEY", help="the station's own key: said again with it is said once"),
            arg("--undo", type=identity, metavar="REPORT", help="take this report back, by its id"),
        ),
    ),
    Command(
        "work split",
        "make two work orders of one that has not begun",
        "works:split",
        (_WORK, arg("--qty", required=True, type=count, metavar="N", help="so many units stay in it")),
    ),
    Command(
        "work close",
        "end a work order before all of it is made; who still waits gets another one",
        "works:close",
        (
            _WORK,
            arg("--scrap", action="store_true", help="what is in work is lost (without it: it goes back)"),
            WHY,
        ),
    ),
)
