"""What goods are made of: taken from files as drafts, made by one version each, and never of themselves."""

from collections.abc import Callable
from typing import Any

import pytest

from erpsync.flows.errors import Refused
from erpsync.flows.imports import ImportResult
from erpsync.flows.inventory.bundles import BundlePart, import_bundles
from erpsync.flows.production.boms import BomRow, activate, import_boms
from erpsync.store.views.boms import list_boms, show_bom, uses_of
from tests.support import looking
from tests.support.shop import Town


def part(sku: str, component: str, qty: int = 1, *, line: int = 2, version: str = "1", **more: Any) -> BomRow:
    return BomRow(sku=sku, version=version, component=component, qty=qty, source=f"bom.csv:{line}", **more)


def step(sku: str, no: int, name: str, *, line: int = 9, version: str = "1") -> BomRow:
    source = f"steps.csv:{line}"
    return BomRow(sku=sku, version=version, step_no=no, name=name, station=name, source=source)


def put(town: Town, *rows: BomRow) -> ImportResult:
    return import_boms(town.ctx, rows, actor="me")


def shown(town: Town, sku: str, version: str | None = None) -> dict[str, Any]:
    with town.store.read() as connection:
        return show_bom(connection, sku, version)


def components(town: Town, sku: str, version: str | None = None) -> dict[str, int]:
    return {each["sku"]: each["qty"] for each in shown(town, sku, version)["components"]}


def states(town: Town, sku: str) -> dict[str, str]:
    with town.store.read() as connection:
        return {each["version"]: each["state"] for each in list_boms(connection, sku_code=sku)}


@pytest.fixture
def mugs(town: Town) -> Town:
    """A mug is made of a blank and of ink by version 1."""
    put(town, part("MUG", "BLANK"), part("MUG", "INK", 3, line=3), step("MUG", 1, "engrave"), step("MUG", 2, "pack"))
    activate(town.ctx, "MUG", "1", actor="me")
    return town


def test_a_file_makes_a_draft_and_a_person_lets_goods_be_made_by_it(town: Town) -> None:
    result = put(town, part("MUG", "BLANK", scrap_ppm=50_000, step_no=1, yields=2), step("MUG", 1, "engrave"))

    assert (result.taken, result.refused) == (2, [])
    assert states(town, "MUG") == {"1": "draft"}

    activate(town.ctx, "MUG", "1", actor="me")

    bom = shown(town, "MUG")
    assert (bom["state"], bom["yields"]) == ("active", 2)
    assert bom["components"] == [{"sku": "BLANK", "qty": 1, "scrap_percent": 5.0, "step": 1}]
    assert [(each["no"], each["station"]) for each in bom["steps"]] == [(1, "engrave")]
    assert [kind for kind, _ in looking.events(town, "bom.")] == ["bom.imported", "bom.activated"]


def test_a_newer_version_takes_the_place_of_the_one_before(mugs: Town) -> None:
    put(mugs, part("MUG", "BLANK", 2, version="2"))
    activate(mugs.ctx, "MUG", "2", actor="me")
    activate(mugs.ctx, "MUG", "2", actor="me")

    assert states(mugs, "MUG") == {"1": "retired", "2": "active"}
    assert components(mugs, "MUG") == {"BLANK": 2}
    assert len(looking.events(mugs, "bom.activated")) == 2

    activate(mugs.ctx, "MUG", "1", actor="me")
    assert states(mugs, "MUG") == {"1": "active", "2": "retired"}


def test_a_version_that_goods_are_made_by_never_changes_and_the_same_file_twice_is_as_once(mugs: Town) -> None:
    same = put(mugs, part("MUG", "INK", 3), part("MUG", "BLANK", line=3))
    other = put(mugs, part("MUG", "BLANK"), part("MUG", "INK", 4, line=3))

    assert (same.taken, same.refused) == (2, [])
    assert {source for source, _ in other.refused} == {"bom.csv:2", "bom.csv:3"}
    assert "version 1 is active and never changes" in other.refused[0][1]
    assert components(mugs, "MUG") == {"BLANK": 1, "INK": 3}


def test_a_draft_is_what_the_last_file_says_and_keeps_its_steps_where_that_names_none(town: Town) -> None:
    put(town, part("MUG", "BLANK"), step("MUG", 1, "engrave"))
    put(town, part("MUG", "CUP", 2, yields=4))

    bom = shown(town, "MUG")
    assert (components(town, "MUG"), bom["yields"], len(bom["steps"])) == ({"CUP": 2}, 4, 1)


