"""The commands that make orders here, decide on orders, and look at the rules that do."""

from erpsync.cli.command import Command, arg
from erpsync.cli.readers import reason, remark

ORDER = arg("order", metavar="ORDER", help="our order number, or the channel's id")
WHY = arg("--reason", required=True, type=reason, metavar="TEXT", help="why, for whoever asks later")
SAID = arg("--reason", default="", type=remark, metavar="TEXT", help="why, for whoever asks later")
_TAGS = arg("tags", nargs="+", metavar="TAG", help="a word of your own; several may be named")

DECISIONS = (
    Command(
        "orders create",
        "make orders that no channel knows, from JSON: by phone, for a business, paid on delivery",
        "own_orders:create",
        (arg("file", metavar="FILE", help="one JSON object or a list of them; - is standard input"),),
    ),
    Command(
        "orders edit",
        "send an order that was made here to somebody else, as long as nothing of it is on its way",
        "own_orders:edit",
        (
            ORDER,
            arg("--recipient", required=True, metavar="FILE", help="the recipient as JSON; - is standard input"),
        ),
    ),
    Command("orders hold", "keep an order from leaving", "orders:hold", (ORDER, WHY)),
    Command("orders release", "end a hold set by `orders hold`", "orders:release", (ORDER,)),
    Command("orders cancel", "cancel what has not left of an order", "orders:cancel", (ORDER, WHY)),
    Command(
        "orders approve",
        "say yes to what rules ask of an order; they ask again when what they asked about changes",
        "audit:approve",
        (
            ORDER,
            arg(
                "rules",
                nargs="*",
                metavar="RULE",
                help="the rule's id; may be left out where one rule asks, several may be named",
            ),
            arg("--all", action="store_true", help="all that ask"),
            SAID,
        ),
    ),
    Command(
        "orders specify",
        "say how a line is to be made, whatever the channel tells of it now or later",
        "orders:specify",
        (
            ORDER,
            arg("line", metavar="LINE", help="the channel's id of the line, as `orders show` prints it"),
            arg(
                "values", nargs="*", metavar="NAME=VALUE", help="a parameter and what it is to be; several may be named"
            ),
            arg("--clear", action="store_true", help="take back what was said; what the channel tells counts again"),
        ),
    ),
    Command("orders tag", "give an order tags, for rules and for who looks for it", "audit:tag", (ORDER, _TAGS)),
    Command("orders untag", "take tags off an order, those of rules too", "audit:untag", (ORDER, _TAGS)),
    Command(
        "orders seal",
        "keep an order from being merged with others and from being split; without an option from both",
        "audit:seal",
        (
            ORDER,
            arg("--merge", action="store_true", help="from leaving in one parcel with others"),
            arg("--split", action="store_true", help="from leaving in several parcels"),
        ),
    ),
    Command("orders unseal", "let an order be merged and split, whatever a rule wants", "audit:unseal", (ORDER,)),
)

RULES = (
    Command("rules list", "list the rules of rules.yaml, with how many open orders each holds", "rules:list_"),
    Command(
        "rules test",
        "say of an order which rules match and why, and what comes of it; changes nothing",
        "rules:test",
        (
            ORDER,
            arg("--rules", metavar="FILE", help="by the rules of this file, which are not in force; and what differs"),
        ),
    ),
    Command(
        "rules coverage",
        "count how many of the newest 1,000 orders each rule matches, never matches, or cannot answer",
        "rules:coverage",
    ),
    Command(
        "plan",
        "say what a reload would make of open orders' holds, by rule, and whether it is taken; changes nothing",
        "rules:plan",
        (arg("--rules", metavar="FILE", help="of this file, in place of rules.yaml"),),
    ),
)
