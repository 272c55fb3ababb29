"""The other side of a folder: files dropped as a real export job would, and files that came out read back.

Why the hidden name first: whoever watches the folder must never meet half a file.
"""

import csv
import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from erpsync.sdk.formulas import unescaped


def drop(
    target: Path, at: datetime, header: Sequence[str], rows: Sequence[Sequence[object]], *, encoding: str = "utf-8"
) -> Path:
    """Write a CSV file that is whole as soon as its name appears, stamped with `at`."""
    target.parent.mkdir(parents=True, exist_ok=True)
    hidden = target.with_name(f".{target.name}.tmp")
    with hidden.open("w", encoding=encoding, newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(header)
        writer.writerows(rows)
    os.utime(hidden, (at.timestamp(), at.timestamp()))
    return hidden.rename(target)


def rows_in(path: Path) -> list[dict[str, str]]:
    """Return the rows of a CSV file that we wrote, cells as they were before they were made safe."""
    with path.open(encoding="utf-8", newline="") as handle:
        return [{name: unescaped(cell) for name, cell in row.items()} for row in csv.DictReader(handle)]
