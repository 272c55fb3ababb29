"""Printing: what may be printed is read again, set, and put on record before anybody has it.

    looked at ─▶ gate (orders read again) ─▶ data ─▶ PDF ─▶ one commit: locked, same data still? ─▶ handed out
                                              ▲                                │
                                              └──────────── no ────────────────┘

Why the pages are set before the commit and not in it: that takes up to ten seconds, and what fails to be set must leave
no trace. Why the data is made once more under lock: what is on record is what stands on the paper, or nothing is. If it
dies behind the commit, a copy is on record that nobody has; the next one has the next number.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import structlog

from erpsync.core.orders import KnownOrder
from erpsync.flows.context import Channel, Context
from erpsync.flows.couriers.labels import fetch_labels
from erpsync.flows.desk.may_print import Wish, read_again
from erpsync.flows.desk.paper_data import Desk, digest_of
from erpsync.flows.desk.paper_rows import Head
from erpsync.flows.desk.print_jobs import Job, as_copies, copies_before, job_of, made_of, meant_by, runs_by
from erpsync.flows.errors import Refused
from erpsync.papers.errors import LabelError, MissingGlyphsError, PaperError
from erpsync.papers.papers import Papers
from erpsync.papers.records import PaperData
from erpsync.papers.style import DocumentSettings, PaperName
from erpsync.store.db.store import Tx
from erpsync.store.events import Event, write_events
from erpsync.store.orders import lock_order_ids, read_orders
from erpsync.store.prints import digests_of, last_copies, lock_releases, note_printed, write_prints
from erpsync.store.tasks import Task, close_tasks, open_tasks
from erpsync.store.waves import lock_wave

TASK = "paper"
TRIES = 5
log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Printed:
    """A PDF that is handed out.

    Args:
        number: of the release, or the wave, that was asked for.
        copies: which copy this is, by the number on the paper, and of the wave that was asked for.
        releases: those that are on it.
        left_out: by release, why it is not on it.
    """

    paper: PaperName
    number: str
    pdf: bytes
    copies: Mapping[str, int]
    releases: Sequence[str]
    left_out: Mapping[str, str]


def print_papers(
    ctx: Context,
    papers: Papers,
    settings: DocumentSettings,
    paper: PaperName,
    number: str,
    *,
    copy: bool = True,
    reason: str = "",
    actor: str,
    reading: Context | None = None,
) -> Printed:
    """Print a paper of a release, or of all releases of a wave in one file; `pick` is of a wave alone.

    Args:
        copy: False leaves out what was printed before.
        reason: why a copy is wanted; a second label needs one, and a copy of what has left.
        reading: by which orders are read again, for who has to know of his first commit that it is the print.

    Raises `NotFound` where there is no such number, and `Refused` where nothing may be printed or it cannot be set.
    """
    wish = Wish(paper=paper, number=number, copy=copy, reason=reason, actor=actor)
    desk = _desk(ctx, settings)
    left_out: Mapping[str, str] = read_again(reading or ctx, *_of_first_prints(ctx, paper, number))
    tries = TRIES
    while tries:
        with ctx.store.looking() as look:
            meant = meant_by(look.connection, paper, number)
            orders = read_orders(look.connection, meant.order_ids)
            job = job_of(look.connection, desk, wish, meant, orders, left_out)
        if job.to_fetch:
            left_out = {**left_out, **fetch_labels(reading or ctx, _ids(job, job.to_fetch))}
            continue
        try:
            pdf = _set(papers, settings, paper, job.data)
        except LabelError as error:
            left_out = _without_label(job, error, left_out)
            continue
        except MissingGlyphsError as error:
            left_out = {**left_out, **_without_glyphs(reading or ctx, job, error)}
            continue
        except PaperError as error:
            raise Refused(str(error)) from error
        if ctx.store.retrying(partial(_record, desk=desk, wish=wish, job=job, left_out=left_out)):
            copies = {name: run.copy for name, run in job.runs.items()}
            log.info("papers.printed", paper=paper, number=number, papers=len(job.data), left_out=len(job.left_out))
            return Printed(
                paper=paper,
                number=number,
                pdf=pdf,
                copies=copies,
                releases=tuple(head.number for head in job.heads),
                left_out=job.left_out,
            )
        tries -= 1
    raise Refused(f"{number} is printed or changed by others again and again; try once more")


def print_again(ctx: Context, papers: Papers, settings: DocumentSettings, printed: Printed) -> bytes:
    """Return the very PDF that was handed out, for whoever did not get it; nothing is recorded.

    Raises `Refused` where something else would stand on it by now.
    """
    desk, paper, copies = _desk(ctx, settings), printed.paper, printed.copies
    with ctx.store.looking() as look:
        meant = meant_by(look.connection, paper, printed.number)
        heads = [head for head in meant.heads if head.number in printed.releases]
        made = made_of(look.connection, desk, paper, meant, heads) if heads else {}
        kept = digests_of(look.connection, paper, runs_by(meant, copies))
    if not made or any(kept.get(name) != digest_of(desk, paper, first) for name, first in made.items()):
        raise Refused(f"what stands on that paper of {printed.number} has changed since; print a copy of it")
    try:
        return _set(papers, settings, paper, as_copies(made, copies))
    except PaperError as error:
        raise Refused(str(error)) from error


def last_printed(ctx: Context, paper: PaperName, number: str, *, actor: str) -> Printed:
    """Return what somebody printed last of a release or a wave, without its PDF.

    It is for who died between the commit and the answer, and knows that he has printed.
    """
    with ctx.store.read() as connection:
        meant = meant_by(connection, paper, number)
        wave_id = None if meant.wave is None else meant.wave.id
        found = last_copies(connection, paper, [head.id for head in meant.heads], wave_id, actor)
    names: dict[tuple[int | None, int | None], str] = {(head.id, None): head.number for head in meant.heads}
    copies = {names.get(of, number): copy for of, copy in found.items()}
    releases = tuple(head.number for head in meant.heads if head.number in copies or paper == "pick")
    return Printed(paper=paper, number=number, pdf=b"", copies=copies, releases=releases, left_out={})


def shops_to_ask(ctx: Context, paper: PaperName, number: str) -> list[Channel]:
    """Return the channels whose orders are read again before a paper is printed, for who has to connect them first."""
    orders = _of_first_prints(ctx, paper, number)[1]
    ids = sorted({order.channel_id for order in orders.values()} & ctx.channels.keys())
    return [ctx.channels[id] for id in ids]


def _of_first_prints(ctx: Context, paper: PaperName, number: str) -> tuple[list[Head], dict[int, KnownOrder]]:
    """Return the releases of which this paper was never printed, and their orders by id."""
    with ctx.store.read() as connection:
        meant = meant_by(connection, paper, number)
        before = copies_before(connection, paper, meant)
        heads = [head for head in meant.heads if head.state == "told" and head.id not in before]
        return heads, read_orders(connection, {id for head in heads for id in head.order_ids})


def _desk(ctx: Context, settings: DocumentSettings) -> Desk:
    if ctx.store.vault is None:
        raise Refused("papers name people, and this process has no keys for personal data")
    return Desk(ctx=ctx, vault=ctx.store.vault, settings=settings)


def _set(papers: Papers, settings: DocumentSettings, paper: PaperName, data: Sequence[PaperData]) -> bytes:
    made: Callable[..., bytes] = getattr(papers, paper)
    return made(*data, style=settings.styles[paper])


def _ids(job: Job, numbers: Collection[str]) -> dict[str, int]:
    return {head.number: head.id for head in job.heads if head.number in numbers}


def _without_label(job: Job, error: LabelError, left_out: Mapping[str, str]) -> dict[str, str]:
    """Return what is left out with the label that cannot be printed; raises `Refused` where it is the only one."""
    if len(job.heads) == 1:
        raise Refused(str(error)) from error
    return {**left_out, error.number: str(error)}


def _without_glyphs(ctx: Context, job: Job, error: MissingGlyphsError) -> dict[str, str]:
    """Ask a person for a font, and return the papers that are left out for it; the others can be set without them."""
    why = {number: str(MissingGlyphsError(error.characters, [number])) for number in error.numbers}
    orders = {head.number: head.order_ids[0] for head in job.heads}
    asked = [
        Task(kind=TASK, key=number, reason=f"it is not printed: {text}", order_id=orders.get(number))
        for number, text in why.items()
    ]
    ctx.store.retrying(lambda tx: open_tasks(tx, asked))
    if not why.keys() <= orders.keys():
        raise Refused(str(error)) from error
    return why


def _record(tx: Tx, *, desk: Desk, wish: Wish, job: Job, left_out: Mapping[str, str]) -> bool:
    """Put on record what was set, unless it would be another by now; return whether it is on record."""
    meant = meant_by(tx.connection, wish.paper, wish.number)
    orders = lock_order_ids(tx, meant.order_ids)
    lock_releases(tx, [head.id for head in meant.heads])
    if meant.wave is not None:
        lock_wave(tx, meant.wave.id)
    meant = meant_by(tx.connection, wish.paper, wish.number)  # what whoever held the locks has made of them
    if not meant.order_ids <= orders.keys():
        return False
    try:
        now = job_of(tx.connection, desk, wish, meant, orders, left_out)
    except Refused:
        return False
    if now != job:
        return False
    write_prints(tx, wish.paper, job.runs.values(), reason=wish.reason, actor=wish.actor)
    note_printed(tx, [head.id for head in job.heads], None if meant.wave is None else meant.wave.id)
    close_tasks(tx, TASK, job.runs, by="erpsync")
    write_events(tx, _events(wish, job))
    return True


def _events(wish: Wish, job: Job) -> list[Event]:
    said = {"paper": wish.paper} | ({"why": wish.reason} if wish.reason else {})
    events = []
    for head in job.heads:
        run = job.runs.get(head.number)
        if run is None:  # on the pick list of its wave
            continue
        detail = {"release": head.number, "warehouse_id": head.warehouse_id, **said, "copy": run.copy}
        events += [Event(kind="release.printed", order_id=id, detail=detail, actor=wish.actor) for id in head.order_ids]
    wave = job.runs.get(wish.number)
    if wave is not None and wave.wave_id is not None:
        place = job.heads[0].warehouse_id
        detail = {"wave": wish.number, "warehouse_id": place, **said, "copy": wave.copy, "releases": len(job.heads)}
        events.append(Event(kind="wave.printed", detail=detail, actor=wish.actor))
    return events
