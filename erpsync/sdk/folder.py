"""The drop folder: which files are whole, who reads them, and where they go afterwards.

    orders.csv  ->  .claimed/20260302T080000.000000Z-orders.csv  ->  done/orders.csv  or  failed/orders.csv + .error.txt

Why the claim instant is in the name: it is the version of every order in the file that has none of its own, so it
must be the same when a killed process's file is read again, and a rename is the only write that cannot be half done.
Why file locks: the kernel drops them with the process, so a file in `.claimed` that nobody holds is one that a killed
process left behind, and several daemons can watch one folder.
"""

import fcntl
import hashlib
import io
import os
import re
import stat
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

import structlog
from pydantic import BaseModel

from erpsync.sdk.clock import Clock
from erpsync.sdk.errors import AuthError, ConnectorError, TransientError
from erpsync.sdk.patterns import is_meant

READ_FILES = "what becomes of files that were read: keep in done/, or remove"
_KEPT = "read files stay in done/ with all they hold, names and addresses too; `remove` deletes them once they are read"
_STAMP = "%Y%m%dT%H%M%S.%fZ"
_CLAIMED_NAME = re.compile(r"(\d{8}T\d{6}\.\d{6}Z)-(.+)", re.DOTALL)
_TICK = timedelta(microseconds=1)
_MAX_NAME_BYTES = 255
UNREADABLE = "this user may not read the file"
log = structlog.get_logger("erpsync.sdk.folder")


@dataclass(frozen=True, slots=True)
class Folder:
    """Marks a setting as a folder to work in, so that `check` looks at it: `folder: Annotated[Path, Folder()]`.

    Args:
        made: it is made with the first file that is written; else it must exist.
    """

    made: bool = False


def unusable(folder: Path, *, made: bool = False) -> str:
    """Return why this user cannot read and write files in a folder, nothing when it can. Changes nothing.

    Args:
        made: it may be missing, if it can be made.
    """
    try:
        is_folder = stat.S_ISDIR(folder.stat().st_mode)
    except FileNotFoundError:
        if not made:
            return f"there is no folder {folder}"
        text = unusable(next(parent for parent in folder.parents if os.path.lexists(parent)))
        return f"{text}, so {folder} cannot be made" if text else ""
    except OSError as error:
        return f"{folder} cannot be reached: {(error.strerror or type(error).__name__).lower()}"
    if not is_folder:
        return f"{folder} is no folder"
    return "" if os.access(folder, os.R_OK | os.W_OK | os.X_OK) else f"this user may not read and write in {folder}"


