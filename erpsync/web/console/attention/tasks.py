"""Tasks: what people should do, by kind, and the buttons that answer it."""

from functools import partial

from starlette.responses import Response

from erpsync.flows.context import Context
from erpsync.flows.errors import Refused
from erpsync.flows.operations.tasks import finish_task
from erpsync.store.views.open_tasks import CLOSED, MOST_OF_KIND, closed_tasks, task_groups
from erpsync.web.access.door import Guarded
from erpsync.web.access.visit import Visit
from erpsync.web.acts import Said
from erpsync.web.console.attention.many import ids_in, one_by_one
from erpsync.web.console.attention.remedies import remedy_of
from erpsync.web.console.kit import Kit


class Tasks:
    """What waits for people, and what was answered."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit

    def routes(self) -> list[Guarded]:
        """Return its addresses."""
        door = self._kit.door
        return [
            door.page("/tasks", self.tasks, role="read"),
            door.act("/tasks/done", self.done, role="operate"),
        ]

    def tasks(self, visit: Visit) -> Response:
        """Answer the open tasks by kind, with `kind` or `channel` those of one, with `closed` those closed last."""
        asked = visit.request.query_params
        if asked.get("closed"):
            with self._kit.site.store.read() as connection:
                page = {"closed": closed_tasks(connection), "groups": [], "most": CLOSED}
            return self._kit.pages.answer("attention/tasks.html", page, visit)
        kind, shop = asked.get("kind") or None, asked.get("channel") or None
        with self._kit.site.store.read() as connection:
            groups = task_groups(connection, kind=kind, shop=shop)
        page = {
            "groups": [(group, remedy_of(group.kind)) for group in groups],
            "total": sum(group.count for group in groups),
            "kind": kind,
            "shop": shop,
            "closed": None,
            "most": MOST_OF_KIND,
        }
        return self._kit.pages.answer("attention/tasks.html", page, visit)

    def done(self, visit: Visit) -> Response:
        """Close the chosen tasks; what waited for the answer goes on."""
        return self._kit.acts.carry_out(visit, partial(self._done, visit), again=True)

    def _done(self, visit: Visit, ctx: Context) -> Said:
        ids = ids_in(visit.form, "task")
        if not ids:
            raise Refused("no task was chosen: tick those that are done")
        arrived = visit.form.text("answer") == "arrived"
        close = partial(finish_task, ctx, actor=visit.actor, arrived=arrived)
        outcome = one_by_one(ctx, ids, close)
        return outcome.said(f"{outcome.done} tasks are closed." if outcome.done > 1 else "The task is closed.")
