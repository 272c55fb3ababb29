"""`make words`: brings the catalogues into step with the texts in our code, and compiles them.

Why no line numbers in the catalogue: they would change with every commit. Why nothing fuzzy: a sentence that is nearly
the old one may say the opposite.
"""

import re
import sys
from collections.abc import Iterator
from fnmatch import fnmatch
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract as extract_by
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from jinja2.ext import babel_extract

from erpsync.languages.borrowed import BORROWED
from erpsync.languages.catalogue import FOLDER
from erpsync.languages.codes import ALONE, CODES
from tests.languages.extract import ALONE as SHOWN_ALONE
from tests.languages.extract import FORMATS, NOT_SHOWN, extract

ROOT = Path(__file__).parents[2]
KEYWORDS = {"gettext": None, "_": None, "pgettext": ((1, "c"), 2), "ngettext": (1, 2)}
PO = FOLDER / "zh" / "LC_MESSAGES" / "erpsync.po"
MO = PO.with_suffix(".mo")


def sources() -> Iterator[tuple[str, Path]]:
    """Yield every module and template whose texts people read, by its path in the repository."""
    for package in ("connectors", "erpsync"):
        for path in sorted((ROOT / package).rglob("*")):
            name = path.relative_to(ROOT).as_posix()
            shown = path.suffix == ".py" and not any(fnmatch(name, each) for each in NOT_SHOWN)
            if (shown and not name.startswith("erpsync/languages/")) or path.suffix == ".html":
                yield name, path


def messages() -> Catalog:
    """Return all messages of our code, each with the files in which it stands."""
    found = Catalog(domain="erpsync", charset="utf-8", fuzzy=False)
    for name, path in sources():
        source = BytesIO(path.read_bytes())
        if path.suffix == ".html":
            # As the console's environment is set, or the message would have other blanks than the page asks for.
            options = {"trimmed": "true", "newstyle_gettext": "true", "trim_blocks": "true", "lstrip_blocks": "true"}
            every = extract_by(babel_extract, source, KEYWORDS, options=options)
        else:
            options = {"formats": "yes" if name.endswith(FORMATS) else "no"}
            every = extract_by(extract, source, KEYWORDS, options=options)
        for _, text, comments, context in every:
            # A code is shown by its own entry, whatever sentence it stands in.
            is_code = path.suffix == ".py" and not context and SHOWN_ALONE not in comments and text in CODES
            if is_code:
                continue
            found.add(text, locations=[(name, 0)], context=context)
    for text in (*BORROWED, *ALONE):
        found.add(text, locations=[("erpsync/languages/borrowed.py", 0)])
    for code in CODES:
        found.add(code, locations=[("erpsync/languages/codes.py", 0)], context="code")
    return found


def updated() -> Catalog:
    """Return the catalogue as it stands with the messages of our code: new ones untranslated, gone ones gone."""
    with PO.open("rb") as file:
        catalogue = read_po(file, locale="zh_CN", domain="erpsync")
    catalogue.update(messages(), no_fuzzy_matching=True, update_creation_date=False)
    catalogue.obsolete.clear()
    catalogue.last_translator = catalogue.msgid_bugs_address = "erpsync"
    return catalogue


def written(catalogue: Catalog) -> tuple[bytes, bytes]:
    """Return a catalogue as the bytes of its two files."""
    text, compiled = BytesIO(), BytesIO()
    write_po(text, catalogue, width=120, include_lineno=False, sort_output=True, ignore_obsolete=True)
    write_mo(compiled, catalogue)
    # Which Babel wrote it is no matter of ours.
    return re.sub(rb'"Generated-By[^\n]*\n', b"", text.getvalue()), compiled.getvalue()


def main() -> int:
    """Write both files; exit code 1 while a message has no translation."""
    catalogue = updated()
    text, compiled = written(catalogue)
    PO.write_bytes(text)
    MO.write_bytes(compiled)
    missing = [each for each in catalogue if each.id and not each.string]
    sys.stdout.write(f"{len(catalogue)} messages, {len(missing)} of them without a translation\n")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
