"""The command line's parser, built from the table of commands, and its complaints: one line that names what was meant.

Why built once from a table: help, completion, the manual and the reference are written from the same parser. What finds
a mistyped word is imported when there is one, so that `--help` answers at once.
"""

import argparse
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NoReturn

from erpsync import __version__
from erpsync.cli.command import Command
from erpsync.cli.commands import COMMANDS, GROUPS
from erpsync.cli.errors import USAGE
from erpsync.cli.examples import EXAMPLES
from erpsync.languages import ENGLISH, LANGUAGES, Language

DESCRIPTION = "Keeps orders and stock right between sales channels and the seller's warehouses."
EPILOG = "exit codes: 0 fine, 1 a check failed or the request cannot be done, 2 wrong usage, 78 bad configuration"
_USUAL: dict[str, Any] = {"allow_abbrev": False}
MOST_PLACES = 4  # "show" is a word of so many groups at most; more would be no help


class Help(argparse.HelpFormatter):
    """Wraps sentences; leaves text of several lines, which is a list of examples, as it is."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        if "\n" in text:
            return text
        if text.isascii():
            return super()._fill_text(text, width, indent)
        return "\n".join(f"{indent}{line}" for line in self._split_lines(text, width - len(indent)))

    def _split_lines(self, text: str, width: int) -> list[str]:
        """Return text in lines; a wide character takes two columns, and a line may end behind it."""
        if text.isascii():
            return super()._split_lines(text, width)
        from erpsync.cli.wide import wrapped

        return list(wrapped(text, width))


class Parser(argparse.ArgumentParser):
    """A parser whose complaint is one line and says which command or option was near.

    Args:
        speech: the language of its help and complaints.
    """

    def __init__(self, *args: Any, speech: Language = ENGLISH, **options: Any) -> None:
        super().__init__(*args, **_USUAL | options)
        self.formatter_class = Help
        self.speech = speech
        self._words: list[str] = []

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Keep the words, for the complaint about them."""
        self._words = [str(word) for word in args or ()]
        return super().parse_known_args(args, namespace)

    def error(self, message: str) -> NoReturn:
        """End with exit code 2."""
        prog = self._last().prog
        text = f"{message}{self._mistyped(message)} (see {prog} --help)"
        self.exit(USAGE, f"erpsync: {self.speech.say(text)}\n")

    def format_help(self) -> str:
        """Return the help; its first word is argparse's own."""
        return self._in_language(super().format_help())

    def format_usage(self) -> str:
        """Return the usage; its first word is argparse's own."""
        return self._in_language(super().format_usage())

    def _in_language(self, text: str) -> str:
        usage = "usage: "
        return self.speech.say(usage) + text[len(usage) :] if text.startswith(usage) else text

    def _mistyped(self, message: str) -> str:
        """Return which option may have been meant by the first one that the command does not know."""
        from erpsync.settings.hints import did_you_mean

        options = set(self._last()._option_string_actions)  # argparse has no other way to ask
        typed = (word.partition("=")[0] for word in self._words if re.match("--[a-z]", word))
        word = next((word for word in typed if word not in options), "")
        near = did_you_mean(word, options) if word else ""
        return near if not near or "unrecognized" in message else f"; there is no option {word}{near}"

    def _last(self) -> "Parser":
        """Return the parser of the command that the words lead to, this one where they name none."""
        parser = self
        for word in self._words:
            parser = _children(parser).get(word, parser)
        return parser

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        """Refuse a word that is none of the choices, and say which one was near."""
        known = None if action.choices is None else list(action.choices)
        if known is None or value in known:
            return
        from erpsync.settings.hints import did_you_mean

        if not isinstance(action, argparse._SubParsersAction):
            near = did_you_mean(str(value), known)
            raise argparse.ArgumentError(action, f"must be one of {', '.join(map(str, known))}, is {value!r}{near}")
        raise argparse.ArgumentError(None, f"there is no command {value!r}{meant(str(value), known, self.prog)}")


