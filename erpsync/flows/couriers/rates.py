"""Taking in rate cards: each account that is named gets a new one, all of the file or nothing.

Why nothing where one row is bad: a card with a row missing has no price for a place, and parcels would go another way.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial

from erpsync.core.rates import Fault, Problem, Rate, problems
from erpsync.flows.context import Context
from erpsync.flows.couriers.numbers import account_named
from erpsync.flows.errors import Refused
from erpsync.flows.imports import ImportResult
from erpsync.store.db.store import Tx
from erpsync.store.events import Event, write_events
from erpsync.store.rates import replace_cards


def import_rates(ctx: Context, rows: Iterable[tuple[Rate, str]], *, bad: Sequence[object], actor: str) -> ImportResult:
    """Replace the card of each account that the rows name, in one commit; nothing where a row is bad.

    Args:
        rows: each with the file and line it stands on.
        bad: rows that could not be read at all; with one of them nothing is taken.
    """
    wanted = [(replace(rate, line=at), source) for at, (rate, source) in enumerate(rows, 1)]
    sources = {rate.line: source for rate, source in wanted}
    refused, accounts = [], {}
    for rate, source in wanted:
        try:
            accounts[rate.account] = account_named(ctx, rate.account).id
        except Refused as problem:
            refused.append((source, str(problem)))
    rates = [rate for rate, _ in wanted]
    refused += [(sources[each.line], _said(each, sources)) for each in problems(rates, ctx.book.zones)]
    if refused or bad or not rates:
        return ImportResult(refused=refused)
    cards = {id: [rate for rate in rates if rate.account == name] for name, id in accounts.items()}
    ctx.store.retrying(partial(_take, cards=cards, actor=actor))
    return ImportResult(taken=len(rates))


def _take(tx: Tx, *, cards: dict[int, list[Rate]], actor: str) -> None:
    replace_cards(tx, cards)
    write_events(
        tx,
        [
            Event(kind="rates.imported", channel_id=account_id, detail={"rows": len(card)}, actor=actor)
            for account_id, card in sorted(cards.items())
        ],
    )


def _said(problem: Problem, sources: dict[int, str]) -> str:
    what, other = problem.what, sources.get(problem.other, "")
    match problem.fault:
        case Fault.UNKNOWN_ZONE:
            return f"there is no zone {what} in rules.yaml"
        case Fault.BELOW_LEAST:
            return f"{what} is too small"
        case Fault.OVERLAP:
            return f"{what or 'elsewhere'} has a price on {other} already"
        case Fault.GAP:
            return f"weights {what} g have no price: there is no step"
