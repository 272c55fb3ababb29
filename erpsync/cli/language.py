"""Which language a command speaks: --lang, else $ERPSYNC_LANG, else the locale; and the parser's own words in it.

Why asked before the arguments are read: complaints about them, and the help, are in that language already.
"""

import argparse
from collections.abc import Mapping, Sequence

from erpsync.languages import ENGLISH, LANGUAGES, Language, language

VARIABLE = "ERPSYNC_LANG"
_LOCALES = ("LC_ALL", "LC_MESSAGES", "LANG")


def asked_for(arguments: Sequence[str]) -> str | None:
    """Return what --lang says in a command line that is not parsed yet; the last one counts, as in parsing."""
    asked = None
    for at, word in enumerate(arguments):
        if word == "--":
            break
        name, there, value = word.partition("=")
        if name == "--lang":
            asked = value if there else arguments[at + 1] if at + 1 < len(arguments) else None
    return asked


def chosen(arguments: Sequence[str], environ: Mapping[str, str]) -> Language:
    """Return the language for a command line; English for a `--lang` that the parser is about to refuse.

    Raises:
        ValueError: the variable names a language that is not there.
    """
    wanted = asked_for(arguments)
    if wanted is not None:
        return language(wanted) if wanted in LANGUAGES else ENGLISH
    if named := environ.get(VARIABLE):
        code = named[:2].lower()
        if code not in LANGUAGES:
            raise ValueError(f"{VARIABLE} must be one of {', '.join(LANGUAGES)}, is {named}")
        return language(code)
    locale = next(filter(None, map(environ.get, _LOCALES)), "")
    return language("zh") if locale.startswith("zh") else ENGLISH


def say_all(parser: argparse.ArgumentParser, speech: Language) -> None:
    """Put everything that a parser and those below it say about themselves into a language."""
    if speech is ENGLISH:
        return
    parser.description = speech.say(parser.description) if parser.description else parser.description
    parser.epilog = _said_first(parser.epilog, speech) if parser.epilog else parser.epilog
    for group in parser._action_groups:  # argparse has no other way to reach them
        group.title = speech.say(group.title) if group.title else group.title
    for action in parser._actions:
        action.help = speech.say(action.help) if action.help else action.help
        if isinstance(action, argparse._SubParsersAction):
            for command in action._choices_actions:
                command.help = speech.say(command.help) if command.help else command.help
            for child in dict.fromkeys(action.choices.values()):
                say_all(child, speech)


def _said_first(text: str, speech: Language) -> str:
    """Return a text with its first line said: below it stand examples, which are commands."""
    first, *others = text.split("\n")
    return "\n".join([speech.say(first), *others])
