"""Rules in a shop that `web_shop.fill` filled, and orders that they hold, mark and give something to."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from erpsync.core.rules import compile_book
from erpsync.flows.context import Context
from erpsync.flows.orders.decide import redecide
from erpsync.settings.rules import load_rules
from erpsync.store import tables
from erpsync.store.db.privacy import Vault
from erpsync.store.db.store import Store
from erpsync.store.orders import lock_order_ids
from tests.support.web_shop import NOW, SHANGHAI, add, line_row, order_row

VAULT = Vault([b"key 1".ljust(32, b"!")], b"i" * 32)
RULED = "S20260302000900"
"""The order that meets most of the rules."""

RULES = """
zones: {remote: [新疆, 西藏, 海南/三沙市], near: [上海, 浙江, 江苏]}
rules:
  - {id: settle-time, when: {paid_min: {lt: 90}, total: {lt: 300}}, then: {hold: 付款后等一会儿}}
  - {id: big, when: {total: {ge: 1000}, not: {zone: near}}, then: {hold: 大额订单, ask: true, tag: [大额]}}
  - {id: brush, when: {any: [{seller_flag: 5}, {buyer_orders_24h: {gt: 5}}]}, then: {void: 疑似刷单, ask: true}}
  - {id: remote, when: {zone: remote}, then: {tag: [偏远], carrier: [EMS, POST], seal: [merge, split]}}
  - {id: heavy, when: {weight_g: {gt: 20000}}, then: {tag: [超重]}}
  - {id: gift, from: 2026-03-01, until: 2026-03-09, when: {total: {ge: 500}},
     then: {gift: {sku: SOCK-3-GR, once: buyer, most: 500, short: drop}}}
  - {id: apart, when: {sku_tag: {any: [frozen]}}, then: {part: {frozen: {sku_tag: [frozen]}}, warehouse: [SH, GZ]}}
  - {id: freight, on: parcel, when: {units: {gt: 20}}, then: {carrier: [DBL]}}
"""


def ruled_shop(store: Store, ctx: Context, rules: str = RULES) -> Context:
    """Add orders that rules hold and mark; return the context in which these rules are in force."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "rules.yaml"
        file.write_text(rules, encoding="utf-8")
        config = load_rules(file, timezone=SHANGHAI).require()
    lines = {id: f"rules.yaml:{line}" for id, line in config.lines.items()}
    ruled = replace(ctx, book=compile_book(config.rules, config.zones, SHANGHAI), rule_lines=lines)
    with store.begin() as tx:
        sku = dict(tx.execute(tables.sku.select().with_only_columns(tables.sku.c.code, tables.sku.c.id)).all())
        ids = []
        for at, (total, flag, province) in enumerate(
            [(128800, 0, "新疆维吾尔自治区"), (238000, 5, "广东省"), (12900, 0, "浙江省"), (468000, 0, "四川省")]
        ):
            placed = NOW - timedelta(hours=1, minutes=7 * at)
            amounts = {"total_minor": total, "goods_minor": total, "paid_minor": total}
            place = {"province": province, "city": "某市", "district": "某区", "seller_flag": flag}
            channel = list(ctx.channels)[at % 2]
            [order_id] = add(tx, tables.orders, order_row(channel, 900 + at, placed_at=placed, **amounts, **place))
            add(tx, tables.order_line, line_row(order_id, price_minor=total, sku_id=sku["LINEN-W-L"]))
            ids.append(order_id)
        stored = lock_order_ids(tx, ids).values()
        redecide(tx, ruled, [(order, order) for order in stored], event="order.changed", for_rules=True)
    return ruled
