"""How a line is to be made, as it is read: rules in erpsync.yaml, and each mistake in them named where it stands."""

from pathlib import Path

import pytest

from erpsync.core.specs import Allow, Parameter, SpecSource
from erpsync.settings import Registry, changed_channels
from erpsync.settings.schema import fields, schema
from erpsync.settings.shown import shown
from tests.unit.settings.builders import MAIN, config, loaded, problems, write

SPECS = """production:
  specs:
    engraving:
      text:
        from: [{property: 刻字}, {buyer_note: {after: ["刻:", "刻："]}}, {seller_note: {after: ["刻:"], until: word}}]
        required: true
        max_chars: 12
        allow: {letters: true, digits: true, also: " ·"}
      size:
        from: [{property: 尺码}]
        one_of: {S: [小], M: [中], L: [大]}
        default: M
"""


def parameter(text: str) -> str:
    """Return erpsync.yaml with one parameter."""
    return f"{MAIN}production: {{specs: {{engraving: {{text: {text}}}}}}}\n"


def test_a_set_of_rules_says_where_a_parameter_stands_and_what_it_may_be(tmp_path: Path) -> None:
    got = config(tmp_path, main=MAIN + SPECS)

    text = Parameter(
        name="text",
        sources=(
            SpecSource(kind="property", name="刻字"),
            SpecSource(kind="buyer_note", after=("刻:", "刻：")),
            SpecSource(kind="seller_note", after=("刻:",), until="word"),
        ),
        required=True,
        max_chars=12,
        allow=Allow(letters=True, digits=True, also=" ·"),
    )
    size = Parameter(
        name="size",
        sources=(SpecSource(kind="property", name="尺码"),),
        one_of={"S": ("小",), "M": ("中",), "L": ("大",)},
        default="M",
    )
    assert got.specs == {"engraving": (text, size)}


def test_who_makes_nothing_has_no_rules(tmp_path: Path) -> None:
    assert config(tmp_path).specs == {}
    assert config(tmp_path, main=MAIN + "production: {}\n").specs == {}


def test_a_reload_changes_them(tmp_path: Path) -> None:
    before = config(tmp_path)
    after = config(tmp_path, main=MAIN + SPECS)

    assert changed_channels(before, after).others == ("specs",)


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ("{from: []}", "2:41: production.specs.engraving.text.from: must have a length of at least 1, has 0"),
        ("{from: [{proprty: x}]}", "2:49: production.specs.engraving.text.from.0.proprty: unknown key; did you mean"),
        ("{from: [{}]}", "2:48: production.specs.engraving.text.from.0: must name one of property, buyer_note"),
        (
            "{from: [{property: x, buyer_note: {after: [y]}}]}",
            "2:48: production.specs.engraving.text.from.0: must name",
        ),
        ("{from: [{buyer_note: {after: []}}]}", "2:62: production.specs.engraving.text.from.0.buyer_note.after: must"),
        (
            "{from: [{buyer_note: {after: ['']}}]}",
            "2:70: production.specs.engraving.text.from.0.buyer_note.after.0: is",
        ),
        ("{from: [{buyer_note: {after: [x], until: lin}}]}", ".until: must be 'line' or 'word', is 'lin'"),
        ("{from: [{property: x}], max_chars: 0}", ".text.max_chars: must be at least 1, is 0"),
        ("{from: [{property: x}], max_char: 9}", ".text.max_char: unknown key; did you mean 'max_chars'?"),
        ("{from: [{property: x}], allow: {}}", ".text.allow: allows no character at all"),
        ("{from: [{property: x}], one_of: {}}", ".text.one_of: must have a length of at least 1"),
        ("{from: [{property: x}], one_of: {S: [小], M: [小]}}", "text: '小' means both 'S' and 'M' in one_of"),
        ("{from: [{property: x}], one_of: {Small: []}, default: Smal}", "is not among one_of; did you mean 'Small'?"),
        ("{from: [{property: x}], one_of: {S: []}, max_chars: 3}", "max_chars and allow do nothing beside one_of"),
        ("{from: [{property: x}], required: true, default: a}", "required does nothing beside default"),
        ("{from: [{property: x}], max_chars: 2, default: abc}", "default is none of the values it may have"),
    ],
)
def test_a_mistake_is_named_where_it_stands(tmp_path: Path, said: str, answer: str) -> None:
    got = loaded(write(tmp_path, parameter(said)))

    [told] = problems(tmp_path, got)
    assert answer in told


def test_a_name_that_could_not_be_typed_on_a_command_line_is_refused(tmp_path: Path) -> None:
    got = loaded(write(tmp_path, MAIN + "production: {specs: {e: {'a b': {from: [{property: x}]}}}}\n"))

    [told] = problems(tmp_path, got)
    assert told.startswith("erpsync.yaml:2:26: production.specs.e.a b: must match")


def test_what_stands_under_names_of_the_sellers_own_is_described_and_shown(tmp_path: Path) -> None:
    described = {doc.path: doc.description for doc in fields()}
    [main, *_] = shown(config(tmp_path, main=MAIN + SPECS))
    said = {setting.path: setting.value for setting in main.settings}

    assert described["production.specs.*.*.from[].buyer_note.after"] == "What stands before the value, any of these."
    assert said["production.specs.engraving.text.max_chars"] == "12"
    assert not any("*" in path for path in said)
    assert "from" in schema(Registry.of({}))["$defs"]["erpsync.ParameterKeys"]["properties"]
