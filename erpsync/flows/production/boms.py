"""Bills of material as people say them: drafts taken from files, and the one of each SKU that is active.

Why a draft first: a file with a bad row would else be made by at once, with a component missing.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise

from erpsync.core.bom import CycleError, low_levels
from erpsync.flows.context import Context
from erpsync.flows.errors import Refused
from erpsync.flows.imports import ImportResult
from erpsync.store.boms import (
    BomHead,
    BomPart,
    BomStep,
    active_boms,
    bundles_among,
    heads_of,
    make_active,
    make_drafts,
    parts_of,
    replace_parts,
    replace_steps,
    set_yields,
    steps_of,
)
from erpsync.store.db.store import Stage, Tx
from erpsync.store.events import Event, write_events
from erpsync.store.registry import lock_skus, make_skus, sku_codes, sku_ids


@dataclass(frozen=True, slots=True, kw_only=True)
class BomRow:
    """One row of a file of bills: a component, or a step with its number.

    Args:
        yields: how many units the quantities of its version make; None where the row does not say.
        step_no: of a step its number, of a component where it goes in.
    """

    sku: str
    version: str
    yields: int | None = None
    component: str = ""
    qty: int = 0
    scrap_ppm: int = 0
    step_no: int | None = None
    name: str = ""
    station: str = ""
    fixed_minutes: int = 0
    seconds_each: int = 0
    source: str = ""


@dataclass(slots=True)
class _Version:
    """What a file says of a version: its components and its steps, of which either may be left as they are."""

    parts: dict[str, BomRow] = field(default_factory=dict)
    steps: dict[int, BomRow] = field(default_factory=dict)
    yields: tuple[int, str] | None = None

    @property
    def rows(self) -> list[BomRow]:
        """All its rows."""
        return [*self.parts.values(), *self.steps.values()]


_Versions = Mapping[tuple[str, str], _Version]


def import_boms(
    ctx: Context, rows: Iterable[BomRow], *, actor: str, progress: Callable[[int], None] = lambda done: None
) -> ImportResult:
    """Make the versions that rows name drafts of what they say, or change drafts; each of them in one commit with all.

    A version's components are replaced by those of the file, if it has any, and so are its steps. A bad row is refused
    and the rest of its version stays a draft. One that is or was active never changes; saying the same again does no
    harm.
    """
    result = ImportResult()
    versions: dict[tuple[str, str], _Version] = {}
    for row in rows:
        problem = _said(versions.setdefault((row.sku, row.version), _Version()), row)
        if problem:
            result.refused.append((row.source, problem))
        progress(1)
    refused = ctx.store.retrying(partial(_take, versions=versions, actor=actor))
    result.refused += refused.items()
    result.taken = sum(row.source not in refused for version in versions.values() for row in version.rows)
    return result


def _said(version: _Version, row: BomRow) -> str:
    """Note a row; return what is wrong with it."""
    if row.component == row.sku:
        return f"{row.sku} cannot be made of itself"
    if row.yields is not None:
        if version.yields is not None and version.yields[0] != row.yields:
            return f"yields is {version.yields[0]} on {version.yields[1]}"
        version.yields = (row.yields, row.source)
    if row.component:
        version.parts[row.component] = row
    elif row.step_no is not None:
        version.steps[row.step_no] = row
    return ""


def _take(tx: Tx, *, versions: _Versions, actor: str) -> dict[str, str]:
    """Write drafts; return why rows cannot be taken, by source."""
    components = {component for version in versions.values() for component in version.parts}
    ids = make_skus(tx, {*(sku for sku, _ in versions), *components})
    lock_skus(tx, ids.values())
    heads = {(head.sku_id, head.version): head for head in heads_of(tx.connection, {ids[sku] for sku, _ in versions})}
    known = {key: head for key in versions if (head := heads.get((ids[key[0]], key[1]))) is not None}
    refused = _refused(tx, versions, ids, known)
    good = {key: _without(version, refused) for key, version in versions.items()}
    for key, version in good.items():
        if key in known and known[key].state != "draft":
            refused |= _changes(tx, known[key], version, ids)
    drafts = {key: it for key, it in good.items() if it.rows and (key not in known or known[key].state == "draft")}
    _write(tx, drafts, known, ids, actor)
    return refused


def _without(version: _Version, refused: Mapping[str, str]) -> _Version:
    return _Version(
        parts={name: row for name, row in version.parts.items() if row.source not in refused},
        steps={no: row for no, row in version.steps.items() if row.source not in refused},
        yields=version.yields,
    )


def _refused(
    tx: Tx, versions: _Versions, ids: Mapping[str, int], known: Mapping[tuple[str, str], BomHead]
) -> dict[str, str]:
    """Return which rows are wrong by what else is known: bundles, steps that are not there, rings."""
    bundles = bundles_among(tx.connection, ids.values())
    steps = steps_of(tx.connection, (head.id for head in known.values()))
    refused: dict[str, str] = {}
    for key, version in versions.items():
        there = {step.no for step in steps.get(known[key].id, ())} if key in known else set[int]()
        numbers = set(version.steps) or there
        for row in version.rows:
            if ids[row.sku] in bundles:
                refused[row.source] = f"{row.sku} is a bundle, and a bundle has no bill of material"
            elif row.component and ids[row.component] in bundles:
                refused[row.source] = _nested(row.component)
            elif row.component and row.step_no is not None and row.step_no not in numbers:
                refused[row.source] = f"there is no step {row.step_no}"
    return refused | _rings(tx, versions, ids, refused)


def _nested(bundle: str) -> str:
    return f"{bundle} is a bundle; it is taken apart when it is ordered and goes into nothing that is made"


def _rings(tx: Tx, versions: _Versions, ids: Mapping[str, int], refused: Mapping[str, str]) -> dict[str, str]:
    """Return the rows by which something would be made of itself, with the ring."""
    parts = {sku_id: [line.sku_id for line in bom.lines] for sku_id, bom in active_boms(tx.connection).items()}
    said: dict[tuple[int, int], BomRow] = {}
    for (sku, _), version in versions.items():
        rows = [row for row in version.parts.values() if row.source not in refused]
        if rows:
            parts[ids[sku]] = [ids[row.component] for row in rows]
            said |= {(ids[sku], ids[row.component]): row for row in rows}
    codes = {id: code for code, id in ids.items()}
    found: dict[str, str] = {}
    while True:
        try:
            low_levels(parts)
        except CycleError as error:
            ring = [node for node in error.ring if isinstance(node, int)]
            edge = next(pair for pair in pairwise(ring) if pair in said)
            parts[edge[0]] = [part for part in parts[edge[0]] if part != edge[1]]
            found[said.pop(edge).source] = _ring(tx, ring, codes)
        else:
            return found


def _ring(tx: Tx, ring: list[int], codes: Mapping[int, str]) -> str:
    named = {**sku_codes(tx.connection, (id for id in ring if id not in codes)), **codes}
    path = " → ".join(named[id] for id in ring)
    return f"it would be made of itself: {path}"


def _changes(tx: Tx, head: BomHead, version: _Version, ids: Mapping[str, int]) -> dict[str, str]:
    """Return the refusal of all rows of a version that is active or was, where they say another thing than it does."""
    parts = set(parts_of(tx.connection, [head.id]).get(head.id, ()))
    steps = steps_of(tx.connection, [head.id]).get(head.id, [])
    same_parts = not version.parts or {_part(row, ids) for row in version.parts.values()} == parts
    same_steps = not version.steps or [_step(row) for _, row in sorted(version.steps.items())] == steps
    if same_parts and same_steps and (version.yields is None or version.yields[0] == head.yields):
        return {}
    why = f"version {head.version} is {head.state} and never changes; give the new one another version"
    return dict.fromkeys((row.source for row in version.rows), why)


def _part(row: BomRow, ids: Mapping[str, int]) -> BomPart:
    return BomPart(sku_id=ids[row.component], qty=row.qty, scrap_ppm=row.scrap_ppm, step_no=row.step_no)


def _step(row: BomRow) -> BomStep:
    return BomStep(
        no=row.step_no or 0,
        name=row.name,
        station=row.station,
        fixed_minutes=row.fixed_minutes,
        seconds_each=row.seconds_each,
    )


def _write(
    tx: Tx,
    drafts: _Versions,
    known: Mapping[tuple[str, str], BomHead],
    ids: Mapping[str, int],
    actor: str,
) -> None:
    fresh = [key for key in drafts if key not in known]
    made = make_drafts(
        tx, [(ids[sku], version, (drafts[sku, version].yields or (1, ""))[0]) for sku, version in fresh], actor=actor
    )
    heads = {**known, **dict(zip(fresh, made, strict=True))}
    for key, version in drafts.items():
        if key in known and version.yields is not None and version.yields[0] != known[key].yields:
            set_yields(tx, known[key].id, version.yields[0])
    replace_parts(
        tx,
        {heads[key].id: [_part(row, ids) for row in it.parts.values()] for key, it in drafts.items() if it.parts},
    )
    replace_steps(
        tx,
        {heads[key].id: [_step(row) for _, row in sorted(it.steps.items())] for key, it in drafts.items() if it.steps},
    )
    events = [
        Event(kind="bom.imported", sku_id=ids[sku], detail={"version": version}, actor=actor) for sku, version in drafts
    ]
    write_events(tx, events)


def activate(ctx: Context, sku: str, version: str, *, actor: str) -> None:
    """Let a version be what a SKU is made of from now on; what was begun by another is finished by that.

    Nothing happens where it is active already. `Refused` where it is not there, has no component, names a step that it
    has not, holds a bundle, or would make something of itself.
    """
    ctx.store.retrying(partial(_activate, sku=sku, version=version, actor=actor))


def _activate(tx: Tx, *, sku: str, version: str, actor: str) -> None:
    id = sku_ids(tx.connection, [sku]).get(sku)
    head = next((head for head in heads_of(tx.connection, [id] if id else []) if head.version == version), None)
    if head is None:
        raise Refused(f"{sku} has no bill of material of version {version}")
    lines = parts_of(tx.connection, [head.id]).get(head.id, [])
    others = active_boms(tx.connection)
    # Any two that could close one ring between them have a SKU in common here, so they come one after the other.
    everything = {part.sku_id for bom in others.values() for part in bom.lines} | others.keys()
    lock_skus(tx, {head.sku_id, *(line.sku_id for line in lines), *everything})
    head = next(each for each in heads_of(tx.connection, [head.sku_id]) if each.id == head.id)
    if head.state == "active":
        return
    _check(tx, sku, head)
    make_active(tx, head)
    tx.wake(Stage.MAKE)
    write_events(tx, [Event(kind="bom.activated", sku_id=head.sku_id, detail={"version": version}, actor=actor)])


def _check(tx: Tx, sku: str, head: BomHead) -> None:
    """Raise `Refused` where a bill cannot be made by."""
    lines = parts_of(tx.connection, [head.id]).get(head.id, [])
    if not lines:
        raise Refused(f"version {head.version} of {sku} has no component")
    numbers = {step.no for step in steps_of(tx.connection, [head.id]).get(head.id, ())}
    missing = sorted({line.step_no for line in lines if line.step_no is not None} - numbers)
    if missing:
        raise Refused(f"a component of {sku} goes in at step {missing[0]}, and there is no such step")
    bundles = bundles_among(tx.connection, {head.sku_id, *(line.sku_id for line in lines)})
    if bundles:
        name = sku_codes(tx.connection, bundles)[min(bundles)]
        raise Refused(_nested(name))
    parts = {sku_id: [line.sku_id for line in bom.lines] for sku_id, bom in active_boms(tx.connection).items()}
    parts[head.sku_id] = [line.sku_id for line in lines]
    try:
        low_levels(parts)
    except CycleError as error:
        raise Refused(_ring(tx, [node for node in error.ring if isinstance(node, int)], {})) from None
