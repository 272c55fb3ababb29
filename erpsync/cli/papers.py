"""`papers slip`, `pick`, `label` and `pack`: PDFs, into a file or to standard output, each print on record."""

from collections.abc import Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from erpsync.cli.app import App
from erpsync.cli.errors import OK, UsageError

if TYPE_CHECKING:
    from erpsync.flows.desk.printing import Printed
    from erpsync.papers.style import PaperName

FOR_ME_ALONE = 0o600


def slip(app: App) -> int:
    """Print packing slips."""
    return print_paper(app, "slip")


def pick(app: App) -> int:
    """Print the pick list of a wave."""
    return print_paper(app, "pick")


def label(app: App) -> int:
    """Print labels."""
    return print_paper(app, "label")


def pack(app: App) -> int:
    """Print packing lists."""
    return print_paper(app, "pack")


def print_paper(app: App, paper: "PaperName") -> int:
    """Print a paper of what `number` names, as `out`, `force`, `copy` and `reason` say.

    What cannot be written is refused before anything is on record.
    """
    with _target(app) as stream:
        printed = print_one(app, paper)
        stream.write(printed.pdf)
    for number, why in printed.left_out.items():
        app.out.refuse(f"{number} is left out: {why}")
    if app.args.out is not None:
        app.out.value(_shown(app, printed), _told(app, printed))
    return OK


def print_one(app: App, paper: "PaperName") -> "Printed":
    """Print a paper of what `number` names, as `copy` and `reason` say, and return it."""
    from erpsync.cli.dead import keys
    from erpsync.cli.replaying import Connectors
    from erpsync.flows.desk.printing import print_papers, shops_to_ask
    from erpsync.papers.papers import Papers

    args, documents = app.args, app.config.documents
    otherwise = f"the daemon can: POST /api/v1/releases/{args.number}/papers/{paper}"
    with (
        app.ctx(keys(app)) as ctx,
        Connectors(app, otherwise=otherwise) as connectors,
        Papers(documents.fonts, app.config.templates) as papers,
    ):
        for shop in shops_to_ask(ctx, paper, args.number):
            ctx = connectors.lend(ctx, shop)  # noqa: PLW2901 - the next one is lent beside it
        again = args.copy or bool(args.reason)
        return print_papers(ctx, papers, documents, paper, args.number, copy=again, reason=args.reason, actor=app.actor)


@contextmanager
def _target(app: App) -> Iterator[BinaryIO]:
    """Yield what takes the PDF. A file of it names people, so only who prints may read it."""
    from erpsync.cli.exporting import appearing

    args, out = app.args, app.out.out
    if args.out is not None:
        with appearing(Path(args.out).resolve(), replace=args.force, mode=FOR_ME_ALONE) as stream:
            yield stream
        return
    if args.json or args.force:
        option = "--json" if args.json else "--force"
        raise UsageError(f"{option} is about a file: it needs --out FILE")
    if not isinstance(out, TextIOWrapper) or out.isatty():
        raise UsageError("a PDF is nothing for a terminal: name a file with --out FILE")
    out.flush()
    yield out.buffer


def _shown(app: App, printed: "Printed") -> dict[str, object]:
    return {
        "file": str(Path(app.args.out).resolve()),
        "paper": printed.paper,
        "number": printed.number,
        "printed": [{"number": number, "copy": copy} for number, copy in printed.copies.items()],
        "left_out": [{"number": number, "reason": why} for number, why in printed.left_out.items()],
    }


def _told(app: App, printed: "Printed") -> str:
    file, releases = Path(app.args.out).resolve(), len(printed.releases)
    if releases == 1:
        return f"1 release is printed: {file}"
    return f"{releases} releases are printed: {file}"
