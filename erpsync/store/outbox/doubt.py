"""Effects that may have been carried out by somebody whose memory is lost: those of a restored database."""

from datetime import datetime

from sqlalchemy import and_, func, literal, or_, select, update

from erpsync.store.db.store import Stage, Tx
from erpsync.store.outbox.held import PERSON
from erpsync.store.outbox.queue import CORRECTION, IS_OPEN, IS_PENDING, RELEASE, SHIPMENT, WAYBILL
from erpsync.store.tables import Instant, dead_letter, outbox

ONCE = (SHIPMENT, CORRECTION, RELEASE, WAYBILL)
"""What must happen once. A number is told anew, and a wish to stop a release, or to void a booking, may be
repeated."""


def doubt_effects(tx: Tx, *, sent_at: datetime, why: str) -> int:
    """Take every effect that must happen once, and was open at `sent_at`, for one whose call had no answer.

    What waited at a gate goes back to it behind that question. What a person looks for already stays with them; what
    was given up is looked for when somebody tries it again. Return how many are to be looked for.
    """
    once = outbox.c.kind.in_(ONCE)
    asked = and_(outbox.c.waiting_for == PERSON, outbox.c.sent_at.is_not(None))
    values = {
        "state": "pending",
        "waiting_for": "",
        "sent_at": func.coalesce(outbox.c.sent_at, literal(sent_at, Instant)),
        "run_at": tx.now,
        "error": why,
    }
    # Scans outbox: what is open of all channels, once when a backup is restored.
    in_doubt = tx.execute(update(outbox).where(once, IS_OPEN, or_(IS_PENDING, ~asked)).values(**values)).rowcount
    given_up = select(dead_letter.c.outbox_id).where(
        dead_letter.c.state == "open", dead_letter.c.outbox_id.is_not(None)
    )
    tx.execute(update(outbox).where(once, outbox.c.state == "dead", outbox.c.id.in_(given_up)).values(sent_at=sent_at))
    tx.wake(Stage.PUSH)
    return in_doubt
