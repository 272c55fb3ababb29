"""`completion` and `manual`: what a shell and a pager know of the commands, written from the parser itself."""

import argparse
from collections.abc import Iterable, Iterator

from erpsync import __version__
from erpsync.cli.app import App
from erpsync.cli.arguments import Parser, build_parser, parsers
from erpsync.cli.errors import OK
from erpsync.cli.examples import EXAMPLES
from erpsync.languages import ENGLISH, Language

BACKSLASH = "\\"
FILES = {"FILE", "PATH"}
FOLDERS = {"FOLDER"}
EXITS = (
    ("0", "Everything is fine."),
    ("1", "A check failed, or the request cannot be done."),
    ("2", "The command was typed wrongly; the line says what was meant."),
    ("78", "The configuration or the database cannot be used; the service is not started again."),
)
PLACES = (
    ("ERPSYNC_CONFIG", "Folder with erpsync.yaml, or that file, where --config is not given."),
    ("ERPSYNC_LANG", "Language of what people read, en or zh, where --lang is not given."),
    ("./config, /etc/erpsync", "Where erpsync.yaml is looked for otherwise, in this order."),
)


def completion(app: App) -> int:
    """Print the completion script of a shell."""
    import shtab

    text: str = shtab.complete(_with_files(build_parser(_asked(app))), shell=app.args.shell)
    app.out.value({"shell": app.args.shell, "script": text}, lambda: _raw(app, text))
    return OK


def _with_files(parser: Parser) -> Parser:
    """Return the parser with the arguments marked for which a shell offers files or folders."""
    import shtab

    for _, child in [("", parser), *parsers(parser)]:
        for action in child._actions:
            if action.metavar in FILES:
                action.complete = shtab.FILE  # type: ignore[attr-defined] # how shtab is told
            elif action.metavar in FOLDERS:
                action.complete = shtab.DIRECTORY  # type: ignore[attr-defined]
    return parser


def manual(app: App) -> int:
    """Print the manual page of all commands."""
    speech = _asked(app)
    text = "\n".join(_page(build_parser(speech), speech)) + "\n"
    app.out.value({"manual": text}, lambda: _raw(app, text))
    return OK


def _asked(app: App) -> Language:
    """Return the language that --lang names: what is written to a file stays English unless it is asked for."""
    return app.out.speech if app.args.lang else ENGLISH


def _raw(app: App, text: str) -> None:
    """Print lines as they are: a shell and troff need their tabs and breaks."""
    app.out.out.write(text if text.endswith("\n") else f"{text}\n")


def _page(parser: Parser, speech: Language) -> Iterator[str]:
    commands, about, say = list(parsers(parser)), str(parser.description), speech.say
    yield f'.TH ERPSYNC 1 "" "erpsync {__version__}" "User Commands"'
    yield from (".SH NAME", f"erpsync {BACKSLASH}- {_text(about[0].lower() + about[1:].rstrip('.。'))}")
    yield from (".SH SYNOPSIS", ".B erpsync", _text("[--config PATH] [--json] [-v | -q] COMMAND ..."))
    yield from (".SH DESCRIPTION", _text(f"{about} {say('Begin with: erpsync init, or erpsync demo.')}"))
    yield ".SH OPTIONS"
    yield from _arguments(parser)
    yield ".SH COMMANDS"
    common = {name for action in parser._actions for name in action.option_strings}
    for name, child in commands:
        yield from _command(name, child, common, say("examples:"))
    yield from _list("EXIT STATUS", [(term, say(text)) for term, text in EXITS])
    yield from _list("ENVIRONMENT AND FILES", [(term, say(text)) for term, text in PLACES])


def _command(name: str, parser: Parser, common: set[str], examples_head: str) -> Iterator[str]:
    """Yield one command: its line, what it does, its own arguments, examples."""
    yield from (f".SS {_quoted(f'erpsync {name}')}", _text(parser.description or ""))
    yield from _arguments(parser, without=common)
    if examples := EXAMPLES.get(name):
        yield from (".PP", f"{examples_head[0].upper()}{examples_head[1:]}", ".PP", ".nf")
        yield from (_text(f"  erpsync {example}") for example in examples)
        yield ".fi"


def _arguments(parser: argparse.ArgumentParser, *, without: Iterable[str] = ()) -> Iterator[str]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction) or set(action.option_strings) & set(without):
            continue
        value = "" if action.nargs == 0 else str(action.metavar or action.dest)
        head = " ".join(filter(None, (", ".join(action.option_strings), value)))
        yield from (".TP", f".B {_quoted(head)}", _text(_sentence(str(action.help or ""))))


def _list(head: str, rows: Iterable[tuple[str, str]]) -> Iterator[str]:
    yield f".SH {head}"
    for term, text in rows:
        yield from (".TP", f".B {_quoted(term)}", _text(text))


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:].rstrip('.')}{'.' if text.isascii() else ''}" if text else ""


def _quoted(text: str) -> str:
    """Return a macro's one argument."""
    doubled = text.replace('"', '""')
    return f'"{_escaped(doubled)}"'


def _text(text: str) -> str:
    """Return a line of text that troff takes for no request."""
    shown = _escaped(text)
    return f"{BACKSLASH}&{shown}" if shown.startswith((".", "'")) else shown


def _escaped(text: str) -> str:
    """Return text in troff's own alphabet: hyphens that can be copied, other letters by their number."""
    plain = text.replace(BACKSLASH, f"{BACKSLASH}e").replace("-", f"{BACKSLASH}-")
    return "".join(letter if letter.isascii() else f"{BACKSLASH}[u{ord(letter):04X}]" for letter in plain)
