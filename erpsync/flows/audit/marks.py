"""Tags and seals that a person sets or takes away; they beat what rules want until a person gives them back."""

from collections.abc import Callable, Collection, Mapping

from erpsync.flows.context import Context
from erpsync.flows.errors import Refused
from erpsync.flows.orders.decide import redecide
from erpsync.flows.orders.find import find_order
from erpsync.store.db.store import Tx
from erpsync.store.order_rules import OFF, StoredMark, marks_of, write_marks

TAG_CHARS = 40
SEAL = "seal"
SEALS = ("merge", "split")
"""What a sealed order is kept from: leaving in one parcel with others, and leaving in several."""

Stored = Mapping[str, StoredMark]
Written = dict[str, StoredMark | None]


def tag_order(ctx: Context, order: str, tags: Collection[str], *, actor: str) -> None:
    """Give an order tags; raises `Refused` where one is no word."""
    named = [_tag(tag) for tag in tags]

    def written(stored: Stored) -> Written:
        return {name: StoredMark(value="", actor=actor) for name in named if not _is_on(stored.get(name))}

    _mark(ctx, order, written, actor=actor)


def untag_order(ctx: Context, order: str, tags: Collection[str], *, actor: str) -> None:
    """Take tags off an order, those of rules too; raises `Refused` where it does not have one."""
    named = {_tag(tag): tag for tag in tags}

    def written(stored: Stored) -> Written:
        for name, tag in named.items():
            if not _is_on(stored.get(name)):
                raise Refused(f"the order has no tag {tag}")
        return {name: _without(stored[name], actor) for name in named}

    _mark(ctx, order, written, actor=actor)


def seal_order(ctx: Context, order: str, kept_from: Collection[str] = SEALS, *, actor: str) -> None:
    """Keep an order from being merged with others, from being split, or both."""
    value = " ".join(each for each in SEALS if each in kept_from)
    _mark(ctx, order, lambda stored: {SEAL: StoredMark(value=value, actor=actor)}, actor=actor)


def unseal_order(ctx: Context, order: str, *, actor: str) -> None:
    """Let an order be merged and split, whatever a rule wants; raises `Refused` where it is not sealed."""

    def written(stored: Stored) -> Written:
        if not _is_on(stored.get(SEAL)):
            raise Refused("the order is not sealed")
        return {SEAL: _without(stored[SEAL], actor)}

    _mark(ctx, order, written, actor=actor)


def _tag(tag: str) -> str:
    word = tag.strip()
    if not word or len(word) > TAG_CHARS or not word.isprintable():
        raise Refused(f"a tag has 1 to {TAG_CHARS} signs that can be printed")
    return f"tag:{word}"


def _is_on(mark: StoredMark | None) -> bool:
    return mark is not None and mark.value != OFF


def _without(mark: StoredMark, actor: str) -> StoredMark | None:
    """Return what is left of a mark that a person takes away: nothing of a person's own, a no to a rule's."""
    return StoredMark(value=OFF, actor=actor) if mark.rule else None


def _mark(ctx: Context, order: str, written: Callable[[Stored], Written], *, actor: str) -> None:
    def decide(tx: Tx) -> None:
        stored = find_order(tx, order)
        before = marks_of(tx.connection, [stored.id]).get(stored.id, {})
        marks = written(before)
        if not marks:
            return
        write_marks(tx, {(stored.id, name): mark for name, mark in marks.items()})
        redecide(tx, ctx, [(stored, stored)], event="order.marked", actor=actor, detail=_told(before, marks))

    ctx.store.retrying(decide)


def _told(before: Stored, marks: Written) -> dict[str, object]:
    return {"marks": {name: [_value(before.get(name)), _value(mark)] for name, mark in sorted(marks.items())}}


def _value(mark: StoredMark | None) -> str | None:
    return None if mark is None else mark.value
