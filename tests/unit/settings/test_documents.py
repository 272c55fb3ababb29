"""Papers in erpsync.yaml: what they become, and what `check` says where they cannot be made."""

import subprocess
import sys
from pathlib import Path

import pytest

from erpsync.papers.style import DocumentSettings, PaperStyle
from erpsync.settings import Loaded, load
from tests.support.papers import FONT, RARE
from tests.unit.settings.builders import MAIN, problems, registry, write

ALL = """documents:
  font: [fonts/one.ttf, /usr/share/two.ttc]
  papers:
    slip: {size: 76x130, lang: en, mask: none, spec: true, texts: {head: Tea House}}
    pick: {size: A5}
    label: {size: 76x130, mask: masked}
    pack: {size: A4, prices: true, texts: {foot: 谢谢惠顾}}
"""


def loaded(folder: Path, documents: str, *, folders: bool = False) -> Loaded:
    return load(write(folder, MAIN + documents), registry=registry(), environ={}, folders=folders)


def unusable(folder: Path, documents: str) -> list[str]:
    """Return what `check` has against papers, with names of files only."""
    found = loaded(folder, documents, folders=True)
    assert found.problems == ()
    return [str(problem).replace(f"{folder}/", "") for problem in found.unusable]


def test_documents_become_what_they_say_and_paths_begin_at_the_configuration(tmp_path: Path) -> None:
    assert loaded(tmp_path, ALL).require().documents == DocumentSettings(
        fonts=(tmp_path / "fonts/one.ttf", Path("/usr/share/two.ttc")),
        styles={
            "slip": PaperStyle(size="76x130", lang="en", head="Tea House", spec=True),
            "pick": PaperStyle(size="A5"),
            "label": PaperStyle(size="76x130"),
            "pack": PaperStyle(size="A4", foot="谢谢惠顾", prices=True),
        },
        masks={"slip": "none", "label": "masked", "pack": "masked"},
    )


def test_without_a_word_papers_look_as_they_usually_do(tmp_path: Path) -> None:
    config = loaded(tmp_path, "").require()

    assert config.documents == DocumentSettings()
    assert config.templates == tmp_path / "papers"
    assert loaded(tmp_path, "documents:\n").require().documents == DocumentSettings()


def test_one_font_needs_no_list(tmp_path: Path) -> None:
    assert loaded(tmp_path, "documents: {font: one.ttf}\n").require().documents.fonts == (tmp_path / "one.ttf",)


@pytest.mark.parametrize(
    ("documents", "problem"),
    [
        ("{papers: {slips: {}}}", "documents.papers.slips: unknown key; did you mean 'slip'?"),
        ("{papers: {slip: {size: A6}}}", "documents.papers.slip.size"),
        ("{papers: {slip: {prices: true}}}", "documents.papers.slip.prices: unknown key"),
        ("{papers: {pick: {mask: full}}}", "documents.papers.pick.mask: unknown key"),
        ("{papers: {slip: {lang: fr}}}", "documents.papers.slip.lang"),
        ("{papers: {slip: {texts: {middle: x}}}}", "documents.papers.slip.texts.middle: unknown key"),
        ("{font: []}", "documents.font"),
        ("{font: 7}", "documents.font"),
    ],
)
def test_a_wrong_key_or_value_is_told_by_its_place(tmp_path: Path, documents: str, problem: str) -> None:
    (found,) = problems(tmp_path, loaded(tmp_path, f"documents: {documents}\n"))

    assert problem in found


@pytest.mark.concurrent("processes")
def test_check_has_nothing_against_papers_that_can_be_made(tmp_path: Path) -> None:
    assert unusable(tmp_path, f"documents: {{font: {FONT}}}\n") == []


@pytest.mark.concurrent("processes")
def test_check_names_the_font_that_cannot_be_read(tmp_path: Path) -> None:
    assert unusable(tmp_path, "documents:\n  font: none.ttf\n") == [
        "erpsync.yaml:3:3: documents.font: none.ttf is no font file that can be read"
    ]


@pytest.mark.concurrent("processes")
def test_check_names_the_package_for_a_font_without_chinese_characters(tmp_path: Path) -> None:
    (found,) = unusable(tmp_path, f"documents:\n  font: {RARE}\n")

    assert found.startswith("erpsync.yaml:3:3: documents.font: ")
    assert found.endswith("has no Chinese characters: apt install fonts-wqy-microhei has a font that does")


@pytest.mark.concurrent("processes")
def test_check_tries_the_sellers_templates_and_tells_file_and_line(tmp_path: Path) -> None:
    (tmp_path / "papers").mkdir()
    (tmp_path / "papers" / "slip.typ").write_text("#let paper(data, kit) = [\n#data.nubmer]", encoding="utf-8")

    (found,) = unusable(tmp_path, f"documents: {{font: {FONT}}}\n")

    assert found == 'papers/slip.typ:2:7: .: dictionary does not contain key "nubmer"'


@pytest.mark.concurrent("processes")
def test_templates_are_tried_where_documents_are_not_mentioned(tmp_path: Path) -> None:
    (tmp_path / "papers").mkdir()
    (tmp_path / "papers" / "label.typ").write_text('#import "@preview/x:0.1.0"', encoding="utf-8")

    (found,) = unusable(tmp_path, "")

    assert "papers/label.typ:1:9: .: a template imports no package" in found


@pytest.mark.concurrent("processes")
def test_check_fails_and_names_the_extra_where_the_packages_are_missing(tmp_path: Path) -> None:
    write(tmp_path, MAIN + "documents: {papers: {slip: {size: A5}}}\n")
    program = "import sys; sys.modules['typst'] = None; from erpsync.cli.main import main; sys.exit(main())"
    command = [sys.executable, "-c", program, "--lang", "en", "--config", tmp_path, "check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert (
        "erpsync.yaml:2:1: documents: papers need packages that erpsync[papers] brings: pip install 'erpsync[papers]'"
        in done.stdout
    )


def test_nobody_who_prints_nothing_needs_what_makes_papers(tmp_path: Path) -> None:
    assert unusable(tmp_path, "") == []
