"""Pages set by a helper process that is kept warm: a source and its data in, a PDF out, within 10 s and 512 MB.

Why a socket and no pipes: it has a time-out both ways, and its end tells the helper that this process is gone, however
that came about.
"""

import base64
import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from signal import SIGXCPU
from types import TracebackType
from typing import Any, Self

from erpsync.papers.errors import FontError, PaperError, PapersNotInstalledError, TooMuchError
from erpsync.papers.frames import MOST_BYTES, receive, send
from erpsync.papers.joining import NoPdfError

LIMIT_S = 10.0
WORN_BYTES = 128 * 1024 * 1024
"""A helper that is still larger than this after a job is replaced before the next: new it is a third of that."""

# What a process needs to find its libraries and fonts; the rest of the environment may hold secrets.
_ENVIRONMENT = ("HOME", "LANG", "LD_LIBRARY_PATH", "PATH", "PYTHONHOME", "PYTHONPATH", "XDG_DATA_HOME")
# A second thread makes a file hardly sooner, and takes half as much memory again on some days.
_ONE_THREAD = {"RAYON_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "1"}
_PACKAGES = ("typst", "barcode", "segno", "pypdf")
_ROOT = Path("/")
_SOURCE = "__typst_py_bytes__.typ"
"""How typst calls the source of a job, which is in no file."""
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_PLACE = re.compile(r"┌─ (.+?):(\d+):(\d+)")
_GLYPH = re.compile(r'the text `"((?:\\.|[^"\\])*)"` could not be displayed')
_ESCAPE = re.compile(r"\\(?:u\{([0-9a-fA-F]+)\}|(.))")
_SHORT = {"n": "\n", "r": "\r", "t": "\t", "0": "\0"}
_NO_FONT = "no font with Chinese characters is installed: apt install fonts-wqy-microhei, or name one in documents.font"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What to set: a source in Typst's language, the folder that it may read, and what `sys.inputs.job` holds."""

    root: Path
    source: str
    inputs: str


class CompileError(Exception):
    """What typst has against a job.

    Attributes:
        message: may quote what is in the inputs.
        places: file, line and column, both from 1, of the error, then of the calls that led there; none in the source.
        missing: characters without a glyph.
    """

    def __init__(self, message: str, diagnostic: str) -> None:
        self.message = message
        found = ((_ROOT / file, int(line), int(column) + 1) for file, line, column in _PLACE.findall(diagnostic))
        self.places = [(str(file), line, column) for file, line, column in found if file.name != _SOURCE]
        self.missing = frozenset("".join(map(_unescaped, _GLYPH.findall(diagnostic))))
        super().__init__(message)


def _unescaped(text: str) -> str:
    """Return a text that Rust has written for developers as it was."""
    return _ESCAPE.sub(lambda found: chr(int(found[1], 16)) if found[1] else _SHORT.get(found[2], found[2]), text)


class Typesetter:
    """Sets pages in a helper process, which is started when it is first needed. Threads may share it; they take turns.

    Args:
        fonts: font files, in the order in which a character is looked for; none takes the best one installed that has
            Chinese characters.
        limit_s: how long a job may take.
    """

    def __init__(self, fonts: Sequence[Path] = (), *, limit_s: float = LIMIT_S) -> None:
        self._fonts = tuple(str(font.absolute()) for font in fonts)
        self._limit_s = limit_s
        self._turn = threading.Lock()
        self._helper: _Helper | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def families(self) -> tuple[str, ...]:
        """Return the families to print with. Raises `FontError`, `PapersNotInstalledError`, or `PaperError`."""
        with self._turn:
            return self._ready().families

    def set(self, job: Job) -> bytes:
        """Return the PDF of a job.

        Raises `CompileError`, `TooMuchError` where it takes more time or memory than it may, and what `families` does.
        """
        told = self._told({"root": str(job.root), "source": job.source, "inputs": job.inputs})
        if isinstance(told, bytes):
            return told
        raise CompileError(told["message"], told["diagnostic"])

    def join(self, files: Sequence[bytes]) -> bytes:
        """Return one PDF of the pages of many. Raises `NoPdfError`, `TooMuchError`, and what `families` does."""
        told = self._told({"files": [base64.b64encode(file).decode("ascii") for file in files]})
        if isinstance(told, bytes):
            return told
        raise NoPdfError(told["place"])

    def close(self) -> None:
        """End the helper; a later job starts another."""
        with self._turn:
            self._end()

    def _told(self, asked: dict[str, Any]) -> bytes | dict[str, Any]:
        """Return a PDF, or what is wrong with what was asked."""
        frame = json.dumps(asked).encode()
        if len(frame) > MOST_BYTES:
            raise TooMuchError(f"a paper of {len(frame):,} bytes of data is too large: print it in parts")
        with self._turn:
            helper = self._ready()
            try:
                answer = helper.ask(frame, self._limit_s)
            except BaseException:
                self._end()
                raise
        if answer[:1] == b"P":
            return answer[1:]
        wrong: dict[str, Any] = json.loads(answer[1:])
        return wrong

    def _ready(self) -> "_Helper":
        if self._helper is not None and not self._helper.fit():
            self._end()
        if self._helper is None:
            self._helper = _Helper(self._fonts, self._limit_s)
        return self._helper

    def _end(self) -> None:
        if self._helper is not None:
            self._helper.end()
            self._helper = None


class _Helper:
    """The running process and the socket to it."""

    def __init__(self, fonts: Sequence[str], limit_s: float) -> None:
        if not all(map(find_spec, _PACKAGES)):
            raise PapersNotInstalledError
        self._socket, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 - our own module, fonts as arguments
                [sys.executable, "-P", "-m", "erpsync.papers.helper", *fonts],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                cwd=_ROOT,  # places are told from there
                stderr=subprocess.DEVNULL,  # a panic would quote what it was setting
                env={name: os.environ[name] for name in _ENVIRONMENT if name in os.environ} | _ONE_THREAD,
            )
        self._limit_s = limit_s
        self._rests = True
        # Whoever drops it unclosed, or ends, leaves no process behind.
        self._ends = weakref.finalize(self, _end, self._process, self._socket)
        try:
            self.families = _families(fonts, json.loads(self._next(time.monotonic() + limit_s, limit_s)))
        except TooMuchError as error:
            self.end()
            raise PaperError(f"the process that makes papers does not start: {error}") from None
        except BaseException:
            self.end()
            raise

    def ask(self, frame: bytes, limit_s: float) -> bytes:
        deadline = time.monotonic() + limit_s
        self._socket.settimeout(limit_s)
        self._rests = False
        try:
            send(self._socket, frame)
        except TimeoutError:
            raise _too_long(limit_s) from None
        except OSError:
            raise self._ended(limit_s) from None
        return self._next(deadline, limit_s)

    def fit(self) -> bool:
        """Whether it is still there and has not grown beyond use, once it has forgotten what it did last."""
        if self._process.poll() is not None:
            return False
        if not self._rests:
            try:
                self._next(time.monotonic() + self._limit_s, self._limit_s)
            except TooMuchError:
                return False
            self._rests = True
        try:
            pages = int(Path(f"/proc/{self._process.pid}/statm").read_text(encoding="ascii").split()[1])
        except (OSError, IndexError):
            return False
        return pages * _PAGE_BYTES <= WORN_BYTES

    def end(self) -> None:
        self._ends()

    def _next(self, deadline: float, limit_s: float) -> bytes:
        self._socket.settimeout(max(deadline - time.monotonic(), 0.001))
        try:
            frame = receive(self._socket)
        except TimeoutError:
            raise _too_long(limit_s) from None
        except OSError:
            frame = None
        if frame is None:
            raise self._ended(limit_s)
        return frame

    def _ended(self, limit_s: float) -> TooMuchError:
        try:
            code = self._process.wait(timeout=1)
        except subprocess.TimeoutExpired:
            code = 0
        if code == -SIGXCPU:
            return _too_long(limit_s)
        return TooMuchError(f"the process that makes papers ended with {code}: a paper may take 512 MB of memory")


def _end(process: "subprocess.Popen[bytes]", ours: socket.socket) -> None:
    process.kill()
    process.wait()
    ours.close()


def _too_long(limit_s: float) -> TooMuchError:
    return TooMuchError(f"the paper was not ready after {limit_s:g} s: print it in parts, or mend its template")


def _families(fonts: Sequence[str], faces: list[dict[str, object]]) -> tuple[str, ...]:
    read = {face["file"] for face in faces}
    for font in fonts:
        if font not in read:
            raise FontError(f"{font} is no font file that can be read")
    if not faces:
        raise FontError(_NO_FONT)
    if not any(face["chinese"] for face in faces):
        raise FontError(f"{fonts[0]} has no Chinese characters: apt install fonts-wqy-microhei has a font that does")
    return tuple(str(face["family"]) for face in faces)
