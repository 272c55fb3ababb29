"""The pages keep up with the product: every option, command, log event and error stands in them, every example works.

`make docs` writes docs/reference.md anew. Code blocks are run in test_docs_examples.py.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import yaml

from tests.support import failures, reference
from tests.support.pages import CHINESE, pages
from tests.support.sources import ROOT

FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
PLACED = re.compile(r"#\s*(?:/etc/erpsync/|config/)?((?:channels/)?[\w.-]+\.yaml)\b")
SECRET = re.compile(r"!cred\s+([\w.-]+)")
FILE = re.compile(r"!file\s+([\w./-]+)")
VARIABLE = re.compile(r"\$\{(\w+)\}")
# 32 bytes in base64, so that it also serves where an encryption key is wanted
SAMPLE_SECRET = "c2FtcGxlIHNlY3JldCBmb3IgUkVBRE1FLCAzMiBieXQ="


@cache
def readme() -> str:
    """Return the README and every other page, as one text."""
    return "\n".join(path.read_text(encoding="utf-8") for path in pages())


@cache
def code() -> str:
    """Return what the README writes as code: fenced blocks and spans."""
    blocks = [match[2] for match in FENCE.finditer(readme())]
    spans = re.findall(r"`([^`\n]+)`", FENCE.sub("", readme()))
    return "\n".join([*blocks, *spans])


def in_code(words: str) -> bool:
    """Whether the README writes these words, as they are, in code."""
    return re.search(rf"(?<![\w.-]){re.escape(words)}(?![\w-])", code()) is not None


def plain(text: str) -> str:
    """Return a text without Markdown marks and line breaks, so that a sentence is found however it is set."""
    return re.sub(r"\s+", " ", text.replace("`", "").replace("\\|", "|"))


def test_the_readme_names_every_option() -> None:
    missing = [
        f"{place}: {option.path}"
        for place, rows in reference.options().items()
        for option in rows
        if not in_code(option.path) and not in_code(option.path.rpartition(".")[2])
    ]

    assert missing == []


def test_every_option_is_described_and_the_readme_repeats_it() -> None:
    known = plain(readme())
    missing = [
        f"{place}: {option.path}: {option.description or 'has no description'}"
        for place, rows in reference.options().items()
        for option in rows
        if not option.description or plain(option.description) not in known
    ]

    assert missing == []


def test_the_readme_names_every_command() -> None:
    assert [name for name in reference.commands() if not named(name)] == []


def test_the_readme_names_every_option_of_the_commands() -> None:
    options = sorted(set().union(*map(reference.long_options, reference.commands().values())))

    assert [option for option in options if not in_code(option)] == []


def named(command: str) -> bool:
    """Whether the README names a command, alone or in a list such as `stock list|import`."""
    group, _, word = command.rpartition(" ")
    listed = re.search(rf"(?<![\w-]){re.escape(group)} [\w|\\]*\b{re.escape(word)}\b", code()) if group else None
    return in_code(command) or listed is not None


def test_the_readme_names_every_log_event() -> None:
    assert [name for name in reference.events() if not in_code(name)] == []


def test_log_records_begin_with_the_name_of_an_event() -> None:
    prose = [f"line {call.lineno}: {name!r}" for call, name in reference.log_calls() if name and not is_event(name)]

    assert prose == []


def is_event(name: str) -> bool:
    """Whether a text is of the form `noun.past-verb`."""
    return reference.EVENT.fullmatch(name) is not None


def test_the_readme_names_every_error_of_the_sdk() -> None:
    assert [name for name in reference.errors() if not in_code(name)] == []


def yaml_blocks() -> Iterator[str]:
    """Yield the YAML examples of the README."""
    return (match[2] for match in FENCE.finditer(readme()) if match[1] in {"yaml", "yml"})


def test_the_yaml_examples_of_the_readme_can_be_read() -> None:
    class Loader(yaml.SafeLoader):
        """Knows the tags that name secrets."""

    for tag in ("!cred", "!file"):
        Loader.add_constructor(tag, lambda loader, node: loader.construct_scalar(node))

    assert all(yaml.load(block, Loader) is not None for block in yaml_blocks())


@pytest.mark.concurrent("processes")
def test_the_configuration_in_the_readme_passes_the_check(tmp_path: Path) -> None:
    mains = examples("erpsync.yaml")
    main = next(block for block in mains if "sqlite:///var/" in block)  # the one that the shops' examples stand beside
    others = [block for block in mains if block != main]
    channels = [block for block in yaml_blocks() if "channels/" in name_of(block)]

    assert complaints(tmp_path / "whole", [main, *channels]) == ""
    for index, block in enumerate(others):
        named = [each for each in channels if re.search(r"^id: (\S+)", each, re.MULTILINE)[1] in block]  # type: ignore[index]
        assert complaints(tmp_path / f"other-{index}", [block, *(named if "routes:" in block else [])]) == ""


def examples(name: str) -> list[str]:
    """Return the YAML examples of one file; there has to be one at least."""
    found = [block for block in yaml_blocks() if name_of(block) == name]
    if not found:
        pytest.fail(f"no YAML block of the README begins with the line `# config/{name}`")
    return found


def name_of(block: str) -> str:
    """Return the file that a YAML example begins with, an empty text where it names none."""
    place = PLACED.match(block)
    return place[1] if place else ""


def complaints(folder: Path, blocks: list[str]) -> str:
    """Return what `erpsync check` has against a folder with these examples."""
    (folder / "credentials").mkdir(parents=True)
    for block in blocks:
        target = folder / name_of(block)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(block, encoding="utf-8")
        write_what_it_needs(folder, block)
    done = subprocess.run(
        [Path(sys.executable).with_name("erpsync"), "--config", folder, "check", "--json"],
        env={**os.environ, "CREDENTIALS_DIRECTORY": str(folder / "credentials"), **sample_variables()},
        capture_output=True,
        text=True,
        check=False,
    )
    assert isinstance(json.loads(done.stdout), list | dict)
    return done.stdout + done.stderr if done.returncode else ""


def write_what_it_needs(folder: Path, block: str) -> None:
    """Make the credentials, secret files and drop folders that an example names."""
    for name in SECRET.findall(block):
        (folder / "credentials" / name).write_text(SAMPLE_SECRET, encoding="utf-8")
    for name in filter(relative, FILE.findall(block)):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(SAMPLE_SECRET, encoding="utf-8")
    for name in filter(relative, re.findall(r"\b(?:out_)?folder:\s*([\w./-]+)", block)):
        (folder / name).mkdir(parents=True, exist_ok=True)


def relative(name: str) -> bool:
    """Whether a path of an example lies in the configuration's folder; a test makes no other."""
    return not name.startswith("/")


