"""Reading how the lines of a batch are to be made, and putting them on the SKU of that, in the deciding commit.

Why the line keeps the SKU that was sold and only consists of another: what a shop sold is a fact; listings, bundles and
rules ask about it. Why what did not change is not read again: rules may have changed since, and the order was promised
by those of its day.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from erpsync.core.order_holds import HoldReason
from erpsync.core.orders import KnownLine, KnownOrder, Origin
from erpsync.core.specs import Reading, Texts, read
from erpsync.flows.context import Context
from erpsync.flows.specs.words import problem_text, unknown_rules
from erpsync.store.db.store import Tx
from erpsync.store.notes import opened_notes, opened_properties
from erpsync.store.registry import lock_skus
from erpsync.store.variants import Custom, Wanted, customs_of, make_variants, specs_said, variants_of, wanted

BAD_SPEC = HoldReason.BAD_SPEC.value
Sources = Mapping[str, Mapping[str, str]]
"""By the line's external id, where each of its parameters was read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Specified:
    """Orders whose lines are on the SKUs of what is wanted.

    Args:
        bad: by order id, what of it cannot be made as it was written, in words and without the text.
        sources: by order id, of what was read now.
    """

    orders: list[KnownOrder]
    bad: Mapping[int, str] = field(default_factory=dict)
    sources: Mapping[int, Sources] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of a line that is made as somebody wants it: by which rules, and how that is."""

    line: KnownLine
    custom: Custom
    reading: Reading | None

    @property
    def want(self) -> Wanted | None:
        """The spec; None where there is none, or none that can be read."""
        if self.reading is None or self.reading.problems or not self.reading.values:
            return None
        return wanted(self.custom.base_id, self.reading.values)


def with_specs(
    tx: Tx,
    ctx: Context,
    orders: Sequence[KnownOrder],
    before: Mapping[int, KnownOrder],
    *,
    anew: Collection[int] = (),
    leaving: Collection[int] = (),
) -> Specified:
    """Return orders with those lines that are made as somebody wants them on the SKU of that. They are locked.

    Where nothing is made nothing is loaded: no statement is run.

    Args:
        before: by id, those of them that are stored, as they are.
        anew: ids of lines that are read again though nothing changed that was written.
        leaving: ids of orders of which something leaves now; they stay as they are.
    """
    held = {order.id: why for order in orders if (why := order.holds.get(BAD_SPEC))}
    open_lines = [line for order in orders if order.id not in leaving for line in order.lines if _may_change(line)]
    if not (ctx.specs and open_lines):
        return Specified(orders=list(orders), bad=held)
    customs = customs_of(tx.connection, {sku_id for line in open_lines for sku_id in line.parts})
    bad = {id: why for id, why in held.items() if id in leaving}
    if not customs:
        return Specified(orders=list(orders), bad=bad)
    unread = {
        order.id: lines
        for order in orders
        if order.id not in leaving and (lines := _to_read(order, before.get(order.id), customs, anew))
    }
    said = specs_said(tx, [line.id for lines in unread.values() for line in lines])
    parts = {order.id: _read(tx, ctx, order, unread[order.id], customs, said) for order in orders if order.id in unread}
    bad |= {id: text for id, of in parts.items() if (text := _problems(of))}
    ids = _variants(tx, [*orders, *before.values()], parts)
    return Specified(
        orders=[_with_parts(order, parts.get(order.id, ()), customs, ids) for order in orders],
        bad=bad,
        sources={id: sources for id, of in parts.items() if (sources := _sources(of))},
    )


def _may_change(line: KnownLine) -> bool:
    """Whether a line may be made otherwise: none of it has left, and no rule gives it as it stands there."""
    return bool(line.parts and line.open_qty and not line.shipped_qty) and line.origin is not Origin.GIFT


def _to_read(
    order: KnownOrder, before: KnownOrder | None, customs: Mapping[int, Custom], anew: Collection[int]
) -> list[KnownLine]:
    """Return the custom lines of an order of which something was written otherwise since they were read."""
    lines = [line for line in order.lines if _may_change(line) and not customs.keys().isdisjoint(line.parts)]
    if not lines or before is None or BAD_SPEC in before.holds or before.notes != order.notes:
        return lines
    known = {line.id: line for line in before.lines}
    return [line for line in lines if line.id in anew or _written(line) != _written(known.get(line.id))]


def _written(line: KnownLine | None) -> tuple[object, ...]:
    return () if line is None else (line.properties, line.parts)


def _read(
    tx: Tx,
    ctx: Context,
    order: KnownOrder,
    lines: Iterable[KnownLine],
    customs: Mapping[int, Custom],
    said: Mapping[int, Mapping[str, str]],
) -> list[_Part]:
    notes = opened_notes(tx, order)
    parts: list[_Part] = []
    for line in lines:
        texts = Texts(
            properties=opened_properties(tx, order.id, line),
            buyer_note=notes.buyer_note or "",
            seller_note=notes.seller_note or "",
        )
        of_line = dict.fromkeys(customs[sku_id] for sku_id in line.parts if sku_id in customs)
        parts += [_Part(line, custom, _reading(ctx, custom, texts, said.get(line.id))) for custom in of_line]
    return parts


def _reading(ctx: Context, custom: Custom, texts: Texts, said: Mapping[str, str] | None) -> Reading | None:
    """Return what is wanted; None where its set of rules is configured no more."""
    if not custom.rules:
        return Reading({}, {}, ())  # it is not made to anybody's wishes any more
    rules = ctx.specs.get(custom.rules)
    return None if rules is None else read(rules, texts, said)


def _problems(parts: Iterable[_Part]) -> str:
    """Return in words what cannot be made as it was written; empty where all can."""
    told = []
    for part in parts:
        if part.reading is None:
            told.append(unknown_rules(part.line.external_id, part.custom.rules))
        else:
            told += [problem_text(part.line.external_id, problem) for problem in part.reading.problems]
    return "; ".join(dict.fromkeys(told))


def _variants(tx: Tx, orders: Iterable[KnownOrder], parts: Mapping[int, Sequence[_Part]]) -> Mapping[Wanted, int]:
    """Return the SKUs of what is wanted, those that are new made; SKUs to be planned are locked before, in order."""
    wants = {want for of in parts.values() for part in of if (want := part.want) is not None}
    if not wants:
        return {}
    known = variants_of(tx, wants)
    planned = {sku_id for order in orders for line in order.lines for sku_id in line.parts}
    lock_skus(tx, {*planned, *known.values(), *(want.base_id for want in wants)})
    return make_variants(tx, wants)


def _with_parts(
    order: KnownOrder, parts: Iterable[_Part], customs: Mapping[int, Custom], ids: Mapping[Wanted, int]
) -> KnownOrder:
    instead: dict[int, dict[int, int]] = {}
    for part in parts:
        want = part.want
        instead.setdefault(part.line.id, {})[part.custom.base_id] = part.custom.base_id if want is None else ids[want]
    if not instead:
        return order
    return replace(order, lines=tuple(_put(line, instead.get(line.id), customs) for line in order.lines))


def _put(line: KnownLine, instead: Mapping[int, int] | None, customs: Mapping[int, Custom]) -> KnownLine:
    """Return a line that consists of other SKUs, given by the bases of its own."""
    if instead is None:
        return line
    units: dict[int, int] = {}
    for sku_id, qty in line.parts.items():
        base_id = customs[sku_id].base_id if sku_id in customs else sku_id
        now = instead.get(base_id, sku_id)
        units[now] = units.get(now, 0) + qty
    return replace(line, parts=units)


def _sources(parts: Iterable[_Part]) -> dict[str, dict[str, str]]:
    read_from: dict[str, dict[str, str]] = {}
    for part in parts:
        if part.reading is not None and not part.reading.problems and part.reading.sources:
            read_from.setdefault(part.line.external_id, {}).update(part.reading.sources)
    return read_from
