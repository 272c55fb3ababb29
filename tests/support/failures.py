"""The table of failures in tests/README.md: which tests prove that a failure cannot happen here.

Why from docstrings: a test says itself which row it is about, so the table cannot promise what nobody tests.
"""

import ast
import re
from collections.abc import Iterator

from tests.support.sources import ROOT

PAGE = ROOT / "tests" / "README.md"
HEAD = "| # | failure | test |\n|---|---|---|\n"
CITES = re.compile(r"(?:failures(?:\.md)? rows?|^rows?|[;,] (?:and )?rows?) \d", re.IGNORECASE | re.MULTILINE)
ROWS = re.compile(r"\brows? (\d+(?:\s*(?:,|and)\s*\d+)*)", re.IGNORECASE)

FAILURES = {
    1: "the last unit is sold twice",
    2: "an order is lost between two polling windows",
    3: 'a failed page is read as "no more data" and the cursor moves on',
    4: "stock is pushed without open orders deducted",
    5: "sync lag oversells at the peak",
    6: "refunded before shipping, shipped anyway",
    7: "duplicate orders from redelivery or retry",
    8: "a webhook is acknowledged, then lost",
    9: "a subscription is switched off behind our back",
    10: "a token dies and nobody notices",
    11: "silent stop: no error, no orders",
    12: "a wrong time zone hides orders",
    13: "a rate limit kills the rest of the batch",
    14: "one bad item blocks hundreds",
    15: "jobs are stuck after a crash",
    16: "retries for ever, or not at all",
    17: "a SKU mismatch makes duplicates or blocks orders",
    18: "a partial or multi-parcel shipment is pushed wrong",
    19: "a courier code is rejected",
    20: "a sync sets stock to zero or doubles it",
    21: "a manual change on the channel is never corrected",
    22: "a reservation leaks, goes negative or is cut short",
    23: "returns and refunds never come back",
    24: "edits after the import are ignored",
    25: "money does not add up",
    26: "a second paid label after a time-out",
    27: "a half-written or GBK file in the drop folder",
    28: "an API version's end stops everything",
    29: "a bundle's component is shown free",
    30: "logs fill the disk",
    31: '"database is locked"',
    32: "newer orders are served before older",
    33: "a merged parcel goes to the wrong buyer",
    34: "a gift is sent alone",
    35: "approved, then edited, then sent",
    36: "printed, cancelled, sent all the same",
    37: "a reprint leaves twice",
    38: "told as shipped before any scan",
    39: "an alarm storm",
    40: "a message with a phone number in it",
}

OPEN = {
    9: "the platforms' own subscriptions (of message queues and webhooks) are not audited",
    19: "a platform's list of carriers is compared by `check --online`, not daily, and waybill numbers have no pattern",
    23: "goods that come back: quarantine, inspection, restocking",
    28: "end dates of API versions",
}
"""What of a row waits for a mechanism that is not built yet."""


def table() -> str:
    """Return the table as it has to stand in tests/README.md."""
    proofs = tests_by_row()
    rows = (f"| {number} | {name} | {_proof(number, proofs.get(number, []))} |" for number, name in FAILURES.items())
    return HEAD + "\n".join(rows) + "\n"


def _proof(number: int, files: list[str]) -> str:
    said = ", ".join(f"`{name}`" for name in files) or "open"
    return f"{said}; open: {OPEN[number]}" if files and number in OPEN else said


def tests_by_row() -> dict[int, list[str]]:
    """Return the test files that cite each row."""
    found: dict[int, set[str]] = {}
    for path in sorted((ROOT / "tests").glob("**/test_*.py")):
        for text in docstrings(path.read_text(encoding="utf-8")):
            for number in cited(text):
                found.setdefault(number, set()).add(path.relative_to(ROOT / "tests").as_posix())
    return {number: sorted(files) for number, files in found.items()}


def docstrings(source: str) -> Iterator[str]:
    """Yield the docstrings of a module, its classes and functions."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and (text := ast.get_docstring(node)):
            yield text


def cited(docstring: str) -> set[int]:
    """Return the rows that a docstring cites: `failures.md rows 2 and 3`, or `Row 2: ...`."""
    if not CITES.search(docstring):
        return set()
    plain = re.sub(r"\s*\([^)]*\)", "", docstring)
    return {int(number) for group in ROWS.findall(plain) for number in re.findall(r"\d+", group)} & FAILURES.keys()


def page() -> str:
    """Return tests/README.md with the table of today."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(HEAD)
    after = rest[re.match(r"(?:\|.*\n)*", rest).end() :]  # type: ignore[union-attr]
    return before + table() + after


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
