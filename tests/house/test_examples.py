"""Every command has examples in its help, and each is one that the parser takes."""

import shlex

import pytest

from erpsync.cli.arguments import build_parser
from erpsync.cli.commands import COMMANDS
from erpsync.cli.examples import EXAMPLES


def test_every_command_has_its_examples_and_no_other_has() -> None:
    assert set(EXAMPLES) == {command.name for command in COMMANDS}


@pytest.mark.parametrize("command", EXAMPLES)
def test_an_example_can_be_typed_as_it_stands(command: str) -> None:
    for example in EXAMPLES[command]:
        assert build_parser().parse_args(shlex.split(example)).command.name == command, example
