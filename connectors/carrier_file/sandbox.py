"""The other side of the two folders: a courier that takes bookings and tells their numbers when it likes.

Why it is no HTTP sandbox: there is no wire.
"""

from collections.abc import Sequence
from itertools import count
from pathlib import Path

from erpsync.sdk.clock import Clock
from erpsync.sdk.sandbox.files import drop, rows_in


class FileCourier:
    """A courier.

    Args:
        folder: where erpsync reads, `out_folder`: where it writes.

    Attributes:
        taken: the rows of every booking taken in, by key; one that came again is there twice.
        told: the first number of each booking whose numbers were told, by key.
        wished_void: keys that are to be voided.
    """

    def __init__(self, folder: Path, out_folder: Path, clock: Clock) -> None:
        self.folder, self.out_folder, self.clock = folder, out_folder, clock
        self.taken: list[tuple[str, list[dict[str, str]]]] = []
        self.wished_void: list[str] = []
        self.told: dict[str, str] = {}
        self._files, self._numbers = count(1), count(1)
        folder.mkdir(parents=True, exist_ok=True)

    def settings(self) -> dict[str, object]:
        """Return the `settings` block of a channel that is spoken to by these files."""
        return {"carriers": ["YTO"], "folder": str(self.folder), "out_folder": str(self.out_folder)}

    def take_in(self) -> list[str]:
        """Read what came out and take it away; return the keys of bookings."""
        keys = []
        for path in sorted(self.out_folder.glob("booking-*.csv")):
            rows = rows_in(path)
            keys.append(rows[0]["key"])
            self.taken.append((keys[-1], rows))
            path.unlink()
        for path in sorted(self.out_folder.glob("cancel-*.csv")):
            self.wished_void.append(rows_in(path)[0]["key"])
            path.unlink()
        return keys

    def give_numbers(self) -> dict[str, str]:
        """Take in what came out and tell a number per parcel of what has none yet; return the first ones by key."""
        self.take_in()
        numbers: dict[str, str] = {}
        rows = []
        for key, parcels in self.taken:
            if key not in self.told:
                fresh = [self._number() for _ in parcels]
                numbers[key] = self.told[key] = fresh[0]
                rows += [(key, number, "8.50") for number in fresh]
        if rows:
            self.drop("waybills", ("key", "tracking", "cost"), rows)
        return numbers

    def sell(self, units: int) -> list[str]:
        """Sell numbers in advance; return them."""
        numbers = [self._number() for _ in range(units)]
        self.drop("spare", ("tracking", "cost"), [(number, "2.00") for number in numbers])
        return numbers

    def drop(self, kind: str, header: Sequence[str], rows: Sequence[Sequence[object]]) -> Path:
        """Write a file of this kind, stamped with the time of this courier's clock."""
        return drop(self.folder / f"{kind}-{next(self._files):05}.csv", self.clock.now(), header, rows)

    def _number(self) -> str:
        return f"YT{next(self._numbers):013}"
