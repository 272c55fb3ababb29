"""Words for people who mistyped something."""

from collections.abc import Iterable
from difflib import get_close_matches


def did_you_mean(word: str, known: Iterable[str], cutoff: float = 0.6) -> str:
    """Return `; did you mean 'x'?`, or nothing when no known word is near. Case counts little.

    Args:
        cutoff: how alike they have to be, from 0 to 1. Of two characters 0.5 is one.
    """
    by_lower = {name.lower(): name for name in known}
    near = get_close_matches(word.lower(), by_lower, n=1, cutoff=cutoff)
    return f"; did you mean '{by_lower[near[0]]}'?" if near else ""


def one_of(names: Iterable[str]) -> str:
    """Return the names as a list for people, or `none`."""
    return ", ".join(sorted(names)) or "none"
