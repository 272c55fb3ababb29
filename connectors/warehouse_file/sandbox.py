"""The other side of the two folders: a warehouse that picks what it is told to and drops its files.

Why it is no HTTP sandbox: there is no wire.
"""

from collections.abc import Sequence
from datetime import datetime
from itertools import count
from pathlib import Path

from erpsync.sdk.clock import Clock
from erpsync.sdk.sandbox.files import drop, rows_in


class FileWarehouse:
    """A warehouse with shelves.

    Args:
        folder: where erpsync reads, `out_folder`: where it writes.
    """

    def __init__(self, folder: Path, out_folder: Path, clock: Clock) -> None:
        self.folder, self.out_folder, self.clock = folder, out_folder, clock
        self.released: dict[str, list[dict[str, str]]] = {}
        self.stopped: set[str] = set()
        self.left: set[str] = set()
        self._numbers = count(1)
        folder.mkdir(parents=True, exist_ok=True)

    def settings(self) -> dict[str, object]:
        """Return the `settings` block of a channel that runs this warehouse."""
        return {"folder": str(self.folder), "out_folder": str(self.out_folder)}

    def take_in(self) -> list[str]:
        """Read what came out and take it away; return the numbers of new releases. A number known is no new one."""
        fresh: list[str] = []
        for path in sorted(self.out_folder.glob("release-*.csv")):
            rows = rows_in(path)
            number = rows[0]["release"]
            if number not in self.released:
                self.released[number] = rows
                fresh.append(number)
            path.unlink()
        answers = []
        for path in sorted(self.out_folder.glob("cancel-*.csv")):
            number = rows_in(path)[0]["release"]
            gone = number in self.left
            if not gone:
                self.stopped.add(number)
            answers.append((number, "no" if gone else "yes", "it has left" if gone else ""))
            path.unlink()
        if answers:
            self.drop("answers", ("release", "stopped", "reason"), answers)
        return fresh

    def ship(self, number: str, tracking: str, *, carrier: str = "SF") -> None:
        """Send all of a release off, unless it was stopped."""
        if number in self.stopped:
            return
        self.left.add(number)
        now = self.clock.now().isoformat()
        rows = [
            (number, carrier, tracking, row["line_id"], row["sku"], row["qty"], now) for row in self.released[number]
        ]
        self.drop("shipments", ("release", "carrier", "tracking", "line_id", "sku", "qty", "left_at"), rows)

    def count_stock(self, rows: Sequence[tuple[str, int]], *, as_of: datetime | None = None) -> None:
        """Report (SKU, on hand) as counted now or at `as_of`."""
        at = (as_of or self.clock.now()).isoformat()
        self.drop("stock", ("sku", "on_hand", "as_of"), [(sku, on_hand, at) for sku, on_hand in rows])

    def drop(self, kind: str, header: Sequence[str], rows: Sequence[Sequence[object]]) -> Path:
        """Write a file of this kind, stamped with the time of this warehouse's clock."""
        return drop(self.folder / f"{kind}-{next(self._numbers):05}.csv", self.clock.now(), header, rows)
