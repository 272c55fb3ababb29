"""Two views of one change time that differ, of a sender that cannot be asked again.

The one that arrived later counts, unless it would take the state back (shipped, then to be shipped): nobody here can
tell a late repeat from a correction, so what is known stays in force and a person is told of both.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import structlog

from erpsync.core.instants import stamp
from erpsync.core.orders import KnownOrder
from erpsync.core.readings import Reading
from erpsync.flows.context import Channel
from erpsync.flows.records.batch import OrderRecord, RefundRecord
from erpsync.sdk.text import storable
from erpsync.sdk.types import OrderState, RefundState
from erpsync.store.db.store import Tx
from erpsync.store.events import Event, write_events
from erpsync.store.payloads import keep_payloads
from erpsync.store.tasks import Task, open_tasks

TASK = "same_version"
log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Disputed:
    """A record that would take a state back under the version that is stored."""

    record: OrderRecord | RefundRecord
    stored: Reading
    state: OrderState | RefundState

    @property
    def said(self) -> tuple[str, str, str, OrderState | RefundState]:
        """Kind, external id, the order's external id, and the state that the record says."""
        if isinstance(self.record, OrderRecord):
            order = self.record.order
            return "order", order.external_id, order.external_id, order.state
        refund = self.record.refund
        return "refund", refund.external_id, refund.order_external_id, refund.state


def ask_which(tx: Tx, channel: Channel, disputed: Sequence[Disputed], stored: Mapping[str, KnownOrder]) -> None:
    """Keep what was not applied, and ask a person which of the two views is right."""
    for case in disputed:
        kind, key, order_key, state = case.said
        raw, order = case.record.raw, stored.get(order_key)
        keep_payloads(tx, channel.id, kind, [(storable(key), raw.payload)])
        source = f", {raw.head.source}" if raw.head.source else ""
        reason = (
            f"{channel.name} sent two views of {kind} {storable(key)}, both changed at "
            f"{stamp(case.stored.version_at)}: {case.state.value} (came at {stamp(case.stored.read_to)}), which stays "
            f"in force, and {state.value} (came at {stamp(raw.read_to)}{source})"
        )
        task_key, order_id = f"{channel.name}:{kind}:{storable(key)}", order.id if order else None
        open_tasks(tx, [Task(kind=TASK, key=task_key, reason=reason, channel_id=channel.id, order_id=order_id)])
        detail = {"kind": kind, "key": storable(key), "stays": case.state.value, "says": state.value}
        write_events(tx, [Event(kind="version.disputed", order_id=order_id, channel_id=channel.id, detail=detail)])
        log.warning("version.disputed", channel=channel.name, kind=kind, key=storable(key))
