"""Every command and its arguments, as data.

Why data: the parser, the help and the README's table come from one list, and nothing is imported before it is run.
"""

from erpsync.cli.command import Argument, Command, arg
from erpsync.cli.courier_commands import COURIERS
from erpsync.cli.desk_commands import DESK
from erpsync.cli.item_commands import ITEMS
from erpsync.cli.order_commands import DECISIONS, ORDER, RULES, SAID, WHY
from erpsync.cli.own_commands import BEGINNING, CONNECTORS, DAEMON, KEEPING, TOKENS, USERS
from erpsync.cli.paper_commands import PAPERS
from erpsync.cli.readers import change, code, count, days, few, identity, remark

__all__ = ["COMMANDS", "GROUPS", "Argument", "Command", "arg", "only_looks"]


def only_looks(name: str) -> bool:
    """Whether a command changes nothing, and may go by the configuration in force while the files are bad."""
    group, _, act = name.partition(" ")
    tries = group == "rules" and act in ("test", "coverage")
    return tries or name in {"status", "explain", "prove"} or name.endswith((" list", " show", " find", " export"))


_LIMIT = arg("--limit", type=count, default=100, metavar="N", help="how many at most; 0 is all (default 100)")
_ALL = arg("--limit", type=count, default=0, metavar="N", help="how many at most; 0, the default, is all")
_CHANNEL = arg("--channel", metavar="ID", help="only of this channel")
_IN = arg("--warehouse", metavar="W", help="only in this warehouse")
_SKU = arg("--sku", metavar="CODE", help="only of this SKU")
_NAME = arg("channel", metavar="ID", help="the channel's id")
_FILES = arg("files", nargs="+", metavar="FILE", help="text, .xlsx or .xls; - is standard input")
_SHEET = arg("--sheet", default="", metavar="NAME", help="which sheet of a workbook, where it has several")
_FILE = (
    arg("--out", metavar="FILE", help="write this file, whole or not at all (default: standard output)"),
    arg("--force", action="store_true", help="replace the file if it is there"),
    arg(
        "--plain",
        action="store_true",
        help="for a program: heads and states as --json names them, cells as they are, no byte-order mark",
    ),
)
_W = arg("--warehouse", required=True, type=code, metavar="W", help="the warehouse")
_S = arg("--sku", required=True, type=code, metavar="CODE", help="the SKU")

_ORDERS = (
    _CHANNEL,
    arg("--status", metavar="STATUS", help="only those with this status, for example held or backordered"),
    _SKU,
    arg("--since", metavar="INSTANT", help="placed at or after this date or time"),
    arg("--until", metavar="INSTANT", help="placed before this date or time"),
    arg("--hold-reason", metavar="REASON", help="only those held for this reason, for example unmapped_sku"),
    arg("--warehouse", metavar="ID", help="only those for which this warehouse holds units now"),
    arg("--rule", metavar="RULE", help="only those that this rule holds now"),
    arg("--tag", metavar="TAG", help="only those with this tag, set by a rule or by hand"),
)

ORDERS = (
    Command(
        "orders list",
        "list orders, newest first",
        "orders:list_orders",
        (
            *_ORDERS,
            _LIMIT,
            arg("--after", metavar="CURSOR", help="go on after this order: the number of the last one listed"),
        ),
    ),
    Command(
        "orders export",
        "write orders as CSV for a spreadsheet, a row for each line, nothing personal in it; newest first",
        "orders:export",
        (
            *_ORDERS,
            _ALL,
            arg("--after", metavar="CURSOR", help="go on after this order: the number of the last one written"),
            *_FILE,
        ),
    ),
    Command(
        "orders find",
        "find orders by what you have in hand, what fits exactly first, then newest first",
        "find:find",
        (
            arg(
                "text",
                nargs="?",
                metavar="TEXT",
                help="a number of ours, the channel's or a parcel's, or part of one; SKU; goods; whole phone number",
            ),
            arg("--phone", action="store_true", help="ask for a phone number, or read it from standard input"),
            arg("--limit", type=few, default=100, metavar="N", help="how many at most, up to 500 (default 100)"),
        ),
    ),
    Command(
        "orders show",
        "show one order with its events",
        "orders:show",
        (
            ORDER,
            arg(
                "--recipient",
                action="store_true",
                help="also who bought, who gets it and what they wrote; leaves an audit event",
            ),
            arg("--spec", action="store_true", help="also how its lines are made; leaves an audit event"),
        ),
    ),
    *DECISIONS,
    Command(
        "ship",
        "record a parcel that has left",
        "ship:ship",
        (
            ORDER,
            arg("--carrier", required=True, metavar="CODE", help="our carrier code, for example SF, YTO, ZTO"),
            arg("--tracking", required=True, metavar="N", help="the parcel's tracking number"),
            arg(
                "--line",
                action="append",
                default=[],
                metavar="ID[:QTY]",
                help="a line in the parcel, with units of the channel; without it all that is still to leave",
            ),
            arg("--force", action="store_true", help="also with an open refund or before it is ready; needs --reason"),
            arg("--reason", default="", type=remark, metavar="TEXT", help="why it is forced"),
        ),
    ),
    Command(
        "shipments list",
        "list shipments, newest first",
        "ship:list_shipments",
        (
            _CHANNEL,
            arg("--order", metavar="ORDER", help="only of this order"),
            arg("--state", metavar="STATE", help="only those in this state, for example waiting"),
            _LIMIT,
        ),
    ),
    Command(
        "shipments correct",
        "give a parcel its right tracking number; the channel is told again, or a task says what to do there",
        "ship:correct",
        (
            arg("number", metavar="NUMBER", help="the shipment's number, as `shipments list` shows it"),
            arg("--tracking", required=True, metavar="N", help="the right tracking number"),
            arg("--carrier", default="", metavar="CODE", help="the right carrier, if that was wrong too"),
        ),
    ),
)

