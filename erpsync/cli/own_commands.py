"""The commands about erpsync itself: daemon, configuration, database, backups, keys, manual, tokens, users."""

from erpsync.cli.command import Command, arg
from erpsync.cli.readers import count, positive, rate, share, whole

SHELLS = ("bash", "zsh", "fish")

BEGINNING = (
    Command(
        "init",
        "write a small commented configuration to begin with; never overwrites",
        "init:init",
        (arg("folder", nargs="?", metavar="FOLDER", help="where it goes (default: ./config)"),),
    ),
)

DAEMON = (
    Command(
        "run",
        "run the daemon",
        "run:run",
        (
            arg(
                "--once",
                action="store_true",
                help="poll every channel once, push what is due, then end; exit code 1 when one could not be polled",
            ),
        ),
    ),
    Command(
        "check",
        "lint the configuration",
        "check:check",
        (arg("--online", action="store_true", help="also ask every platform, and look at the database"),),
    ),
    Command(
        "demo",
        "sandbox shops, a drop folder, the daemon and its console in a temporary folder",
        "run:demo",
        (
            arg("--seconds", type=positive(float), metavar="N", help="end by itself after N seconds, with a summary"),
            arg("--seed", type=whole, default=1, metavar="N", help="decides buyers and faults (default 1)"),
        ),
    ),
    Command(
        "sandbox",
        "serve the sandbox platforms, to try a configuration with",
        "sandbox:serve",
        (
            arg("--listen", default="127.0.0.1:8687", metavar="HOST:PORT", help="address (default 127.0.0.1:8687)"),
            arg("--faults", type=share, default=0.0, metavar="SHARE", help="share of calls that go wrong (default 0)"),
            arg("--seed", type=whole, default=0, metavar="N", help="equal seeds give equal faults (default 0)"),
            arg("--orders", type=count, default=0, metavar="N", help="orders that buyers place in each (default 0)"),
            arg("--rate", type=rate, default=1.0, metavar="R", help="orders in a second (default 1)"),
        ),
    ),
    Command(
        "status",
        "how every channel stands; exit code 1 when anything is beyond its limit, or no daemon runs",
        "status:status",
        (arg("--no-daemon", action="store_true", help="no daemon is meant to run: only `run --once` is used here"),),
    ),
)

CONNECTORS = (
    Command(
        "connectors new",
        "write a connector of one's own for another platform, one that works and is tested; never overwrites",
        "connectors:new",
        (
            arg("name", metavar="NAME", help="what `connector:` will say, for example myshop"),
            arg(
                "--in",
                dest="parent",
                default=".",
                metavar="FOLDER",
                help="where its folder erpsync_NAME goes (default: here)",
            ),
        ),
    ),
)

KEEPING = (
    Command("migrate", "bring the database to this version", "keeping:migrate"),
    Command(
        "backup",
        "copy the database into a new file (0600) while the daemon works; keys are named, never copied",
        "backups:backup",
        (arg("file", metavar="FILE", help="the backup; never takes the place of a file"),),
    ),
    Command(
        "restore",
        "restore a backup where there is no database and no daemon runs; what came after it is in doubt then",
        "backups:restore",
        (
            arg("file", metavar="FILE", help="the backup"),
            arg(
                "--verify",
                action="store_true",
                help="restore to a temporary place, check it and remove it; exit code 1 when not all is well",
            ),
        ),
    ),
    Command("schema", "print the JSON Schema of the configuration", "keeping:schema"),
    Command(
        "completion",
        "print a script that completes commands and options in a shell",
        "manual:completion",
        (arg("shell", choices=SHELLS, metavar="SHELL", help="bash, zsh or fish"),),
    ),
    Command("manual", "print the manual page, for `man -l -`", "manual:manual"),
    Command(
        "keys rotate", "encrypt personal data anew with the first key; may be stopped and resumed", "keeping:rotate"
    ),
    Command(
        "prove",
        "certify which stretches of the channels' past were read whole; exit code 1 when one is not sealed",
        "prove:prove",
        (
            arg("--channel", metavar="ID", help="only of this channel"),
            arg("--from", dest="since", metavar="INSTANT", help="from this date or time (default: from the beginning)"),
            arg(
                "--to",
                dest="until",
                metavar="INSTANT",
                help="up to this date or time (default: up to what could be sealed by now)",
            ),
            arg("--windows", action="store_true", help="also every single window with its hash and scans"),
        ),
    ),
)

_TOKEN = arg("name", metavar="NAME", help="the token's name; it stands in events as api:NAME")

TOKENS = (
    Command(
        "token create",
        "make a token for the REST API and print it, this once",
        "tokens:create",
        (
            _TOKEN,
            arg(
                "--scope",
                choices=("read", "pack", "operate", "admin"),
                default="read",
                help="read looks (the default), pack also works at the desk, operate also changes, admin also sees"
                " recipients and subscribes",
            ),
        ),
    ),
    Command("token revoke", "end a token of the REST API", "tokens:revoke", (_TOKEN,)),
    Command("token list", "list the tokens of the REST API", "tokens:list_"),
)

_USER = arg("name", metavar="NAME", help="the user's name; it stands in events as web:NAME")
_ROLE = arg(
    "--role",
    required=True,
    choices=("read", "pack", "operate", "admin"),
    help="read looks, pack also makes waves, prints, scans and stops, operate also changes orders, stock and channels,"
    " admin also sees people, users and settings",
)

USERS = (
    Command(
        "user create",
        "make a user of the console; the password is asked for, or read from standard input",
        "users:create",
        (_USER, _ROLE),
    ),
    Command(
        "user password",
        "give a user another password, asked for or read from standard input; it ends the user's sessions",
        "users:password",
        (_USER,),
    ),
    Command("user role", "give a user another role; it ends the user's sessions", "users:role", (_USER, _ROLE)),
    Command("user disable", "shut a user out of the console, at once", "users:disable", (_USER,)),
    Command(
        "user enable",
        "let a user in again who was disabled, or who has to wait after wrong passwords",
        "users:enable",
        (_USER,),
    ),
    Command("user list", "list the users of the console", "users:list_"),
)
