"""The language of a page: what its reader chose, else what the browser prefers, else English."""

from collections.abc import Callable, Iterator
from http.cookies import CookieError, SimpleCookie
from typing import Any

from jinja2 import Environment
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from erpsync.languages import ENGLISH, LANGUAGES, Language, language
from erpsync.sdk.money import major
from erpsync.store.status.latencies import said as took
from erpsync.store.status.spans import spell
from erpsync.web import words
from erpsync.web.access.encryption import came_by_tls
from erpsync.web.access.origins import page_before
from erpsync.web.spoken import SPOKEN

COOKIE = "erpsync_lang"
KEPT_S = 365 * 86_400
MOST_ASKED = 20
"""So many preferences of a browser are looked at; the rest of a longer list is noise."""


def chosen(cookie: str, accepted: str) -> Language:
    """Return the language for a request by its headers `Cookie` and `Accept-Language`, either of which may be empty."""
    try:
        kept = SimpleCookie(cookie).get(COOKIE)
    except CookieError:  # a header that cannot be read chooses nothing
        kept = None
    if kept is not None and kept.value in LANGUAGES:
        return language(kept.value)
    return next((language(code) for code in preferred(accepted)), ENGLISH)


def preferred(accepted: str) -> Iterator[str]:
    """Yield the languages we have of those a browser accepts, the most wanted first.

    Source: RFC 9110 section 12.5.4; a weight of 0 means "not this one".
    """
    asked = []
    for at, part in enumerate(accepted.split(",")[:MOST_ASKED]):
        tag, _, weight = part.partition(";")
        code, share = tag.strip().lower().partition("-")[0], weight.strip().removeprefix("q=")
        try:
            wanted = float(share) if share else 1.0
        except ValueError:
            continue
        if code in LANGUAGES and wanted > 0:
            asked.append((-wanted, at, code))
    return (code for _, _, code in sorted(asked))


def wanted_by(scope: Scope) -> Language:
    """Return the language that a request is to be answered in."""
    headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
    return chosen(headers.get(b"cookie", ""), headers.get(b"accept-language", ""))


class InLanguage:
    """Answers every request in its reader's language."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request through the application."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        token = SPOKEN.set(wanted_by(scope))
        try:
            await self._app(scope, receive, send)
        finally:
            SPOKEN.reset(token)


def choose(request: Request) -> Response:
    """Answer by going back to the page that was open, in the language that was chosen; it is kept for a year.

    For whoever has not logged in. A user chooses by a form (`/me/language`), for it changes what is kept of them.
    """
    answer = RedirectResponse(page_before(request), 303)
    keep(request, answer, request.query_params.get("to"))
    return answer


def keep(request: Request, answer: Response, code: str | None) -> None:
    """Have a browser keep a language for a year; one that is not there is not kept."""
    if code in LANGUAGES:
        secure = came_by_tls(request.scope)
        answer.set_cookie(COOKIE, code, max_age=KEPT_S, httponly=True, samesite="lax", secure=secure)


NAMES = {"en": "English", "zh": "简体中文"}


def in_language(make: Callable[[], Environment], speech: Language) -> Environment:
    """Return an environment whose pages say everything in a language.

    Args:
        make: returns a fresh environment with what is the same in all languages.
    """
    environment = make()
    environment.add_extension("jinja2.ext.i18n")
    environment.policies["ext.i18n.trimmed"] = True
    messages: Any = environment  # the extension adds the method
    messages.install_gettext_callables(speech.say, speech.counted, newstyle=True)
    say = speech.say
    environment.filters |= {
        "say": say,
        "word": speech.word,
        "money": lambda minor, currency: "–" if minor is None else speech.money(major(minor, currency), currency),
        "spell": lambda seconds: say(spell(seconds)),
        "took": lambda seconds: say(took(seconds) or ""),
        "phrase": speech.phrase,
        "commands": words.commands,
        "unread": lambda channel: say(words.unread(channel)),
        "halted": words.halted,
    }
    environment.globals |= {
        "speech": speech,
        "languages": NAMES,
        "status_words": {code: said(speech, code, word) for code, word in words.STATUS_WORDS.items()},
        "state_words": {code: said(speech, code, word) for code, word in words.STATE_WORDS.items()},
        "levels": {level: (cue, say(word)) for level, (cue, word) in words.LEVEL_WORDS.items()},
    }
    return environment


def said(speech: Language, code: str, word: str) -> str:
    """Return a code in the console's words: in English they are shorter than the code or say more."""
    return word if speech is ENGLISH else speech.word(code)
