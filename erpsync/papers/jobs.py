"""A job for the typesetter: a template with its kit, and the data of the papers with the bar codes that it asks for."""

import json
import re
from collections.abc import Callable, Iterator, Sequence

from erpsync.papers.codes import Drawing, code128, qr
from erpsync.papers.content import Json
from erpsync.papers.style import SIZES, PaperStyle
from erpsync.papers.templates import OURS, PICTURE, Template
from erpsync.papers.typesetter import Job


def job_of(template: Template, papers: Sequence[Json], style: PaperStyle, families: Sequence[str]) -> Job:
    """Return the job that sets papers one after the other. Raises `BarCodeError`."""
    size = SIZES[style.size]
    inputs = {
        "families": families,
        "lang": style.lang,
        "width_mm": size.width_mm,
        "height_mm": size.height_mm,
        "margin_mm": size.margin_mm,
        "text_pt": size.text_pt,
        "code128": _codes(template, "code128", code128, papers),
        "qr": _codes(template, "qr", qr, papers),
        "papers": [paper | {"place": place} for place, paper in enumerate(papers)],
    }
    text = json.dumps(inputs, ensure_ascii=False, separators=(",", ":"))
    return Job(root=template.root, source=template.whole, inputs=text)


def picture_job(picture: bytes, style: PaperStyle) -> Job:
    """Return the job that sets a picture on a sheet of its own, as large as that allows."""
    size = SIZES[style.size]
    inputs = {"width_mm": size.width_mm, "height_mm": size.height_mm, "picture": list(picture)}
    return Job(root=OURS, source=PICTURE, inputs=json.dumps(inputs, separators=(",", ":")))


def _codes(template: Template, name: str, draw: Callable[[str], Drawing], papers: Sequence[Json]) -> Json:
    """Return the drawings of every number in the papers, if the template asks its kit for such codes at all."""
    if not re.search(rf"\bkit\.{name}\b", template.source):
        return {}
    return {number: draw(number)._asdict() for paper in papers for number in _numbers(paper) if number}


def _numbers(paper: Json) -> Iterator[str]:
    yield str(paper["number"])
    match paper.get("waybill"):
        case {"number": str(number)}:
            yield number
    match paper.get("releases"):
        case list(numbers):
            yield from map(str, numbers)
