"""The entry point: reads the command line, runs one command, turns what goes wrong into one line and an exit code.

Why nothing else is imported up here: `erpsync --help` answers at once, and each command pays only for what it uses.
"""

import argparse
import os
import re
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any, NoReturn, cast

from erpsync import __version__
from erpsync.cli.commands import COMMANDS, GROUPS, Command
from erpsync.cli.errors import FAILED, INTERRUPTED, OK, USAGE, first_line, told

_LOST = re.compile("[\ud800-\udfff]")  # what Python makes of bytes that are no UTF-8
DESCRIPTION = "Keeps orders and stock right between sales channels and the seller's warehouses."
EPILOG = "exit codes: 0 fine, 1 a check failed or the request cannot be done, 2 wrong usage, 78 bad configuration"


class Parser(argparse.ArgumentParser):
    """A parser whose complaint is one line."""

    def error(self, message: str) -> NoReturn:
        """End with exit code 2."""
        self.exit(USAGE, f"erpsync: {message} (see {self.prog} --help)\n")


def build_parser() -> Parser:
    """Return the parser of all commands; the chosen one is `args.command`."""
    parser = Parser(prog="erpsync", description=DESCRIPTION, epilog=EPILOG, allow_abbrev=False)
    parser.add_argument("--version", action="version", version=f"erpsync {__version__}")
    _add_common(parser, absent=False)
    top = parser.add_subparsers(metavar="COMMAND", required=True, title="commands")
    groups: dict[str, argparse._SubParsersAction[Parser]] = {}
    for command in COMMANDS:
        group, _, word = command.name.rpartition(" ")
        if group and group not in groups:
            about = GROUPS[group]
            below = top.add_parser(group, help=about, description=_sentence(about), allow_abbrev=False)
            groups[group] = below.add_subparsers(metavar="COMMAND", required=True, title="commands")
        _add_command(groups[group] if group else top, word, command)
    return parser


def _add_command(among: "argparse._SubParsersAction[Parser]", word: str, command: Command) -> None:
    child = among.add_parser(word, help=command.help, description=_sentence(command.help), allow_abbrev=False)
    for argument in command.arguments:
        child.add_argument(*argument.names, **argument.options)
    _add_common(child, absent=True)
    child.set_defaults(command=command)


def _add_common(parser: argparse.ArgumentParser, *, absent: bool) -> None:
    """Add the options that every command takes, before or behind its name."""
    gone: dict[str, Any] = {"default": argparse.SUPPRESS} if absent else {}
    place = "folder with erpsync.yaml, or that file (default: $ERPSYNC_CONFIG, ./config, /etc/erpsync)"
    parser.add_argument("--config", metavar="PATH", help=place, **gone)
    parser.add_argument("--json", action="store_true", help="print one JSON value and nothing else", **gone)
    parser.add_argument("--debug", action="store_true", help="show where an error came from", **gone)


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code.

    Args:
        argv: arguments without the program's name; those of this process by default.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    for number, argument in enumerate(arguments, 1):
        if problem := _no_text(argument):
            sys.stderr.write(f"erpsync: argument {number} {problem}: {argument!a}\n")
            return USAGE
    try:
        args = build_parser().parse_args(arguments)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else USAGE
    return _guarded(args, os.environ)


def _no_text(argument: str) -> str:
    """Return why an argument is none that a database could hold; empty for one that is text."""
    if "\0" in argument:
        return "holds U+0000"
    return "" if argument.isascii() or not _LOST.search(argument) else "is not UTF-8 text"


def _guarded(args: argparse.Namespace, environ: Mapping[str, str]) -> int:
    try:
        code = _run(args, environ)
        sys.stdout.flush()
    except BrokenPipeError:
        _forget_stdout()
        return OK
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001 - the border to people: one line, never a traceback unasked
        return _complain(error, debug=args.debug)
    return code


def _run(args: argparse.Namespace, environ: Mapping[str, str]) -> int:
    from erpsync.cli.app import App
    from erpsync.cli.logs import quiet_log

    chosen = cast("Command", args.command)
    module, _, function = chosen.run.partition(":")
    command = getattr(import_module(f"erpsync.cli.{module}"), function)
    with quiet_log(chosen.name, debug=args.debug):
        return int(command(App(args, environ)))


def _complain(error: Exception, *, debug: bool) -> int:
    from erpsync.cli.output import clean

    if debug:
        import traceback

        traceback.print_exception(error)
    found = told(error)
    if found is None:
        found = FAILED, [f"unexpected {type(error).__name__}: {first_line(error)} (--debug shows where)"]
    code, lines = found
    for line in lines:
        sys.stderr.write(f"erpsync: {clean(line)}\n")
    return code


def _forget_stdout() -> None:
    """Let nobody flush into the closed pipe again, the interpreter on its way out included."""
    sys.stdout = open(os.devnull, "w")  # noqa: SIM115, PTH123 - open until the process ends


if __name__ == "__main__":
    sys.exit(main())
