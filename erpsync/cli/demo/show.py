"""The show itself: builds the stage, runs the daemon on the main thread, trades beside it, ends with the summary."""

import logging
import os
import random
import secrets
import shutil
import signal
import socket
import sys
import tempfile
import threading
import time
from argparse import Namespace
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import structlog
from sqlalchemy import func, select

from erpsync.cli.build import Built, open_built
from erpsync.cli.demo.check import Check
from erpsync.cli.demo.departments import cursors, hurry, prove_told
from erpsync.cli.demo.desk import Packers, open_desk
from erpsync.cli.demo.parcels import prove_parcels, to_leave
from erpsync.cli.demo.proof import idle, prove
from erpsync.cli.demo.stage import Stage, build
from erpsync.cli.demo.trade import Traders, open_with_stock
from erpsync.cli.output import Output
from erpsync.cli.tables import Column
from erpsync.core.policy import SealPolicy
from erpsync.flows.access.users import create_user
from erpsync.flows.reconcile.windows import seal_windows
from erpsync.runtime.daemon import Daemon
from erpsync.runtime.logging import scrub
from erpsync.runtime.signals import Signals
from erpsync.sdk.clock import SystemClock
from erpsync.sdk.roles import OrderSource
from erpsync.settings import installed, load
from erpsync.store.cursors import read_cursor
from erpsync.store.tables import backorder, orders, outbox

SETTLE_S = 120
LAST_WAVE = 100
PORT = 8686
USER = "demo"
SEALING = SealPolicy(after_s=2, window_s=5, lag_s=3)
"""A certificate takes hours; here the hours are seconds."""

NOTICE = (
    "Demonstration: shops, buyers and couriers are played, and one call in ten goes wrong on purpose. Failed calls,"
    " shops that are down for a moment and units that are owed belong to it. At the end it proves that nothing was lost"
    " or sold twice."
)


def run(args: Namespace) -> int:
    """Run the demonstration; return 0 when everything it claims holds, 1 when something is broken."""
    out = Output(as_json=args.json, quiet=args.quiet)
    seed = args.seed
    with _quiet_log(debug=args.debug), _folder() as folder, Signals() as signals:
        out.note("building: a database, a drop folder, and the platforms of shops and couriers on this machine")
        registry = installed()
        stage = build(folder, registry, SystemClock(), seed=seed, port=_free_port())
        built = open_built(
            load(folder, registry=registry, environ=os.environ).require(),
            registry=registry,
            load=lambda: load(folder, registry=registry, environ=os.environ),
            sealing=SEALING,
            notice=NOTICE,
        )
        try:
            return _play(out, stage, built, signals, seconds=args.seconds, seed=seed)
        finally:
            built.close()
            stage.close()


def _play(out: Output, stage: Stage, built: Built, signals: Signals, *, seconds: float | None, seed: int) -> int:
    open_with_stock(built.ctx, random.Random(seed))  # noqa: S311 repeatable chance is the point
    open_desk(built.ctx, stage.couriers)
    packers = Packers(built.config.documents)
    address = f"http://{built.config.web_host}:{built.config.web_port}/"
    out.note(f"console   {address}   (one call in ten goes wrong on purpose)")
    out.note(f"log in    as {USER}, password {_first_user(built)}")
    out.note(f"folder    {stage.folder}   (seed {seed})")
    out.note(f"shops     {', '.join(stage.shops)}")
    out.note(f"couriers  {', '.join(stage.couriers)}")
    out.note(f"told      {', '.join(stage.groups)}")
    if packers.unprinted:
        out.note(f"no papers {packers.unprinted}")
    out.note(
        "Ctrl-C ends it" if seconds is None else f"ends by itself after {seconds:g} s of trade; Ctrl-C ends it now"
    )
    traders = Traders(stage, lambda: built.ctx, seed, packers)
    began = cursors(built.ctx)
    checks: list[Check] = []
    director = threading.Thread(
        target=_direct,
        args=(out, stage, built, traders, packers, checks, seconds, began),
        name="demo-director",
        daemon=True,
    )
    director.start()
    Daemon(built).serve(signals)
    director.join(timeout=5)
    packers.close()
    return _summary(out, stage, checks, traders, wanted=seconds is not None)


def _first_user(built: Built) -> str:
    """Make the user whom the console lets in; return the password, which is another one each time."""
    password = secrets.token_urlsafe(12)
    create_user(built.store, USER, role="admin", password=password, actor=USER)
    return password


def _direct(
    out: Output,
    stage: Stage,
    built: Built,
    traders: Traders,
    packers: Packers,
    checks: list[Check],
    seconds: float | None,
    began: Mapping[str, int],
) -> None:
    """Trade for a while, let everything settle without faults, prove, and end the daemon."""
    try:
        out.note("waiting until every shop has been read once")
        opened_at = _doors_open(built)
        out.note("open: buyers order, a stockkeeper unpacks, packers print waves, fetch labels and scan what leaves")
        traders.start()
        _watch(out, stage, built, traders, seconds)
        traders.stop()
        for plan in stage.faults:
            plan.clear()
            plan.rate = 0
        span = (opened_at, _next_window(built.store.clock.now()))
        out.note("closed: letting everything settle without faults, then proving the sums")
        hurry(built.ctx)
        _settle(stage, built, packers, span, began)
        checks += _prove(stage, built, packers, span, began)
    except Exception as error:  # noqa: BLE001 shown in the summary, which fails by it
        traders.errors.append(error)
    os.kill(os.getpid(), signal.SIGTERM)


