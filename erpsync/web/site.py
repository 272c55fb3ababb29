"""What every endpoint is given, and the figures they share.

Why callables for context and limits: a reload builds new ones while the server keeps running.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import structlog

from erpsync.flows.context import Channel, Context
from erpsync.flows.explain.steps import Settings, Unwritten
from erpsync.sdk.types import WebhookReply, WebhookRequest
from erpsync.settings import Config, Loaded
from erpsync.store.db.store import BORDER_WAIT_S, Store
from erpsync.store.status.counts import Figures, gather
from erpsync.store.status.figures import Limits, judge
from erpsync.store.status.storage import SILENT, Disk, Storage, measure
from erpsync.web.losses import Losses
from erpsync.web.papers import PaperRoom
from erpsync.web.probe import ANSWER_S, KEEP_S, Probe
from erpsync.web.shared import Counted, Shared


class Sample(Protocol):
    """A number the process counts about itself; `kind` is `counter` or `gauge`."""

    @property
    def name(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def help(self) -> str: ...
    @property
    def labels(self) -> Mapping[str, str]: ...
    @property
    def value(self) -> float: ...


class Meters(Protocol):
    """What the process counts about itself."""

    def samples(self) -> Sequence[Sample]:
        """Return all values."""
        ...


class Face(Protocol):
    """What a daemon shows the web server; context and configuration are those in force when asked."""

    @property
    def ctx(self) -> Callable[[], Context]: ...
    @property
    def config(self) -> Callable[[], Config]: ...
    @property
    def meters(self) -> Meters: ...
    @property
    def alive(self) -> Callable[[], bool]: ...
    @property
    def draining(self) -> Callable[[], bool]: ...


class Receipt(Protocol):
    """What is known once a webhook is stored."""

    @property
    def reply(self) -> WebhookReply: ...


def receive(ctx: Context, channel: Channel, request: WebhookRequest) -> Receipt:
    """Store a webhook; raises `AuthError` when its signature is wrong."""
    from erpsync.flows.intake.webhooks import store_webhook

    return store_webhook(ctx, channel, request)


log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """The figures of one instant and what they mean."""

    figures: Figures
    status: dict[str, Any]
    ctx: Context

    def blocked_s(self, channel_id: int) -> float:
        """Return for how long a channel wants no call; 0 when it takes them."""
        row = self.figures.rows.get(channel_id)
        until = None if row is None else row.blocked_until_at
        return 0.0 if until is None else max(0.0, (until - self.figures.at).total_seconds())


@dataclass(kw_only=True)
class Site:
    """Everything the web server shows and may touch.

    Args:
        store: the database with the patience of who is waited for, see `Store.at_border`.
        context: the context as configured now.
        settings: where the settings of the context are written.
        config: the configuration in force; None for a context that was put together by hand.
        reread: reads its files again and puts nothing in force; None where there are none.
        limits: beyond which `/status.json` and the console say that something is wrong.
        meters: what the process counts about itself, for `/metrics`.
        alive: whether the daemon's loop still turns, for `/livez`.
        draining: whether the daemon is stopping; then `/readyz` says no.
        receive: stores a webhook.
        max_body_bytes: largest webhook body or form, also after decompression.
        body_s: seconds within which a webhook's body or a form must have come in.
        keep_s: seconds that figures are shared by all who look.
        places: what lies where on this machine, (what for, folder), to see how much room there is.
        hosts: names under which this server may be asked for, besides localhost and addresses in numbers.
        needs_tls: whether console and API answer only what came by TLS.
        probe_s: seconds that the answer of a trial write is shared.
        wait_s: seconds that whoever looks waits for figures that are being counted.
        notice: what every page of the console says at its top.
    """

    store: Store
    ctx: Callable[[], Context]
    limits: Callable[[], Limits]
    settings: Callable[[], Settings] = Unwritten
    config: Callable[[], Config | None] = lambda: None
    reread: Callable[[], Loaded] | None = None
    meters: Callable[[], Sequence[Sample]] = tuple
    alive: Callable[[], bool] = lambda: True
    draining: Callable[[], bool] = lambda: False
    receive: Callable[[Context, Channel, WebhookRequest], Receipt] = receive
    places: Callable[[], Sequence[tuple[str, Path]]] = tuple
    hosts: Callable[[], Collection[str]] = tuple
    needs_tls: Callable[[], bool] = lambda: False
    max_body_bytes: int = 2 * 1024 * 1024
    body_s: float = 20
    keep_s: float = 2
    probe_s: float = KEEP_S
    wait_s: float = BORDER_WAIT_S
    notice: str = ""
    losses: Losses = field(default_factory=Losses, init=False, repr=False)
    papers: PaperRoom = field(init=False, repr=False)
    write: Probe[str] = field(init=False, repr=False)
    room: Probe[tuple[Disk, ...]] = field(init=False, repr=False)
    _told: str = field(default="", init=False, repr=False)
    _shared: Shared[Look] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Set up what sets pages, and what is asked on threads of its own."""
        self.papers = PaperRoom(self.config)
        silent = f"the database did not answer within {ANSWER_S:g} s"
        self.write = Probe(self._try_to_write, silent=silent, keep_s=self.probe_s)
        self.room = Probe(lambda: measure(self.places()), silent=SILENT, keep_s=self.probe_s)
        self._shared = Shared(self._begin, self.store.clock, keep_s=self.keep_s, wait_s=self.wait_s)

    def shared(self, count: Callable[[], Counted]) -> Shared[Counted]:
        """Return what is counted once for all who look, for as long as figures are shared."""
        return Shared(lambda: count, self.store.clock, keep_s=self.keep_s, wait_s=self.wait_s)

    def look(self) -> Look:
        """Return the figures, counted once however many ask at a time."""
        return self._shared.get()

    def _begin(self) -> Callable[[], Look]:
        storage = Storage(problem=self.write.answer(), disks=self.room.answer(), lost=self.losses.unsaved())
        return lambda: self._count(storage)

    def _count(self, storage: Storage) -> Look:
        ctx, now = self.ctx(), self.store.clock.now()
        with self.store.read() as connection:
            figures = gather(connection, ctx, now)
        return Look(figures=figures, status=judge(figures, ctx, self.limits(), storage), ctx=ctx)

    def _try_to_write(self) -> str:
        from erpsync.flows.operations.write_probe import write_problem

        lost, before = self.losses.unsaved(), self._told
        problem = write_problem(self.store, lost)
        if problem and problem != before:
            log.error("store.unwritable", error=problem)
        elif before and not problem:
            log.info("store.writable")
        if not problem:
            self.losses.saved(lost)
        self._told = problem
        return problem
