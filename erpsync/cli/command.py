"""What a command of the table is made of."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument as `argparse` takes it."""

    names: tuple[str, ...]
    options: dict[str, Any]


def arg(*names: str, **options: Any) -> Argument:
    """Return an argument; `options` are those of `ArgumentParser.add_argument`."""
    return Argument(names, options)


@dataclass(frozen=True, slots=True)
class Command:
    """One command. `run` is `module:function` below `erpsync.cli`, called with an `App`, returning the exit code."""

    name: str
    help: str
    run: str
    arguments: tuple[Argument, ...] = field(default=())


FILES = arg("files", nargs="+", metavar="FILE", help="text, .xlsx or .xls; - is standard input")
SHEET = arg("--sheet", default="", metavar="NAME", help="which sheet of a workbook, where it has several")