def _demand_usable(folder: Path) -> None:
    if problem := unusable(folder):
        raise AuthError(problem)


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What tells one content of a file from another."""

    size: int
    mtime_ns: int
    digest: str


def instant_text(instant: datetime) -> str:
    """Return an instant as it stands in file names: UTC, fixed width, so that names sort by time."""
    return instant.astimezone(UTC).strftime(_STAMP)


def error_of(error: OSError) -> ConnectorError:
    """Return who has to act on a file system error: an operator on permissions, else the daemon tries again."""
    what = f"{error.strerror or type(error).__name__}: {shown(Path(str(error.filename or '')).name)}"
    if isinstance(error, PermissionError):
        return AuthError(f"the folder does not let us work: {what}")
    return TransientError(f"the folder does not answer: {what}")


@contextmanager
def folder_errors() -> Iterator[None]:
    """Turn what the file system says into who has to act."""
    try:
        yield
    except OSError as error:
        raise error_of(error) from error


def shown(name: str) -> str:
    """Return a file name fit for texts and databases: what cannot be printed becomes a question mark."""
    return "".join(char if char.isprintable() else "?" for char in name)


def note_on_read_files(settings: BaseModel) -> Mapping[str, str]:
    """Return what `check` says where nobody has decided what becomes of files that were read."""
    return {} if "read_files" in settings.model_fields_set else {"read_files": _KEPT}


class Claim:
    """A file that this process alone reads, until it is finished, failed or released.

    `problem` says why it cannot be read at all, whoever may work in the folder; then there is nothing in the stream.
    """

    def __init__(self, path: Path, stream: io.BufferedReader, *, problem: str = "") -> None:
        self.problem = problem
        stamp, name = _split(path.name)
        self.path = path
        self.stream = stream
        self.name = shown(name)
        self.id = shown(path.name)
        self.claimed_at = stamp
        self.failed_before: tuple[Path, ...] = ()

    def fingerprint(self) -> Fingerprint:
        """Read the whole file and return what it holds now."""
        if self.problem:
            info = self.path.stat()
            return Fingerprint(info.st_size, info.st_mtime_ns, "")
        before = os.fstat(self.stream.fileno())
        self.stream.seek(0)
        digest = hashlib.file_digest(self.stream, "sha256").hexdigest()
        return Fingerprint(before.st_size, before.st_mtime_ns, digest)


class DropFolder:
    """Claims files of one folder, oldest first, and files them away."""

    def __init__(
        self,
        folder: Path,
        patterns: Sequence[str],
        settle_s: float,
        clock: Clock,
        *,
        read_files: Literal["keep", "remove"] = "keep",
    ) -> None:
        self._removes = read_files == "remove"
        self._told = False
        self._folder = folder
        self._patterns = patterns
        self._settle_s = settle_s
        self._clock = clock
        self._seen: dict[str, tuple[int, int, datetime]] = {}

    @property
    def claimed(self) -> Path:
        """Where files lie while they are read."""
        return self._folder / ".claimed"

    def waiting(self) -> list[Path]:
        """Return the files that would be read, settled or not, oldest first."""
        with os.scandir(self._folder) as entries:
            files = [(_regular(entry), entry.name) for entry in entries if self._is_meant(entry.name)]
        whole = sorted((info.st_mtime_ns, name) for info, name in files if info is not None and info.st_size)
        return [self._folder / name for _, name in whole]

    def check(self, *, out: Path | None, unread: str) -> list[str]:
        """Return what `check` says of the folder and of the one we write into. Raises `AuthError`.

        Args:
            unread: what lies there that nobody reads.
        """
        _demand_usable(self._folder)
        waiting = len(self.waiting())
        notes = [f"{waiting} {'file waits' if waiting == 1 else 'files wait'} to be read"]
        notes += [unread] if unread else []
        if out and out.exists():
            _demand_usable(out)
        elif out:
            notes.append("out_folder does not exist yet; it is made with the first file")
        return notes

    def claims(self) -> Generator[Claim, None, None]:
        """Yield files one at a time: first what a killed process had claimed, then new ones that are settled.

        The caller finishes, fails or renews each before it asks for the next; the lock on it ends there.
        """
        if not self._folder.is_dir():
            raise TransientError(unusable(self._folder) or f"the folder does not answer: {self._folder}")
        self.claimed.mkdir(exist_ok=True)
        left_behind = sorted(path for path in self.claimed.iterdir() if _CLAIMED_NAME.fullmatch(path.name))
        fresh = self.waiting()
        settled = set(self._settled([*left_behind, *fresh]))
        for path in (*left_behind, *fresh):
            if path in settled and (claim := self._claim(path)):
                try:
                    yield claim
                finally:
                    claim.stream.close()

    def file_away(self, claim: Claim, before: Fingerprint, *, problem: str, mends: bool) -> None:
        """File away what was read to its end, finished or failed; what changed meanwhile is read again."""
        if claim.fingerprint() != before:
            self.renew(claim)
        elif problem:
            self.fail(claim, problem)
        else:
            self.finish(claim, mends=mends)

    def finish(self, claim: Claim, *, mends: bool = False) -> None:
        """Move a file that was read to its end into `done`, or remove it.

        Args:
            mends: what was said about files of its name that had failed before has ended, so they are removed too.
        """
        with self._lock():
            if not self._removes:
                claim.path.rename(_free(self._folder / "done", claim))
                return
            for path in claim.failed_before if mends else ():
                _reason_of(path).unlink(missing_ok=True)
                path.unlink(missing_ok=True)
            claim.path.unlink(missing_ok=True)

    def fail(self, claim: Claim, problem: str) -> None:
        """Move a file that cannot be read into `failed`, with the reason beside it."""
        with self._lock():
            if claim.problem and not claim.path.exists():
                return  # nobody can lock what may not be opened: another process has filed it away
            target = _free(self._folder / "failed", claim)
            _reason_of(target).write_text(f"{claim.name}: {problem}\n", encoding="utf-8")
            claim.path.rename(target)

    def renew(self, claim: Claim) -> None:
        """Let a file that changed while it was read be read again, as a newer one, once it has settled."""
        with self._lock() as stamps:
            claim.path.rename(self.claimed / _claimed_name(stamps.next(self._clock.now()), _split(claim.path.name)[1]))

    def _claim(self, path: Path) -> Claim | None:
        """Return the file if it is ours now; None if another process was quicker or still reads it."""
        with self._lock() as stamps:
            if path.parent == self._folder:
                target = self.claimed / _claimed_name(stamps.next(self._clock.now()), path.name)
                try:
                    path.rename(target)
                except FileNotFoundError:
                    return None
                path = target
            claim = _open_alone(path)
            if claim is not None:
                self._protect(claim)
                claim.failed_before = tuple(self._failed(_split(path.name)[1])) if self._removes else ()
            return claim

    def _protect(self, claim: Claim) -> None:
        """Let nobody else read a file of names and addresses; where that is refused, say so once."""
        if claim.problem:
            return  # this user may not even read it
        try:
            if os.fstat(claim.stream.fileno()).st_mode & 0o077:
                os.fchmod(claim.stream.fileno(), 0o600)
        except OSError as error:
            if not self._told:
                self._told = True
                log.info("folder.open_to_others", file=claim.name, error=error.strerror or type(error).__name__)

    def _failed(self, name: str) -> Iterator[Path]:
        """Yield the files in `failed` that were dropped under this name."""
        folder = self._folder / "failed"
        for path in folder.iterdir() if folder.is_dir() else ():
            stamped = _CLAIMED_NAME.fullmatch(path.name)
            if path.name == name or (stamped is not None and stamped[2] == name):
                yield path

    def _is_meant(self, name: str) -> bool:
        return is_meant(name, self._patterns)

    def _settled(self, paths: list[Path]) -> list[Path]:
        """Return the files left alone for the settle time: by their own time, or by ours since we first saw them so.

        The second reading is for folders whose server's clock is ahead of ours.
        """
        now = self._clock.now()
        seen: dict[str, tuple[int, int, datetime]] = {}
        settled = []
        for path in paths:
            try:
                info = path.stat()
            except FileNotFoundError:
                continue
            size, mtime_ns, since = self._seen.get(path.name, (-1, 0, now))
            since = since if (size, mtime_ns) == (info.st_size, info.st_mtime_ns) else now
            seen[path.name] = (info.st_size, info.st_mtime_ns, since)
            alone_s = max(now.timestamp() - info.st_mtime, (now - since).total_seconds())
            if alone_s >= self._settle_s:
                settled.append(path)
        self._seen = seen
        return settled

    @contextmanager
    def _lock(self) -> Iterator["_Stamps"]:
        """Keep other processes from claiming or filing away in this folder for a moment."""
        with (self.claimed / ".lock").open("a+b") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield _Stamps(handle)


class _Stamps:
    """Claim instants that only grow, also when the clock is set back; the last one is kept in the lock file."""

    def __init__(self, handle: io.BufferedRandom) -> None:
        self._handle = handle

    def next(self, now: datetime) -> datetime:
        self._handle.seek(0)
        text = self._handle.read(64).decode("ascii", "replace")
        try:
            last = datetime.strptime(text, _STAMP).replace(tzinfo=UTC)
        except ValueError:
            last = now - _TICK
        instant = max(now, last + _TICK)
        self._handle.truncate(0)
        self._handle.write(instant_text(instant).encode("ascii"))
        return instant


def _open_alone(path: Path) -> Claim | None:
    try:
        stream = path.open("rb")
    except FileNotFoundError:
        return None
    except PermissionError:  # of this file alone: it could be moved into a folder of ours
        return Claim(path, io.BufferedReader(io.BytesIO()), problem=UNREADABLE)
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(stream.fileno()), path.stat()):
            return Claim(path, stream)
    except (BlockingIOError, FileNotFoundError):
        pass
    stream.close()
    return None


def _regular(entry: "os.DirEntry[str]") -> os.stat_result | None:
    try:
        info = entry.stat(follow_symlinks=False)
    except FileNotFoundError:
        return None
    return info if stat.S_ISREG(info.st_mode) else None


def _split(claimed_name: str) -> tuple[datetime, str]:
    match = _CLAIMED_NAME.fullmatch(claimed_name)
    if match is None:
        raise ValueError(f"no claimed name: {shown(claimed_name)}")
    return datetime.strptime(match[1], _STAMP).replace(tzinfo=UTC), match[2]


def _claimed_name(instant: datetime, name: str) -> str:
    stamp = instant_text(instant)
    tail = os.fsencode(name)[-(_MAX_NAME_BYTES - len(stamp) - 1) :]
    return f"{stamp}-{os.fsdecode(tail)}"


def _reason_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.error.txt")


def _free(folder: Path, claim: Claim) -> Path:
    """Return a path in `folder` that is not taken: the file's own name, else with its claim instant before it."""
    folder.mkdir(exist_ok=True)
    plain = folder / _split(claim.path.name)[1]
    return folder / claim.path.name if plain.exists() else plain
