"""`init`: a small configuration to begin with, one drop folder and one warehouse, and samples to try it on.

Why not a copy of the shipped samples: those show every key of every connector and are switched off; this one runs.
"""

from contextlib import suppress
from datetime import datetime
from importlib.resources import files
from os import O_CREAT, O_EXCL, O_WRONLY, fdopen, utime
from os import open as open_new
from pathlib import Path
from shlex import quote
from zoneinfo import ZoneInfo

from erpsync.cli.app import App
from erpsync.cli.errors import OK, CommandError

STARTER = "starter"
"""The folder beside this file that is copied; names and texts are what the user gets."""
PRIVATE = {"orders-sample.csv": 0o600}
FOLDERS = ("in", "out")
WRITTEN_ON = "2026-11-22"
ZONE = ZoneInfo("Asia/Shanghai")
OLD_S = 60.0
"""A drop folder reads what has not changed for a while, so samples are as old as an export that was downloaded."""


def init(app: App) -> int:
    """Write the configuration; refuse, and write nothing, where one of its files is there already."""
    place = Path(app.args.folder or app.args.config or "config")
    texts = starter()
    if there := [name for name in texts if (place / name).exists()]:
        raise CommandError(f"{place / there[0]} is there already; nothing was written: name another folder")
    for name in ("channels", *FOLDERS):
        (place / name).mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        _write(place / name, text, PRIVATE.get(name, 0o666))
    written = sorted(texts)
    app.out.value({"folder": str(place), "files": written}, lambda: _told(app, place, written))
    return OK


def starter() -> dict[str, str]:
    """Return what is written, by name below the folder; the sample's orders are of today, as they are in a shop."""
    today = f"{datetime.now(ZONE):%Y-%m-%d}"
    root = files("erpsync.cli") / STARTER
    paths = {path.name: path for path in root.iterdir()} | {
        f"channels/{path.name}": path for path in (root / "channels").iterdir()
    }
    return {
        name: path.read_text(encoding="utf-8").replace(WRITTEN_ON, today)
        for name, path in sorted(paths.items())
        if path.is_file()
    }


def _write(file: Path, text: str, mode: int) -> None:
    """Write a file that must not be there yet, whoever else is writing."""
    try:
        with fdopen(open_new(file, O_WRONLY | O_CREAT | O_EXCL, mode), "w", encoding="utf-8") as stream:
            stream.write(text)
    except FileExistsError:
        raise CommandError(f"{file} is there already; it was not overwritten") from None
    if file.suffix == ".csv":
        with suppress(OSError):
            at = file.stat().st_mtime - OLD_S
            utime(file, (at, at))


def _told(app: App, place: Path, written: list[str]) -> None:
    for name in written:
        app.out.line(str(place / name))
    app.out.out.flush()  # what was written comes before what to do next
    shown = quote(str(place))
    app.out.note(f"next: put an export of your shop into {place / 'in'} (or orders-sample.csv, to look), then")
    for words in ("check", "run --once", "orders list"):
        app.out.note(f"  erpsync --config {shown} {words}")