STOCK = (
    Command(
        "stock list",
        "list stock per warehouse and SKU",
        "stock:list_stock",
        (_IN, _SKU, arg("--variants", action="store_true", help="also what is made as buyers want it")),
    ),
    Command(
        "stock export",
        "write stock as CSV for a spreadsheet; `stock import` takes the file back, with other numbers on hand",
        "stock:export",
        (
            _IN,
            _SKU,
            arg(
                "--by",
                choices=("warehouse", "sku"),
                default="warehouse",
                help="a row for each SKU and warehouse (the default), or for each SKU with what every shop was told",
            ),
            *_FILE,
        ),
    ),
    Command(
        "stock import",
        "take counts from files: warehouse,sku,on_hand and optionally as_of, or what `stock export` wrote",
        "stock:import_",
        (
            _FILES,
            _SHEET,
            arg("--as-of", metavar="INSTANT", help="when the count was taken, for rows without as_of (default: now)"),
            SAID,
        ),
    ),
    Command(
        "stock set",
        "set what is on hand of one SKU",
        "stock:set_",
        (
            _W,
            _S,
            arg("--on-hand", "--qty", dest="on_hand", required=True, type=count, metavar="N", help="units"),
            SAID,
        ),
    ),
    Command(
        "stock add",
        "add units to one SKU, or take some away",
        "stock:add",
        (_W, _S, arg("--qty", required=True, type=change, metavar="±N", help="units, for example 5 or -2"), WHY),
    ),
    Command("stock confirm", "let the zeros go that the brake holds back", "stock:confirm", (_NAME,)),
    Command(
        "listings list",
        "list listings with the number each was told",
        "listings:list_",
        (_CHANNEL, _SKU, arg("--unmapped", action="store_true", help="only those tied to no SKU")),
    ),
    Command(
        "listings import",
        "tie listings to SKUs from files: channel,channel_sku,sku,factor and optionally item_ref,no_stock",
        "listings:import_",
        (_FILES, _SHEET),
    ),
    Command(
        "policies list",
        "list what is set for single SKUs on a channel or in a warehouse",
        "policies:list_",
        (_CHANNEL, _SKU, _IN),
    ),
    Command(
        "policies import",
        "set it from files, all or nothing: sku,channel,warehouse,safety,cap,buffer,paused",
        "policies:import_",
        (_FILES, _SHEET),
    ),
    Command("bundles list", "list what is in each bundle", "listings:list_bundles", (_SKU,)),
    Command("bundles import", "take bundles from files: bundle,sku,qty", "listings:import_bundles", (_FILES, _SHEET)),
    Command(
        "bundles drop",
        "let a bundle be goods of its own again",
        "listings:drop_bundle",
        (arg("bundle", metavar="BUNDLE", help="the bundle's SKU"),),
    ),
)

