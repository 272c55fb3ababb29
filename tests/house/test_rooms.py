"""The map of the use cases stands in `erpsync.flows`: it is held against the code, as other documents are."""

import re
from importlib import import_module
from itertools import pairwise

import pytest

from erpsync import flows
from tests.support.sources import ROOT

ROW = re.compile(r"^\| ([^|]+) \| `(\w+)` \| `([\w.]+)` \|$", re.MULTILINE)
FLOWS = ROOT / "erpsync" / "flows"
ROOMS = sorted(folder.name for folder in FLOWS.iterdir() if (folder / "__init__.py").exists())
MOST_FILES = 15
PATHS = re.compile(r"^```text paths\n(.+?)^```$", re.MULTILINE | re.DOTALL)
ANSWER = re.compile(r"^\| (?:do|is|would|are)\w* [^|]+ \| (.+) \|$", re.MULTILINE)
DESIGN = (ROOT / "docs" / "design.md").read_text(encoding="utf-8")
STORIES: list[tuple[str, str, str]] = ROW.findall(flows.__doc__ or "")


def arrows() -> list[tuple[str, str]]:
    """Return the pairs of modules that an arrow of the design joins."""
    pairs = []
    for line in "".join(PATHS.findall(DESIGN)).splitlines():
        steps = re.findall(r"\w+\.\w+", line.rpartition(":")[2])
        pairs += list(pairwise(steps))
    return sorted(set(pairs))


def answers() -> list[str]:
    """Return the places that the design names as answers to questions."""
    return sorted({name for cell in ANSWER.findall(DESIGN) for name in re.findall(r"`([\w.]+)`", cell)})


def is_module(name: str) -> bool:
    """Whether a name is that of a file or folder."""
    path = ROOT / name.replace(".", "/")
    return path.with_suffix(".py").exists() or path.is_dir()


@pytest.mark.parametrize(("story", "room", "begin"), STORIES, ids=[story for story, _, _ in STORIES])
def test_every_story_begins_at_a_function_of_its_room(story: str, room: str, begin: str) -> None:
    module, _, name = begin.rpartition(".")

    assert begin.startswith(f"{room}."), story
    assert callable(getattr(import_module(f"erpsync.flows.{module}"), name))


def test_every_room_is_on_the_map() -> None:
    assert sorted({room for _, room, _ in STORIES}) == ROOMS


@pytest.mark.parametrize("room", ROOMS)
def test_every_room_says_what_it_promises_who_calls_it_and_what_it_touches(room: str) -> None:
    said = " ".join((import_module(f"erpsync.flows.{room}").__doc__ or "").split())

    assert re.search(r"Promises: .+ Called (by|from) .+ Touches .+", said)


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_holds_no_more_than_a_reader_takes_in_at_once(room: str) -> None:
    assert len([file for file in (FLOWS / room).glob("*.py") if file.name != "__init__.py"]) <= MOST_FILES


@pytest.mark.parametrize(("upper", "lower"), arrows())
def test_every_arrow_of_the_design_is_an_import(upper: str, lower: str) -> None:
    source = (FLOWS / upper.replace(".", "/")).with_suffix(".py").read_text(encoding="utf-8")

    assert f"from erpsync.flows.{lower} import" in source


@pytest.mark.parametrize("name", answers())
def test_every_answer_of_the_design_is_there(name: str) -> None:
    whole = name if name.startswith("erpsync.") else f"erpsync.flows.{name}"
    module, _, last = whole.rpartition(".")

    assert is_module(whole) or hasattr(import_module(module), last)
