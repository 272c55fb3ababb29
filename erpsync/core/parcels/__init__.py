"""Which held units leave together in one parcel, and why the others stay.

`plan` is the whole decision. It takes what each order may send (`portions`), fills parcels within their limits
(`packing`), and puts orders of one recipient together (`grouping`). `siblings` says which other orders of a recipient
could not come along.
"""

from erpsync.core.parcels.marks import NO_MARKS, OrderMarks, PartMark, read_marks
from erpsync.core.parcels.model import (
    Because,
    Candidate,
    ChannelPacking,
    Goods,
    HeldKey,
    PackingPolicy,
    Parcel,
    Plan,
    Reason,
    Stay,
)
from erpsync.core.parcels.planning import group, plan
from erpsync.core.parcels.siblings import Sibling, siblings

__all__ = [
    "NO_MARKS",
    "Because",
    "Candidate",
    "ChannelPacking",
    "Goods",
    "HeldKey",
    "OrderMarks",
    "PackingPolicy",
    "Parcel",
    "PartMark",
    "Plan",
    "Reason",
    "Sibling",
    "Stay",
    "group",
    "plan",
    "read_marks",
    "siblings",
]
