"""The commands of couriers, as data."""

from erpsync.cli.command import FILES, SHEET, Command, arg
from erpsync.cli.readers import code, count

_STATES = ("spare", "wanted", "unsure", "handed", "booked", "used", "cancelling", "cancelled", "refused")

COURIERS = (
    Command(
        "waybills list",
        "list couriers' numbers for parcels, newest first",
        "waybills:list_",
        (
            arg("--account", metavar="ID", help="only of this account"),
            arg("--state", choices=_STATES, help="only those in this state"),
            arg("--release", metavar="NUMBER", help="only those of this release"),
            arg("--limit", type=count, default=100, metavar="N", help="how many at most; 0 is all (default 100)"),
        ),
    ),
    Command(
        "waybills import",
        "take in numbers that were bought in advance, from files: carrier,number and optionally service,cost",
        "waybills:import_",
        (
            FILES,
            SHEET,
            arg("--account", required=True, type=code, metavar="ID", help="the account they were bought with"),
        ),
    ),
    Command(
        "waybills book",
        "let a release get a number, also where it was refused; or say which number its parcel has",
        "waybills:book",
        (
            arg("release", metavar="RELEASE", help="the release's number"),
            arg("--number", type=code, metavar="NUMBER", help="the courier's number, where it is known"),
        ),
    ),
    Command(
        "waybills cancel",
        "let a waybill be void, as long as its parcel has not left",
        "waybills:cancel",
        (arg("number", metavar="NUMBER", help="the courier's number, or that of the release"),),
    ),
    Command(
        "rates list",
        "list what accounts with couriers charge",
        "rates:list_",
        (arg("--account", metavar="ID", help="only the card of this account"),),
    ),
    Command(
        "rates import",
        "replace the card of each account named: account,service,zone,first_g,first,step_g,step,volume_divisor,max_g",
        "rates:import_",
        (FILES, SHEET),
    ),
)
