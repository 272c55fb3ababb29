"""Where exported rows go: to standard output, or into a file that appears whole and never replaces another unasked.

Why a file has the usual mode and not 0600: nothing personal is in it, and it is made to be handed on.
"""

import errno
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from io import TextIOWrapper
from pathlib import Path
from typing import BinaryIO

from erpsync.cli.app import App
from erpsync.cli.errors import OK, CommandError, UsageError
from erpsync.flows.exports.cells import Manner, Piece

_NO_LINKS = frozenset({errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK})
"""What file systems say that know no second name of a file: FAT, some network folders."""


def manner_of(app: App) -> Manner:
    """Return how the command's file is to be written."""
    return Manner(speech=app.out.speech, zone=app.config.timezone, plain=app.args.plain)


def write_out(app: App, pieces: Iterator[Piece], label: str, told: Callable[[Path, int], str]) -> int:
    """Write the pieces where the command says.

    Args:
        label: what the pieces count, in JSON and beside the progress bar.
        told: returns the line for people about a file and how many of those are in it.
    """
    if app.args.out is None:
        if app.args.json or app.args.force:
            option = "--json" if app.args.json else "--force"
            raise UsageError(f"{option} is about a file: it needs --out FILE")
        _write(app, pieces, label, _standard_output(app))
        return OK
    target = Path(app.args.out).resolve()  # a link stays one: what it leads to is written
    with appearing(target, replace=app.args.force) as stream:
        done = _write(app, pieces, label, stream)
    app.out.value({"file": str(target), label: done}, told(target, done))
    return OK


def _write(app: App, pieces: Iterator[Piece], label: str, stream: BinaryIO | None) -> int:
    done = 0
    with app.out.guessed_progress(label) as progress:
        for piece in pieces:
            if stream is None:
                app.out.out.write(piece.content.decode())
            else:
                stream.write(piece.content)
            done += piece.rows
            progress(piece.rows, piece.of)
    return done


def _standard_output(app: App) -> BinaryIO | None:
    """Return what takes bytes, for a file is UTF-8 whatever the terminal is; None where there is only text."""
    app.out.out.flush()
    return app.out.out.buffer if isinstance(app.out.out, TextIOWrapper) else None


@contextmanager
def appearing(target: Path, *, replace: bool, mode: int = 0o666) -> Iterator[BinaryIO]:
    """Yield a stream whose file gets its name when the block ends, whole and on disk; nothing is left if it raises.

    Args:
        mode: of the file, less what the process leaves out.
    """
    _refuse(target, replace=replace)
    hidden = target.with_name(f".{target.name}.{secrets.token_hex(4)}.tmp")
    try:
        with os.fdopen(os.open(hidden, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        _name(hidden, target, replace=replace)
    except OSError as error:
        if isinstance(error, BrokenPipeError):
            raise
        raise CommandError(f"{target} was not written: {(error.strerror or str(error)).lower()}") from error
    finally:
        with suppress(FileNotFoundError):
            hidden.unlink()


def _refuse(target: Path, *, replace: bool) -> None:
    if target.is_dir():
        raise CommandError(f"{target} is a folder; name a file in it")
    if target.exists() and not target.is_file():
        raise CommandError(f"{target} is no file; without --out the rows go to standard output")
    if target.exists() and not replace:
        raise CommandError(f"{target} is there already; --force replaces it")


def _name(hidden: Path, target: Path, *, replace: bool) -> None:
    """Give a file its name; one that took the name meanwhile stays, unless it is to be replaced."""
    if replace:
        hidden.replace(target)
    else:
        try:
            os.link(hidden, target)
        except FileExistsError:
            raise CommandError(f"{target} came to be meanwhile; it was not replaced") from None
        except OSError as error:
            if error.errno not in _NO_LINKS or target.exists():
                raise
            hidden.rename(target)
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
