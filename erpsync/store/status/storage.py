"""What everything stands on: whether the database takes writes, and how much room the disks of this machine have.

Why it is no figure of the tables: what is to be told is what keeps them from being written.
"""

import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

LOST_FOR = timedelta(minutes=10)
"""So long not all is well after a webhook could not be stored."""

MB = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Disk:
    """A disk by one folder on it. `serves`: the database, channels; `free_mb` is None where it does not tell."""

    folder: str
    free_mb: int | None
    serves: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """Webhooks of a channel that could not be stored: how many since it began, and when the last one came."""

    count: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Storage:
    """What this process has seen of it.

    Args:
        problem: what keeps the database from being written to, or nothing.
        lost: webhooks that could not be stored and that the database does not know of yet, by channel row id.
    """

    problem: str = ""
    disks: tuple[Disk, ...] = ()
    lost: Mapping[int, Lost] = field(default_factory=dict)

    def problems(self, disk_free_mb: int | None) -> Iterator[tuple[str, str]]:
        """Yield (check, what is wrong)."""
        if self.problem:
            yield "database", self.problem
        for _, said in full(self.disks, disk_free_mb):
            yield "disk", said

    def shown(self) -> dict[str, Any]:
        """Return it as JSON."""
        disks = [{"folder": disk.folder, "free_mb": disk.free_mb, "serves": list(disk.serves)} for disk in self.disks]
        return {"writable": not self.problem, "problem": self.problem, "disks": disks}


def full(disks: Iterable[Disk], disk_free_mb: int | None) -> Iterator[tuple[str, str]]:
    """Yield (folder, what is wrong) of disks that have too little room or do not tell; None is no limit."""
    for disk in disks if disk_free_mb is not None else ():
        if disk.free_mb is None:
            yield disk.folder, f"{disk.folder} does not tell how much room it has"
        elif disk_free_mb is not None and disk.free_mb < disk_free_mb:
            limit = f"limit {room(disk_free_mb)}"
            yield disk.folder, f"{room(disk.free_mb)} free in {disk.folder}, for {', '.join(disk.serves)} ({limit})"


SILENT: tuple[Disk, ...] = (Disk(folder="a folder of this machine", free_mb=None),)
"""Stands for the disks while one of them does not answer."""


def measure(places: Iterable[tuple[str, Path]]) -> tuple[Disk, ...]:
    """Return the disks of these places (what for, folder), each once; a folder still to be made counts as its parent's.

    Asks the system, which may take as long as a network drive likes.
    """
    disks: dict[int, Disk] = {}
    for name, place in places:
        folder = next((parent for parent in (place, *place.parents) if parent.is_dir()), place)
        try:
            device, free_mb = folder.stat().st_dev, shutil.disk_usage(folder).free // MB
        except OSError:
            disks[-len(disks) - 1] = Disk(folder=str(folder), free_mb=None, serves=(name,))
            continue
        disk = disks.get(device)
        serves = (*(disk.serves if disk else ()), name)
        disks[device] = Disk(
            folder=disk.folder if disk else str(folder), free_mb=free_mb, serves=tuple(dict.fromkeys(serves))
        )
    return tuple(disks.values())


def room(megabytes: int) -> str:
    """Return an amount of storage as people say it."""
    return f"{megabytes} MB" if megabytes < 1024 else f"{megabytes / 1024:.1f} GB"
