"""What a print is made of: the releases that a number means, what may be printed of them, and what stands on it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from erpsync.core.orders import KnownOrder
from erpsync.flows.context import Context
from erpsync.flows.desk.may_print import Wish, against
from erpsync.flows.desk.paper_data import Desk, digest_of, is_addressed, papers_of, pick_of
from erpsync.flows.desk.paper_rows import Head, WaveHead, heads_numbered, heads_of_wave, wave_numbered
from erpsync.flows.errors import Refused
from erpsync.flows.warehouses.releasable import read_to_the_end
from erpsync.papers.records import CourierLabel, LabelData, PaperData
from erpsync.papers.style import PaperName
from erpsync.sdk.types import LabelKind
from erpsync.store.cursors import read_cursors
from erpsync.store.prints import Labelled, PrintRun, copies_of, labelled, wave_copies
from erpsync.store.views.values import NotFound

Made = Mapping[str, tuple[PaperData, ...]]
"""First copies by the number on them: a release's labels are several, all else is one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Meant:
    """What a number means: one release, or a wave with its releases by slot."""

    wave: WaveHead | None
    heads: Sequence[Head]

    @property
    def order_ids(self) -> set[int]:
        """The orders in them."""
        return {id for head in self.heads for id in head.order_ids}


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What is to be set and put on record; two that are equal give the same bytes.

    Args:
        data: in the order in which it is printed.
        heads: the releases on it.
        runs: by the number on the paper, and that of the wave that was asked for.
        left_out: by release, why it is not on it.
    """

    data: tuple[PaperData, ...]
    heads: tuple[Head, ...]
    runs: Mapping[str, PrintRun]
    left_out: Mapping[str, str]

    @property
    def to_fetch(self) -> set[str]:
        """The releases whose courier makes a label that is not here yet."""
        return {label.number for label in self.data if isinstance(label, CourierLabel) and not label.data}


def meant_by(connection: Connection, paper: PaperName, number: str) -> Meant:
    """Return what is meant; raises `NotFound`, and `Refused` for a pick list of a single release."""
    wave = wave_numbered(connection, number)
    if wave is not None:
        heads = heads_of_wave(connection, wave.id)
        if not heads:
            raise Refused(f"wave {number} holds no release")
        return Meant(wave=wave, heads=heads)
    heads = heads_numbered(connection, [number])
    if not heads:
        raise NotFound(f"there is no release and no wave {number}")
    if paper == "pick":
        raise Refused(f"{number} is a release: a pick list is of a wave")
    return Meant(wave=None, heads=heads)


def copies_before(connection: Connection, paper: PaperName, meant: Meant) -> dict[int, int]:
    """Return how often the paper was printed, by release id; a wave's pick list counts for all releases on it."""
    if paper == "pick" and meant.wave is not None:
        before = wave_copies(connection, paper, meant.wave.id)
        return {head.id: before for head in meant.heads if before}
    return copies_of(connection, paper, [head.id for head in meant.heads])


def job_of(
    connection: Connection,
    desk: Desk,
    wish: Wish,
    meant: Meant,
    orders: Mapping[int, KnownOrder],
    left_out: Mapping[str, str],
) -> Job:
    """Return what is to be printed as things stand; raises `Refused` where nothing of it may be.

    Args:
        orders: those of all releases that are meant, by id.
        left_out: releases that stay out whatever the database says.
    """
    before = copies_before(connection, wish.paper, meant)
    out = dict(left_out) | _against(connection, desk.ctx, wish, meant, orders, before, left_out)
    made = made_of(connection, desk, wish.paper, meant, [head for head in meant.heads if head.number not in out])
    if wish.paper == "label":
        known = labelled(connection, [head.id for head in meant.heads])
        of = {head.number: known.get(head.id) for head in meant.heads}
        out |= {number: why for number, labels in made.items() if (why := _no_label(desk, number, labels, of[number]))}
    made = {number: each for number, each in made.items() if number not in out}
    if not made or (wish.paper == "pick" and len(out) == len(meant.heads)):
        raise Refused(_nothing(meant, wish, out))
    runs = _runs(connection, desk, wish.paper, meant, made, before)
    data = as_copies(made, {number: run.copy for number, run in runs.items()})
    heads = tuple(head for head in meant.heads if head.number not in out)
    return Job(data=data, heads=heads, runs=runs, left_out=out)


