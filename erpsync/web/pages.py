"""How a page is made: the templates in each language, what each may call, and what all of them are given."""

import secrets
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse, Response

from erpsync import __version__
from erpsync.languages import LANGUAGES, language
from erpsync.store.status.storage import room
from erpsync.web import words
from erpsync.web.access.visit import Visit
from erpsync.web.acts import itself, said_to
from erpsync.web.language import in_language
from erpsync.web.site import Site
from erpsync.web.spoken import spoken

TEMPLATES = Path(__file__).parent / "templates"


class Pages:
    """Makes pages. `version` names the state of the static files."""

    def __init__(self, site: Site, *, version: str) -> None:
        self._site = site
        self._version = version
        self._templates = {code: in_language(self._environment, language(code)) for code in LANGUAGES}

    def answer(self, template: str, page: Mapping[str, Any], visit: Visit | None, status_code: int = 200) -> Response:
        """Return a page for its visitor; without one, a page that tells nothing of what is here."""
        ctx, now, speech = self._site.ctx(), self._site.store.clock.now(), spoken()
        clock = words.Clockface(now, ctx.timezone, speech)
        told = None if visit is None else said_to(self._site.store, visit)
        here = "" if visit is None else itself(visit)
        common = {
            "visit": visit,
            "clock": clock,
            "timezone": ctx.timezone.key,
            "has_desk": bool(ctx.desks),
            "told": told,
            "itself": here,
        }
        made = self._templates[speech.code].get_template(template)
        return HTMLResponse(made.render({**common, **page}), status_code)

    def _environment(self) -> Environment:
        """Return what pages of all languages are made with."""
        environment = Environment(
            loader=FileSystemLoader(TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        environment.filters |= {"room": room, "plain": words.plain}
        environment.globals |= {
            "asset": self._version,
            "new_key": partial(secrets.token_urlsafe, 12),
            "notice": self._site.notice,
            "version": __version__,
            "no_phone": words.NO_PHONE,
            "tones": words.TONES,
        }
        return environment
