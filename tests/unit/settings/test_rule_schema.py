"""An editor that is given the schema underlines in rules.yaml what a reload would refuse."""

from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from erpsync.core.facts import FACTS
from erpsync.settings import installed, schema
from erpsync.settings.problems import Findings
from erpsync.settings.tree import Mapping, Node, Sequence, parse
from tests.support.sources import ROOT
from tests.unit.settings.test_rules import HEAD

EXAMPLE = ROOT / "config" / "rules.example.yaml"


@pytest.fixture(scope="module")
def editor() -> Any:
    return jsonschema_rs.validator_for(schema(installed()))


def plain(node: Node | None) -> Any:
    if isinstance(node, Mapping):
        return {key: plain(child) for key, child in node.items.items()}
    if isinstance(node, Sequence):
        return [plain(child) for child in node.items]
    return node and node.value


def underlined(editor: Any, text: str) -> list[str]:
    """Return the places that an editor underlines."""
    tree = plain(parse(text.encode(), Findings("rules.yaml")))
    return sorted({".".join(map(str, each.instance_path)) for each in editor.iter_errors(tree)})


@pytest.mark.parametrize("file", ["rules.example.yaml", "erpsync.yaml", "channels/tmall-flagship.yaml"])
def test_nothing_is_underlined_in_what_ships(editor: Any, file: str) -> None:
    assert underlined(editor, Path(ROOT / "config" / file).read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "when",
    [
        "{total: 5, units: [1, 2], clock: {from: '22:00', to: '24:00'}, weekday: [sat, sun], below_floor: true}",
        "{sku: A, tag: {only: [a, b]}, buyer_note: {contains: x}, seller_note: {unread: true}, ship_by_h: {lt: -2}}",
        "{any: [{all: [{city: [杭州, 宁波]}]}], not: {weight_g: {is: unknown}}}",
    ],
)
def test_no_form_that_a_condition_may_have_is_underlined(editor: Any, when: str) -> None:
    assert underlined(editor, f"{HEAD}{{id: a, when: {when}, then: {{hold: x}}}}") == []


def test_what_a_courier_account_takes_is_asked_of_a_parcel_only(editor: Any) -> None:
    rule = "{id: a, %swhen: {cost: {post: {le: 20}}}, then: {carrier: [POST]}}"

    assert underlined(editor, HEAD + rule % "on: parcel, ") == []
    assert underlined(editor, HEAD + rule % "") == ["rules.0.when"]


@pytest.mark.parametrize(
    ("rule", "place"),
    [
        ("{id: a, when: {paid_mins: {lt: 15}}, then: {hold: x}}", "rules.0.when"),
        ("{id: a, when: {total: {contains: [x]}}, then: {hold: x}}", "rules.0.when.total"),
        ("{id: a, when: {weight_g: {ge: 0.5}}, then: {hold: x}}", "rules.0.when.weight_g"),
        ("{id: a, when: {kind: cot}, then: {hold: x}}", "rules.0.when.kind"),
        ("{id: a, when: {clock: {from: '22:00'}}, then: {hold: x}}", "rules.0.when.clock"),
        ("{id: a, when: {seller_note: 发顺丰}, then: {hold: x}}", "rules.0.when.seller_note"),
        ("{id: a, when: {any: []}, then: {hold: x}}", "rules.0.when.any"),
        ("{id: a, when: {lines: 1}, then: {hol: x}}", "rules.0.then"),
        ("{id: a, on: return, when: {lines: 1}, then: {hold: x}}", "rules.0.on"),
        ("{id: a, then: {hold: x}}", "rules.0"),
    ],
)
def test_a_mistake_is_underlined(editor: Any, rule: str, place: str) -> None:
    assert underlined(editor, HEAD + rule) == [place]


def test_zones_alone_are_rules_too_and_the_limit_of_a_reload_is_not(editor: Any) -> None:
    assert underlined(editor, "zones: {near: 上海}") == ["zones.near"]
    assert underlined(editor, "rules: {most_changed: 0}") == ["rules.most_changed"]


def test_every_fact_says_what_it_is() -> None:
    defs = schema(installed())["$defs"]

    for on, facts in FACTS.items():
        told = defs[f"rules.on_{on}"]["properties"]
        assert [name for name in facts if not told[name]["description"].startswith(facts[name].says)] == []
