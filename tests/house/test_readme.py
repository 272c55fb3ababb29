"""The README is one page, and says the same in both languages."""

import re
from pathlib import Path

import pytest

from tests.support.pages import CHINESE, README
from tests.support.sources import ROOT

MOST_BYTES = 8 * 1024
BLOCK = re.compile(r"^```(.*?)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def text(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def commands(page: Path) -> list[tuple[str, list[str]]]:
    """Return every block with its lines, comments and what pads them left out."""
    return [
        (head, [line.split(" #")[0].rstrip() for line in body.splitlines()]) for head, body in BLOCK.findall(text(page))
    ]


def links(page: Path) -> list[str]:
    """Return where the links lead, those between the two languages left out."""
    found = re.findall(r"\]\(([^)\s]+)\)|<(https?://[^>]+)>", text(page))
    return [one or other for one, other in found if (one or other) not in {README.name, CHINESE.name}]


@pytest.mark.parametrize("page", [README, CHINESE], ids=lambda page: page.name)
def test_the_readme_is_one_page(page: Path) -> None:
    assert page.stat().st_size <= MOST_BYTES


def test_the_readme_says_the_same_in_both_languages() -> None:
    marks = [re.findall(r"^(#+|\|)", BLOCK.sub("", text(page)), re.MULTILINE) for page in (README, CHINESE)]

    assert marks[0] == marks[1]
    assert commands(README) == commands(CHINESE)
    assert links(README) == links(CHINESE)
    assert README.name in text(CHINESE)
    assert CHINESE.name in text(README)


def test_every_page_of_the_documentation_is_reached_from_the_readme() -> None:
    seen, ahead = set[Path](), {README}
    while ahead:
        page = ahead.pop()
        seen.add(page)
        found = re.findall(r"\]\((?!https?:)([^)#\s]+\.md)", text(page))
        ahead |= {(page.parent / name).resolve() for name in found} - seen

    assert set((ROOT / "docs").glob("**/*.md")) - seen == set()


def test_whose_data_is_committed_stands_in_the_notice() -> None:
    notice = text(ROOT / "NOTICE")
    names = [f"tests/data/{file.name}" for file in (ROOT / "tests" / "data").iterdir()]

    assert [name for name in names if name not in notice] == []
    assert "CC BY 4.0" in notice
