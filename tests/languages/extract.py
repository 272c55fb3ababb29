"""Finds what people read in our code: an extraction method for Babel.

How to write a text that can be translated: as everywhere else here, an English sentence in one string or f-string. It
is found where it stands, by these rules, and nothing has to be wrapped or registered:

- Rooms: every module of `erpsync` and `connectors` but those in `NOT_SHOWN`, whose texts are for programs, logs and
  developers.
- Prose: a string or f-string with two words in it, at least one in lower case. No docstring, no SQL, nothing that is
  compared, looked up, logged or compiled as a pattern (`NO_TEXT` names the calls).
- Single words: the head of a `Column` (context `column`), any `help=`, what is assigned to a name of `OWN_WORDS`, what
  stands in a table whose name ends in `WORDS`, and the codes of `erpsync.languages.codes` (context `code`).
- A value in an f-string becomes a place with the last name of its expression: `f"order {order.number} is held"` is
  `order {number} is held`; a second one of the same name is `{number_2}`. A choice between texts makes one message for
  each: `f"{n} order{'s' if n > 1 else ''}"` is `{n} orders` and `{n} order`. Texts that are put into others, such as
  `f"; there are {known}"`, are messages of their own.
- In the modules of `FORMATS` braces are places already, because the texts are filled by `str.format`.

So say a thing in one sentence, not in pieces that are glued by position; give values names that tell a translator what
they are; and do not put two values side by side with nothing between them, unless the second is such a text.
"""

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import product
from typing import IO, Any

from erpsync.languages.templates import escaped, places
from erpsync.languages.vocabulary import OWN_WORDS

NOT_SHOWN = (
    "connectors/*/demo.py",
    "connectors/*/sandbox*",
    "erpsync/cli/examples.py",
    "erpsync/cli/starter/*",
    "erpsync/core/personal.py",
    "erpsync/papers/helper.py",
    "erpsync/runtime/[!lr]*",
    "erpsync/runtime/logging.py",
    "erpsync/sdk/sandbox/*",
    "erpsync/sdk/testing/*",
    "erpsync/settings/*schema.py",
    "erpsync/store/db/bulk.py",
    "erpsync/store/feed.py",
    "erpsync/store/guard.py",
    "erpsync/store/tables/*",
    "erpsync/web/api/*",
    "erpsync/web/hooks.py",
    "erpsync/web/meters.py",
    "erpsync/web/metrics.py",
)
"""Rooms whose texts nobody reads in a language: sandboxes, the API and webhooks' answers (English), metrics, tables,
what Typst is told."""

FORMATS = (
    "core/advice.py",
    "core/order_holds.py",
    "flows/own_orders/wrong.py",
    "settings/checks.py",
    "settings/diagnose.py",
)
NO_TEXT = frozenset(
    {
        "CheckConstraint",
        "ContextVar",
        "Depends",
        "Markup",
        "Field",
        "Index",
        "Path",
        "Query",
        "compile",
        "getattr",
        "text",
    }
)
LOGS = frozenset({"log", "logger"})
ALONE = "shown for itself"
"""Marks a message that is shown alone, and so must be translated even if it is a code, too."""

MOST_CHOICES = 8
"""So many messages one f-string may make; a choice too many becomes a place, and what it chooses from messages."""

_PROSE = re.compile(r"[^\W\d_]{2,}[’'\w]*[,:;.?]?[ ](?:[a-z`(\"']|\{)|\}[,;:]? [a-z]{2,}|[a-z]{2,} \(|\w: [a-z]{3,}")
_SQL = re.compile(
    r"\s*(SELECT|INSERT|UPDATE|DELETE|CREATE|PRAGMA|ON CONFLICT|LISTEN|DETAIL|\(SELECT|\.TH|\.S[HS]|\.PP)\b"
)

Parts = tuple[str, ...]  # texts and places in turn: the first, third … are texts
Message = tuple[int, str, str | tuple[str, str], list[str]]


def extract(
    fileobj: IO[bytes], keywords: object, comment_tags: object, options: Mapping[str, Any]
) -> Iterator[Message]:
    """Yield the messages of a module as Babel wants them: line, function, message (with its context), comments."""
    del keywords, comment_tags
    finder = Finder(formats=options.get("formats") == "yes")
    finder.visit(ast.parse(fileobj.read()))
    yield from finder.found


