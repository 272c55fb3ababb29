"""All kinds of owners there are: a new one is a row here, and a CHECK on backorders where its rows need more."""

from collections.abc import Mapping

from erpsync.core.fulfilment import LINE
from erpsync.flows.allocation.order_lines import OrderLines
from erpsync.flows.allocation.owners import OwnerKind
from erpsync.flows.allocation.work_parts import WorkParts
from erpsync.store.works import WORK

KINDS: Mapping[str, OwnerKind] = {LINE: OrderLines(), WORK: WorkParts()}