def meant(word: str, known: Iterable[str], prog: str = "erpsync") -> str:
    """Return which command may have been meant: one that is spelt alike, else those that end in the word."""
    from erpsync.settings.hints import did_you_mean

    if near := did_you_mean(word, known):
        return near
    group = prog.partition(" ")[2]
    alike = [command.name for command in COMMANDS if command.name.rpartition(" ")[2] == word]
    if not group and 0 < len(alike) <= MOST_PLACES:
        return f"; did you mean {' or '.join(map(repr, alike))}?"
    return f"; there are {', '.join(known)}" if group else ""


def _children(parser: argparse.ArgumentParser) -> Mapping[str, "Parser"]:
    """Return the parsers below one, by the word that leads there."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            return action.choices
    return {}


def parsers(parser: Parser, name: str = "") -> "Iterable[tuple[str, Parser]]":
    """Yield every command's name with its parser, in the order of the table; groups are left out."""
    below = _children(parser)
    if not below:
        yield name, parser
    for word, child in below.items():
        yield from parsers(child, f"{name} {word}".strip())


def build_parser(speech: Language = ENGLISH) -> Parser:
    """Return the parser of all commands, with its help in a language; the chosen command is `args.command`."""
    parser = _built(speech)
    if speech is not ENGLISH:
        from erpsync.cli.language import say_all

        say_all(parser, speech)
    return parser


def _built(speech: Language) -> Parser:
    parser = Parser(prog="erpsync", description=DESCRIPTION, epilog=EPILOG, speech=speech)
    parser.add_argument("--version", action="version", version=f"erpsync {__version__}")
    _add_common(parser, absent=False)
    top = parser.add_subparsers(metavar="COMMAND", required=True, title="commands")
    groups: dict[str, argparse._SubParsersAction[Parser]] = {}
    for command in COMMANDS:
        group, _, word = command.name.rpartition(" ")
        if group and group not in groups:
            about = GROUPS[group]
            below = top.add_parser(group, help=about, description=_sentence(about, speech), speech=speech)
            groups[group] = below.add_subparsers(metavar="COMMAND", required=True, title="commands")
        _add_command(groups[group] if group else top, word, command, speech)
    return parser


def _add_command(among: "argparse._SubParsersAction[Parser]", word: str, command: Command, speech: Language) -> None:
    examples = told(EXAMPLES.get(command.name, ()))
    about = _sentence(command.help, speech)
    child = among.add_parser(word, help=command.help, description=about, epilog=examples, speech=speech)
    for argument in command.arguments:
        child.add_argument(*argument.names, **argument.options)
    _add_common(child, absent=True)
    child.set_defaults(command=command)


def told(examples: Sequence[str]) -> str:
    """Return examples as the end of a command's help."""
    return "\n".join(["examples:", *(f"  erpsync {example}" for example in examples)]).replace("%", "%%")


def _add_common(parser: argparse.ArgumentParser, *, absent: bool) -> None:
    """Add the options that every command takes, before or behind its name."""
    gone: dict[str, Any] = {"default": argparse.SUPPRESS} if absent else {}
    place = "folder with erpsync.yaml, or that file (default: $ERPSYNC_CONFIG, ./config, /etc/erpsync)"
    parser.add_argument("--config", metavar="PATH", help=place, **gone)
    parser.add_argument("--json", action="store_true", help="print one JSON value and nothing else", **gone)
    loud = "say more on the way: log records from info on; for `run` from debug on"
    parser.add_argument("-v", "--verbose", action="store_true", help=loud, **gone)
    still = "say only results and errors; for `run` log records from warning on"
    parser.add_argument("-q", "--quiet", action="store_true", help=still, **gone)
    which = "language of what people read, en or zh (default: $ERPSYNC_LANG, else the locale)"
    parser.add_argument("--lang", choices=LANGUAGES, metavar="LANG", help=which, **gone)
    parser.add_argument("--debug", action="store_true", help="show where an error came from", **gone)


def _sentence(text: str, speech: Language) -> str:
    said = speech.say(text)
    return f"{text[0].upper()}{text[1:]}." if said == text else f"{said}。"
