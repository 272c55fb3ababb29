"""What holds an order: each reason in one row, by its rank, and the one function that judges which stand.

Why a table: a new reason is a row and its judgement; whoever asks what a hold means (parcels, gate, pages, commands)
asks the row.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from erpsync.core.asked import still_asked
from erpsync.core.orders import VOID, KnownOrder
from erpsync.sdk.types import Refund, RefundState


class HoldReason(StrEnum):
    """Why nothing of an order may leave; as stored, and as people name it."""

    REFUND_OPEN = "refund_open"
    OPERATOR = "operator"
    WAREHOUSE_REFUSED = "warehouse_refused"
    VOID = "void"
    DO_NOT_SHIP = "do_not_ship"
    UNREAD_UPDATE = "unread_update"
    RULE = "rule"
    UNMAPPED_SKU = "unmapped_sku"
    BAD_LINE = "bad_line"
    BAD_SPEC = "bad_spec"
    INCOMPLETE_ADDRESS = "incomplete_address"


def by_rule(rule: str, *, void: bool = False) -> str:
    """Return the reason of a hold that a rule set; an order has one for each of them."""
    return f"{VOID}{rule}" if void else f"{HoldReason.RULE.value}:{rule}"


def kind_of(reason: str) -> str:
    """Return what kind of reason it is, as people name it: a `HoldReason`."""
    return reason.partition(":")[0]


def rule_of(reason: str) -> str:
    """Return the rule that set a hold; empty where none did."""
    return reason.partition(":")[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderHold:
    """What a reason means.

    Args:
        advice: what a person is to do; `{order}` is the order's number.
        refusal: what is said of the order when a parcel of it is refused; empty when it may be recorded all the same.
        instead: what the refusal names as the way on. `ship --force` passes whichever it is.
        gate_waits: whether a parcel that has left is not told to the channel before it ends.
        by_lines: whether it may be about some lines only; parcels of others go.
        own_words: whether its detail is what a person here said, which may be stored with a refusal.
        by_hand: whether it lasts until a person ends it.
    """

    advice: str
    refusal: str = ""
    instead: str = "--force --reason TEXT ships it all the same"
    gate_waits: bool = False
    by_lines: bool = False
    own_words: bool = False
    by_hand: bool = False


ORDER_HOLDS: Mapping[str, OrderHold] = {
    HoldReason.REFUND_OPEN.value: OrderHold(
        advice="grant or refuse it on the channel; only lines that no refund names may leave (`ship --line`)",
        refusal="has an open refund",
        gate_waits=True,
        by_lines=True,
    ),
    HoldReason.OPERATOR.value: OrderHold(
        advice="`erpsync orders release {order}` ends the hold",
        refusal="is held",
        instead="release it first",
        own_words=True,
        by_hand=True,
    ),
    HoldReason.WAREHOUSE_REFUSED.value: OrderHold(
        advice="ask the warehouse; `erpsync orders release {order}` plans it anew",
        refusal="was given back by its warehouse",
        instead="release it first",
        by_hand=True,
    ),
    HoldReason.VOID.value: OrderHold(
        advice="`erpsync orders approve {order}` if it is a real order, `erpsync orders cancel {order}` if it is none",
        refusal="may be no real order",
        own_words=True,
    ),
    HoldReason.DO_NOT_SHIP.value: OrderHold(
        advice="wait: the channel says not yet (presale, group not full, risk), and its next change is looked at",
        refusal="must not leave yet",
        gate_waits=True,
    ),
    HoldReason.UNREAD_UPDATE.value: OrderHold(
        advice=(
            "mend settings or connector and `erpsync dead replay` the letter it names, or compare the order with the "
            "channel and `erpsync dead drop` it"
        ),
        refusal="has a newer view that was not understood",
        gate_waits=True,
    ),
    HoldReason.RULE.value: OrderHold(
        advice="`erpsync explain {order}` says which rule and why; `erpsync orders approve {order}` if it asks",
        refusal="is held by a rule",
        own_words=True,
    ),
    HoldReason.UNMAPPED_SKU.value: OrderHold(
        advice="`erpsync listings import FILE` ties its seller code to a SKU; it goes on by itself",
    ),
    HoldReason.BAD_LINE.value: OrderHold(
        advice="mend the line at its source; the order goes on when it is read again",
        refusal="has a line that was not understood",
        gate_waits=True,
    ),
    HoldReason.BAD_SPEC.value: OrderHold(
        advice=(
            "`erpsync explain {order}` says what is wrong, `erpsync orders specify {order} LINE NAME=VALUE` how it is "
            "to be made"
        ),
        refusal="cannot be made as it was written",
    ),
    HoldReason.INCOMPLETE_ADDRESS.value: OrderHold(
        advice="have the channel complete it, or set `orders: {{require_address: never}}` for that shop",
    ),
}
"""By reason, the most pressing first: that one is shown."""


NO_HOLDS: Mapping[str, str] = {}


def until_ended(holds: Mapping[str, str]) -> dict[str, str]:
    """Return those holds that last until a person ends them."""
    return {reason: why for reason, why in holds.items() if (row := ORDER_HOLDS.get(reason)) and row.by_hand}


def hold_reasons(
    order: KnownOrder,
    *,
    refunds: Iterable[Refund],
    bad_lines: bool,
    needs_address: bool,
    by_hand: Mapping[str, str] = NO_HOLDS,
    unread: str = "",
    bad_spec: str = "",
) -> dict[str, str]:
    """Return why an order must not leave, reason to detail.

    Args:
        by_hand: the holds that only a person ends, reason to detail.
        unread: which newer view of the order, or of a refund of it, was not understood; nothing when there is none.
        bad_spec: what of it cannot be made as it was written; nothing where all can.

    An address is asked for only while the order is ready and something of it has still to leave: many channels hide the
    recipient before and after.
    """
    reasons: dict[str, str] = {}
    refunds = list(refunds)
    asked = [refund.external_id for refund in refunds if refund.state is RefundState.OPEN]
    asked += still_asked(order.refund_asked, order.reading.version_at, refunds)
    if asked:
        reasons[HoldReason.REFUND_OPEN.value] = ", ".join(dict.fromkeys(asked))
    reasons |= by_hand
    if order.do_not_ship:
        reasons[HoldReason.DO_NOT_SHIP.value] = order.do_not_ship
    if unread and order.open_qty:
        reasons[HoldReason.UNREAD_UPDATE.value] = unread
    unmapped = sorted({line.channel_sku for line in order.lines if line.open_qty and not line.parts})
    if unmapped:
        reasons[HoldReason.UNMAPPED_SKU.value] = ", ".join(unmapped)
    if bad_lines:
        reasons[HoldReason.BAD_LINE.value] = "a line could not be read"
    if bad_spec and order.open_qty:
        reasons[HoldReason.BAD_SPEC.value] = bad_spec
    if needs_address and not addressed(order):
        reasons[HoldReason.INCOMPLETE_ADDRESS.value] = "name, phone or address is missing"
    return reasons


def addressed(order: KnownOrder) -> bool:
    """Whether the order can be sent as far as its recipient goes, or need not be (yet, or any more)."""
    return bool(order.address_complete) or order.ready_at is None or not order.open_qty


def standing(reasons: Iterable[str]) -> Iterator[tuple[str, OrderHold]]:
    """Yield those kinds of the reasons that are in the table with what they mean, the most pressing first."""
    held = {kind_of(reason) for reason in reasons}
    return ((reason, hold) for reason, hold in ORDER_HOLDS.items() if reason in held)


def first_reason(reasons: Iterable[str]) -> str:
    """Return the kind of reason to show, or an empty text when nothing holds the order."""
    return next((reason for reason, _ in standing(reasons)), "")
