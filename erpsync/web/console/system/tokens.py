"""Tokens for programs: who may use the REST API, made and revoked here.

Why a token is shown on the answer of the form itself: what is said of other acts is kept, to be read again on the page
they lead to, and a token must lie nowhere. A form that is sent again makes no second one, and shows none.
"""

from functools import partial

from starlette.responses import Response

from erpsync.flows.access.roles import ROLES
from erpsync.flows.access.tokens import create_token, list_tokens, revoke_token
from erpsync.flows.context import Context
from erpsync.web.access.door import Guarded
from erpsync.web.access.visit import Visit
from erpsync.web.acts import Said
from erpsync.web.console.kit import Kit


class Tokens:
    """The page `/tokens`."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit

    def routes(self) -> list[Guarded]:
        """Return its addresses."""
        door = self._kit.door
        return [
            door.page("/tokens", self.tokens, role="admin"),
            door.act("/tokens", self.create_token, role="admin"),
            door.act("/tokens/{token}/revoke", self.revoke_token, role="admin"),
        ]

    def tokens(self, visit: Visit) -> Response:
        """Answer the list, of what tokens are called and may do, never what they are."""
        return self._page(visit, "", "")

    def create_token(self, visit: Visit) -> Response:
        """Make a token and show it, this once."""
        name, scope = visit.form.text("name").strip(), visit.form.text("scope")
        said = Said(text=f"token {name} was made before and shown then; if nobody kept it, revoke it and make another")
        return self._kit.acts.show_once(
            visit,
            lambda ctx: create_token(ctx.store, name, scope=scope, actor=visit.actor),
            said=said,
            show=lambda text: self._page(visit, name, text),
        )

    def revoke_token(self, visit: Visit) -> Response:
        """End a token."""
        return self._kit.acts.carry_out(visit, partial(_revoke, visit))

    def _page(self, visit: Visit, name: str, text: str) -> Response:
        page = {"tokens": list_tokens(self._kit.site.store), "roles": ROLES, "made": name, "text": text}
        return self._kit.pages.answer("system/tokens.html", page, visit)


def _revoke(visit: Visit, ctx: Context) -> Said:
    name = visit.request.path_params["token"]
    revoke_token(ctx.store, name, actor=visit.actor)
    return Said(text=f"token {name} is revoked")
