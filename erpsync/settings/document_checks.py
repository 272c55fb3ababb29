"""What stands between a configuration and its papers: packages, fonts, the seller's templates.

Why it refuses no configuration: a template that is being written must not keep orders from being read. `check` fails.
"""

from collections.abc import Iterator
from pathlib import Path as FilePath

from erpsync.papers.style import DocumentSettings
from erpsync.settings.checks import ReadMain
from erpsync.settings.documents import TEMPLATES, document_settings
from erpsync.settings.problems import Findings, Path, Problem
from erpsync.settings.tree import locate


def unusable_documents(base: FilePath, main: ReadMain) -> tuple[Problem, ...]:
    """Return why papers cannot be made as they are configured; nothing where none are.

    Args:
        base: the folder of erpsync.yaml; `papers` in it holds templates.
    """
    if main.model is None:
        return ()
    documents = document_settings(main.model.documents)
    if main.at("documents") is None and not (base / TEMPLATES).is_dir():
        return ()
    return tuple(_of_templates(main, documents, base / TEMPLATES))


def _of_templates(main: ReadMain, documents: DocumentSettings, folder: FilePath) -> Iterator[Problem]:
    from erpsync.papers.errors import FontError, PaperError
    from erpsync.papers.papers import Papers

    with Papers(documents.fonts, folder) as papers:
        try:
            found = papers.problems(documents.styles)
        except FontError as error:
            yield _problem(main, ("documents", "font"), str(error))
            return
        except PaperError as error:
            yield _problem(main, ("documents",), str(error))
            return
    for each in found:
        findings = Findings(each.file)
        findings.add((each.line, each.column), (), each.problem)
        yield findings.found[0]


def _problem(main: ReadMain, path: Path, text: str) -> Problem:
    findings = Findings(main.findings.file)
    findings.add(locate(main.node, path)[1] if main.node is not None else (1, 1), path, text)
    return findings.found[0]