def _doors_open(built: Built) -> datetime:
    """Wait until every order stream is being read and a window of the certificate begins; return its beginning."""
    polled = [c.id for c in built.ctx.channels.values() if c.plays(OrderSource)]
    until = time.monotonic() + SETTLE_S
    while time.monotonic() < until:
        with built.store.read() as connection:
            if all(read_cursor(connection, channel_id, "backfill").since_at for channel_id in polled):
                break
        time.sleep(0.1)
    opens_at = _next_window(built.store.clock.now())
    time.sleep((opens_at - built.store.clock.now()).total_seconds())
    return opens_at


def _next_window(at: datetime) -> datetime:
    """Return the next instant at which a window of the certificate begins."""
    step = SEALING.window_s
    return datetime.fromtimestamp((int(at.timestamp()) // step + 1) * step, UTC)


def _watch(out: Output, stage: Stage, built: Built, traders: Traders, seconds: float | None) -> None:
    began = time.monotonic()
    with out.progress("trading", None if seconds is None else int(seconds)) as advance:
        done = 0
        while _trades(stage, time.monotonic() - began, seconds):
            time.sleep(1)
            now = int(time.monotonic() - began)
            advance(now - done)
            done = now
            if not out.err.isatty() and now % 5 == 0:
                out.note(_line(stage, built, traders.packers))


def _trades(stage: Stage, open_s: float, seconds: float | None) -> bool:
    """Whether the shops stay open: on a busy machine as much longer as it takes until somebody ordered in each."""
    if seconds is None or open_s < seconds:
        return True
    return open_s < seconds + SETTLE_S and not all(shop.placed() for shop in stage.shops.values())


def _line(stage: Stage, built: Built, packers: Packers) -> str:
    with built.store.read() as connection:
        stored = connection.execute(select(func.count()).select_from(orders)).scalar_one()
        owed = connection.execute(select(func.coalesce(func.sum(backorder.c.qty), 0))).scalar_one()
        told = connection.execute(select(func.count()).select_from(outbox).where(outbox.c.state == "done")).scalar_one()
    struck = sum(sum(plan.struck.values()) for plan in stage.faults)
    return f"{stored} orders stored, {packers.left} shipped, {owed} units owed, {told} effects done, {struck} faults"


def _prove(
    stage: Stage, built: Built, packers: Packers, span: tuple[datetime, datetime], began: Mapping[str, int]
) -> list[Check]:
    ctx = built.ctx
    parcels = prove_parcels(ctx, stage.shops, stage.couriers, printed=not packers.unprinted)
    return [*prove(ctx, stage.shops, span), *parcels, *prove_told(ctx, stage.groups, began)]


def _settle(
    stage: Stage, built: Built, packers: Packers, span: tuple[datetime, datetime], began: Mapping[str, int]
) -> None:
    """Wait until the daemon has read, told and sealed everything and all that may leave has left.

    It ends as well when nothing has moved for `SETTLE_S`: a busy machine takes its time.
    """
    until, seen = time.monotonic() + SETTLE_S, ""
    while time.monotonic() < until:
        time.sleep(1)
        now = _line(stage, built, packers)
        if now != seen:
            until, seen = time.monotonic() + SETTLE_S, now
        for channel in built.ctx.channels.values():
            seal_windows(built.ctx, channel)
        for courier in stage.couriers.values():
            courier.act()
        packers.work(built.ctx, most=LAST_WAVE, last=True)
        if (
            idle(built.ctx)
            and not to_leave(built.ctx)
            and not [c for c in _prove(stage, built, packers, span, began) if c.problem]
        ):
            return


def _summary(out: Output, stage: Stage, checks: list[Check], traders: Traders, *, wanted: bool) -> int:
    if not checks and not wanted and not traders.errors:
        return 0
    problems = [check for check in checks if check.problem]
    struck = sum(sum(plan.struck.values()) for plan in stage.faults)
    broken = [*(check.problem for check in problems), *(repr(error) for error in traders.errors)]
    if not checks:
        broken.append("the demonstration ended before it could prove anything")
    summary = {
        "ok": not broken,
        "faults": struck,
        "shipped": traders.packers.left,
        "checks": [{"name": c.name, "figures": c.figures, "ok": not c.problem, "problem": c.problem} for c in checks],
        "errors": [repr(error) for error in traders.errors],
    }
    out.value(summary, lambda: _print(out, checks, struck, broken))
    return 1 if broken else 0


def _print(out: Output, checks: list[Check], struck: int, broken: list[str]) -> None:
    out.heading("Summary")
    rows = [["BROKEN" if c.problem else "ok", c.name, c.figures, c.problem] for c in checks]
    heads = ("holds", "check", "figures", "problem")
    out.table(rows, [Column(head, head) for head in heads])
    out.line(f"{struck} faults were played on the way.")
    out.line("Everything holds." if not broken else "Broken: " + "; ".join(broken))


@contextmanager
def _folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="erpsync-demo-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _free_port() -> int:
    """Return the usual port if it is free, else any."""
    for port in (PORT, 0):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise OSError("no port of this machine is free")


@contextmanager
def _quiet_log(*, debug: bool) -> Iterator[None]:
    """Keep the daemon's log off the screen: faults are wanted here and would bury what there is to see."""
    level = logging.DEBUG if debug else logging.CRITICAL
    logging.getLogger("apscheduler").setLevel(logging.CRITICAL)
    structlog.configure(
        processors=[structlog.processors.add_log_level, scrub, structlog.dev.ConsoleRenderer(colors=False)],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    try:
        yield
    finally:
        structlog.reset_defaults()
