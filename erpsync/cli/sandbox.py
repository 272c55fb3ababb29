"""`sandbox`: the platforms' side, served on this machine, to try a configuration with."""

import contextlib
import inspect
import threading
import time
from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from erpsync.cli.app import App
from erpsync.cli.errors import OK, CommandError, UsageError

if TYPE_CHECKING:
    from pydantic import BaseModel

    from erpsync.sdk.roles import Connector
    from erpsync.sdk.sandbox import Sandbox, SandboxServer

Json = dict[str, Any]


def serve(app: App) -> int:
    """Serve one sandbox per connector that has one, until Ctrl-C; print the settings that reach it."""
    from erpsync.sdk.sandbox import FaultPlan
    from erpsync.sdk.sandbox import serve as listen

    host, port = _address(app.args.listen)
    kinds = {name: app.registry.load(name) for name in app.registry.names()}
    sandboxes = {name: kind for name, connector in kinds.items() if (kind := sandbox_of(connector))}
    platforms = {name: kind(faults=FaultPlan(app.args.seed, app.args.faults)) for name, kind in sandboxes.items()}
    try:
        server = listen(platforms, host, port)
    except OSError as error:
        raise CommandError(f"{app.args.listen} cannot be listened on: {error.strerror}") from None
    with server:
        reach = [_reach(name, kinds[name].Settings, sandboxes[name], server) for name in platforms]
        app.out.value(reach, lambda: _print(app, reach))
        app.out.out.flush()
        with contextlib.suppress(KeyboardInterrupt):  # the way it ends
            if app.args.orders:
                _sell(app, platforms)
            threading.Event().wait()
    return OK


def _sell(app: App, platforms: Mapping[str, "Sandbox"]) -> None:
    """Let buyers order on every platform that sells, at a steady rate, and say how many did."""
    total, rate = app.args.orders, app.args.rate
    sold = dict.fromkeys(platforms, 0)
    pause, began_s = threading.Event(), time.monotonic()
    with app.out.progress("selling", total) as told:
        for number in range(total):
            pause.wait(max(0.0, began_s + number / rate - time.monotonic()))
            for name, platform in platforms.items():
                sold[name] += platform.sell() is not None
            told(1)
    selling = ", ".join(f"{name} {count}" for name, count in sold.items() if count)
    app.out.note(f"orders placed: {selling}" if selling else "orders placed: none, nothing is on sale")


def _address(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    if not colon or not port.isdecimal() or int(port) > 65535:
        raise UsageError(f"--listen must be HOST:PORT, is {text}")
    return host.strip("[]"), int(port)


def sandbox_of(connector: "type[Connector]") -> "type[Sandbox] | None":
    """Return the sandbox in the module `sandbox` beside a connector's `connector`, None where it has no HTTP side."""
    from erpsync.sdk.sandbox import Sandbox

    package = connector.__module__.partition(".connector")[0]
    if find_spec(f"{package}.sandbox") is None:
        return None
    module = import_module(f"{package}.sandbox")
    kinds = [kind for _, kind in inspect.getmembers(module, inspect.isclass) if issubclass(kind, Sandbox)]
    return next((kind for kind in kinds if not inspect.isabstract(kind)), None)


def _reach(name: str, settings: "type[BaseModel]", kind: "type[Sandbox]", server: "SandboxServer") -> Json:
    """Return the connector's settings that lead to its sandbox: its address and the credentials it expects."""
    expected = {key: arg.default for key, arg in inspect.signature(kind).parameters.items() if arg.default}
    values = {key: expected[key] for key in settings.model_fields if isinstance(expected.get(key), str)}
    addresses = {}
    for key, field in settings.model_fields.items():
        if isinstance(field.default, str) and field.default.startswith(("http://", "https://")):
            path = "/" + field.default.split("/", 3)[3] if field.default.count("/") > 2 else ""
            addresses[key] = server.url(name) + path
    addresses |= {key: server.url(name) + path for key, path in getattr(kind, "addresses", {}).items()}
    return {"connector": name, "url": server.url(name), "settings": {**addresses, **values}}


def _print(app: App, reach: list[Json]) -> None:
    for sandbox in reach:
        app.out.line(f"# {sandbox['connector']} at {sandbox['url']}")
        app.out.line("settings:")
        for key, value in sandbox["settings"].items():
            app.out.line(f'  {key}: "{value}"')
    app.out.note("Ctrl-C ends it")
