"""Messages to departments: which routes there are, whether they get through, and a test to try one with."""

from functools import partial
from typing import Any

from starlette.responses import Response

from erpsync.core.facts import On
from erpsync.core.messages import RoutePolicy
from erpsync.flows.context import Context
from erpsync.flows.messages.acts import retry_route, sender_of, try_route
from erpsync.store.views.routes import list_routes
from erpsync.web.access.door import Guarded
from erpsync.web.access.visit import Visit
from erpsync.web.acts import Said
from erpsync.web.console.audit.words import WORDS, tree
from erpsync.web.console.kit import Kit

Page = dict[str, Any]


class Messages:
    """The page `/messages` and its acts."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit

    def routes(self) -> list[Guarded]:
        """Return its addresses."""
        door = self._kit.door
        return [
            door.page("/messages", self.messages, role="read"),
            door.act("/messages/{route}/test", self.try_route, role="operate"),
            door.act("/messages/{route}/retry", self.retry_route, role="operate"),
        ]

    def messages(self, visit: Visit) -> Response:
        """Answer the list."""
        ctx = self._kit.site.ctx()
        policies = {policy.id: policy for policy in ctx.routes}
        with self._kit.site.store.read() as connection:
            rows = list_routes(connection, ctx.routes)
        page: Page = {"routes": [row | _asked(policies[row["id"]]) for row in rows]}
        return self._kit.pages.answer("system/messages.html", page | WORDS, visit)

    def try_route(self, visit: Visit) -> Response:
        """Send a test message."""
        return self._kit.acts.carry_out(visit, partial(_try, visit), again=True)

    def retry_route(self, visit: Visit) -> Response:
        """Try a route at once."""
        return self._kit.acts.carry_out(visit, partial(_retry, visit))


def _asked(policy: RoutePolicy) -> Page:
    """Return what a route asks for, as the page says it."""
    return {
        "when": tree(policy.when.condition, On.EVENT),
        "quiet": f"{policy.quiet.begins:%H:%M}-{policy.quiet.ends:%H:%M}" if policy.quiet else "",
        "digest_s": policy.digest_s,
        "most_per_min": policy.most_per_min,
    }


def _try(visit: Visit, ctx: Context) -> Said:
    id = str(visit.request.path_params["route"])
    channel = sender_of(ctx, id).name
    message = try_route(ctx, id, actor=visit.actor)
    return Said(text=f"{channel} accepted the test message {message.id}")


def _retry(visit: Visit, ctx: Context) -> Said:
    id = str(visit.request.path_params["route"])
    retry_route(ctx, id, actor=visit.actor)
    return Said(text=f"route {id} is tried now")
