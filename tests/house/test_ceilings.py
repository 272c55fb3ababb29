"""No attic grows: functions and files stay short enough to be read at two in the morning."""

import statistics

from tests.support.sources import functions, modules, shown

PRODUCT = ("erpsync", "connectors")
FUNCTION_LINES = 60
FILE_LINES = 400
MEDIAN_LINES = 9
P95_LINES = 35


def lengths() -> dict[str, int]:
    """Return the lines of every function of the product, from `def` to its end, docstring and all."""
    return {
        f"{shown(path)}:{node.lineno} {node.name}": (node.end_lineno or node.lineno) - node.lineno + 1
        for path, tree in modules(*PRODUCT)
        for node in functions(tree)
    }


def test_no_function_is_longer_than_sixty_lines() -> None:
    assert {name: lines for name, lines in lengths().items() if lines > FUNCTION_LINES} == {}


def test_no_file_is_longer_than_four_hundred_lines() -> None:
    sizes = {shown(path): len(path.read_text(encoding="utf-8").splitlines()) for path, _ in modules(*PRODUCT)}

    assert {name: lines for name, lines in sizes.items() if lines > FILE_LINES} == {}


def test_most_functions_are_short() -> None:
    lines = sorted(lengths().values())
    percentiles = statistics.quantiles(lines, n=100)

    assert statistics.median(lines) <= MEDIAN_LINES
    assert percentiles[94] <= P95_LINES
