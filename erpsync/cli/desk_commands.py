"""The commands of the shipping desk: what is to be packed, the waves it is picked in, and what must not leave."""

from erpsync.cli.command import Command, arg
from erpsync.cli.readers import code, count, remark, whole

_RELEASE = arg("release", metavar="NUMBER", help="the release's number")
_WAVE = arg("wave", metavar="NUMBER", help="the wave's number")
_AT = arg("--warehouse", type=code, metavar="W", help="only of this warehouse")
_LIMIT = arg("--limit", type=count, default=100, metavar="N", help="how many at most; 0 is all (default 100)")

DESK = (
    Command(
        "releases list",
        "list what warehouses have to send, newest first",
        "releases:list_",
        (
            _AT,
            arg("--state", metavar="STATE", help="only those in this state, for example told or recalled"),
            arg("--unpicked", action="store_true", help="only those at a desk that are in no wave"),
            arg("--stops", action="store_true", help="only what was printed at a desk and must not leave"),
            _LIMIT,
            arg("--after", metavar="CURSOR", help="go on after this release: the number of the last one listed"),
        ),
    ),
    Command("releases show", "show one release with its goods, shelves and papers", "releases:show", (_RELEASE,)),
    Command(
        "releases make",
        "make releases now of what is ready, and say why the rest stays",
        "releases:make",
    ),
    Command(
        "releases stop",
        "say that a release is out of the pile and will not leave",
        "releases:stop",
        (
            _RELEASE,
            arg("--left", action="store_true", help="it was too late: it has left"),
            arg("--reason", default="", type=remark, metavar="TEXT", help="why, for whoever asks later"),
        ),
    ),
    Command(
        "waves list",
        "list waves, newest first",
        "waves:list_",
        (
            _AT,
            arg("--state", choices=("open", "printed", "done", "dropped"), help="only those in this state"),
            _LIMIT,
            arg("--after", metavar="CURSOR", help="go on after this wave: the number of the last one listed"),
        ),
    ),
    Command("waves show", "show one wave with its releases in the order of picking", "waves:show", (_WAVE,)),
    Command(
        "waves make",
        "put releases of a desk that are in no wave into one, those that are due first",
        "waves:make",
        (
            arg("releases", nargs="*", metavar="RELEASE", help="only these; without any as many as one wave holds"),
            arg("--warehouse", type=code, metavar="W", help="the desk; may be left out where there is one"),
            arg("--most", type=whole, metavar="N", help="how many at most (default: wave_size of the warehouse)"),
        ),
    ),
    Command(
        "waves print",
        "print the pick list and the slips of a wave into a folder",
        "waves:print_",
        (
            arg("number", metavar="NUMBER", help="the wave's number"),
            arg("--out", required=True, metavar="FOLDER", help="where the files go, one for each paper"),
            arg(
                "--papers",
                nargs="+",
                choices=("pick", "slip", "label", "pack"),
                default=("pick", "slip"),
                help="which papers (default: pick and slip)",
            ),
            arg("--force", action="store_true", help="replace files that are there"),
            arg("--copy", action="store_true", help="print again what was printed before; it says which copy it is"),
            arg("--reason", default="", type=remark, metavar="TEXT", help="why a copy is wanted"),
        ),
    ),
    Command("waves done", "end a printed wave; what has not left is picked with another one", "waves:done", (_WAVE,)),
    Command("waves drop", "end a wave that is not printed; its releases are in none any more", "waves:drop", (_WAVE,)),
)
