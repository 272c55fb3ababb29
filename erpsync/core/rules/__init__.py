"""The rules of a seller: how orders, parcels and events should be, judged without database, network or clock.

`compile_book` makes rules ready, `judge` says what they want of one order at one instant, `approval_digest` what an
approval is bound to, `never_match` and `shadowed` what is wrong with rules by themselves. Rules come from
`erpsync.settings.rules`; who judges stores the difference between the verdict and what is there.

Why conditions of a closed set: which fact decided, with which word of the rule, and when time will change the answer
can be said of each of them, and a misspelt name is found before the first order.
"""

from erpsync.core.rules.book import NO_RULES, Book, compile_book
from erpsync.core.rules.grounds import Ground, grounds_of
from erpsync.core.rules.judge import approval_digest, judge
from erpsync.core.rules.lint import Shadow, never_match, shadowed
from erpsync.core.rules.model import (
    EFFECTS,
    NEVER,
    Because,
    Clause,
    Comparison,
    Condition,
    Effects,
    Every,
    Gift,
    GiftEffect,
    Hold,
    Mark,
    Operator,
    Opposite,
    PartEffect,
    PassedOver,
    Rule,
    Some,
    Verdict,
    Zones,
)
from erpsync.core.rules.shown import shown_value

__all__ = [
    "EFFECTS",
    "NEVER",
    "NO_RULES",
    "Because",
    "Book",
    "Clause",
    "Comparison",
    "Condition",
    "Effects",
    "Every",
    "Gift",
    "GiftEffect",
    "Ground",
    "Hold",
    "Mark",
    "Operator",
    "Opposite",
    "PartEffect",
    "PassedOver",
    "Rule",
    "Shadow",
    "Some",
    "Verdict",
    "Zones",
    "approval_digest",
    "compile_book",
    "grounds_of",
    "judge",
    "never_match",
    "shadowed",
    "shown_value",
]
