"""Reads what a buyer wants on a custom line: named parameters out of its properties and the notes of its order.

Why a closed set of ways and no regular expressions: rules are written by shopkeepers, notes by anybody, and a pattern
that backtracks would stop the intake. Why a problem names no text: what a buyer writes is personal data, and problems
go into logs, pages and messages.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal
from unicodedata import category, normalize

SourceKind = Literal["property", "buyer_note", "seller_note"]
RuleName = Literal["required", "max_chars", "allow", "one_of", "several", "differ"]
SPECIFIED = "specified"


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecSource:
    """Where a parameter may stand.

    Args:
        name: of the property, for that kind.
        after: for notes: what stands before the value, any of these.
        until: for notes: where the value ends, with its line or its word.
    """

    kind: SourceKind
    name: str = ""
    after: tuple[str, ...] = ()
    until: Literal["line", "word"] = "line"

    def said(self) -> str:
        """Return what problems call it."""
        return f"property {self.name}" if self.kind == "property" else self.kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Allow:
    """Characters that a value may have; letters with the marks on them, digits of any script, and others by name."""

    letters: bool = False
    digits: bool = False
    also: str = ""

    def allows(self, char: str) -> bool:
        """Return whether a character may stand in a value, which was normalised before."""
        kind = category(char)
        return (
            (kind[0] in "LM" and self.letters) or (kind == "Nd" and self.digits) or char in normalize("NFKC", self.also)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One parameter of a custom line.

    Args:
        sources: in the order in which they count.
        one_of: by value, what else people call it; empty where any text will do.
        default: taken where no source names a value; empty where there is none.
        max_chars: 0 where there is no limit.
    """

    name: str
    sources: tuple[SpecSource, ...]
    required: bool = False
    default: str = ""
    max_chars: int = 0
    one_of: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    allow: Allow | None = None


@dataclass(frozen=True, slots=True)
class SpecProblem:
    """Why a parameter cannot be read: its name, the rule, and the source, never what was found there."""

    parameter: str
    rule: RuleName
    source: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read of a custom line.

    Args:
        values: by parameter; complete only where there is no problem.
        sources: by parameter, where its value stood: a source, `specified` or `default`.
    """

    values: Mapping[str, str]
    sources: Mapping[str, str]
    problems: tuple[SpecProblem, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Texts:
    """What people wrote: properties of one line as (name, value), and the notes of its order."""

    properties: Sequence[tuple[str, str]] = ()
    buyer_note: str = ""
    seller_note: str = ""


def read(parameters: Iterable[Parameter], texts: Texts, specified: Mapping[str, str] | None = None) -> Reading:
    """Return the parameters of a custom line, or what keeps them from being read.

    The first source that names a value counts. A buyer and a seller who name different ones are a problem, and so are
    two values in one note.

    Args:
        specified: by parameter, what a person of ours said, which wins over everything.
    """
    values: dict[str, str] = {}
    sources: dict[str, str] = {}
    problems: list[SpecProblem] = []
    for parameter in parameters:
        found = _found(parameter, texts, (specified or {}).get(parameter.name))
        if isinstance(found, SpecProblem):
            problems.append(found)
        elif found is not None:
            values[parameter.name], sources[parameter.name] = found
    return Reading(values, sources, tuple(problems))


def canonical(values: Mapping[str, str]) -> str:
    """Return a spec as text that is the same whenever its values are; variants are told apart by its digest."""
    return json.dumps(dict(sorted(values.items())), ensure_ascii=False, separators=(",", ":"))


def _found(parameter: Parameter, texts: Texts, specified: str | None) -> tuple[str, str] | SpecProblem | None:
    """Return (value, source), what is wrong, or nothing where it may be left out."""
    if specified is not None:
        return _checked(parameter, _clean(specified), SPECIFIED)
    named: list[tuple[SpecSource, str]] = []
    for source in parameter.sources:
        candidates = _candidates(source, texts)
        if len({_value(parameter, each) for each in candidates}) > 1:
            return SpecProblem(parameter.name, "several", source.said())
        named += [(source, each) for each in candidates[:1]]
    if not named:
        if parameter.default:
            return parameter.default, "default"
        return SpecProblem(parameter.name, "required", _all(parameter)) if parameter.required else None
    source, text = named[0]
    if other := _contrary(parameter, named):
        return SpecProblem(parameter.name, "differ", f"{source.said()}, {other.said()}")
    return _checked(parameter, text, source.said())


def _contrary(parameter: Parameter, named: Sequence[tuple[SpecSource, str]]) -> SpecSource | None:
    """Return a source of the other side, seller or buyer, that names another value than the first one."""
    first, text = named[0]
    by_seller = first.kind == "seller_note"
    value = _value(parameter, text)
    for source, other in named[1:]:
        if (source.kind == "seller_note") != by_seller and _value(parameter, other) != value:
            return source
    return None


def _all(parameter: Parameter) -> str:
    return ", ".join(source.said() for source in parameter.sources)


def _candidates(source: SpecSource, texts: Texts) -> list[str]:
    """Return the values that a source names, none of them empty."""
    if source.kind == "property":
        name = _clean(source.name)
        found = [_clean(value) for key, value in texts.properties if _clean(key) == name]
    else:
        note = texts.buyer_note if source.kind == "buyer_note" else texts.seller_note
        found = _behind(normalize("NFKC", note), [normalize("NFKC", mark) for mark in source.after], source.until)
    return [each for each in found if each]


def _behind(note: str, marks: Iterable[str], until: str) -> list[str]:
    """Return what stands behind each mark of a note, up to where it ends, or to the next mark in its line."""
    known = list(dict.fromkeys(mark for mark in marks if mark))
    found: list[str] = []
    for line in note.splitlines():
        starts = sorted((at, at + len(mark)) for mark in known for at in _places(line, mark))
        ends = [*(at for at, _ in starts[1:]), len(line)]
        for (_, begin), end in zip(starts, ends, strict=False):  # without a mark there is an end and no start
            text = line[begin : max(begin, end)].strip()
            found.append(text.split(maxsplit=1)[0] if until == "word" and text else text)
    return found


def _places(line: str, mark: str) -> list[int]:
    places = []
    at = line.find(mark)
    while at >= 0:
        places.append(at)
        at = line.find(mark, at + len(mark))
    return places


def _checked(parameter: Parameter, text: str, source: str) -> tuple[str, str] | SpecProblem:
    value = _value(parameter, text)
    if parameter.one_of:
        return (value, source) if value in parameter.one_of else SpecProblem(parameter.name, "one_of", source)
    if parameter.required and not value:
        return SpecProblem(parameter.name, "required", source)
    if parameter.max_chars and len(value) > parameter.max_chars:
        return SpecProblem(parameter.name, "max_chars", source)
    if any(category(char)[0] == "C" or (parameter.allow and not parameter.allow.allows(char)) for char in value):
        return SpecProblem(parameter.name, "allow", source)
    return value, source


def _value(parameter: Parameter, text: str) -> str:
    """Return what a text means for a parameter: the name of a choice where it is one, else the text."""
    for value, others in parameter.one_of.items():
        if text.casefold() in {_clean(each).casefold() for each in (value, *others)}:
            return value
    return text


def _clean(text: str) -> str:
    return normalize("NFKC", text).strip()
