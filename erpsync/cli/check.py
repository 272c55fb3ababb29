"""`check`: is the configuration right, and with --online, does every platform take it."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from erpsync.cli.app import App
from erpsync.cli.errors import BAD_CONFIG, FAILED, OK
from erpsync.cli.rule_skus import unknown_skus
from erpsync.cli.tables import Column
from erpsync.core.instants import stamp
from erpsync.languages import Language

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from erpsync.sdk.roles import Connector
    from erpsync.sdk.types import CheckReport
    from erpsync.settings import ChannelConfig, Config, Problem, Registry

    Adopt = Callable[[str, Connector], object]

Json = dict[str, Any]
AT_ONCE = 8
SHOWN = 20


def check(app: App) -> int:
    """Print every problem of the configuration, one a line; with --online ask the platforms of enabled channels too.

    Exit code 78 when it is refused, 1 when it is taken and something it names cannot be used.
    """
    loaded = app.load(secrets=True, folders=True)
    skus = [] if loaded.config is None else unknown_skus(app, loaded.config)
    problems = [*loaded.problems, *loaded.unusable, *loaded.notes, *skus]
    if not app.args.online or loaded.config is None:
        _print(app, problems)
        return BAD_CONFIG if loaded.config is None else FAILED if loaded.unusable else OK
    config = loaded.config
    channels = _ask_all(config, app.registry)
    unknown = _unknown_stock(app, config)
    for row in channels:
        row["unknown_stock"] = unknown.get(row["channel"], [])
    app.out.value(
        {"problems": [asdict(problem) for problem in problems], "channels": channels},
        lambda: _show(app, channels, config),
    )
    if not app.out.as_json:
        _list(app, [*loaded.unusable, *skus])
    return OK if all(row["ok"] for row in channels) and not loaded.unusable else FAILED


def _print(app: App, problems: "list[Problem]") -> None:
    if app.out.as_json:
        app.out.rows((asdict(problem) for problem in problems), ())
        return
    _list(app, problems)
    if not any(problem.severity == "error" for problem in problems):
        app.out.note(f"{app.place}: nothing wrong")


def _list(app: App, problems: "Iterable[Problem]") -> None:
    for problem in problems:
        app.out.line(line_of(problem, app.out.speech))


def line_of(problem: "Problem", speech: Language) -> str:
    """Return a finding as it is printed; one that refuses nothing says so."""
    if problem.severity == "error":
        return str(problem)
    place = f"{problem.file}:{problem.line}:{problem.column}: {problem.path}"
    return f"{place}: {speech.word(problem.severity)}: {problem.text}"


def _show(app: App, channels: list[Json], config: "Config") -> None:
    columns = (
        Column("channel", "channel"),
        Column("ok", "ok"),
        Column("clock_ahead_s", "clock ahead s", "number"),
        Column("token_expires_at", "token expires", "instant", config.timezone),
        Column("unknown_stock", "unknown stock", "number"),
        Column("text", "found", "long"),
    )
    shown = []
    for row in channels:
        codes = row["unknown_stock"]
        text = "; ".join([*row["notes"], *([row["problem"]] if row["problem"] else [])])
        shown.append(row | {"unknown_stock": len(codes), "text": text})
    app.out.rows(shown, columns, empty="no channel is enabled")
    for row in channels:
        for listing in row["unknown_stock"][:SHOWN]:
            app.out.line(f"{row['channel']}: stock of {listing['sku']} (listing {listing['channel_sku']}) is not known")


def _ask_all(config: "Config", registry: "Registry") -> list[Json]:
    enabled = [channel for channel in config.channels if channel.enabled]
    with _renewed(config) as adopt, ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(lambda channel: _ask(channel, registry, adopt), enabled))


@contextmanager
def _renewed(config: "Config") -> "Iterator[Adopt]":
    """Yield what gives a connector the token that was renewed since its configuration was written."""
    from erpsync.cli.build import open_store, vault_of
    from erpsync.flows.channels.credentials import adopt_stored
    from erpsync.store.db.schema import is_current

    store = open_store(config, vault=vault_of(config))
    try:
        current = is_current(store.engine)
        yield lambda name, connector: adopt_stored(store, name, connector) if current else None
    finally:
        store.close()


def _ask(channel: "ChannelConfig", registry: "Registry", adopt: "Adopt") -> Json:
    from erpsync.sdk.clock import SystemClock
    from erpsync.sdk.errors import ConnectorError
    from erpsync.sdk.http import HttpClient

    clock = SystemClock()
    connector = registry.load(channel.connector)(channel.settings, HttpClient(clock=clock), clock)
    try:
        adopt(channel.id, connector)
        return _row(channel.id, connector.check())
    except ConnectorError as error:
        return _row(channel.id, None, problem=f"{type(error).__name__}: {error}")
    finally:
        connector.close()


def _row(channel: str, report: "CheckReport | None", *, problem: str = "") -> Json:
    expires = report.token_expires_at if report else None
    return {
        "channel": channel,
        "ok": report is not None,
        "problem": problem,
        "notes": list(report.notes) if report else [],
        "clock_ahead_s": report.clock_ahead_s if report else None,
        "token_expires_at": stamp(expires) if expires else None,
    }


def _unknown_stock(app: App, config: "Config") -> dict[str, list[Json]]:
    """Return listings whose stock nobody has counted, by channel; none while there is no database."""
    from erpsync.cli.build import open_store, stored_context
    from erpsync.store.db.schema import is_current
    from erpsync.store.views import list_unknown_stock

    store = open_store(config)
    try:
        if not is_current(store.engine):
            app.out.note("the database is not at this version, so stock is not looked at")
            return {}
        ctx = stored_context(store, config)
        pushed = {row_id: ctx.sourcing.of(row_id) for row_id, channel in ctx.channels.items() if channel.stock.push}
        with store.read() as connection:
            unknown = list_unknown_stock(connection, pushed)
    finally:
        store.close()
    by_channel: dict[str, list[Json]] = {}
    for row in unknown:
        by_channel.setdefault(row["channel"], []).append(row)
    return by_channel
