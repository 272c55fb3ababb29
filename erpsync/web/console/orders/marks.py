"""What people mark on an order: tags, and that it leaves alone or whole."""

from functools import partial

from starlette.responses import Response

from erpsync.flows.audit.marks import seal_order, tag_order, unseal_order, untag_order
from erpsync.flows.context import Context
from erpsync.flows.errors import Refused
from erpsync.sdk.text import storable
from erpsync.web.access.door import Guarded
from erpsync.web.access.visit import Visit
from erpsync.web.acts import Said
from erpsync.web.console.kit import Kit


class Marks:
    """Tags and seals on the page of an order."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit

    def routes(self) -> list[Guarded]:
        """Return its addresses."""
        act = self._kit.door.act
        return [
            act("/orders/seal", self.seal, role="operate"),
            act("/orders/tag", self.tag, role="operate"),
            act("/orders/unseal", self.unseal, role="operate"),
            act("/orders/untag", self.untag, role="operate"),
        ]

    def tag(self, visit: Visit) -> Response:
        """Give an order a tag."""
        return self._kit.acts.carry_out(visit, partial(self._tag, visit), again=True)

    def untag(self, visit: Visit) -> Response:
        """Take a tag off an order."""
        return self._kit.acts.carry_out(visit, partial(self._untag, visit), again=True)

    def seal(self, visit: Visit) -> Response:
        """Keep an order from being merged, split, or both."""
        return self._kit.acts.carry_out(visit, partial(self._seal, visit), again=True)

    def unseal(self, visit: Visit) -> Response:
        """Let an order be merged and split."""
        return self._kit.acts.carry_out(visit, partial(self._unseal, visit), again=True)

    def _tag(self, visit: Visit, ctx: Context) -> Said:
        order, tag = visit.form.text("order"), _tag_in(visit)
        tag_order(ctx, order, [tag], actor=visit.actor)
        return Said(text=f"order {order} has the tag {tag}")

    def _untag(self, visit: Visit, ctx: Context) -> Said:
        order, tag = visit.form.text("order"), _tag_in(visit)
        untag_order(ctx, order, [tag], actor=visit.actor)
        return Said(text=f"order {order} does not have the tag {tag} any more")

    def _seal(self, visit: Visit, ctx: Context) -> Said:
        order, kept_from = visit.form.text("order"), visit.form.all("from")
        if not kept_from:
            raise Refused("say what it is kept from: being merged, being split, or both")
        seal_order(ctx, order, kept_from, actor=visit.actor)
        return Said(text=f"order {order} is sealed")

    def _unseal(self, visit: Visit, ctx: Context) -> Said:
        order = visit.form.text("order")
        unseal_order(ctx, order, actor=visit.actor)
        return Said(text=f"order {order} is not sealed any more")


def _tag_in(visit: Visit) -> str:
    return " ".join(storable(visit.form.text("tag")).split())
