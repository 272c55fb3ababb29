"""What docs/documents.md says of templates is so: its example makes a slip, its tables name every key."""

import re
from pathlib import Path

import pytest

from erpsync.papers.content import content
from erpsync.papers.papers import Papers
from erpsync.papers.records import Party
from erpsync.papers.samples import SAMPLES
from erpsync.papers.style import STYLES, PaperName
from tests.support.papers import FONT, PATIENT_S, line, pictures, slip, texts
from tests.support.sources import ROOT

PAGE = (ROOT / "docs" / "documents.md").read_text(encoding="utf-8")


def block(kind: str) -> str:
    """Return the only code block of a kind."""
    (found,) = re.findall(rf"^```{kind}\b[^\n]*\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    return str(found)


def rows(heading: str) -> dict[str, set[str]]:
    """Return the code words of each row of a table that begins with a heading."""
    table = PAGE.split(f"\n| {heading} |", 1)[1].split("\n\n", 1)[0]
    cells = [row.split("|")[1:3] for row in table.splitlines()[2:]]
    return {name.strip(): set(re.findall(r"`(\w+)`", keys)) for name, keys in cells}


@pytest.mark.concurrent("processes")
def test_the_template_of_the_page_makes_a_slip(tmp_path: Path) -> None:
    (tmp_path / "slip.typ").write_text(block("typst"), encoding="utf-8")

    with Papers((FONT,), tmp_path, limit_s=PATIENT_S) as papers:
        assert papers.problems() == []
        pdf = papers.slip(slip("R7", line(qty=3), recipient=Party(name="王**", address="深圳"), copy=2))

    assert texts(pdf) == ["茶舍发货单R7寄给王**深圳（补打2）商品数量手工陶瓷茶杯3"]
    assert next(pictures(pdf)).codes() == {"R7"}


@pytest.mark.concurrent("processes")
def test_the_program_of_the_page_makes_a_slip() -> None:
    names: dict[str, bytes] = {}
    exec(compile(block("python"), "documents.md", "exec"), names)

    assert "R20261111000123" in texts(names["pdf"])[0]


@pytest.mark.parametrize("name", STYLES)
def test_the_page_names_every_key_that_a_template_is_given(name: PaperName) -> None:
    told = {key for names, keys in rows("paper | `data`").items() if name in names or names == "all" for key in keys}

    assert set(content(SAMPLES[name][0], STYLES[name])) | {"place"} == told


def test_the_page_names_every_key_of_what_is_in_the_data() -> None:
    within = rows("in")
    slip_keys, pick_keys = content(SAMPLES["slip"][0], STYLES["slip"]), content(SAMPLES["pick"][0], STYLES["pick"])

    assert within["`sender`, `recipient`"] == set(slip_keys["recipient"])
    assert within["`waybill`"] == set(slip_keys["waybill"])
    assert within["`lines`"] == set(slip_keys["lines"][0]) | set(pick_keys["lines"][0])


def test_the_page_names_everything_in_the_kit() -> None:
    kit = (ROOT / "erpsync" / "papers" / "kit.typ").read_text(encoding="utf-8")
    (names,) = re.findall(r"^#let kit = \((.*)\)$", kit, re.MULTILINE)

    assert re.findall(r"(\w+): ", names.split("(")[0]) == ["code128", "qr", "width"]
    assert all(f"`kit.{name}" in PAGE for name in ("code128", "qr", "width"))
