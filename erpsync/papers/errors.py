"""Why a paper is not made; each says who acts next. None ever holds what a paper says, for it may be about a person."""

from collections.abc import Iterable, Sequence


class PaperError(Exception):
    """A paper that is not made, rather than one that is wrong."""


class PapersNotInstalledError(PaperError):
    """The packages that make papers are missing; an administrator installs them."""

    def __init__(self) -> None:
        super().__init__("papers need packages that erpsync[papers] brings: pip install 'erpsync[papers]'")


class FontError(PaperError):
    """No font to print with; an administrator installs one, or names another."""


class BarCodeError(PaperError):
    """A number that no bar code can say; whoever gave it out has to give another."""


class MissingGlyphsError(PaperError):
    """Characters that no font has: boxes in their place would be an address that nobody can read.

    Attributes:
        characters: those that are missing, by their code points.
        numbers: the papers that say one of them; the others can be made without these.
    """

    def __init__(self, characters: Iterable[str], numbers: Sequence[str]) -> None:
        self.characters = tuple(sorted(set(characters)))
        self.numbers = tuple(numbers)
        shown, first = shown_characters(self.characters), self.numbers[0]
        if len(self.numbers) == 1:
            super().__init__(f"no font has {shown}, which the paper {first} says")
        else:
            super().__init__(f"no font has {shown}, which {len(self.numbers)} papers say, {first} first")


def shown_characters(characters: Iterable[str]) -> str:
    """Return characters as people and programs can tell them: `𠮷 (U+20BB7)`."""
    return ", ".join(
        f"{sign} (U+{ord(sign):04X})" if sign.isprintable() else f"U+{ord(sign):04X}" for sign in sorted(characters)
    )


class TemplateError(PaperError):
    """A template that makes no paper; who wrote it mends it.

    Attributes:
        line, column: counted from 1.
    """

    def __init__(self, file: str, line: int, column: int, problem: str) -> None:
        self.file = file
        self.line = line
        self.column = column
        self.problem = problem
        super().__init__(f"{file}:{line}:{column}: {problem}")


class LabelError(PaperError):
    """A courier's label that cannot be printed with others, or not at all; the courier is asked for another.

    Attributes:
        number: on whose label it is about; the others can be printed without it.
    """

    def __init__(self, number: str, problem: str) -> None:
        self.number = number
        super().__init__(problem)


class TooMuchError(PaperError):
    """A paper that takes more time or memory than it may; it is printed in parts, or its template is mended."""
