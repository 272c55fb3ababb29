"""Papers under measurement: a wave of slips, one slip, and what the process that sets them takes of memory.

The floor is typst alone, in this process, over the same template with the same data prepared, without proof that every
character has its glyph.
"""

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import typst

from erpsync.papers.content import content
from erpsync.papers.jobs import job_of
from erpsync.papers.papers import Papers
from erpsync.papers.records import PaperLine, Party, SlipData, Waybill
from erpsync.papers.style import STYLES
from erpsync.papers.templates import template_of
from tests.support.papers import FONT, PATIENT_S, newest_child

_CHINESE = [chr(point) for point in range(0x4E00, 0x5E00)]
_FAMILY = "WenQuanYi Micro Hei"


def slips(count: int) -> list[SlipData]:
    """Return slips of two to four lines each, always the same."""
    chance = random.Random(count)

    def word(size: int) -> str:
        return "".join(chance.choices(_CHINESE, k=size))

    def line() -> PaperLine:
        sku, shelf = f"SKU-{chance.randrange(10**5):05}", f"A-{chance.randrange(100):02}"
        return PaperLine(sku=sku, title=word(24), variant=word(3), qty=chance.randrange(1, 5), shelf=shelf)

    return [
        SlipData(
            number=f"R20261130{number:06}",
            made_on=date(2026, 11, 30),
            lines=tuple(line() for _ in range(chance.randrange(2, 5))),
            shop="茶舍旗舰店",
            orders=(f"{chance.randrange(10**15):015}",),
            sender=Party(name="杭州茶舍", phone="0571-88886666", region="浙江省 杭州市", address="文一西路 969 号"),
            recipient=Party(name=f"{word(1)}**", phone="138****5678", region="广东省 深圳市", address=word(18)),
            waybill=Waybill(number=f"SF{chance.randrange(10**13):013}", carrier="顺丰速运"),
        )
        for number in range(count)
    ]


@contextmanager
def warm() -> Iterator[Papers]:
    """Yield papers whose process has set a page already."""
    with Papers((FONT,), limit_s=PATIENT_S) as papers:
        papers.slip(*slips(1))
        yield papers


def print_all(papers: Papers, found: list[SlipData]) -> float:
    """Return how long a file of slips takes."""
    began = time.perf_counter()
    papers.slip(*found)
    return time.perf_counter() - began


class Bare:
    """Typst alone, its fonts read and its template known."""

    def __init__(self) -> None:
        folders: list[str] = [str(FONT.parent)]
        fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=folders)
        self._template = template_of("slip", None)
        self._compiler = typst.Compiler(b"", root=str(self._template.root), font_paths=fonts)
        self.print_all(slips(1))

    def print_all(self, found: list[SlipData]) -> float:
        """Return how long a file of slips takes whose data lies ready."""
        style = STYLES["slip"]
        job = job_of(self._template, [content(each, style) for each in found], style, [_FAMILY])
        began = time.perf_counter()
        self._compiler.compile(job.source.encode(), format="pdf", sys_inputs={"job": job.inputs}, pdf_tags=False)
        return time.perf_counter() - began


def memory_mib(count: int) -> tuple[float, float]:
    """Return the most memory that the process had while it set so many slips, and before."""
    with warm() as papers:
        status = Path(f"/proc/{newest_child()}/status")
        before = _peak_mib(status)
        papers.slip(*slips(count))
        return _peak_mib(status), before


def _peak_mib(status: Path) -> float:
    (line,) = (line for line in status.read_text(encoding="ascii").splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024
