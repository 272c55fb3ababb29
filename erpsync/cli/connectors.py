"""`connectors new`: a distribution of one's own for a platform that is not here yet, which works as it stands.

Why a whole one and not empty methods: what is hard about a connector is what surrounds the calls (pages that move, lost
answers, refusals that say who acts next), and the suite only shows that it is right if something runs.
"""

import keyword
import os
import re
import shutil
from importlib.resources import files
from importlib.resources.abc import Traversable
from importlib.util import find_spec
from pathlib import Path
from shlex import quote
from tempfile import mkdtemp

from erpsync.cli.app import App
from erpsync.cli.errors import OK, CommandError, UsageError

STARTER = "connector_starter"
"""The folder beside this file that is copied; its files end in `SUFFIX`, so that no tool takes them for ours."""
SUFFIX = ".in"
EXAMPLE = "myshop"
"""What the platform is called in there."""
MOST_CHARS = 30
_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")


def new(app: App) -> int:
    """Write the distribution; refuse, and write nothing, where its folder is there already."""
    name = app.args.name
    _refuse_name(app, name)
    parent = Path(app.args.parent).resolve()
    folder = parent / f"erpsync_{name}"
    _refuse_place(folder)
    parent.mkdir(parents=True, exist_ok=True)
    texts = starter(name)
    _write(folder, texts)
    app.out.value({"name": name, "folder": str(folder), "files": sorted(texts)}, lambda: _told(app, folder, texts))
    return OK


def starter(name: str) -> dict[str, str]:
    """Return what is written for a platform of this name, by path below its folder."""
    return {_named(path, name): _named(text, name) for path, text in _texts(files("erpsync.cli") / STARTER, "").items()}


def _texts(folder: Traversable, below: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for path in folder.iterdir():
        if path.is_dir():
            found |= _texts(path, f"{below}{path.name}/")
        elif path.name.endswith(SUFFIX):
            found[f"{below}{path.name.removesuffix(SUFFIX)}"] = path.read_text(encoding="utf-8")
    return found


def _named(text: str, name: str) -> str:
    spoken = "".join(part.capitalize() for part in name.split("_"))
    return text.replace(EXAMPLE, name).replace(EXAMPLE.capitalize(), spoken).replace(EXAMPLE.upper(), name.upper())


def _refuse_name(app: App, name: str) -> None:
    if not _NAME.fullmatch(name) or len(name) > MOST_CHARS:
        raise UsageError(
            f"NAME must be small letters, digits and single _ between them, {MOST_CHARS} characters at most, is {name}"
        )
    if keyword.iskeyword(name) or keyword.issoftkeyword(name):
        raise UsageError(f"NAME must not be a word of Python, is {name}")
    if name in app.registry.names():
        raise CommandError(f"there is a connector {name} already; choose another name")
    if find_spec(f"erpsync_{name}") is not None:
        raise CommandError(f"there is a package erpsync_{name} already; choose another name")


def _refuse_place(folder: Path) -> None:
    if folder.exists() or folder.is_symlink():
        raise CommandError(f"{folder} is there already; nothing was written: choose another name, or --in FOLDER")
    spec = find_spec("erpsync")
    for home in (spec.submodule_search_locations or ()) if spec else ():
        if folder.is_relative_to(Path(home).resolve()):
            raise CommandError(
                f"{folder} lies inside erpsync itself, which an update replaces: name another --in FOLDER"
            )


def _write(folder: Path, texts: dict[str, str]) -> None:
    """Write all of it beside the folder, then give it its name: whoever looks finds the whole or nothing."""
    made = Path(mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        for path, text in texts.items():
            (made / path).parent.mkdir(parents=True, exist_ok=True)
            (made / path).write_text(text, encoding="utf-8")
        made.chmod(0o777 & ~_umask())  # temporary folders are for their owner alone
        made.rename(folder)
    except FileExistsError:
        raise CommandError(f"{folder} came to be meanwhile; nothing was written") from None
    except OSError as error:
        if folder.exists():
            raise CommandError(f"{folder} came to be meanwhile; nothing was written") from None
        raise CommandError(f"{folder} was not written: {(error.strerror or str(error)).lower()}") from error
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _umask() -> int:
    umask = os.umask(0o077)
    os.umask(umask)
    return umask


def _told(app: App, folder: Path, texts: dict[str, str]) -> None:
    for path in sorted(texts):
        app.out.line(str(folder / path))
    app.out.out.flush()  # what was written comes before what to do next
    app.out.note("next: install it where erpsync is, and see it work; its README.md says how to go on")
    app.out.note(f"  python -m pip install --no-build-isolation -e {quote(str(folder))}")
    app.out.note(f"  python -m pytest -q {quote(str(folder))}")
