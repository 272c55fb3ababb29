"""Papers for the warehouse and for the buyer: data in, a PDF out, the same bytes for the same data."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from types import TracebackType
from typing import Self

from erpsync.papers.content import Json, content
from erpsync.papers.errors import LabelError, MissingGlyphsError, TemplateError, TooMuchError, shown_characters
from erpsync.papers.jobs import job_of, picture_job
from erpsync.papers.joining import NoPdfError
from erpsync.papers.records import CourierLabel, LabelData, PackData, PaperData, PickData, SlipData
from erpsync.papers.samples import SAMPLES
from erpsync.papers.style import STYLES, PaperName, PaperStyle
from erpsync.papers.templates import NO_PACKAGE, Template, template_of, unused
from erpsync.papers.typesetter import LIMIT_S, CompileError, Typesetter

PDF = b"%PDF-"
"""How a PDF begins; a picture does not. Source: ISO 32000-1 section 7.5.2."""

# What typst says of them.
_PANIC = re.compile("panicked with: ")
_OF_KIT = re.compile(r"panicked with: kit\.")
_PACKAGE = re.compile("package not found|failed to download package")


class Papers:
    """Makes papers, one or many of a kind in one file. Threads may share it; close it, for it keeps a process.

    Args:
        fonts: font files, in the order in which a character is looked for; none takes what is installed.
        folder: where the seller's own templates lie; one that is missing there is ours.
        limit_s: how long a file may take.

    Every paper may raise `MissingGlyphsError`, `TemplateError`, `TooMuchError`, `BarCodeError`, `FontError` or
    `PapersNotInstalledError`, all of them `PaperError`.
    """

    def __init__(self, fonts: Sequence[Path] = (), folder: Path | None = None, *, limit_s: float = LIMIT_S) -> None:
        self._typesetter = Typesetter(fonts, limit_s=limit_s)
        self._folder = folder

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """End the process that sets pages; a later paper starts another."""
        self._typesetter.close()

    def slip(self, *slips: SlipData, style: PaperStyle = STYLES["slip"]) -> bytes:
        """Return 发货单 as a PDF, each on sheets of its own."""
        return self._made("slip", slips, style)

    def pick(self, *waves: PickData, style: PaperStyle = STYLES["pick"]) -> bytes:
        """Return 拣货单 as a PDF, each on sheets of its own."""
        return self._made("pick", waves, style)

    def label(self, *labels: LabelData | CourierLabel, style: PaperStyle = STYLES["label"]) -> bytes:
        """Return labels as a PDF: ours each on a sheet of its own, a courier's as it came, a picture fitted to a sheet.

        Raises `LabelError` as well, for the first courier's label that cannot be printed.
        """
        files: list[tuple[str, bytes]] = []
        for ours, group in groupby(labels, lambda label: isinstance(label, LabelData)):
            run = list(group)
            if ours:
                files.append((run[0].number, self._made("label", run, style)))
            else:
                files += [(label.number, self._pages(label, style)) for label in run if isinstance(label, CourierLabel)]
        if not files:
            raise ValueError("no label to make")
        if len(files) == 1:
            return files[0][1]
        try:
            return self._typesetter.join([pdf for _, pdf in files])
        except NoPdfError as error:
            number = files[error.place][0]
            why = f"the courier's label of {number} is no PDF that others can be joined to: print it alone"
            raise LabelError(number, why) from None

    def pack(self, *packs: PackData, style: PaperStyle = STYLES["pack"]) -> bytes:
        """Return 装箱单 as a PDF, each on sheets of its own."""
        return self._made("pack", packs, style)

    def look(self) -> None:
        """Raise `PaperError` where no paper can be made: no font, or the packages are missing."""
        self._typesetter.families()

    def problems(self, styles: Mapping[PaperName, PaperStyle] = STYLES) -> list[TemplateError]:
        """Return what is wrong with the templates, the seller's or ours, each tried on made-up papers.

        Raises `PaperError` where none can be tried: no font, or the packages are missing.
        """
        self.look()
        tried = [problem for name, style in styles.items() for problem in self._problems(name, style)]
        return tried + unused(self._folder)

    def _problems(self, name: PaperName, style: PaperStyle) -> Iterator[TemplateError]:
        try:
            template = template_of(name, self._folder)
            self._tried(template, style)
        except TemplateError as error:
            yield error
        except TooMuchError as error:
            yield TemplateError(str(template.file), 1, 1, str(error))

    def _pages(self, label: CourierLabel, style: PaperStyle) -> bytes:
        if label.data.startswith(PDF):
            return label.data
        try:
            return self._typesetter.set(picture_job(label.data, style))
        except (CompileError, TooMuchError):
            why = f"the courier's label of {label.number} is no picture that can be printed"
            raise LabelError(label.number, why) from None

    def _made(self, name: PaperName, papers: Sequence[PaperData], style: PaperStyle) -> bytes:
        if not papers:
            raise ValueError(f"no {name} to make")
        template = template_of(name, self._folder)
        contents = [content(paper, style) for paper in papers]
        try:
            return self._set(template, contents, style)
        except CompileError as error:
            if numbers := _that_say(error.missing, contents):
                raise MissingGlyphsError(error.missing, numbers) from None
            file, line, column = _place(error, template)
            if error.missing or _OF_KIT.match(error.message):
                raise TemplateError(file, line, column, _problem(error)) from None
        self._tried(template, style)  # what is told of made-up papers tells nobody's name
        raise TemplateError(file, line, column, "makes no paper of this data, though it does of samples")

    def _tried(self, template: Template, style: PaperStyle) -> None:
        """Raise `TemplateError` where a template makes no paper of samples."""
        for sample in SAMPLES[template.name]:
            try:
                self._set(template, [content(sample, style)], style)
            except CompileError as error:
                raise TemplateError(*_place(error, template), _problem(error)) from None

    def _set(self, template: Template, contents: Sequence[Json], style: PaperStyle) -> bytes:
        return self._typesetter.set(job_of(template, contents, style, self._typesetter.families()))


def _that_say(characters: frozenset[str], contents: Sequence[Json]) -> list[str]:
    """Return the numbers of the papers in whose data any of these characters is."""
    return [
        str(paper["number"]) for paper in contents if not characters.isdisjoint(json.dumps(paper, ensure_ascii=False))
    ]


def _place(error: CompileError, template: Template) -> tuple[str, int, int]:
    """Return file, line and column where a template is wrong: the innermost place that is not in our kit."""
    return error.places[0] if error.places else (str(template.file), 1, 1)


def _problem(error: CompileError) -> str:
    """Return what is wrong in one line; only of samples, or of our own words, for it may quote what is printed."""
    if error.missing:
        return f"no font has {shown_characters(error.missing)}"
    if error.message == "unresolved import":
        return "defines no function `paper(data, kit)`"
    if _PACKAGE.match(error.message):
        return NO_PACKAGE
    return _PANIC.sub("", error.message, count=1)
