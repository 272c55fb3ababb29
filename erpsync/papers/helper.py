"""The process that sets pages: `python -m erpsync.papers.helper [FONT…]`, with a socket as its standard input.

Why a process of its own: a template is a program of its writer's. Here it may take its time and its memory and no more,
and what it breaks is this process, which writes no file and dies with whoever started it.

The first frame from here is a JSON of the faces to print with. Then each frame from there is answered by `P` and a PDF,
or by `E` and a JSON of what is wrong. A frame is a JSON: of `root`, `source` and `inputs` for what is to be set, of
`files` in base64 for what is to be put together. An empty frame follows each answer, when all of the job is forgotten.
"""

import base64
import ctypes
import json
import os
import resource
import signal
import socket
import sys
import threading
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Final, NamedTuple

import typst

from erpsync.papers.frames import receive, send
from erpsync.papers.joining import NoPdfError, joined
from erpsync.papers.templates import OURS

MEMORY_BYTES = 512 * 1024 * 1024
CPU_S = 10
STANDARD: Final = "a-2u"
"""PDF/A-2u: every character has its glyph and can be read out of the file again, or typst refuses it."""

_NOWHERE = "/dev/null/none"
"""Where packages would be kept: no folder, so that none is found there, and none can be put there."""

_CHINESE = "中文发货单收件人数量"
# What a computer of a shop most likely has, then whatever else has the glyphs.
_PREFERRED = (
    "WenQuanYi Micro Hei",
    "Noto Sans CJK SC",
    "Noto Sans SC",
    "Source Han Sans SC",
    "Source Han Sans CN",
    "WenQuanYi Zen Hei",
)
_REGULAR = 400
_STACK_BYTES = 512 * 1024
_REMEMBERS = 10
"""So many compilations later typst has forgotten what it kept of one."""


_trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
"""Gives memory that is free back to the system, which the C library of GNU does not do by itself, and others do."""


class Face(NamedTuple):
    """A font: its family, the file it is in, and whether it has what a Chinese paper says."""

    family: str
    file: str
    chinese: bool


def main() -> int:
    """Answer jobs until whoever asks is gone."""
    _limit()
    channel = socket.socket(fileno=os.dup(0))
    jobs: SimpleQueue[bytes] = SimpleQueue()
    threading.stack_size(_STACK_BYTES)
    threading.Thread(target=_listen, args=(channel, jobs), daemon=True).start()
    faces, fonts = _fonts(sys.argv[1:])
    send(channel, json.dumps([face._asdict() for face in faces]).encode())
    compiler = typst.Compiler(b"", root=str(OURS), font_paths=fonts, package_path=_NOWHERE, package_cache_path=_NOWHERE)
    while True:
        job = json.loads(jobs.get())
        _allow_time()
        answer = _joined(job["files"]) if "files" in job else _set(compiler, job)
        send(channel, answer)
        del job, answer
        _forget(compiler)  # while whoever asked does something with the answer
        send(channel, b"")


def _limit() -> None:
    """Take from this process what a template may not have: memory, files to write, a dump of what it knew."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's Ctrl-C is for whoever asks
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _listen(channel: socket.socket, jobs: SimpleQueue[bytes]) -> None:
    """Hand on what is asked; once nobody can ask any more, end at once, whatever is being set."""
    while (frame := receive(channel)) is not None:
        jobs.put(frame)
    os._exit(0)


def _allow_time() -> None:
    used = resource.getrusage(resource.RUSAGE_SELF)
    seconds = int(used.ru_utime + used.ru_stime) + 1 + CPU_S
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, resource.RLIM_INFINITY))


def _joined(files: list[str]) -> bytes:
    try:
        return b"P" + joined([base64.b64decode(file) for file in files])
    except NoPdfError as error:
        return b"E" + json.dumps({"place": error.place}).encode()


def _set(compiler: typst.Compiler, job: dict[str, Any]) -> bytes:
    try:
        pdf = compiler.compile(
            job["source"].encode(),
            root=job["root"],
            format="pdf",
            sys_inputs={"job": job["inputs"]},
            pdf_standards=STANDARD,
            pdf_tags=False,
        )
    except typst.TypstError as error:
        return b"E" + json.dumps({"message": error.message, "diagnostic": error.diagnostic}).encode()
    return b"P" + (pdf if isinstance(pdf, bytes) else b"")


def _forget(compiler: typst.Compiler) -> None:
    """Let typst drop what it remembers of the last job: it would keep it, persons and all, until so many more came."""
    compiler.compile(b"", format="pdf", sys_inputs=None)
    for _ in range(_REMEMBERS):
        compiler.compile(b"", format="pdf")  # with the inputs of the one before, which takes a tenth of the time
    if _trim is not None:
        _trim(0)


def _fonts(files: list[str]) -> tuple[list[Face], typst.Fonts]:
    """Return the faces to print with and their fonts: of the files that are named, else of the best one installed."""
    if files:
        # Folders are looked through with all that is in them, so none is for the sake of a file that is not there.
        folders: list[str] = sorted({str(Path(file).parent) for file in files if Path(file).is_file()})
        fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=folders)
        families = {font.path: font.family for font in reversed(fonts.fonts())}
        found = [(families[file], file) for file in files if file in families]
        return [Face(family, file, _has_chinese(fonts, family)) for family, file in found], fonts
    fonts = typst.Fonts(include_system_fonts=True, include_embedded_fonts=False)
    chosen = next((file for family, file in _candidates(fonts) if _has_chinese(fonts, family)), None)
    return ([], fonts) if chosen is None else _fonts([chosen])


def _candidates(fonts: typst.Fonts) -> list[tuple[str, str]]:
    """Return family and file of every upright font, the preferred families first, each at its plainest."""

    def rank(font: typst.FontInfo) -> tuple[int, str, int, str]:
        liked = _PREFERRED.index(font.family) if font.family in _PREFERRED else len(_PREFERRED)
        return liked, font.family, abs(font.weight - _REGULAR), font.path or ""

    upright = [font for font in fonts.fonts() if font.style == "normal"]
    return [(font.family, font.path) for font in sorted(upright, key=rank) if font.path]


def _has_chinese(fonts: typst.Fonts, family: str) -> bool:
    dated = "#set document(date: datetime(year: 2000, month: 1, day: 1))"
    source = f"{dated}\n#set text(font: {json.dumps(family, ensure_ascii=False)}, fallback: false)\n{_CHINESE}"
    try:
        typst.compile(source.encode(), font_paths=fonts, format="pdf", pdf_standards=STANDARD, pdf_tags=False)
    except typst.TypstError:
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())
