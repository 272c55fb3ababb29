"""The tables of docs/rules.md: which facts rules and routes may ask about, read from the facts themselves.

`make docs` writes them into the page.
"""

import re

from erpsync.core.facts import FACTS, Fact, On
from tests.support.sources import ROOT

PAGE = ROOT / "docs" / "rules.md"
HEADS = {
    On.ORDER: "### Of an order\n\n",
    On.PARCEL: "### Of a parcel\n\n",
    On.EVENT: "made of the same conditions.\n\n",
}
COLUMNS = "| fact | type | unit | what it is |\n| --- | --- | --- | --- |\n"


def table(on: On) -> str:
    """Return the facts that rules of a kind may ask about, as Markdown."""
    return COLUMNS + "".join(f"{row(fact)}\n" for fact in FACTS[on].values())


def row(fact: Fact) -> str:
    """Return a fact as a row: its closed list of words stands behind its sentence."""
    words = f" One of {', '.join(f'`{word}`' for word in fact.words)}." if fact.words else ""
    return f"| `{fact.name}` | {fact.type} | {fact.unit} | {fact.says}{words} |"


def page() -> str:
    """Return docs/rules.md with the tables of today."""
    text = PAGE.read_text(encoding="utf-8")
    for on, head in HEADS.items():
        before, _, rest = text.partition(head)
        after = rest[re.match(r"(?:\|.*\n)*", rest).end() :]  # type: ignore[union-attr]
        text = before + head + table(on) + after
    return text


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