def test_a_bad_row_is_refused_by_its_line_and_the_rest_of_its_version_stays_a_draft(town: Town) -> None:
    result = put(
        town,
        part("MUG", "BLANK", yields=1),
        part("MUG", "MUG", line=3),
        part("MUG", "INK", line=4, step_no=7),
        part("MUG", "BOX", line=5, yields=2),
        part("CUP", "CLAY", line=6),
    )

    assert result.taken == 2
    assert sorted(result.refused) == [
        ("bom.csv:3", "MUG cannot be made of itself"),
        ("bom.csv:4", "there is no step 7"),
        ("bom.csv:5", "yields is 1 on bom.csv:2"),
    ]
    assert (states(town, "MUG"), components(town, "MUG")) == ({"1": "draft"}, {"BLANK": 1})
    assert components(town, "CUP") == {"CLAY": 1}


def test_what_would_be_made_of_itself_is_refused_with_the_ring_written_out(mugs: Town) -> None:
    result = put(mugs, part("BLANK", "CLAY"), part("CLAY", "MUG", line=3), part("CLAY", "WATER", line=4))

    [(source, problem)] = result.refused
    assert source in {"bom.csv:2", "bom.csv:3"}
    assert problem == "it would be made of itself: MUG → BLANK → CLAY → MUG"
    assert result.taken == 2


def test_two_drafts_that_close_a_ring_cannot_both_be_made_by(town: Town) -> None:
    put(town, part("A", "B"))
    put(town, part("B", "A"))
    activate(town.ctx, "A", "1", actor="me")

    with pytest.raises(Refused, match="it would be made of itself: A → B → A"):
        activate(town.ctx, "B", "1", actor="me")

    assert states(town, "B") == {"1": "draft"}


def _of_another_version(town: Town) -> None:
    activate(town.ctx, "MUG", "9", actor="me")


def _of_steps_alone(town: Town) -> None:
    put(town, step("MUG", 1, "engrave", version="9"))
    activate(town.ctx, "MUG", "9", actor="me")


def _with_a_step_gone(town: Town) -> None:
    put(town, part("MUG", "BLANK", version="9", step_no=2), step("MUG", 2, "pack", version="9"))
    put(town, step("MUG", 1, "engrave", version="9"))
    activate(town.ctx, "MUG", "9", actor="me")


def _with_a_bundle(town: Town) -> None:
    put(town, part("MUG", "SET", version="9"))
    import_bundles(town.ctx, [BundlePart(bundle="SET", sku="SPOON", qty=2)], actor="me")
    activate(town.ctx, "MUG", "9", actor="me")


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        (_of_another_version, "MUG has no bill of material of version 9"),
        (_of_steps_alone, "version 9 of MUG has no component"),
        (_with_a_step_gone, "a component of MUG goes in at step 2, and there is no such step"),
        (_with_a_bundle, "SET is a bundle"),
    ],
)
def test_goods_are_not_made_by_what_is_not_whole(mugs: Town, asked: Callable[[Town], None], why: str) -> None:
    with pytest.raises(Refused, match=why):
        asked(mugs)

    assert states(mugs, "MUG")["1"] == "active"


def test_a_bundle_is_not_made_and_goes_into_nothing(town: Town) -> None:
    import_bundles(town.ctx, [BundlePart(bundle="SET", sku="MUG", qty=2)], actor="me")

    result = put(town, part("SET", "BLANK"), part("MUG", "SET", line=3), part("MUG", "BLANK", line=4))

    assert [source for source, _ in sorted(result.refused)] == ["bom.csv:2", "bom.csv:3"]
    assert components(town, "MUG") == {"BLANK": 1}


def test_what_is_made_or_goes_into_it_is_no_bundle(mugs: Town) -> None:
    made = import_bundles(mugs.ctx, [BundlePart(bundle="MUG", sku="TEA", qty=1, source="b.csv:2")], actor="me")
    used = import_bundles(mugs.ctx, [BundlePart(bundle="BLANK", sku="TEA", qty=1, source="b.csv:2")], actor="me")
    held = import_bundles(mugs.ctx, [BundlePart(bundle="GIFT", sku="MUG", qty=1, source="b.csv:2")], actor="me")

    assert made.refused == [("b.csv:2", "it is made by a bill of material, so it is no bundle")]
    assert used.refused == [("b.csv:2", "it goes into what is made; a bundle goes into nothing")]
    assert (held.taken, held.refused) == (1, [])


def test_where_a_component_is_used_is_told_of_what_is_made_by_now(mugs: Town) -> None:
    put(mugs, part("CUP", "INK", 1))

    with mugs.store.read() as connection:
        assert uses_of(connection, "INK") == [{"sku": "MUG", "version": "1", "qty": 3, "yields": 1}]
