"""Acts of people at the console: a form is carried out once, and the page it leads back to says what came of it.

    def hold(self, visit: Visit) -> Response:                       # behind `door.act("/orders/hold", ...)`
        return self.acts.carry_out(visit, partial(self._hold, visit))   # back to the page that the form stood on

Why what came of it is kept and looked up, not put into an address or a cookie: a form that is sent twice gets the
first answer, on whichever node it arrives, and nobody can be led to a page that says what never happened.
"""

import hashlib
import hmac
import json
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from erpsync.flows.api.idempotency import (
    MAX_KEY_CHARS,
    Answer,
    Asker,
    BusyError,
    Call,
    ClaimLostError,
    audit,
    carry_out,
    kept_answer,
)
from erpsync.flows.context import Context
from erpsync.flows.errors import Refused
from erpsync.store.db.store import Store
from erpsync.store.views import NotFound
from erpsync.web.access.forms import Form
from erpsync.web.access.origins import page_before, path_of
from erpsync.web.access.visit import Visit
from erpsync.web.site import Site

Shown = TypeVar("Shown")

SAID = "said"
"""The parameter of an address that names the act of which a page tells."""

MOST_ONCE_CHARS = 64
_OWN = ("csrf", "once")
_UNKNOWN = "This is being carried out. Load the page again to see what came of it."
_AGAIN = "It was carried out before; what came of it is not known any more."


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What came of an act, in English sentences: `text`, and (what, why) of all that was refused."""

    text: str = ""
    refused: tuple[tuple[str, str], ...] = ()

    @property
    def ok(self) -> bool:
        """Whether all of it was done."""
        return not self.refused


def each(things: Iterable[str], act: Callable[[str], object]) -> tuple[list[str], tuple[tuple[str, str], ...]]:
    """Act on one thing after the other; return those it was done for, and (what, why) of the others."""
    done, refused = [], []
    for thing in dict.fromkeys(things):
        try:
            act(thing)
            done.append(thing)
        except (Refused, NotFound) as error:
            refused.append((thing, str(error)))
    return done, tuple(refused)


class Acts:
    """Carries out what people do at the console."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def carry_out(
        self,
        visit: Visit,
        act: Callable[[Context], Said],
        *,
        to: str | None = None,
        again: bool = False,
    ) -> Response:
        """Act once, and answer by leading to a page that says what came of it.

        Args:
            act: the use case; `Refused` is said on the page.
            to: the path of that page; the one that the form stood on where none is given.
            again: the use case takes several commits, or acts on many things, and may be done again from the start
                after a process died in the middle of it.
        """
        call = _call(visit)
        # When somebody else carries it out, what came of it will be kept by the time that the page is loaded again.
        with suppress(BusyError, ClaimLostError):
            carry_out(
                self._site.ctx(),
                call,
                act=act,
                show=lambda ctx, said: _kept(said or Said(text=_AGAIN)),
                refuse=lambda error: _kept(Said(refused=(("", str(error)),)), 409),
                again=again,
            )
        return RedirectResponse(_with_said(to or page_before(visit.request), call.key), 303)

    def show_once(
        self, visit: Visit, act: Callable[[Context], Shown], *, said: Said, show: Callable[[Shown], Response]
    ) -> Response:
        """Act once, and answer with what may be seen only now: `show` is given what `act` returned.

        Why an answer of its own: what `carry_out` says is kept, and a secret must not be. What is kept is `said`, which
        whoever sends the form again is led to.
        """
        call, made = _call(visit), list[Shown]()
        with suppress(BusyError, ClaimLostError):
            carry_out(
                self._site.ctx(),
                call,
                act=lambda ctx: made.append(act(ctx)),
                show=lambda ctx, done: _kept(said),
                refuse=lambda error: _kept(Said(refused=(("", str(error)),)), 409),
            )
            if made:
                return show(made[0])
        return RedirectResponse(_with_said(page_before(visit.request), call.key), 303)


def on_record(ctx: Context, visit: Visit) -> Context:
    """Return the context, whose first commit also says who acts and from where: for a form that is once by itself."""
    return replace(ctx, store=ctx.store.stamped(partial(audit, call=_call(visit))))


def said_to(store: Store, visit: Visit) -> Said | None:
    """Return what came of the act that led to this page, None where none did."""
    key = visit.request.query_params.get(SAID, "")
    if not key or len(key) > MAX_KEY_CHARS:
        return None
    with store.read() as connection:
        answer = kept_answer(connection, asker_of(visit), key)
    if answer is None:
        return Said(text=_UNKNOWN)
    kept = json.loads(answer.body)
    return Said(text=kept["text"], refused=tuple((what, why) for what, why in kept["refused"]))


def itself(visit: Visit) -> str:
    """Return the address of the page that a visitor asked for, without what only this time is said on it."""
    return _with_said(path_of(visit.request), None)


def asker_of(visit: Visit) -> Asker:
    """Return who acts."""
    return Asker(kind="user", id=visit.visitor.user_id, actor=visit.actor, address=visit.caller.address)


def _call(visit: Visit) -> Call:
    """Return the act as it is kept; raises `HTTPException` for a form that is none of our pages."""
    once = visit.form.text("once")
    if not once or len(once) > MOST_ONCE_CHARS:
        raise HTTPException(400, "this form is not one of our pages: load the page anew, and send it again")
    body = _what_was_asked(visit.form)
    key = f"{once}.{hashlib.sha256(body).hexdigest()[:16]}"
    return Call(asker=asker_of(visit), key=key, method="POST", path=visit.request.url.path, body=body)


def _what_was_asked(form: Form) -> bytes:
    """Return what tells a form from others.

    Why sealed with the session's token, which is stored nowhere: a digest of it is kept, and a form may hold a
    password, which could be guessed from a plain one.
    """
    asked = {name: values for name, values in sorted(form.values.items()) if name not in _OWN}
    text = json.dumps(asked, ensure_ascii=False).encode("utf-8", "surrogatepass")
    return hmac.new(form.text("csrf").encode(), text, hashlib.sha256).digest()


def _kept(said: Said, status: int = 200) -> Answer:
    body = json.dumps({"text": said.text, "refused": said.refused}, ensure_ascii=False)
    return Answer(status=status, body=body.encode("utf-8", "surrogatepass"))


def _with_said(path: str, key: str | None) -> str:
    told = urlsplit(path)
    others = [(name, value) for name, value in parse_qsl(told.query, keep_blank_values=True) if name != SAID]
    return told._replace(query=urlencode(others if key is None else [*others, (SAID, key)])).geturl()
