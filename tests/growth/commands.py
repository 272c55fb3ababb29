"""The reading commands, each alone and with each of its filters, as typed at a command line.

Why walked and not listed: a command or filter that comes later is measured without a word here. Reading the
configuration is left out of the figures: it does not know the history.
"""

import argparse
import contextlib
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from itertools import product
from typing import cast

from erpsync.cli.app import App
from erpsync.cli.commands import COMMANDS, Argument, Command
from erpsync.cli.errors import USAGE
from erpsync.cli.main import build_parser
from erpsync.settings import Loaded
from erpsync.store.db.store import Store
from erpsync.store.views import STATUSES
from tests.growth.ground import Ground
from tests.growth.known import Names
from tests.growth.timing import Measure, time_of

READING = {"list", "show", "find", "explain", "status", "prove", "plan"}
LEFT_OUT = {"--limit", "--recipient", "--rules", "--windows"}
"""How much is printed, what leaves a trace, and a file in place of the one that counts."""


class KeptApp(App):
    """A command's run on a database that is open already."""

    def __init__(self, args: argparse.Namespace, ground: Ground) -> None:
        super().__init__(args, {}, stdin=io.StringIO(ground.names.phone))
        self._ground = ground
        self._config, self._registry = ground.config, ground.registry

    def load(self, *, secrets: bool) -> Loaded:
        """Return the configuration, its secrets known."""
        del secrets
        return Loaded(config=self._ground.config)

    @contextmanager
    def store(self, *how: object, **more: object) -> Iterator[Store]:
        """Yield the database, however it is to be opened."""
        yield self._ground.store


def measures(ground: Ground) -> Iterator[Measure]:
    """Yield how long each reading command takes."""
    parser = build_parser()
    for words in command_lines(ground.names):
        yield time_of(ground.names.plain(" ".join(words)), lambda words=words: _run(parser, ground, words))


def _run(parser: argparse.ArgumentParser, ground: Ground, words: Sequence[str]) -> None:
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        args = parser.parse_args([*words, "--json"])
        module, _, function = cast("Command", args.command).run.partition(":")
        code = getattr(import_module(f"erpsync.cli.{module}"), function)(KeptApp(args, ground))
    if code == USAGE:
        raise RuntimeError(said.getvalue())


def command_lines(names: Names) -> Iterator[list[str]]:
    """Yield every reading command with what it needs, then with one more of what it may be given."""
    for command in (each for each in COMMANDS if READING & {each.name.split()[-1]}):
        words = command.name.split()
        places = [a for a in command.arguments if not a.names[0].startswith("-")]
        yield from ([*words, *given] for given in product(*(names.values(a.names[0]) for a in places)))
        first = [names.values(a.names[0])[0] for a in places if a.options.get("nargs") != "?"]
        for option in (a for a in command.arguments if a.names[0].startswith("-")):
            yield from ([*words, *first, *given] for given in _given(names, option))
    yield from (["orders", "list", "--channel", names.channel, "--status", status] for status in STATUSES)
    yield ["orders", "list", "--since", "2026-09-01", "--until", "2026-09-02"]
    yield ["orders", "list", "--status", "held", "--sku", names.choices("sku")[1]]


def _given(names: Names, option: Argument) -> Iterator[list[str]]:
    name = option.names[0]
    if name in LEFT_OUT:
        return
    if option.options.get("action") == "store_true":
        yield [name]
    elif "choices" in option.options:
        yield from ([name, str(value)] for value in option.options["choices"])
    else:
        wanted = "event" if option.options.get("metavar") == "EVENT" else name.removeprefix("--")
        yield from ([name, value] for value in names.choices(wanted))
