"""Ways to break a file, one small change each, and a sample of them.

Why some are left out: a dataclass without its decorator or with slots, a type `A | B` with another sign and `==` in
place of `is` beside a member of an enumeration break no decision.
"""

import random
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator, operator_names

from tests.mutants.rooms import Room
from tests.support.sources import ROOT

DULL = ("VariableReplacer", "VariableInserter", "NoOp", "RemoveDecorator", "ExceptionReplacer", "BinaryOperator_BitOr")
SAME = ("Operator_Is_Eq", "Operator_Eq_Is", "Operator_IsNot_NotEq", "Operator_NotEq_IsNot")
OPERATORS = tuple(
    name for name in operator_names() if not name.endswith(SAME) and not any(dull in name for dull in DULL)
)


@dataclass(frozen=True, slots=True, order=True)
class Mutant:
    """One way to break one file: the operator's change at the place of that number."""

    room: str
    file: str
    operator: str
    place: int

    def __str__(self) -> str:
        return f"{self.file} ({self.operator.removeprefix('core/')}, {self.place})"


def broken(whole: str, mutant: Mutant) -> str:
    """Return a file's text as the mutant has it."""
    text = mutate_code(whole, get_operator(mutant.operator)(), mutant.place)
    if text is None:
        raise LookupError(f"no such place: {mutant}")
    return text


def sample(rooms: Sequence[Room], most: int, seed: int) -> list[Mutant]:
    """Return so many mutants of these rooms, drawn by the seed. What is no Python proves nothing and is not drawn."""
    found = sorted(mutant for room in rooms for mutant in mutants_of(room))
    random.Random(seed).shuffle(found)
    return list(islice(filter(is_python, found), most))


def is_python(mutant: Mutant) -> bool:
    """Whether a mutant compiles without a warning: the `*` of `f(*rows)` is no product, and no text `is` another."""
    text = broken((ROOT / mutant.file).read_text(encoding="utf-8"), mutant)
    with warnings.catch_warnings():
        warnings.simplefilter("error", SyntaxWarning)
        try:
            compile(text, mutant.file, "exec")
        except SyntaxError:
            return False
    return True


def mutants_of(room: Room) -> Iterator[Mutant]:
    """Yield every mutant of a room's files that changes what the code does."""
    found = {path for pattern in room.files for path in ROOT.glob(pattern)} - {ROOT / room.but}
    for path in sorted(found):
        nodes = list(ast_nodes(get_ast(path.read_text(encoding="utf-8"))))
        for name in OPERATORS:
            operator = get_operator(name)()
            places = (node for node in nodes for _ in operator.mutation_positions(node))
            for place, node in enumerate(places):
                if not is_signature(node):
                    yield Mutant(room.name, path.relative_to(ROOT).as_posix(), name, place)


def is_signature(node: Any) -> bool:
    """Whether a node of the syntax tree is part of a decorator, a type or of how arguments are named, as `*` is."""
    while node.parent is not None:
        parent = node.parent
        if parent.type == "decorator" or (parent.type in {"parameters", "import_from"} and node.type == "operator"):
            return True
        if parent.type in {"annassign", "tfpdef"} and node is parent.children[1 if parent.type == "annassign" else 2]:
            return True
        if parent.type == "funcdef" and node is parent.annotation:
            return True
        node = parent
    return False
