"""The views of a list that a user keeps: its filters under a name of theirs."""

from erpsync.flows.context import Context
from erpsync.flows.errors import Refused
from erpsync.sdk.text import storable
from erpsync.store.db.store import Tx
from erpsync.store.saved_views import count_others, drop_view, write_view

MOST_NAME_CHARS = 40
MOST_QUERY_CHARS = 1000
MOST_VIEWS = 30


def keep_view(ctx: Context, user_id: int, page: str, *, name: str, query: str) -> str:
    """Keep a query of a page under a name, instead of the one of that name; return the name as it is kept."""
    name = " ".join(storable(name).split())
    if not name:
        raise Refused("a name is needed for the view")
    if len(name) > MOST_NAME_CHARS:
        raise Refused(f"the name of a view has {MOST_NAME_CHARS} characters at most")
    if not query:
        raise Refused("nothing is filtered: choose a filter first, then keep it as a view")
    if len(query) > MOST_QUERY_CHARS:
        raise Refused(f"the filters of a view have {MOST_QUERY_CHARS} characters at most")

    def keep(tx: Tx) -> None:
        if count_others(tx, user_id, page, name) >= MOST_VIEWS:
            raise Refused(f"there are {MOST_VIEWS} views already: delete one first")
        write_view(tx, user_id, page, name, query)

    ctx.store.retrying(keep)
    return name


def delete_view(ctx: Context, user_id: int, page: str, *, name: str) -> None:
    """Forget a view of a user."""

    def forget(tx: Tx) -> None:
        if not drop_view(tx, user_id, page, name):
            raise Refused(f"there is no view “{name}” any more")

    ctx.store.retrying(forget)