class Finder(ast.NodeVisitor):
    """Collects messages.

    Args:
        formats: whether braces in plain strings are places.
    """

    def __init__(self, *, formats: bool = False) -> None:
        self.found: list[Message] = []
        self._formats = formats

    def _add(self, node: ast.AST, text: str, context: str = "", *, alone: bool = False) -> None:
        line = getattr(node, "lineno", 0)
        if context:
            self.found.append((line, "pgettext", (context, text), []))
        else:
            self.found.append((line, "gettext", text, [ALONE] * alone))

    def _take(self, node: ast.expr, *, words: bool = False, alone: bool = False) -> None:
        """Take what an expression may be as messages, and what stands inside its places."""
        for parts in choices(node, formats=self._formats):
            text = message(parts)
            if _SQL.match(text) or "\0" in text:
                continue
            letters = "".join(places(text)[::2])
            if (words and re.search("[A-Za-z]{2}", letters)) or (
                _PROSE.search(text) and re.search("[a-z]{2}", letters)
            ):
                self._add(node, text, alone=alone)

    def _body(self, node: Any) -> None:
        """Visit a body without its docstring."""
        first = node.body[0] if node.body else None
        has = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
        for each in (*getattr(node, "decorator_list", ()), *node.body[has:]):
            self.visit(each)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for default in (*node.args.defaults, *filter(None, node.args.kw_defaults)):
                self.visit(default)

    def visit(self, node: ast.AST) -> None:
        """Visit a node; of what has a docstring, all but that."""
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            self._body(node)
        else:
            super().visit(node)

    def visit_Expr(self, node: ast.Expr) -> None:
        if not isinstance(node.value, ast.Constant):
            self.visit(node.value)

    def visit_Compare(self, node: ast.Compare) -> None:
        for each in (node.left, *node.comparators):
            if not isinstance(each, ast.Constant):
                self.visit(each)

    def visit_Subscript(self, node: ast.Subscript) -> None:
        self.visit(node.value)

    def visit_Dict(self, node: ast.Dict) -> None:
        for value in node.values:
            self.visit(value)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self._assigned([node.target], node.value)

    def visit_Assign(self, node: ast.Assign) -> None:
        self._assigned(node.targets, node.value)

    def _assigned(self, targets: Iterable[ast.expr], value: ast.expr) -> None:
        names = {each.id.lower().lstrip("_") for each in targets if isinstance(each, ast.Name)}
        if names & OWN_WORDS and is_text(value):
            self._take(value, words=True)
            self._inside(value)
        elif any(name.endswith("_words") for name in names):
            self._words(value)
        else:
            self.visit(value)

    def _words(self, table: ast.expr) -> None:
        """Take every text of a table of words: its values, and those of tuples in it."""
        for each in getattr(table, "values", None) or getattr(table, "elts", ()):
            if is_text(each):
                self._take(each, words=True)
            else:
                self._words(each)

    def visit_Call(self, node: ast.Call) -> None:
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        owner = getattr(getattr(node.func, "value", None), "id", "")
        if name in NO_TEXT or owner in LOGS:
            return
        self.visit(node.func)
        arguments = list(node.args)
        if name == "Column" and len(arguments) > 1 and isinstance(arguments[1], ast.Constant):
            self._add(node, escaped(str(arguments[1].value)), "column")
            arguments = arguments[2:]
        elif name == "Command":
            self._take(arguments[1], words=True, alone=True)
            arguments = arguments[3:]
        elif name == "heading":
            self._take(arguments[0], words=True, alone=True)
            arguments = arguments[1:]
        for each in arguments:
            self.visit(each)
        for keyword in node.keywords:
            if keyword.arg in ("help", "empty", "title") and is_text(keyword.value):
                self._take(keyword.value, words=keyword.arg == "help", alone=True)
            else:
                self.visit(keyword.value)

    def visit_IfExp(self, node: ast.IfExp) -> None:
        self.visit(node.test)
        for each in (node.body, node.orelse):
            self.visit(each)

    def visit_BinOp(self, node: ast.BinOp) -> None:
        if isinstance(node.op, ast.Add) and is_text(node):
            self._take(node)
            self._inside(node)
        else:
            self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, str):
            self._take(node)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        self._take(node)
        self._inside(node)

    def _inside(self, node: ast.expr) -> None:
        """Visit what stands in places: a choice, or the arguments of a call, may be texts too."""
        if isinstance(node, ast.BinOp):
            self._inside(node.left)
            self._inside(node.right)
        elif isinstance(node, ast.JoinedStr):
            for each in node.values:
                if isinstance(each, ast.FormattedValue):
                    self.visit(each.value)
        elif isinstance(node, ast.IfExp):
            self.visit(node)


