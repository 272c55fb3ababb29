"""Papers of releases and waves, printed by a button: the answer is the PDF.

Why it is made once: every paper is on record as a copy, and a form that is sent again must not make another.
"""

from base64 import b64encode
from collections.abc import Callable, Sequence
from functools import partial

from starlette.exceptions import HTTPException
from starlette.responses import Response

from erpsync.flows.context import Context
from erpsync.flows.desk.printing import Printed, print_papers
from erpsync.papers.errors import FontError, PaperError, PapersNotInstalledError
from erpsync.papers.style import PaperName
from erpsync.web.access.door import Guarded
from erpsync.web.access.visit import Visit
from erpsync.web.acts import Said
from erpsync.web.console.desk.words import WORDS
from erpsync.web.console.kit import Kit
from erpsync.web.console.orders.deeds import short_reason
from erpsync.web.probe import Probe

KEPT_S = 60
WAIT_S = 1

PAPERS: tuple[PaperName, ...] = ("pick", "slip", "label", "pack")


class Printing:
    """What prints."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit

    def routes(self) -> list[Guarded]:
        """Return its addresses."""
        act = self._kit.door.act
        return [
            act("/waves/print", self.print_wave, role="pack"),
            act("/releases/print", self.print_release, role="pack"),
        ]

    def print_wave(self, visit: Visit) -> Response:
        """Print a paper of all releases of a wave, in one file."""
        return self._print(visit, PAPERS)

    def print_release(self, visit: Visit) -> Response:
        """Print a paper of one release."""
        return self._print(visit, PAPERS[1:])

    def _print(self, visit: Visit, papers: Sequence[PaperName]) -> Response:
        number, asked = visit.form.text("number"), visit.form.text("paper")
        paper = next((paper for paper in papers if paper == asked), None)
        if paper is None:
            raise HTTPException(400, "this form is not one of our pages: load the page anew, and send it again")
        return self._kit.acts.show_once(
            visit,
            partial(self._printed, visit, paper, number, short_reason(visit)),
            said=Said(text=f"{number} was printed; if its page did not open, print a copy"),
            show=partial(self._handed_out, visit),
        )

    def _printed(self, visit: Visit, paper: PaperName, number: str, reason: str, ctx: Context) -> Printed:
        """Print what was not printed yet, or where a reason is given all of it, as a copy."""
        press = self._kit.site.papers.press()
        return print_papers(
            ctx,
            press.papers,
            press.settings,
            paper,
            number,
            copy=bool(reason),
            reason=reason,
            actor=visit.actor,
            reading=self._kit.site.ctx(),
        )

    def _handed_out(self, visit: Visit, printed: Printed) -> Response:
        """Answer the file; where something is not in it, a page that says why and has the file."""
        name = f"{printed.paper}-{printed.number}.pdf"
        if not printed.left_out:
            headers = {"Content-Disposition": f'inline;filename="{name}"', "Cache-Control": "no-store"}
            return Response(printed.pdf, media_type="application/pdf", headers=headers)
        page = {
            "printed": printed,
            "name": name,
            "file": b64encode(printed.pdf).decode("ascii"),
        }
        return self._kit.pages.answer("desk/printed.html", page | WORDS, visit)


def why_nothing_prints(kit: Kit) -> Callable[[], str]:
    """Return what says why nothing can be printed here and what is to be installed; empty where papers can be made.

    Why a page does not wait for it: what sets pages takes seconds to start on a busy machine. What is wrong is there
    the next time.
    """

    def look() -> str:
        try:
            kit.site.papers.press().papers.look()
        except (FontError, PapersNotInstalledError) as error:
            return str(error)
        return ""

    looked = Probe(look, silent="", keep_s=KEPT_S, answer_s=WAIT_S)

    def answer() -> str:
        try:
            return looked.answer()
        except PaperError:  # it did not start, on a machine that is too busy: nothing is to be installed
            return ""

    return answer
