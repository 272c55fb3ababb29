"""The keys by which is read how a line of an order is to be made: engravings, sizes, whatever the buyer may choose.

Why no regular expressions: notes are written by anybody, and a pattern that backtracks would stop the intake.
"""

from collections.abc import Mapping
from typing import Annotated, Literal
from unicodedata import normalize

from pydantic import AfterValidator, Field, model_validator

from erpsync.core.specs import Allow, Parameter, SourceKind, SpecSource, Texts, read
from erpsync.settings.hints import did_you_mean
from erpsync.settings.keys import Keys


def _said(text: str) -> str:
    if not text.strip():
        raise ValueError("is empty")
    return text


_Word = Annotated[str, Field(max_length=100), AfterValidator(_said)]
_Words = Annotated[list[_Word], Field(min_length=1, max_length=50)]
_NOTES: Mapping[str, SourceKind] = {"buyer_note": "buyer_note", "seller_note": "seller_note"}
SetName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$")]
ParameterName = Annotated[str, Field(pattern=r"^[^\s=:,]{1,40}$")]


class NoteSource(Keys):
    """Where in a note a parameter stands."""

    after: _Words = Field(description="What stands before the value, any of these.")
    until: Literal["line", "word"] = Field("line", description="Whether the value ends with its line or its word.")


class Source(Keys):
    """One place where a parameter may stand."""

    property: _Word | None = Field(None, description="Name of a property of the line, as the channel tells it.")
    buyer_note: NoteSource | None = Field(None, description="In the buyer's note.")
    seller_note: NoteSource | None = Field(None, description="In the seller's note.")

    @model_validator(mode="after")
    def _one(self) -> "Source":
        if len(self.model_fields_set) != 1 or None in (getattr(self, name) for name in self.model_fields_set):
            raise ValueError("must name one of property, buyer_note, seller_note")
        return self


class Characters(Keys):
    """Which characters a value may hold."""

    letters: bool = Field(False, description="Letters of any script.")
    digits: bool = Field(False, description="Digits of any script.")
    also: str = Field("", max_length=200, description="Others, as they stand here; a space too.")

    @model_validator(mode="after")
    def _some(self) -> "Characters":
        if not (self.letters or self.digits or self.also):
            raise ValueError("allows no character at all")
        return self


class ParameterKeys(Keys):
    """One thing that may be chosen or written, and what it may be."""

    from_: Annotated[list[Source], Field(min_length=1, max_length=20)] = Field(
        alias="from", description="Where it may stand; the first place that names a value counts."
    )
    required: bool = Field(False, description="Whether an order without it is held.")
    max_chars: int | None = Field(None, ge=1, le=1000, description="Characters at most.")
    allow: Characters | None = Field(None, description="Which characters it may hold; without it all that are printed.")
    one_of: Annotated[dict[_Word, list[_Word]], Field(min_length=1)] | None = Field(
        None, description="Its values, and what else people call each."
    )
    default: _Word | None = Field(None, description="Its value where no place names one.")

    @model_validator(mode="after")
    def _agrees(self) -> "ParameterKeys":
        if self.one_of is not None and (self.max_chars is not None or self.allow is not None):
            raise ValueError("max_chars and allow do nothing beside one_of")
        if self.default is None:
            return self
        if self.required:
            raise ValueError("required does nothing beside default")
        if self.one_of is not None and self.default not in self.one_of:
            raise ValueError(f"default '{self.default}' is not among one_of{did_you_mean(self.default, self.one_of)}")
        if read([parameter("it", self)], Texts(), {"it": self.default}).problems:
            raise ValueError("default is none of the values it may have by max_chars and allow")
        return self

    @model_validator(mode="after")
    def _apart(self) -> "ParameterKeys":
        meant: dict[str, str] = {}
        for value, others in (self.one_of or {}).items():
            for word in (value, *others):
                plain = normalize("NFKC", word).strip().casefold()
                if meant.setdefault(plain, value) != value:
                    raise ValueError(f"'{word}' means both '{meant[plain]}' and '{value}' in one_of")
        return self


Rules = Annotated[dict[ParameterName, ParameterKeys], Field(min_length=1)]
SpecSets = dict[SetName, Rules]


def parameter(name: str, keys: ParameterKeys) -> Parameter:
    """Return a parameter as it is read by."""
    return Parameter(
        name=name,
        sources=tuple(map(_source, keys.from_)),
        required=keys.required,
        default=normalize("NFKC", keys.default or "").strip(),
        max_chars=keys.max_chars or 0,
        one_of={value: tuple(others) for value, others in (keys.one_of or {}).items()},
        allow=None if keys.allow is None else Allow(**keys.allow.model_dump()),
    )


def spec_sets(sets: Mapping[str, Mapping[str, ParameterKeys]]) -> dict[str, tuple[Parameter, ...]]:
    """Return, by the name of each set of rules, its parameters."""
    return {name: tuple(parameter(of, keys) for of, keys in rules.items()) for name, rules in sets.items()}


def _source(source: Source) -> SpecSource:
    if source.property is not None:
        return SpecSource(kind="property", name=source.property)
    [name] = source.model_fields_set
    note: NoteSource = getattr(source, name)
    return SpecSource(kind=_NOTES[name], after=tuple(note.after), until=note.until)
