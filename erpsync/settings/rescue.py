"""What can still be known of a configuration whose files are bad: its database, and what was in force before.

Why the database is looked for so hard: it holds the configuration in force, without which nobody sees how the shops
stand while a file is being mended. Why never guessed: another database would show other shops.
"""

import re
from collections.abc import Mapping as Environ
from dataclasses import replace
from pathlib import Path

from erpsync.settings.bind import Binder
from erpsync.settings.config import Loaded, absolute_database
from erpsync.settings.files import main_file, read
from erpsync.settings.kept import KeptFiles
from erpsync.settings.load import load
from erpsync.settings.models import MainFile
from erpsync.settings.problems import Findings
from erpsync.settings.registry import Registry
from erpsync.settings.secrets import Sources
from erpsync.settings.tree import MAX_BYTES, Mapping, Node, parse

_LINE = re.compile(rb"^database[ \t]*:.*$", re.MULTILINE)


def find_database(path: Path, environ: Environ[str, str]) -> str | None:
    """Return the URL of the database that a configuration names, whatever else is wrong with it; None if unknown."""
    main = main_file(path)
    findings = Findings(str(main))
    node = read(main, findings)
    if node is None:
        node = _line_alone(main)
    if not isinstance(node, Mapping) or any(problem.path == "database" for problem in findings.found):
        return None
    if "database" not in node.items and not node.items.keys() <= MainFile.model_fields.keys():
        return None  # one of the unknown keys may be meant
    sources = Sources(main.parent.absolute(), environ)
    said = {key: child for key, child in node.items.items() if key == "database"}
    model = Binder(Findings(""), sources, secrets=False).bind(Mapping(node.place, said, node.keys), MainFile)
    return None if model is None else absolute_database(model.database, sources.folder)


def _line_alone(main: Path) -> Node | None:
    """Return the one line `database: …` of a file that is no YAML."""
    try:
        with main.open("rb") as stream:
            lines = _LINE.findall(stream.read(MAX_BYTES))
    except OSError:
        return None
    return parse(lines[0], Findings("")) if len(lines) == 1 else None


def restore(text: str, *, database: str, registry: Registry, environ: Environ[str, str]) -> Loaded:
    """Return the configuration that was kept as `text`, with placeholders for secrets and this database.

    Raises `ValueError` for text that this version did not write.
    """
    try:
        source = KeptFiles.of(text)
        loaded = load(source.main, registry=registry, environ=environ, secrets=False, source=source)
    except (LookupError, TypeError, AttributeError, ValueError) as error:
        raise ValueError("it was kept in another form") from error
    config = loaded.config
    return loaded if config is None else replace(loaded, config=replace(config, database=database, kept=text))
