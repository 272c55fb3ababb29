"""The stop list of a desk: what was printed and must not leave, until a person has it in hand.

Why a person's word: papers may lie on any table, and units that are given away while their parcel leaves are sold
twice.
"""

from erpsync.flows.context import Context
from erpsync.flows.errors import Refused
from erpsync.flows.warehouses.stop_answers import take_answer
from erpsync.store.db.store import Tx
from erpsync.store.releases import head_numbered, lock_orders_in, read_head
from erpsync.store.tables import RELEASES_OUT
from erpsync.store.views.values import NotFound


def stop(ctx: Context, number: str, *, actor: str, reason: str = "", left: bool = False) -> None:
    """Note that a release is out of the pile: its units are its orders' again.

    One that was recalled is planned anew at once. One that nobody recalled waits for a person, as what a warehouse
    gives back: whoever took it out had a reason, and `orders release` lets its orders go on.

    Args:
        left: it was too late: the parcel has left. Then its orders keep its units, and a task asks for the parcel back.

    Raises `NotFound`, and `Refused` for a release that is not at a desk or has ended.
    """

    def answer(tx: Tx) -> None:
        found = head_numbered(tx.connection, number)
        if found is None:
            raise NotFound(f"no release {number}")
        if found.warehouse_id not in ctx.desks.values():
            raise Refused(f"release {number} is with a warehouse that has no desk here; that one has to stop it")
        lock_orders_in(tx, found.id)
        head = read_head(tx, found.id)
        if head.state not in RELEASES_OUT:
            raise Refused(f"release {number} is {head.state} already")
        if left and head.state != "recalled":
            raise Refused(f"nobody has recalled release {number}; scan its parcel to say that it has left")
        take_answer(tx, ctx, head, stopped=not left, reason=reason, actor=actor)

    ctx.store.retrying(answer)
