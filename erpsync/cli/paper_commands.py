"""The commands that print, as data."""

from collections.abc import Sequence

from erpsync.cli.command import Argument, Command, arg
from erpsync.cli.readers import remark


def printing(number: str, what: str) -> Sequence[Argument]:
    """Return the arguments of a command that prints what `number` names."""
    return (
        arg("number", metavar=number, help=what),
        arg(
            "--out",
            metavar="FILE",
            help="write this file, whole or not at all, readable by you alone (default: standard output)",
        ),
        arg("--force", action="store_true", help="replace the file if it is there"),
        arg("--copy", action="store_true", help="print again what was printed before; it says which copy it is"),
        arg(
            "--reason",
            default="",
            type=remark,
            metavar="TEXT",
            help="why a copy is wanted: a second label needs it, and a copy of what has left",
        ),
    )


_OF = printing("NUMBER", "the release's number, or that of a wave for all its releases in one file")

PAPERS = (
    Command("papers slip", "print the packing slip of a release, or of each in a wave", "papers:slip", tuple(_OF)),
    Command(
        "papers pick",
        "print the pick list of a wave, by shelf",
        "papers:pick",
        tuple(printing("WAVE", "the wave's number")),
    ),
    Command("papers label", "print the label of a release, or of each in a wave", "papers:label", tuple(_OF)),
    Command("papers pack", "print the packing list for the buyer", "papers:pack", tuple(_OF)),
)
