"""`/rules`, and what rules and people want of one order: approvals, tags, seals."""

from typing import Annotated, Any

from fastapi import APIRouter, Path
from starlette.responses import Response

from erpsync.flows.audit.approve import approve
from erpsync.flows.audit.marks import seal_order, tag_order, unseal_order, untag_order
from erpsync.flows.audit.report import list_rules, show_asking, show_ruled
from erpsync.flows.context import Context
from erpsync.flows.warehouses.parcel_rules import try_with_parcels
from erpsync.web.api import examples
from erpsync.web.api.deps import Doing, Operator, Reader, TheDeps, answer, page
from erpsync.web.api.models import Approval, Seal
from erpsync.web.api.orders import Name, number_of

router = APIRouter(tags=["rules"])

Tag = Annotated[str, Path(description="the tag")]
_FROM_BOTH = Seal()
_WHAT_ASKS = Approval()


@router.get("/rules", responses=examples.page_of(examples.RULE))
def list_(deps: TheDeps, access: Reader) -> Response:
    """The rules in force in the order of their file, with how many open orders each holds, and wants anything of."""
    return page(list_rules(deps.ctx), None)


@router.get("/orders/{order}/rules", responses=examples.one(examples.TRIED))
def test(order: Name, deps: TheDeps, access: Reader) -> Response:
    """What each rule says of an order now, and of its parcels, what decided it, what comes of it; no private value."""
    return answer(try_with_parcels(deps.ctx, order))


@router.get("/orders/{order}/approvals", responses=examples.page_of(examples.ASKS))
def asking(order: Name, deps: TheDeps, access: Reader) -> Response:
    """What rules ask a person of an order, each with the digest of what it asks about."""
    return page(show_asking(deps.ctx, order), None)


@router.post("/orders/{order}/approvals", responses=examples.one(examples.ORDER))
def say_yes(order: Name, deps: TheDeps, doing: Doing, said: Approval = _WHAT_ASKS) -> Response:
    """Say yes to what rules ask of an order. They ask again when what they asked about changes.

    `rules` may be left out where `seen` names them, or where one rule asks. `seen` has, by rule, the digest that
    `GET` told: what has changed since then is not approved.
    """
    name = number_of(deps, order)
    rules = said.rules or list(said.seen)

    def act(ctx: Context) -> Any:
        return approve(ctx, name, rules, actor=doing.actor, reason=said.reason, seen=said.seen, named=True)

    return doing.answer(act, lambda ctx, done: show_ruled(ctx, name))


@router.put("/orders/{order}/tags/{tag}", responses=examples.one(examples.ORDER))
def tag_(order: Name, tag: Tag, deps: TheDeps, access: Operator) -> Response:
    """Give an order a tag, for rules and for who looks for it; one that it has stays."""
    name = number_of(deps, order)
    tag_order(deps.ctx, name, [tag], actor=access.actor)
    return answer(show_ruled(deps.ctx, name))


@router.delete("/orders/{order}/tags/{tag}", responses=examples.one(examples.ORDER))
def untag(order: Name, tag: Tag, deps: TheDeps, access: Operator) -> Response:
    """Take a tag off an order, also one that a rule wants; 409 where it does not have it."""
    name = number_of(deps, order)
    untag_order(deps.ctx, name, [tag], actor=access.actor)
    return answer(show_ruled(deps.ctx, name))


@router.put("/orders/{order}/seal", responses=examples.one(examples.ORDER))
def seal(order: Name, deps: TheDeps, access: Operator, said: Seal = _FROM_BOTH) -> Response:
    """Keep an order from being merged with others, from being split, or from both."""
    name = number_of(deps, order)
    seal_order(deps.ctx, name, said.kept_from, actor=access.actor)
    return answer(show_ruled(deps.ctx, name))


@router.delete("/orders/{order}/seal", responses=examples.one(examples.ORDER))
def unseal(order: Name, deps: TheDeps, access: Operator) -> Response:
    """Let an order be merged and split, whatever a rule wants; 409 where it is not sealed."""
    name = number_of(deps, order)
    unseal_order(deps.ctx, name, actor=access.actor)
    return answer(show_ruled(deps.ctx, name))