def sample_variables() -> dict[str, str]:
    """Return a value for each environment variable that the examples name."""
    return {name: SAMPLE_SECRET for block in yaml_blocks() for name in VARIABLE.findall(block)}


def test_the_readme_names_every_metric() -> None:
    assert [name for name, _, _ in reference.metrics() if not in_code(name)] == []


def test_the_readme_names_every_address_that_is_answered() -> None:
    sources = [path.read_text(encoding="utf-8") for path in sorted((ROOT / "erpsync" / "web").glob("*.py"))]
    paths = {path for text in sources for path in re.findall(r'(?:Route|Mount)\("([^"]+)"', text)}

    assert len(paths) > 5
    assert [path for path in sorted(paths) if path.replace(":path", "") not in code()] == []


def test_the_reference_is_up_to_date() -> None:
    assert reference.REFERENCE.read_text(encoding="utf-8") == reference.document(), "run: make docs"


def test_the_table_of_failures_is_up_to_date() -> None:
    assert failures.PAGE.read_text(encoding="utf-8") == failures.page(), "run: make docs"


def test_every_link_within_the_documentation_leads_somewhere() -> None:
    for page in [CHINESE, *pages(), ROOT / "tests" / "README.md"]:
        text = page.read_text(encoding="utf-8")
        for target in re.findall(r"\]\((?!https?:)([^)\s]+)\)", text):
            name, _, anchor = target.partition("#")
            there = (page.parent / name) if name else page
            assert there.exists(), f"{page.name}: {target}"
            assert not anchor or anchor in anchors(there), f"{page.name}: {target}"


def anchors(page: Path) -> set[str]:
    """Return the anchors that the headings of a page get: lower case, no punctuation, hyphens for spaces."""
    heads = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def test_every_test_that_the_failure_table_names_exists() -> None:
    table = (ROOT / "tests" / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| \d+ \|[^|]+\|([^|]+)\|$", table, re.MULTILINE)
    files = [name for row in rows for name in re.findall(r"`([\w/]+\.py)(?:::\w+)?`", row)]

    assert len(rows) == 40
    assert all(row.strip() == "open" or "`" in row for row in rows)
    assert [name for name in files if not (ROOT / "tests" / name).exists()] == []
