"""The pages of the documentation, in the order in which somebody comes to them."""

from pathlib import Path

from tests.support.sources import ROOT

README = ROOT / "README.md"
CHINESE = ROOT / "README.zh-CN.md"
"""Says what README.md says; its blocks are compared with those, not run a second time."""


def pages() -> list[Path]:
    """Return every page in English: those at the top, then docs/ with its folders."""
    tops = [README, ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"]
    return [*tops, *sorted((ROOT / "docs").glob("**/*.md"))]
