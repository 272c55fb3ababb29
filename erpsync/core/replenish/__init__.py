"""What should be made, bought and moved, when, and why.

`plan` nets every SKU in every warehouse once, users before what they use: what orders, open works and the forecast
need, against what is there and what is on the way. It gives dated suggestions with what each unit is for, advice on
open supplies, and shortages that nothing can cover. `changes` says what of it is written over last night's plan: the
same plan writes nothing. `safety_qty` and `expected` turn a forecast into what planning takes.

A suggestion holds nothing and counts as nothing until somebody approves it.
"""

from erpsync.core.replenish.model import (
    Advice,
    DatedNeed,
    Expected,
    OpenSupply,
    Peg,
    PlanItem,
    Shortage,
    Suggested,
    Suggestion,
)
from erpsync.core.replenish.planning import plan
from erpsync.core.replenish.quiet import Changes, Row, Slot, changes, slot
from erpsync.core.replenish.stock import expected, safety_qty
from erpsync.core.replenish.workdays import WorkCalendar

__all__ = [
    "Advice",
    "Changes",
    "DatedNeed",
    "Expected",
    "OpenSupply",
    "Peg",
    "PlanItem",
    "Row",
    "Shortage",
    "Slot",
    "Suggested",
    "Suggestion",
    "WorkCalendar",
    "changes",
    "expected",
    "plan",
    "safety_qty",
    "slot",
]
