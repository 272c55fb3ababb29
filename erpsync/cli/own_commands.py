"""The commands about erpsync itself: first configuration, database and keys, completion, the manual, tokens, users."""

from erpsync.cli.command import Command, arg

SHELLS = ("bash", "zsh", "fish")

BEGINNING = (
    Command(
        "init",
        "write a small commented configuration to begin with; never overwrites",
        "init:init",
        (arg("folder", nargs="?", metavar="FOLDER", help="where it goes (default: ./config)"),),
    ),
)

KEEPING = (
    Command("migrate", "bring the database to this version", "keeping:migrate"),
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
                choices=("read", "operate", "admin"),
                default="read",
                help="read looks (the default), operate also changes, admin also sees recipients and subscribes",
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
    choices=("read", "operate", "admin"),
    help="read looks, operate also changes orders, stock and channels, admin also sees people, users and settings",
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
