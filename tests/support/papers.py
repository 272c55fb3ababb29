"""Papers as a reader sees them: pages as pictures, the text on them, the bar codes that a scanner finds.

`python -m tests.support.papers` prints the golden pages and the pictures of the documentation anew.
"""

import struct
import sys
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import paperang_p2_fonts_cjk
import pypdfium2
import typst
import zxingcpp

from erpsync.papers.papers import Papers
from erpsync.papers.records import PaperLine, SlipData
from erpsync.papers.samples import SAMPLES
from erpsync.papers.style import STYLES, PaperName, SizeName
from tests.support.sources import ROOT

FONT = Path(paperang_p2_fonts_cjk.__file__).parent / "fonts" / "wqy-microhei.ttc"
HERE = ROOT / "tests" / "unit" / "papers"
RARE = HERE / "rare.ttf"
"""A font of our making: of one character, 𠮷, which the other font does not have."""
GOLDEN = HERE / "golden"
PRINTER_DPI = 203
GOLDEN_DPI = 72
SHOWN_PAPERS: tuple[PaperName, ...] = ("slip", "label")
SHOWN_DPI = 120
PATIENT_S = 240
"""How long a paper may take where a test is not about that; machines are busy."""

GOLDEN_PAGES: dict[str, tuple[PaperName, SizeName, str]] = {
    f"{name}-{size}-{lang}": (name, size, lang)
    for name, size, lang in (
        ("slip", "100x180", "zh"),
        ("slip", "76x130", "en"),
        ("pick", "A4", "zh"),
        ("label", "100x180", "zh"),
        ("label", "76x130", "en"),
        ("pack", "A5", "zh"),
        ("pack", "A4", "en"),
    )
}
"""Name, size and language of the pages whose looks are kept."""


def slip(number: str = "R20261130000001", *lines: PaperLine, **given: Any) -> SlipData:
    """Return a slip of one cup, or of these lines."""
    return SlipData(number=number, made_on=date(2026, 11, 30), lines=lines or (line(),), **given)


def line(**given: Any) -> PaperLine:
    """Return a line of one cup."""
    return PaperLine(**({"sku": "CUP-RED", "title": "手工陶瓷茶杯", "qty": 1} | given))


@dataclass(frozen=True, slots=True)
class Picture:
    """A page in grey, row by row."""

    width: int
    height: int
    grey: bytes

    def far_from(self, other: "Picture", by: int = 64) -> float:
        """Return the share of dots that differ by so many of 256 greys; 1 where the sizes do."""
        if (self.width, self.height) != (other.width, other.height):
            return 1.0
        return sum(abs(a - b) > by for a, b in zip(self.grey, other.grey, strict=True)) / len(self.grey)

    def codes(self) -> set[str]:
        """Return what a scanner reads on the page."""
        seen = memoryview(self.grey).cast("B", (self.height, self.width))
        return {code.text for code in zxingcpp.read_barcodes(seen)}

    def png(self) -> bytes:
        """Return the page as PNG."""
        rows = b"".join(b"\0" + self.grey[at : at + self.width] for at in range(0, len(self.grey), self.width))
        head = struct.pack(">IIBBBBB", self.width, self.height, 8, 0, 0, 0, 0)
        chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b""))
        return _SIGNATURE + b"".join(
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
            for kind, body in chunks
        )

    @classmethod
    def of_png(cls, png: bytes) -> "Picture":
        """Return a page out of a PNG that `png` has made."""
        width, height = struct.unpack(">II", png[16:24])
        at = png.index(b"IDAT")
        rows = zlib.decompress(png[at + 4 : at + 4 + struct.unpack(">I", png[at - 4 : at])[0]])
        grey = b"".join(rows[row * (width + 1) + 1 : (row + 1) * (width + 1)] for row in range(height))
        return cls(width, height, grey)


_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def pictures(pdf: bytes, dpi: int = PRINTER_DPI) -> Iterator[Picture]:
    """Yield the pages of a PDF as a printer of so many dots an inch prints them."""
    with pypdfium2.PdfDocument(pdf) as document:
        for page in document:
            bitmap = page.render(scale=dpi / 72, grayscale=True)
            grey = bytes(bitmap.buffer)
            rows = (grey[at : at + bitmap.width] for at in range(0, len(grey), bitmap.stride))
            yield Picture(bitmap.width, bitmap.height, b"".join(rows))


def texts(pdf: bytes) -> list[str]:
    """Return the text on each page of a PDF, without blanks, line ends and places to break."""
    with pypdfium2.PdfDocument(pdf) as document:
        return [bare(page.get_textpage().get_text_range()) for page in document]


def bare(text: str) -> str:
    """Return a text without blanks and places to break."""
    return "".join(text.replace("\u200b", "").replace("\ufffe", "").split())


def pdf_saying(*pages: str, width_mm: int = 100, height_mm: int = 150) -> bytes:
    """Return a PDF that is none of ours, of a page for each text."""
    sheet = f'#set page(width: {width_mm}mm, height: {height_mm}mm)\n#set text(font: "Libertinus Serif")\n'
    made = typst.compile((sheet + "\n#pagebreak()\n".join(pages)).encode(), format="pdf", timestamp=0)
    assert isinstance(made, bytes)
    return made


def sizes_mm(pdf: bytes) -> set[tuple[float, float]]:
    """Return the sizes of the pages of a PDF in millimetres, by their media boxes."""
    with pypdfium2.PdfDocument(pdf) as document:
        boxes = [page.get_mediabox() for page in document]
    return {(round((box[2] - box[0]) * 25.4 / 72, 2), round((box[3] - box[1]) * 25.4 / 72, 2)) for box in boxes}


def newest_child() -> int:
    """Return the process that this one has started last."""
    tasks = Path("/proc/self/task").glob("*/children")
    children = [int(pid) for task in tasks for pid in task.read_text(encoding="ascii").split()]
    return max(children, key=lambda pid: (_started_at(pid), pid))


def _started_at(pid: int) -> int:
    """Return when a process was started, in ticks since the machine was: numbers of processes begin anew."""
    return int(Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[19])


def golden(papers: Papers, name: PaperName, size: SizeName, lang: Any) -> bytes:
    """Return the PDF of a sample of a paper with all that may stand on it."""
    words = {"head": "茶舍旗舰店 · 正品保证", "foot": "退换货请联系客服，谢谢惠顾"}
    prices = name == "pack"
    style = replace(STYLES[name], size=size, lang=lang, spec=True, prices=prices, **words)
    made: bytes = getattr(papers, name)(SAMPLES[name][0], style=style)
    return made


def shown(papers: Papers, paper: PaperName) -> Picture:
    """Return what the documentation shows of a paper."""
    return next(pictures(golden(papers, paper, "100x180", "zh"), SHOWN_DPI))


def main() -> int:
    """Write the golden pages and the pictures of the documentation."""
    GOLDEN.mkdir(exist_ok=True)
    with Papers((FONT,), limit_s=PATIENT_S) as papers:
        for file, (name, size, lang) in GOLDEN_PAGES.items():
            page = next(pictures(golden(papers, name, size, lang), GOLDEN_DPI))
            (GOLDEN / f"{file}.png").write_bytes(page.png())
        for paper in SHOWN_PAPERS:
            (ROOT / "docs" / f"{paper}.png").write_bytes(shown(papers, paper).png())
    return 0


if __name__ == "__main__":
    sys.exit(main())