CHANNELS = (
    Command("channels list", "list channels", "channels:list_"),
    Command("channels show", "show one channel with its streams and queues", "channels:show", (_NAME,)),
    Command(
        "channels pause",
        "stop all calls to a channel",
        "channels:pause",
        (_NAME, SAID),
    ),
    Command("channels resume", "end a pause, and try refused credentials again", "channels:resume", (_NAME,)),
    Command(
        "channels poll",
        "ask for a pass now",
        "channels:poll",
        (
            _NAME,
            arg(
                "--stream",
                action="append",
                dest="streams",
                metavar="NAME",
                help="orders, backfill, refunds, listings, shipments, warehouse or waybills; "
                "repeatable (default: not backfill)",
            ),
        ),
    ),
    Command(
        "channels backfill",
        "read a channel's past again",
        "channels:backfill",
        (_NAME, arg("--days", type=days, metavar="N", help="days back (default: backfill_days of the channel)")),
    ),
)

_ROUTE = arg("route", metavar="ROUTE", help="the route's id")

MESSAGES = (
    Command("routes list", "list which department is told of what, and whether it gets through", "routes:list_"),
    Command("routes test", "send one test message now; moves nothing", "routes:test", (_ROUTE,)),
    Command("routes retry", "try a route at once that waits after a failure", "routes:retry", (_ROUTE,)),
)

_LETTERS = arg("ids", nargs="+", type=identity, metavar="LETTER", help="the dead letter's id")

ATTENTION = (
    Command(
        "dead list",
        "list dead letters: rows that only a person can move on",
        "dead:list_dead",
        (_CHANNEL, arg("--kind", metavar="KIND", help="only of this kind, for example order"), _ALL),
    ),
    Command("dead replay", "try dead letters again", "dead:replay", (_LETTERS,)),
    Command("dead drop", "give dead letters up", "dead:drop", (_LETTERS, SAID)),
    Command(
        "tasks list",
        "list what people should do",
        "tasks:list_tasks",
        (
            _CHANNEL,
            arg("--closed", action="store_true", help="also those that are done, of all the latest 100"),
            arg("--limit", type=count, metavar="N", help="how many at most; 0, the default without --closed, is all"),
        ),
    ),
    Command(
        "tasks done",
        "close tasks",
        "tasks:done",
        (
            arg("ids", nargs="+", type=identity, metavar="TASK", help="its id"),
            arg("--arrived", action="store_true", help="what got no answer is there, so it is not sent again"),
        ),
    ),
    Command(
        "alarms list",
        "list alarms: what is wrong, told once when it breaks and once when it mends",
        "alarms:list_alarms",
        (
            arg("--all", action="store_true", help="also those that are over, the latest first"),
            arg("--limit", type=few, default=100, metavar="N", help="of those that are over, at most N (default 100)"),
        ),
    ),
    Command(
        "trail list",
        "list what was done, by whom and why, newest first",
        "trail:list_trail",
        (
            arg("--since", metavar="INSTANT", help="at or after this date or time"),
            arg("--order", metavar="ORDER", help="only of this order"),
            _SKU,
            arg("--actor", type=code, metavar="NAME", help="only by this person or token, for example api:NAME"),
            _LIMIT,
            arg(
                "--after", type=identity, metavar="EVENT", help="go on after this event: the id of the last one listed"
            ),
        ),
    ),
    Command(
        "explain",
        "say why an order waits, or why a SKU shows its number, step by step; and what led to it",
        "explain:explain",
        (arg("name", metavar="ORDER|SKU", help="our order number, the channel's id, or a SKU"),),
    ),
)

COMMANDS = (
    *BEGINNING,
    *DAEMON,
    *ORDERS,
    *RULES,
    *DESK,
    *PAPERS,
    *STOCK,
    *ITEMS,
    *COURIERS,
    *CHANNELS,
    *MESSAGES,
    *ATTENTION,
    *KEEPING,
    *CONNECTORS,
    *TOKENS,
    *USERS,
)

GROUPS = {
    "orders": "orders, and an operator's decisions on them",
    "rules": "what rules.yaml says of orders and parcels",
    "shipments": "parcels that left",
    "releases": "what warehouses have to send",
    "waves": "releases of a desk that are picked together",
    "papers": "what is printed of releases and waves",
    "stock": "what lies in the warehouses",
    "goods": "what our SKUs are, and where they lie",
    "items": "how our SKUs are planned",
    "listings": "what channels sell, tied to our SKUs",
    "policies": "what holds for single SKUs on a channel or in a warehouse",
    "bundles": "SKUs made of others",
    "waybills": "couriers' numbers for parcels",
    "rates": "what couriers charge",
    "channels": "configured shops",
    "connectors": "code for platforms",
    "routes": "messages to departments",
    "dead": "dead letters",
    "tasks": "what people should do",
    "alarms": "what is wrong, and since when it is over",
    "trail": "what was done, by whom and why",
    "keys": "encryption keys",
    "token": "tokens of the REST API",
    "user": "users of the console",
}
