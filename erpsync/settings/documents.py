"""The keys of papers: their fonts, where files of them go, and how each looks.

Why a model for each paper: prices belong on a packing list alone, and a key that does nothing is an error.
"""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from erpsync.papers.style import MASKS, STYLES, DocumentSettings, Mask, PaperName, PaperStyle, SizeName
from erpsync.settings.keys import Keys

TEMPLATES = "papers"
"""The folder beside erpsync.yaml where a seller's own templates lie."""

_SIZE = "The sheet: width and height in millimetres, or its name."
_MASK = "How much of the recipient is printed: all, a masked name, phone and city, or nothing."
_SPEC = "Whether what was chosen or written for a line, such as an engraving, is printed."


class Texts(Keys):
    """The seller's own words on a paper."""

    head: str = Field("", max_length=200, description="Words above all else, such as the shop's name.")
    foot: str = Field("", max_length=500, description="Words below, such as where to send goods back.")


class _Paper(Keys):
    lang: Literal["en", "zh"] = Field("zh", description="Language of the words that are on the paper already.")
    texts: Texts = Field(default_factory=Texts, description="The seller's own words.")


class Slip(_Paper):
    """发货单, one for each release."""

    size: SizeName = Field(STYLES["slip"].size, description=_SIZE)
    mask: Mask = Field(MASKS["slip"], description=_MASK)
    spec: bool = Field(False, description=_SPEC)


class Pick(_Paper):
    """拣货单, one for each wave."""

    size: SizeName = Field(STYLES["pick"].size, description=_SIZE)


class Label(_Paper):
    """Our own label, where a courier lets us print one."""

    size: SizeName = Field(STYLES["label"].size, description=_SIZE)
    mask: Mask = Field(MASKS["label"], description=_MASK)


class Pack(_Paper):
    """装箱单, for the buyer."""

    size: SizeName = Field(STYLES["pack"].size, description=_SIZE)
    mask: Mask = Field(MASKS["pack"], description=_MASK)
    spec: bool = Field(False, description=_SPEC)
    prices: bool = Field(False, description="Whether amounts are printed.")


class PaperKinds(Keys):
    """How each paper looks."""

    slip: Slip = Field(default_factory=Slip, description="发货单, one for each release.")
    pick: Pick = Field(default_factory=Pick, description="拣货单, one for each wave.")
    label: Label = Field(default_factory=Label, description="Our own label, where a courier lets us print one.")
    pack: Pack = Field(default_factory=Pack, description="装箱单, for the buyer.")


class Documents(Keys):
    """Papers for the warehouse and the buyer; they need `erpsync[papers]`."""

    font: Path | Annotated[list[Path], Field(min_length=1, max_length=8)] | None = Field(
        None, description="Font file, or a list in which a character is looked for in turn; else one that is installed."
    )
    papers: PaperKinds = Field(default_factory=PaperKinds, description="How each paper looks.")


def document_settings(documents: Documents) -> DocumentSettings:
    """Return how papers are made."""
    font, kinds = documents.font, documents.papers
    papers: dict[PaperName, Slip | Pick | Label | Pack] = {
        "slip": kinds.slip,
        "pick": kinds.pick,
        "label": kinds.label,
        "pack": kinds.pack,
    }
    return DocumentSettings(
        fonts=() if font is None else tuple(font) if isinstance(font, list) else (font,),
        styles={name: _style(paper) for name, paper in papers.items()},
        masks={"slip": kinds.slip.mask, "label": kinds.label.mask, "pack": kinds.pack.mask},
    )


def _style(paper: Slip | Pick | Label | Pack) -> PaperStyle:
    return PaperStyle(
        size=paper.size,
        lang=paper.lang,
        head=paper.texts.head,
        foot=paper.texts.foot,
        spec=isinstance(paper, Slip | Pack) and paper.spec,
        prices=isinstance(paper, Pack) and paper.prices,
    )
