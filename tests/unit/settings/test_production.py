"""What `production` may say, and what is told of its warehouses by file, line and column."""

from pathlib import Path

import pytest

from erpsync.core.policy import ProductionPolicy
from tests.unit.settings.test_releases import checked

PLACES = "warehouses: [{id: SH, desk: true}, {id: RM, sellable: false}, {id: WIP, sellable: false}, {id: GZ}]\n"


def test_what_is_made_here_is_read_with_its_usual_values(tmp_path: Path) -> None:
    main = PLACES + "production: {places: {components: [RM], wip: WIP, out: SH}}\n"

    got = checked(tmp_path, main).require()

    assert got.production == ProductionPolicy(components=("RM",), wip="WIP", out="SH")


def test_without_production_nothing_is_made(tmp_path: Path) -> None:
    assert checked(tmp_path, PLACES).require().production is None


@pytest.mark.parametrize(
    ("places", "column", "problem"),
    [
        ("{components: [RN], wip: WIP, out: SH}", 36, "no warehouse 'RN' in erpsync.yaml; known are GZ, RM, SH, WIP"),
        ("{components: [RM], wip: GZ, out: SH}", 41, "may be sold from"),
        ("{components: [RM], wip: WIP, out: GZ}", 51, "sends no parcels"),
        ("{components: [RM], wip: RM, out: SH}", 41, "stands under places.components already"),
        ("{components: [], wip: WIP, out: SH}", 23, "1"),
    ],
)
def test_a_place_that_is_none_is_named_by_line_and_column(
    tmp_path: Path, places: str, column: int, problem: str
) -> None:
    main = PLACES + f"production: {{places: {places}}}\n"

    [found] = checked(tmp_path, main).problems

    assert problem in found.text
    assert (found.line, found.column) == (main[: main.index("production")].count("\n") + 1, column)
