"""Finds and reads the files of a configuration: erpsync.yaml, channels/*.yaml and rules.yaml beside it.

Why one file per channel: a shop is added, switched off or handed over as one file, and a diff shows one shop.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from erpsync.settings.problems import Findings
from erpsync.settings.tree import MAX_BYTES, Node, parse

MAIN = "erpsync.yaml"
CHANNELS = "channels"
RULES = "rules.yaml"
PLACES = (Path("config"), Path("/etc/erpsync"))


class Files(Protocol):
    """Where the files of a configuration are read from."""

    @property
    def knows_lines(self) -> bool:
        """Whether the trees say on which line of its file each value stands."""
        ...

    def read(self, file: Path, findings: Findings) -> Node | None:
        """Return the tree of a file, or None after noting why there is none."""
        ...

    def channel_files(self, folder: Path, findings: Findings) -> tuple[list[Path], list[Path]]:
        """Return the channel files beside erpsync.yaml, and those with a name that is not read."""
        ...

    def rules_file(self, folder: Path) -> tuple[Path | None, list[Path]]:
        """Return the file of rules beside erpsync.yaml, if there is one, and those with a name that is not read."""
        ...


def find_config(arg: str | Path | None, environ: Mapping[str, str], places: Sequence[Path] = PLACES) -> Path:
    """Return where the configuration is: `arg`, else $ERPSYNC_CONFIG, else the first of `places` that holds one.

    When none does, the first place is returned; `load` says that the file is missing there.
    """
    named = arg or environ.get("ERPSYNC_CONFIG")
    if named:
        return Path(named)
    return next((place for place in places if (place / MAIN).is_file()), places[0])


def main_file(path: Path) -> Path:
    """Return the main file of `path`, which is a folder or that file itself."""
    return path if path.suffix in (".yaml", ".yml") and not path.is_dir() else path / MAIN


def channel_files(folder: Path, findings: Findings) -> tuple[list[Path], list[Path]]:
    """Return the channel files beside erpsync.yaml in lexical order, and those with a name that is not read.

    Hidden files, folders and editors' copies (`~`) count as neither. A folder that cannot be read is a problem: taken
    for an empty one, it would let all shops go at the next reload.
    """
    if not folder.is_dir():
        return [], []
    try:
        entries = sorted((folder / CHANNELS).iterdir())
    except FileNotFoundError:
        entries = []
    except OSError as error:
        findings.add((1, 1), (), _unreadable(error))
        return [], []
    files = [file for file in entries if not file.name.startswith(".") and not file.is_dir()]
    shops = [file for file in files if file.suffix == ".yaml"]
    if not shops:
        findings.add((1, 1), (), "no channel: nothing is read or told", severity="warning")
    return shops, [file for file in files if file.suffix == ".yml"]


def rules_file(folder: Path) -> tuple[Path | None, list[Path]]:
    """Return the file of rules beside erpsync.yaml, if there is one, and those with a name that is not read.

    Only what is surely not there counts as none: without their rules all orders that they hold would go.
    """
    file, other = folder / RULES, (folder / RULES).with_suffix(".yml")
    return file if _may_be(file) else None, [other] if _may_be(other) else []


def _may_be(file: Path) -> bool:
    try:
        file.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        pass  # reading it says why
    return True


def read(file: Path, findings: Findings) -> Node | None:
    """Return the tree of a YAML file, or None after noting why there is none."""
    try:
        with file.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except FileNotFoundError:
        advice = "; name the folder with --config PATH or $ERPSYNC_CONFIG" if file.name == MAIN else ""
        findings.add((1, 1), (), f"no such file{advice}")
        return None
    except OSError as error:
        findings.add((1, 1), (), _unreadable(error))
        return None
    return parse(data, findings)


class Disk:
    """The files as they lie there now."""

    knows_lines = True
    read = staticmethod(read)
    channel_files = staticmethod(channel_files)
    rules_file = staticmethod(rules_file)


def _unreadable(error: OSError) -> str:
    return f"cannot be read: {(error.strerror or 'unknown reason').lower()}"
