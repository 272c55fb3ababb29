"""docs/rules.md says what rules are: its examples load, its facts are those there are, `check` says what it says."""

import re
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import yaml

from erpsync.core.facts import FactType, ParcelFacts
from erpsync.core.rules import EFFECTS, compile_book, judge
from erpsync.sdk.carriers import CARRIERS
from erpsync.settings.conditions import Known
from erpsync.settings.rule_config import LoadedRules
from erpsync.settings.rules import load_rules
from tests.support import rule_facts
from tests.support.sources import ROOT
from tests.support.whens import when
from tests.unit.core.rules.builders import NOW

TEXT = rule_facts.PAGE.read_text(encoding="utf-8")
SHANGHAI = ZoneInfo("Asia/Shanghai")
KNOWN = Known(channels=("tmall-flagship", "jd", "own", "post"), connectors=("taobao", "jd"), warehouses=("SH", "GZ"))
BLOCKS = re.findall(r"^```yaml\n(# config/rules\.yaml\n.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`` (.+?) ``|`([^`]+)`")


def load(folder: Path, text: str) -> LoadedRules:
    (folder / "rules.yaml").write_text(text, encoding="utf-8")
    return load_rules(folder / "rules.yaml", timezone=SHANGHAI, known=KNOWN)


def codes(cell: str) -> list[str]:
    """Return what a cell writes as code."""
    return [one or other for one, other in CODE.findall(cell)]


def rows(head: str) -> list[list[str]]:
    """Return the rows of the table with this head, cell by cell."""
    body = re.match(r"(?:\|.*\n)+", TEXT.partition(f"{head}\n")[2])
    assert body is not None, head
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in body[0].splitlines()[1:]]


def said(folder: Path, text: str) -> list[str]:
    found = load(folder, text)
    return [str(each) for each in (*found.problems, *found.notes)]


@pytest.mark.parametrize("text", BLOCKS)
def test_an_example_is_taken_as_it_stands(tmp_path: Path, text: str) -> None:
    assert said(tmp_path, text) == []


def test_there_are_examples_and_one_is_about_parcels() -> None:
    assert len(BLOCKS) == 5
    assert sum("on: parcel" in block for block in BLOCKS) == 1


@pytest.mark.parametrize(
    ("weight_g", "cost", "wanted"),
    [(999, "20", "POST"), (999, "20.01", "held"), (999, "", "held"), (1000, "20", "")],
)
def test_a_light_parcel_that_goes_far_goes_by_post_for_twenty_yuan_at_most(
    tmp_path: Path, weight_g: int, cost: str, wanted: str
) -> None:
    (block,) = (block for block in BLOCKS if "on: parcel" in block)
    config = load(tmp_path, block).require()
    parcel = ParcelFacts(
        channel=frozenset({"tmall-flagship"}),
        kind=frozenset({"channel"}),
        warehouse="SH",
        province="西藏自治区",
        city="拉萨市",
        weight_g=weight_g,
        cost={"post": Decimal(cost)} if cost else {},
    )
    found = judge(compile_book(config.rules, config.zones, SHANGHAI), parcel, NOW)

    marks = [mark.value for mark in found.marks if mark.name == "carrier"]
    assert (marks or ["held" for _ in found.holds] or [""]) == [wanted]


def test_the_facts_are_those_there_are() -> None:
    assert rule_facts.page() == TEXT, "run: make docs"


def test_how_each_type_is_compared_is_said_and_taken(tmp_path: Path) -> None:
    table = rows("| type | written | holds when |")
    types = [codes(row[0])[0] for row in table if codes(row[0])]

    assert sorted(types) == sorted(kind.value for kind in FactType)
    for row in table:
        for form in codes(row[1]):
            on = "on: parcel, " if form.startswith("cost") else ""
            if form.startswith(("event", "level")):
                assert when(**{"event": "order."} | yaml.safe_load(f"{{{form}}}")).kinds
            elif not form.startswith("{"):  # else it stands in place of the form before it
                assert said(tmp_path, f"rules: [{{id: a, {on}when: {{{form}}}, then: {{hold: x}}}}]") == [], form


def test_every_effect_is_said_with_what_it_goes_with() -> None:
    found = {
        codes(row[0])[0].partition(":")[0]: set(row[1].split(", "))
        for row in rows("| effect | on | means |")
        if codes(row[0])
    }
    assert found.pop("ask") == {"beside `hold` or `void`"}
    assert found == {
        name: {on.value for on in EFFECTS if name in EFFECTS[on]} for name in dict.fromkeys(sum(EFFECTS.values(), ()))
    }


def test_every_courier_is_named() -> None:
    codes_named = re.search(r"Couriers go by our codes: (.+?), or by", TEXT, re.DOTALL)

    assert codes_named is not None
    assert codes(codes_named[1]) == list(CARRIERS)


def test_the_rules_to_begin_with_are_those_of_the_example(tmp_path: Path) -> None:
    example = load(tmp_path, (ROOT / "config" / "rules.example.yaml").read_text(encoding="utf-8")).require()
    table = rows("| rule | what it does | change before you use it |")

    assert [codes(row[0])[0] for row in table] == [rule.id for rule in example.rules]


@pytest.mark.parametrize(
    ("wrote", "says"),
    [(codes(row[0])[0], codes(row[1])[0]) for row in rows("| you wrote | it says |")],
)
def test_check_says_of_a_mistake_what_the_page_says(tmp_path: Path, wrote: str, says: str) -> None:
    missing = [text for text in ("when: {lines: 1}", "then: {hold: x}") if text[:5] not in wrote]
    rule = ", ".join(["id: a", wrote, *missing])
    (problem,) = load(tmp_path, f"zones: {{remote: [新疆]}}\nrules: [{{{rule}}}]").problems

    assert problem.text == says
