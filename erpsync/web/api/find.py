"""`/orders/find`: orders by what people have in hand.

Why phone numbers come in a body: addresses are kept by browsers, proxies and their logs. Why that POST takes no
`Idempotency-Key`: it changes nothing, and a digest of the request would be a digest of the number.
"""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from erpsync.core.phones import spellings
from erpsync.flows.errors import Refused
from erpsync.flows.orders.find_by_phone import find_by_phone
from erpsync.store.views.find import search_orders
from erpsync.web.api import examples
from erpsync.web.api.deps import Admin, Reader, TheDeps, answer
from erpsync.web.api.models import Phone
from erpsync.web.api.orders import Limit
from erpsync.web.api.problems import Problem

router = APIRouter(tags=["orders"])

NOT_BY_PHONE = "phone numbers are looked for by POST /orders/find, never in an address"
Text = Annotated[
    str,
    Query(
        min_length=1, max_length=200, description="a number of ours, the channel's or a parcel's, a SKU, goods; or part"
    ),
]


@router.get("/orders/find", responses=examples.one(examples.FOUND))
def find(deps: TheDeps, access: Reader, *, text: Text, limit: Limit = 100) -> Response:
    """Orders that a text fits: those it names exactly first, then newest first. `notes` say what was not looked at."""
    try:
        with deps.reading() as connection:
            result = search_orders(connection, text, limit)
    except ValueError as error:
        raise Problem(422, str(error)) from error
    notes = [*result.notes, NOT_BY_PHONE] if spellings(text) else result.notes
    return answer({"items": result.orders, "next": None, "notes": notes})


@router.post("/orders/find", responses=examples.one(examples.FOUND))
def find_by_phone_(whose: Phone, deps: TheDeps, access: Admin, *, limit: Limit = 100) -> Response:
    """Orders of a whole phone number, newest first: scope admin only, and leaves an audit event without the number."""
    try:
        orders = find_by_phone(deps.ctx, whose.phone, actor=access.actor, limit=limit)
    except Refused as error:
        raise Problem(422, str(error)) from error
    return answer({"items": orders, "next": None, "notes": []})
