"""Which files of a drop folder are meant by the names it reads, and which lie there unread.

Why the others are named: a file with another ending or under another name looks delivered to whoever dropped it.
"""

import os
import stat
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from erpsync.sdk.text import storable

_UNFINISHED = (".tmp", ".part", ".partial", ".filepart", ".crdownload", ".download", ".swp", "~")
_MOST_NAMED = 5


def is_passing(name: str) -> bool:
    """Return whether a file is hidden or not yet whole, by its name."""
    low = name.lower()
    return low.startswith((".", "~")) or low.endswith(_UNFINISHED)


def is_meant(name: str, patterns: Sequence[str]) -> bool:
    """Return whether a file is to be read, by its name; case does not count."""
    low = name.lower()
    return not is_passing(name) and any(fnmatchcase(low, pattern.lower()) for pattern in patterns)


def lying_unread(folder: Path, patterns: Sequence[str]) -> str:
    """Return what is said of files in a folder that nobody will read; nothing where there are none, or no folder."""
    try:
        with os.scandir(folder) as entries:
            unread = [entry for entry in entries if not is_passing(entry.name) and _lies(entry, patterns)]
    except OSError:
        return ""
    names = sorted(_shown(entry.name) for entry in unread)
    if not names:
        return ""
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    what = "1 file is not read, for it" if len(names) == 1 else f"{len(names)} files are not read, for each"
    return f"{what} is empty or fits none of {', '.join(patterns)}: {', '.join(names[:_MOST_NAMED])}{more}"


def _lies(entry: "os.DirEntry[str]", patterns: Sequence[str]) -> bool:
    try:
        info = entry.stat(follow_symlinks=False)
    except OSError:
        return False
    return stat.S_ISREG(info.st_mode) and not (info.st_size and is_meant(entry.name, patterns))


def _shown(name: str) -> str:
    return "".join(char if char.isprintable() else "?" for char in storable(name))
