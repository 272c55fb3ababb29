"""Acting on many things one after the other, each in its own transaction, and saying what came of each.

Why there is an end to it: whoever clicks waits for the answer, and a shop that is slow may take seconds for each. What
was not reached is left as it was, and the page says how many there are.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from erpsync.flows.context import Context
from erpsync.flows.errors import Refused
from erpsync.store.views import NotFound
from erpsync.web.access.forms import Form
from erpsync.web.acts import Said

MOST_AT_ONCE = 200
MOST_S = 40.0
"""Shorter than a claim is held, so that nobody else takes the act over while it goes on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How many were done, (what, why) of those that were refused, and how many were not reached."""

    done: int
    refused: tuple[tuple[str, str], ...]
    left: int

    def said(self, text: str) -> Said:
        """Return it with what the page says of those that were done."""
        more = ("", f"{self.left} were not reached: {MOST_AT_ONCE} are acted on at once; send it again for the others.")
        return Said(text=text if self.done else "", refused=(*self.refused, more) if self.left else self.refused)


def one_by_one(ctx: Context, ids: Iterable[int], act: Callable[[int], object]) -> Outcome:
    """Act on one thing after the other; one that is refused stops no other.

    At most `MOST_AT_ONCE` are acted on, and none is begun after `MOST_S` seconds.
    """
    wanted = list(dict.fromkeys(ids))
    until_s = ctx.store.clock.monotonic() + MOST_S
    done = 0
    refused: list[tuple[str, str]] = []
    for number, id in enumerate(wanted):
        if number >= MOST_AT_ONCE or (number and ctx.store.clock.monotonic() >= until_s):
            return Outcome(done=done, refused=tuple(refused), left=len(wanted) - number)
        try:
            act(id)
            done += 1
        except (Refused, NotFound) as error:
            refused.append((f"#{id}", str(error)))
    return Outcome(done=done, refused=tuple(refused), left=0)


def ids_in(form: Form, name: str) -> list[int]:
    """Return the row ids that were chosen under a name, in the order of the page; raises `Refused` for what is none."""
    texts = form.all(name)
    if any(not (text.isascii() and text.isdecimal() and len(text) <= 18) for text in texts):
        raise Refused(f"what was chosen under {name} is no id of ours")
    return [int(text) for text in texts]
