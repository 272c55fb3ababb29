"""English says one and many differently: what puts a number before a plural says the other for 1.

Why not gettext's plurals for our code: a sentence is often stored when it is said, so that its plural is chosen by
whoever says it; Chinese has but one form. Templates are said when they are shown, and have theirs by `pluralize`.
"""

import ast
import re
from collections.abc import Iterator
from functools import cache

import pytest

from tests.languages.words import messages, sources

NOUNS = (
    "alarms|backups|buyers|bytes|cells|channels|characters|codes|copies|days|differences|effects|events|files"
    "|forms|goods|hours|items|letters|levels|lines|listings|messages|minutes|nodes|numbers|orders|pages|parcels"
    "|parts|places|problems|questions|records|refunds|releases|rows|rules|seconds|sessions|shipments|SKUs|slips"
    "|steps|tasks|times|tokens|tries|units|users|values|warehouses|waves|waybills|windows|zeros"
)
_COUNTED = rf"(?:(?:dead|listed|more|new|open|order|other) )?(?:{NOUNS})\b"
PLURAL = re.compile(rf"^ {_COUNTED}")
IN_TEMPLATES = re.compile(rf"%\((\w+)\)s {_COUNTED}")

OVER_A_LIMIT, ONE_IS_ASIDE = "is above a limit of one or more", "who calls says the singular for one"
BYTES = "a figure of bytes that is far above one"
ALWAYS_MANY = {
    "connectors/csv_drop/client/table.py: group.count": OVER_A_LIMIT,
    "connectors/taobao/connector/shipments.py: MAX_SUB_TIDS[method]": "a limit",
    "erpsync/cli/backups.py: size": BYTES,
    "erpsync/flows/audit/approve.py: count": ONE_IS_ASIDE,
    "erpsync/flows/inventory/goods_cells.py: len(cell)": OVER_A_LIMIT,
    "erpsync/flows/messages/compose.py: count": ONE_IS_ASIDE,
    "erpsync/flows/orders/normalise.py: lines": OVER_A_LIMIT,
    "erpsync/flows/shipments/reported.py: lines": OVER_A_LIMIT,
    "erpsync/papers/typesetter.py: len(frame)": BYTES,
    "erpsync/runtime/reload.py: opened": OVER_A_LIMIT,
    "erpsync/sdk/bad_lines.py: len(bad)": ONE_IS_ASIDE,
    "erpsync/sdk/http.py: len(self.body)": BYTES,
    "erpsync/sdk/sheets/workbook.py: len(without_tail(cells))": OVER_A_LIMIT,
    "erpsync/web/console/audit/desk.py: count": ONE_IS_ASIDE,
    "erpsync/web/console/goods/fields.py: len(text)": OVER_A_LIMIT,
    "erpsync/web/console/orders/deeds.py: count": ONE_IS_ASIDE,
    "erpsync/web/console/orders/shipping.py: carrier": "no number, but whose numbers they are",
    "erpsync/web/day_chart.py: len(levels)": "the days of a chart",
}
"""Numbers before a plural that are never 1, by module and expression, with why."""

TEMPLATES_MANY = {"count": "events that were looked through in vain", "shortest": "the shortest password"}


def said(tree: ast.AST) -> Iterator[tuple[ast.expr, ast.AST]]:
    """Yield each expression whose value stands before a plural, with the function that says so."""
    for scope in [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]:
        for node in ast.walk(scope):
            for value, text in (
                zip(node.values, node.values[1:], strict=False) if isinstance(node, ast.JoinedStr) else ()
            ):
                if (
                    isinstance(value, ast.FormattedValue)
                    and isinstance(text, ast.Constant)
                    and PLURAL.match(text.value)
                ):
                    yield value.value, scope


def is_told_apart(number: ast.expr, scope: ast.AST) -> bool:
    """Whether a function asks of a number whether it is 1, or it is a limit that has a name."""
    if isinstance(number, ast.Name) and number.id.strip("_").isupper():
        return True
    asked = [node for node in ast.walk(scope) if isinstance(node, ast.Compare)]
    ones = [{ast.dump(side) for side in (node.left, *node.comparators)} for node in asked]
    cases = [node for node in ast.walk(scope) if isinstance(node, ast.Match)]
    one = ast.dump(ast.Constant(1))
    matched = any(ast.dump(number) == ast.dump(node.subject) and one in ast.dump(node) for node in cases)
    return matched or any(one in sides and ast.dump(number) in sides for sides in ones)


@cache
def places() -> frozenset[str]:
    """Return where a number that may be 1 stands before a plural, by module and expression."""
    found = set()
    for name, path in sources():
        if path.suffix == ".py" and not name.startswith("erpsync/cli/demo/"):  # which counts by the hundred
            for number, scope in said(ast.parse(path.read_text(encoding="utf-8"))):
                if not is_told_apart(number, scope):
                    found.add(f"{name}: {ast.unparse(number)}")
    return frozenset(found)


def test_a_number_before_a_plural_may_not_be_one() -> None:
    assert sorted(places() - ALWAYS_MANY.keys()) == []


def test_numbers_that_are_always_many_are_there() -> None:
    assert ALWAYS_MANY.keys() - places() == set()


def test_a_template_has_a_singular_for_each_number_before_a_plural() -> None:
    alone = [message.id for message in messages() if isinstance(message.id, str)]

    found = {match[1]: text for text in alone if (match := IN_TEMPLATES.search(text))}
    assert found.keys() == TEMPLATES_MANY.keys(), found


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ('def f(n):\n return f"{n} orders"', ["n"]),
        ('def f(n):\n return "1 order" if n == 1 else f"{n} orders"', []),
        ('def f(n):\n return f"{len(n)} open orders" if len(n) != 1 else "1 open order"', []),
        ('def f(n, m):\n return "1 order" if m == 1 else f"{n} orders"', ["n"]),
        ('def f():\n return f"{MOST} orders"', []),
        ('def f(n):\n return f"order {n} waits"', []),
    ],
)
def test_a_number_counts_as_told_apart_where_it_is_asked_whether_it_is_one(code: str, found: list[str]) -> None:
    said_so = [ast.unparse(number) for number, scope in said(ast.parse(code)) if not is_told_apart(number, scope)]

    assert said_so == found
