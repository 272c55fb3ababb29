"""The real daemon as a process: a configuration folder, a drop folder, what it says, and how it is ended."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.e2e.command_desk import Desk, Ran
from tests.support.real_data import SOAK

LONG_S = 3600 if SOAK else 120
COLUMNS = "external_id: order, status: s, placed_at: placed, paid_at: paid, channel_sku: sku, qty: qty, price: price"
DROP = f"""\
connector: csv_drop
poll: {{orders_s: 1}}
settings:
  pattern: "*.csv"
  reads: orders
  settle_s: 0
  columns: {{{COLUMNS}}}
  constants: {{currency: CNY}}
  status_map: {{paid: paid}}
"""


class Shop:
    """A folder with a configuration and drop folders."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "channels").mkdir(parents=True)
        self.write("erpsync.yaml", "web: {listen: '127.0.0.1:0'}\nwarehouses:\n  - {id: SH}\nruntime: {stop_s: 100}\n")
        self.add_drop("drop")

    @property
    def database(self) -> Path:
        """The database file."""
        return self.folder / "var" / "erpsync.db"

    def write(self, name: str, text: str) -> None:
        """Write a file of the configuration."""
        (self.folder / name).write_text(text, encoding="utf-8")

    def add_drop(self, name: str) -> None:
        """Add a channel that reads files from the folder `in-NAME`."""
        (self.folder / f"in-{name}").mkdir()
        self.write(f"channels/{name}.yaml", f"id: {name}\n{DROP}  folder: in-{name}\n")

    def drop(self, name: str, orders: Sequence[str]) -> None:
        """Put a file with these orders, one line each, into the folder of `drop`, complete or not at all."""
        rows = [f"{order},paid,2026-03-01 10:00:00,2026-03-01 10:05:00,SKU-1,1,10.00" for order in orders]
        hidden = self.folder / f".{name}"
        hidden.write_text("\n".join(["order,s,placed,paid,sku,qty,price", *rows, ""]), encoding="utf-8")
        hidden.rename(self.folder / "in-drop" / f"{name}.csv")

    def erpsync(self, *arguments: str) -> Ran:
        """Run a command to its end, beside the daemon's process but in this one: a process more takes a second."""
        return Desk(self.folder).run(*arguments)

    def command(self, *arguments: str) -> list[str]:
        """Return a command line for this configuration."""
        return [sys.executable, "-m", "erpsync.cli.main", "--config", str(self.folder), *arguments]

    def orders(self) -> list[str]:
        """Return the channel's ids of all stored orders, sorted."""
        done = self.erpsync("orders", "list", "--json", "--limit", "0")
        assert done.code == 0, done.err
        return sorted(order["external_id"] for order in done.json)


class Daemon:
    """`erpsync run` for the length of a `with` block; killed at its end if it still runs."""

    def __init__(self, shop: Shop, **environ: str) -> None:
        self._shop = shop
        self._environ = {**os.environ, **environ}
        self.records: list[dict[str, Any]] = []
        self._changed = threading.Condition()

    def __enter__(self) -> "Daemon":
        self.process = subprocess.Popen(
            self._shop.command("run"), stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, env=self._environ
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._reader.join()
        self.process.stderr.close()

    def _read(self) -> None:
        for line in self.process.stderr:
            record = json.loads(line) if line.startswith("{") else {"event": "", "text": line}
            with self._changed:
                self.records.append(record)
                self._changed.notify_all()

    def all(self, event: str) -> list[dict[str, Any]]:
        """Return the records of an event so far."""
        return [record for record in self.records if record["event"] == event]

    def wait(self, event: str, true: Callable[[dict[str, Any]], bool] = lambda record: True, *, times: int = 1) -> None:
        """Wait until so many records of an event have come for which something is true."""

        def enough() -> bool:
            return sum(true(record) for record in self.all(event)) >= times

        with self._changed:
            assert self._changed.wait_for(enough, LONG_S), f"{event} did not come; there came {self.records}"

    def signal(self, number: signal.Signals) -> None:
        """Send a signal."""
        self.process.send_signal(number)

    def ended(self) -> int:
        """Wait for the end and return the exit code, negative for the signal that ended it."""
        code = self.process.wait(LONG_S)
        self._reader.join()
        return code


def eventually(true: Callable[[], bool], *, every_s: float = 0.1) -> bool:
    """Return whether something becomes true within `LONG_S`; what is dear to ask is asked seldom."""
    pause = threading.Event()
    return any(true() or pause.wait(every_s) for _ in range(round(LONG_S / every_s)))