def is_text(node: ast.expr) -> bool:
    """Whether an expression is made of texts written here: a string, a choice or a sum of them."""
    match node:
        case ast.Constant(value=str()) | ast.JoinedStr():
            return True
        case ast.IfExp(body=body, orelse=orelse):
            return is_text(body) or is_text(orelse)
        case ast.BoolOp(op=ast.Or(), values=values):
            return any(map(is_text, values))
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return is_text(left) or is_text(right)
    return False


def choices(node: ast.expr, *, formats: bool = False) -> list[Parts]:
    """Return every text that an expression may become, as texts and places in turn."""
    match node:
        case ast.Constant(value=str() as text):
            return [places(text) if formats else (text,)]
        case ast.JoinedStr(values=values):
            return joined([choices(each, formats=formats) for each in values])
        case ast.FormattedValue(value=value, conversion=-1) if is_text(value):
            return choices(value, formats=formats)
        case ast.FormattedValue(value=value):
            return [("", name_of(value), "")]
        case ast.IfExp(body=body, orelse=orelse) if is_text(node):
            return [*choices(body, formats=formats), *choices(orelse, formats=formats)]
        case ast.BoolOp(op=ast.Or(), values=values) if is_text(node):
            return [parts for each in values for parts in choices(each, formats=formats)]
        case ast.BinOp(left=left, op=ast.Add(), right=right) if is_text(node):
            return joined([choices(left, formats=formats), choices(right, formats=formats)])
    return [("", name_of(node), "")]


def joined(each: list[list[Parts]]) -> list[Parts]:
    """Return all ways to put pieces behind one another; with too many, choices become places from the last on."""
    count = 1
    for found in each:
        count *= len(found)
    while count > MOST_CHOICES:
        at = max(at for at, found in enumerate(each) if len(found) > 1)
        count //= len(each[at])
        each[at] = [("", "choice", "")]
    return [glued(way) for way in product(*each)]


def glued(way: Iterable[Parts]) -> Parts:
    """Return pieces as one: the end of each text is the beginning of the next."""
    found = [""]
    for first, *rest in way:
        found[-1] += first
        found += rest
    return tuple(found)


def message(parts: Parts) -> str:
    """Return the message of a text: its braces doubled, its places by name, equal names numbered."""
    seen: dict[str, int] = {}
    said = []
    for at, part in enumerate(parts):
        if at % 2:
            seen[part] = seen.get(part, 0) + 1
            said.append(f"{{{part}}}" if seen[part] == 1 else f"{{{part}_{seen[part]}}}")
        else:
            said.append(escaped(part))
    return "".join(said)


CONVERTERS = frozenset(
    {
        "abs",
        "astimezone",
        "clean",
        "first_line",
        "format",
        "int",
        "isoformat",
        "iso",
        "join",
        "len",
        "list",
        "local",
        "lower",
    }
    | {
        "lower",
        "max",
        "min",
        "one_of",
        "repr",
        "replace",
        "round",
        "said",
        "shown",
        "sorted",
        "spell",
        "stamp",
        "str",
        "sum",
    }
)
"""Functions that only change how a value looks; the name of a place is not theirs."""


def name_of(node: ast.expr) -> str:
    """Return the last name in an expression: of `len(order.lines)` it is `lines`, of `row["at"]` it is `at`.

    What a function makes has the function's name.
    """
    if isinstance(node, ast.Call):
        made_by = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if made_by and made_by not in CONVERTERS and not made_by[0].isupper():
            return made_by.strip("_") or "value"
    found = [(0, 0, "value")]
    for each in ast.walk(node):
        end = (getattr(each, "end_lineno", 0) or 0, getattr(each, "end_col_offset", 0) or 0)
        match each:
            case ast.Attribute(attr=name) | ast.Name(id=name):
                found.append((*end, name))
            case ast.Subscript(slice=ast.Constant(value=str() as name)) if name.isidentifier():
                found.append((*end, name))
    return max(found)[2].strip("_") or "value"
