"""A process that dies around a commit of what rules say: who runs again finds the same end, and nothing twice."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import pytest

from erpsync.flows.audit.approve import approve
from erpsync.flows.audit.looks import judge_due
from erpsync.flows.audit.marks import tag_order
from erpsync.flows.context import Context
from erpsync.flows.errors import Refused
from erpsync.flows.inventory.counts import set_stock
from erpsync.flows.orders.apply import apply
from erpsync.flows.records.batch import Batch
from tests.support.dying import At, Crash, DyingStore, dying
from tests.support.facts import fact, order, take_in
from tests.support.looking import events, held, problems, rows
from tests.support.ruled import lines_of, marked, put_in_force, ruled_by, with_rules
from tests.support.shop import Town

AROUND = pytest.mark.parametrize("at", ["before", "behind"])
RULES = (
    "rules:\n- {id: settle, when: {paid_min: {lt: 15}}, then: {hold: 付款后等15分钟}}\n"
    "- {id: big, when: {total: {ge: 50}}, then: {hold: 大额, ask: true, tag: [大额]}}\n"
    "- {id: spring, when: {total: {ge: 1}}, then: {gift: {sku: SCARF, most: 1, once: buyer}}}\n"
)
BOUGHT = fact(order("o1", total_minor=9000, buyer="b1"))


@pytest.fixture
def town(make_town: Callable[..., Town]) -> Town:
    """One shop with ten TEA and ten SCARF in SH."""
    town = make_town()
    for sku in ("TEA", "SCARF"):
        set_stock(town.ctx, warehouse="SH", sku=sku, on_hand=10, actor="keeper")
    return town


def ruled(town: Town) -> None:
    """Put the rules in force and take in o1, which they hold, tag and give a scarf."""
    put_in_force(town, RULES)
    take_in(town, BOUGHT)


def check_whole(town: Town, *, holds: set[str]) -> None:
    """Hold o1 against what the rules say of it: units, gift and count once."""
    assert (ruled_by(town, "o1").keys(), marked(town, "o1")["tag:大额"]) == (holds, "")
    assert (lines_of(town, "o1")["gift:spring"], held(town, "o1")) == ((1, 0), {"TEA": 1, "SCARF": 1})
    assert rows(town, "SELECT given FROM gift_count") == [(1,)]
    assert len(rows(town, "SELECT * FROM gift_once")) == 2  # by buyer and by phone
    assert problems(town) == []


def die_and_run_again(town: Town, at: At, act: Callable[[Context], object]) -> None:
    with pytest.raises(Crash):
        act(dying(town, at))
    act(town.ctx)


@AROUND
def test_intake(town: Town, at: At) -> None:
    put_in_force(town, RULES)

    def come(ctx: Context) -> None:
        ctx.store.retrying(lambda tx: apply(tx, ctx, ctx.channel("shop"), Batch(orders=(BOUGHT,), refunds=())))

    die_and_run_again(town, at, come)

    check_whole(town, holds={"rule:settle", "rule:big"})
    assert [kind for kind, _ in events(town, "order.")] == ["order.imported", "order.held"]
    assert rows(town, "SELECT cause FROM order_look") == [("time",)]


@AROUND
def test_approval(town: Town, at: At) -> None:
    ruled(town)

    def say_yes(ctx: Context) -> None:
        with suppress(Refused):  # it asks nothing any more
            approve(ctx, "o1", actor="li")

    die_and_run_again(town, at, say_yes)

    check_whole(town, holds={"rule:settle"})
    assert len(events(town, "order.approved")) == len(rows(town, "SELECT * FROM order_approval")) == 1


@AROUND
def test_tag(town: Town, at: At) -> None:
    ruled(town)

    die_and_run_again(town, at, lambda ctx: tag_order(ctx, "o1", ["VIP"], actor="li"))

    check_whole(town, holds={"rule:settle", "rule:big"})
    assert (marked(town, "o1")["tag:VIP"], len(events(town, "order.marked"))) == ("", 1)


@AROUND
def test_look(town: Town, at: At) -> None:
    ruled(town)
    town.advance(15 * 60)

    die_and_run_again(town, at, judge_due)

    check_whole(town, holds={"rule:big"})
    assert (len(events(town, "order.changed")), rows(town, "SELECT * FROM order_look")) == (1, [])


@pytest.mark.parametrize("commit", [1, 2, 3])
def test_reload_at_each_of_its_commits(town: Town, commit: int) -> None:
    take_in(town, BOUGHT)
    town.ctx = with_rules(town, RULES)
    town.store.trusted_now()
    store = DyingStore(town.store.engine, clock=town.clock, vault=town.store.vault)
    store.clock, store.commits_left = town.store.clock, commit

    with pytest.raises(Crash):
        judge_due(replace(town.ctx, store=store))
    judge_due(town.ctx)

    check_whole(town, holds={"rule:settle", "rule:big"})
    assert rows(town, "SELECT cause FROM order_look") == [("time",)]