def made_of(connection: Connection, desk: Desk, paper: PaperName, meant: Meant, heads: Sequence[Head]) -> Made:
    """Return what stands on a paper of these releases, or on the pick list that they are on, first copies."""
    if paper == "pick" and meant.wave is not None:
        slots = max(head.slot or 0 for head in meant.heads)
        return {meant.wave.number: (pick_of(connection, desk, meant.wave, heads, slots),)}
    made = papers_of(connection, desk, paper, [head.id for head in heads])
    return {head.number: made[head.id] for head in heads}


def as_copies(made: Made, copies: Mapping[str, int]) -> tuple[PaperData, ...]:
    """Return papers as those copies of them; on a courier's label nothing says which one it is."""
    return tuple(
        each if isinstance(each, CourierLabel) else replace(each, copy=copies[number])
        for number, first in made.items()
        for each in first
    )


def runs_by(meant: Meant, copies: Mapping[str, int]) -> dict[str, PrintRun]:
    """Return what print runs are looked for, by the number on the paper; their digest is not known."""
    ids = {head.number: head.id for head in meant.heads}
    wave_id = None if meant.wave is None else meant.wave.id
    return {
        number: PrintRun(release_id=ids.get(number), wave_id=None if number in ids else wave_id, copy=copy, digest="")
        for number, copy in copies.items()
    }


def _runs(
    connection: Connection, desk: Desk, paper: PaperName, meant: Meant, made: Made, before: Mapping[int, int]
) -> dict[str, PrintRun]:
    ids = {head.number: head.id for head in meant.heads}
    digests = {number: digest_of(desk, paper, first) for number, first in made.items()}
    runs = {
        number: PrintRun(release_id=ids[number], copy=1 + before.get(ids[number], 0), digest=digest)
        for number, digest in digests.items()
        if number in ids
    }
    if meant.wave is not None:
        number = meant.wave.number
        digest = digests.get(number) or digest_of(desk, paper, sorted(digests.values()))
        copy = 1 + wave_copies(connection, paper, meant.wave.id)
        runs[number] = PrintRun(wave_id=meant.wave.id, copy=copy, digest=digest)
    return runs


def _against(
    connection: Connection,
    ctx: Context,
    wish: Wish,
    meant: Meant,
    orders: Mapping[int, KnownOrder],
    before: Mapping[int, int],
    left_out: Mapping[str, str],
) -> dict[str, str]:
    readable = read_to_the_end(ctx, read_cursors(connection))
    said = {
        head.number: against(
            ctx,
            wish,
            head,
            [orders[id] for id in head.order_ids],
            before=before.get(head.id, 0),
            readable=readable,
        )
        for head in meant.heads
        if head.number not in left_out
    }
    return {number: why for number, why in said.items() if why}


def _no_label(desk: Desk, number: str, labels: Sequence[PaperData], known: Labelled | None) -> str:
    """Return why there is no label, nothing if there is one."""
    if not labels or known is None:
        return f"release {number} has no waybill number yet"
    if known.void:
        return f"waybill {known.number} of release {number} is to be void"
    if known.kind is LabelKind.PRINT_DATA:
        return f"the label of release {number} is printed by the courier's print component: it gave data, and no pages"
    if known.kind is not LabelKind.NONE:
        return ""
    addressed = all(isinstance(label, LabelData) and is_addressed(desk, label) for label in labels)
    return "" if addressed else f"the recipient of release {number} is hidden or was erased: a courier cannot read it"


def _nothing(meant: Meant, wish: Wish, left_out: Mapping[str, str]) -> str:
    if meant.wave is None:
        return left_out[wish.number]
    first = next(why for why in left_out.values())
    return f"nothing of wave {wish.number} is printed: {first}"
