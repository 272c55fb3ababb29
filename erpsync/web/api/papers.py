"""`/releases/{number}/papers` and `/waves/{number}/papers`: printing, as PDF.

Why POST: a print is on record and counts as a copy. Why the kept answer is what was printed and not its pages: they
name people; whoever sends the same key again gets the pages set anew, as long as the same would stand on them.
"""

import json
from itertools import islice
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path
from starlette.responses import Response

from erpsync.flows.context import Context
from erpsync.flows.desk.printing import Printed, last_printed, print_again, print_papers
from erpsync.papers.style import PaperName
from erpsync.web.api import examples
from erpsync.web.api.deps import REPLAYED, Deps, PackDoing, TheDeps
from erpsync.web.api.models import PrintWish
from erpsync.web.api.problems import TYPE

router = APIRouter(tags=["papers"])

Number = Annotated[str, Path(description="the number of the release, or of the wave")]
OfRelease = Annotated[Literal["slip", "label", "pack"], Path(description="the paper")]
OfWave = Annotated[Literal["slip", "pick", "label", "pack"], Path(description="the paper")]
MOST_TOLD = 20
_AS_USUAL = PrintWish()


@router.post("/releases/{number}/papers/{paper}", response_class=Response, responses=examples.pdf(1))
def of_release(
    number: Number, paper: OfRelease, deps: TheDeps, doing: PackDoing, wish: PrintWish = _AS_USUAL
) -> Response:
    """Print a paper of a release. Its order is read again first; what was printed before needs `copy`."""
    return _answer(deps, doing, paper, number, wish)


@router.post("/waves/{number}/papers/{paper}", response_class=Response, responses=examples.pdf(1))
def of_wave(number: Number, paper: OfWave, deps: TheDeps, doing: PackDoing, wish: PrintWish = _AS_USUAL) -> Response:
    """Print a paper of each release of a wave in one file, or its pick list. What may not be printed is left out."""
    return _answer(deps, doing, paper, number, wish)


def _answer(deps: Deps, doing: PackDoing, paper: PaperName, number: str, wish: PrintWish) -> Response:
    press = deps.site.papers.press()
    pages: list[bytes] = []

    def act(ctx: Context) -> Printed:
        printed = print_papers(
            ctx,
            press.papers,
            press.settings,
            paper,
            number,
            copy=wish.another or bool(wish.reason),
            reason=wish.reason,
            actor=doing.actor,
            reading=deps.ctx,
        )
        pages.append(printed.pdf)
        return printed

    def keep(ctx: Context, printed: Printed | None) -> bytes:
        return _kept(printed or last_printed(ctx, paper, number, actor=doing.actor))

    answer, repeated = doing.carried(act, keep)
    if answer.status != 200:
        return Response(answer.body, answer.status, headers=REPLAYED if repeated else None, media_type=TYPE)
    printed = _printed(paper, number, json.loads(answer.body))
    pdf = pages[0] if pages else print_again(deps.ctx, press.papers, press.settings, printed)
    return Response(pdf, 200, headers=_headers(printed) | (REPLAYED if repeated else {}), media_type="application/pdf")


def _kept(printed: Printed) -> bytes:
    kept = {name: getattr(printed, name) for name in ("copies", "releases", "left_out")}
    return json.dumps(kept, ensure_ascii=False, separators=(",", ":"), default=dict).encode()


def _printed(paper: PaperName, number: str, kept: dict[str, Any]) -> Printed:
    return Printed(paper=paper, number=number, pdf=b"", **kept)


def _headers(printed: Printed) -> dict[str, str]:
    left_out = dict(islice(printed.left_out.items(), MOST_TOLD))
    copy = printed.copies.get(printed.number, 1)
    name = f"{printed.paper}-{printed.number}.pdf"
    return {
        "Print-Copy": str(copy),
        "Print-Left-Out": json.dumps(left_out),
        "Content-Disposition": f'inline; filename="{name}"',
        "Cache-Control": "no-store",
    }
