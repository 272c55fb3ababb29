"""The entry point: reads the command line, runs one command, turns what goes wrong into one line and an exit code.

Why nothing else is imported up here: `erpsync --help` answers at once, and each command pays only for what it uses.
"""

import argparse
import os
import re
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import cast

from erpsync.cli.arguments import build_parser
from erpsync.cli.command import Command
from erpsync.cli.errors import FAILED, INTERRUPTED, OK, USAGE, first_line, told
from erpsync.cli.language import chosen
from erpsync.languages import ENGLISH, Language

__all__ = ["build_parser", "main"]

_LOST = re.compile("[\ud800-\udfff]")  # what Python makes of bytes that are no UTF-8


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code.

    Args:
        argv: arguments without the program's name; those of this process by default.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        speech = chosen(arguments, os.environ)
    except ValueError as error:
        return _refuse(str(error), ENGLISH)
    for number, argument in enumerate(arguments, 1):
        if problem := _no_text(argument):
            return _refuse(f"argument {number} {problem}: {argument!a}", speech)
    try:
        args = build_parser(speech).parse_args(arguments)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else USAGE
    return _guarded(args, os.environ, speech)


def _refuse(text: str, speech: Language) -> int:
    sys.stderr.write(f"erpsync: {speech.say(text)}\n")
    return USAGE


def _no_text(argument: str) -> str:
    """Return why an argument is none that a database could hold; empty for one that is text."""
    if "\0" in argument:
        return "holds U+0000"
    return "" if argument.isascii() or not _LOST.search(argument) else "is not UTF-8 text"


def _guarded(args: argparse.Namespace, environ: Mapping[str, str], speech: Language) -> int:
    try:
        code = _run(args, environ, speech)
        sys.stdout.flush()
    except BrokenPipeError:
        _forget_stdout()
        return OK
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001 - the border to people: one line, never a traceback unasked
        return _complain(error, speech, debug=args.debug)
    return code


def _run(args: argparse.Namespace, environ: Mapping[str, str], speech: Language) -> int:
    from erpsync.cli.app import App
    from erpsync.cli.logs import level_of, quiet_log

    chosen = cast("Command", args.command)
    module, _, function = chosen.run.partition(":")
    command = getattr(import_module(f"erpsync.cli.{module}"), function)
    with quiet_log(chosen.name, level=level_of(args)):
        return int(command(App(args, environ, speech=speech)))


def _complain(error: Exception, speech: Language, *, debug: bool) -> int:
    from erpsync.cli.output import clean

    if debug:
        import traceback

        traceback.print_exception(error)
    answer = told(error)
    if answer is None:
        answer = FAILED, [f"unexpected {type(error).__name__}: {first_line(error)} (--debug shows where)"]
    code, lines = answer
    for line in lines:
        sys.stderr.write(f"erpsync: {clean(speech.say(line))}\n")
    return code


def _forget_stdout() -> None:
    """Let nobody flush into the closed pipe again, the interpreter on its way out included."""
    sys.stdout = open(os.devnull, "w")  # noqa: SIM115, PTH123 - open until the process ends


if __name__ == "__main__":
    sys.exit(main())
