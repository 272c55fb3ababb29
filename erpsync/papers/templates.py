"""Which template makes a paper: the seller's of that name, else ours. One that reaches out of its folder is refused."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from erpsync.papers.errors import TemplateError
from erpsync.papers.style import PaperName

NO_PACKAGE = "a template imports no package, only files of its own folder"
OURS = Path(__file__).with_name("templates")
KIT = Path(__file__).with_name("kit.typ").read_text(encoding="utf-8")
PICTURE = Path(__file__).with_name("picture.typ").read_text(encoding="utf-8")
_PACKAGE = re.compile(r'"@[\w-]+/')
_MOST_FILES = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A template as it lies on the disk now.

    Args:
        root: its folder, all that it can read.
        source: what stands in it.
    """

    name: PaperName
    root: Path
    source: str

    @property
    def file(self) -> Path:
        """Where it is."""
        return self.root / f"{self.name}.typ"

    @property
    def whole(self) -> str:
        """What is compiled: the kit, which imports the template and calls it."""
        return KIT.replace("NAME", self.name, 1)


def template_of(name: PaperName, folder: Path | None) -> Template:
    """Return the template of a paper: the one in the seller's folder, else ours. Raises `TemplateError`."""
    own = folder is not None and (folder / f"{name}.typ").exists()
    root = folder.resolve() if own and folder is not None else OURS
    file = root / f"{name}.typ"
    try:
        source = file.read_text(encoding="utf-8")
        if own:
            _demand_closed(root)
    except UnicodeDecodeError:
        raise TemplateError(str(file), 1, 1, "is no text in UTF-8") from None
    except OSError as error:
        raise TemplateError(str(file), 1, 1, f"cannot be read: {error.strerror}") from None
    return Template(name=name, root=root, source=source)


def unused(folder: Path | None) -> list[TemplateError]:
    """Return the seller's files that look like templates and make no paper, nor are named by one that does."""
    files = sorted(folder.glob("*.typ")) if folder is not None else []
    sources = [file.read_text(encoding="utf-8", errors="replace") for file in files if file.is_file()]
    known = get_args(PaperName)
    return [
        TemplateError(str(file), 1, 1, f"makes no paper, and no template imports it; papers are {', '.join(known)}")
        for file in files
        if file.stem not in known and not any(file.name in source for source in sources)
    ]


def _demand_closed(root: Path) -> None:
    """Raise `TemplateError` where anything in a folder leads out of it: links, and packages, which would be fetched."""
    for count, path in enumerate(root.rglob("*")):
        if count == _MOST_FILES:
            raise TemplateError(str(root), 1, 1, f"holds more than {_MOST_FILES} files: give templates a folder alone")
        if path.is_symlink() and not path.resolve().is_relative_to(root):
            raise TemplateError(str(path), 1, 1, "is a link that leads out of the folder of templates")
        if path.suffix == ".typ" and path.is_file():
            _demand_no_package(path)


def _demand_no_package(file: Path) -> None:
    for number, line in enumerate(file.read_text(encoding="utf-8", errors="replace").splitlines(), start=1):
        if found := _PACKAGE.search(line):
            raise TemplateError(str(file), number, found.start() + 1, NO_PACKAGE)
