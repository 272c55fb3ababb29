"""Every mistake in rules.yaml is named by file, line and column, all at once, in words that say what to write."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from erpsync.core.facts import On
from erpsync.core.rules import Comparison, Effects, Every, GiftEffect, Operator, Opposite, PartEffect, Rule, Some
from erpsync.settings.conditions import Known
from erpsync.settings.problems import ConfigError
from erpsync.settings.rules import LoadedRules, load_rules
from tests.support.sources import ROOT

SHANGHAI = ZoneInfo("Asia/Shanghai")
KNOWN = Known(channels=("tmall-flagship", "jd"), connectors=("taobao",), warehouses=("SH", "GZ"))
HEAD = "zones: {remote: [新疆, 海南/三沙市]}\nrules:\n  - "
HOLD = "then: {hold: x}"


def read(folder: Path, text: str, zone: ZoneInfo = SHANGHAI) -> LoadedRules:
    (folder / "rules.yaml").write_bytes(text.encode())
    return load_rules(folder / "rules.yaml", timezone=zone, known=KNOWN)


def said(folder: Path, text: str) -> list[str]:
    found = read(folder, text)
    return [str(each).removeprefix(f"{folder}/rules.yaml:") for each in (*found.problems, *found.notes)]


MISTAKES = {
    "a mistyped fact": (
        "{id: a, when: {paid_mins: {lt: 15}}, then: {hold: x}}",
        "3:20: rules.0.when.paid_mins: no such fact; did you mean 'paid_min'?",
    ),
    "the fact that is called otherwise": (
        "{id: a, when: {goods: {ge: 1}}, then: {hold: x}}",
        "3:20: rules.0.when.goods: no such fact; did you mean 'goods_total'?",
    ),
    "a fact of parcels": (
        "{id: a, when: {orders: {ge: 1}}, then: {hold: x}}",
        "3:20: rules.0.when.orders: is a fact of on: parcel, not of on: order",
    ),
    "the postage of the buyer, where that of the courier is meant": (
        "{id: a, on: parcel, when: {freight: {le: 20}}, then: {carrier: [POST]}}",
        "3:32: rules.0.when.freight: is what the buyer pays, a fact of on: order; "
        "what a courier takes is cost: {ACCOUNT: {le: 20}}",
    ),
    "a weight with its unit": (
        "{id: a, when: {weight_g: {lt: 1kg}}, then: {hold: x}}",
        "3:31: rules.0.when.weight_g.lt: must be a number (g)",
    ),
    "a mistyped operator": (
        "{id: a, when: {sku: {ony: [X]}}, then: {hold: x}}",
        "3:26: rules.0.when.sku.ony: sku takes no such operator; did you mean 'only'?",
    ),
    "an operator that does not fit": (
        "{id: a, when: {total: {contains: [X]}}, then: {hold: x}}",
        "3:28: rules.0.when.total.contains: total takes no such operator; "
        "write N, [N, …], {lt: N}, {le: N}, {gt: N}, {ge: N} or {is: unknown}",
    ),
    "not below a fact": (
        "{id: a, when: {city: {not: X}}, then: {hold: x}}",
        "3:27: rules.0.when.city.not: `not` stands before a fact: not: {city: …}",
    ),
    "a mistyped effect": (
        "{id: a, when: {lines: 1}, then: {hol: x}}",
        "3:38: rules.0.then.hol: unknown key; did you mean 'hold'?",
    ),
    "a mistyped key": (
        "{id: a, wen: {lines: 1}, when: {lines: 1}, then: {hold: x}}",
        "3:13: rules.0.wen: unknown key; did you mean 'when'?",
    ),
    "a text for a number": (
        "{id: a, when: {lines: {ge: two}}, then: {hold: x}}",
        "3:28: rules.0.when.lines.ge: must be a number",
    ),
    "kilogrammes for grammes": (
        "{id: a, when: {weight_g: {ge: 0.5}}, then: {hold: x}}",
        "3:31: rules.0.when.weight_g.ge: must be a whole number (g)",
    ),
    "a number that is not": (
        "{id: a, when: {total: {ge: .nan}}, then: {hold: x}}",
        "3:28: rules.0.when.total.ge: must be a number",
    ),
    "a SKU of digits": (
        "{id: a, when: {sku: [0123]}, then: {hold: x}}",
        "3:26: rules.0.when.sku.0: must be text: put it in quotes",
    ),
    "a star in the middle": (
        '{id: a, when: {sku: ["A*B"]}, then: {hold: x}}',
        "3:26: rules.0.when.sku.0: has a `*` that is not at its end",
    ),
    "an hour that no day has": (
        '{id: a, when: {clock: {from: "25:00", to: "08:00"}}, then: {hold: x}}',
        '3:28: rules.0.when.clock.from: must be a time of day such as "22:00"',
    ),
    "half of a time of day": (
        '{id: a, when: {clock: {from: "22:00"}}, then: {hold: x}}',
        "3:20: rules.0.when.clock.to: is missing",
    ),
    "a time of day without length": (
        '{id: a, when: {clock: {from: "00:00", to: "24:00"}}, then: {hold: x}}',
        "3:20: rules.0.when.clock: from and to are the same time of day",
    ),
    "a day that no year has": (
        "{id: a, from: 2027-02-30, when: {lines: 1}, then: {hold: x}}",
        "3:13: rules.0.from: must be a day or an instant that exists, such as 2027-03-01T10:00",
    ),
    "an end before the beginning": (
        "{id: a, from: 2027-03-02, until: 2027-03-01T23:59, when: {lines: 1}, then: {hold: x}}",
        "3:31: rules.0.until: is not after from: the rule would never count",
    ),
    "returns": (
        "{id: a, on: return, when: {lines: 1}, then: {hold: x}}",
        "3:13: rules.0.on: return comes with a later release; so far a rule is about an order or a parcel",
    ),
    "a mistyped kind of rule": (
        "{id: a, on: parcels, when: {lines: 1}, then: {hold: x}}",
        "3:13: rules.0.on: must be 'order' or 'parcel', is 'parcels'",
    ),
    "an unknown zone": (
        "{id: a, when: {zone: remot}, then: {hold: x}}",
        "3:20: rules.0.when.zone: no zone 'remot' in this file; did you mean 'remote'?",
    ),
    "an unknown channel": (
        "{id: a, when: {channel: tmal-flagship}, then: {hold: x}}",
        "3:20: rules.0.when.channel: there is no channel 'tmal-flagship'; did you mean 'tmall-flagship'?",
    ),
    "a connector that no channel has": (
        "{id: a, when: {connector: [jd]}, then: {hold: x}}",
        "3:32: rules.0.when.connector.0: no channel has the connector 'jd'; known are taobao",
    ),
    "an unknown problem of an address": (
        "{id: a, when: {address: {has: [to_short]}}, then: {hold: x}}",
        "3:36: rules.0.when.address.has.0: no such word; did you mean 'too_short'?",
    ),
    "events": (
        "{id: a, on: event, when: {event: order.held}, then: {tag: [x]}}",
        "3:13: rules.0.on: no rule is about events: who is told of them stands under `routes` in erpsync.yaml",
    ),
    "a fact of events": (
        "{id: a, when: {level: warn}, then: {hold: x}}",
        "3:20: rules.0.when.level: is a fact of events, which routes ask about",
    ),
    "a courier account that is no channel": (
        "{id: a, on: parcel, when: {cost: {sf: {le: 20}}}, then: {carrier: [SF]}}",
        "3:39: rules.0.when.cost.sf: no channel 'sf' in channels/",
    ),
    "an unknown kind": (
        "{id: a, when: {kind: [cot]}, then: {hold: x}}",
        "3:27: rules.0.when.kind.0: no such word; did you mean 'cod'?",
    ),
    "an unknown warehouse": (
        "{id: a, when: {lines: 1}, then: {warehouse: [SHH]}}",
        "3:38: rules.0.then.warehouse: no warehouse 'SHH' in erpsync.yaml; did you mean 'SH'?",
    ),
    "an unknown province": (
        "{id: a, when: {province: 新彊}, then: {hold: x}}",
        "3:20: rules.0.when.province: '新彊' is no province of China; did you mean '新疆'?",
    ),
    "a placeholder in a text": (
        '{id: a, when: {lines: 1}, then: {hold: "call {phone}"}}',
        "3:38: rules.0.then.hold: must hold no placeholder: it is shown as it stands, "
        "and nothing of the order is put into it",
    ),
    "a reference": (
        '{id: a, when: {seller_note: {contains: ["${HOME}"]}}, then: {hold: x}}',
        "3:45: rules.0.when.seller_note.contains.0: refers to something else; a rule says itself what it means",
    ),
    "ask without a hold": (
        "{id: a, when: {lines: 1}, then: {tag: [x], ask: true}}",
        "3:48: rules.0.then.ask: asks nobody without hold or void",
    ),
    "void that asks nobody": (
        "{id: a, when: {lines: 1}, then: {void: x, ask: false}}",
        "3:47: rules.0.then.ask: must be true: what is void is held until a person decides",
    ),
    "a gift for a parcel": (
        "{id: a, on: parcel, when: {lines: 1}, then: {gift: {sku: S}}}",
        "3:50: rules.0.then.gift: does not go with on: parcel",
    ),
    "a gift that replaces itself": (
        "{id: a, when: {lines: 1}, then: {gift: {sku: S, short: S}}}",
        "3:38: rules.0.then.gift: has the SKU itself as what is given instead of it",
    ),
    "a part of nothing": (
        "{id: a, when: {lines: 1}, then: {part: {cold: {}}}}",
        "3:45: rules.0.then.part.cold: must have either sku or sku_tag",
    ),
    "no effect": ("{id: a, when: {lines: 1}, then: {}}", "3:31: rules.0.then: says nothing that should be so"),
    "no condition": ("{id: a, then: {hold: x}}", "3:5: rules.0.when: is missing"),
    "an empty condition": ("{id: a, when: {}, then: {hold: x}}", "3:19: rules.0.when: is empty: name a fact"),
    "groups too deep": (
        "{id: a, when: {any: [{all: [{any: [{lines: 1}]}]}]}, then: {hold: x}}",
        "3:34: rules.0.when.any.0.all.0.any: `any` and `all` may stand in one another only once",
    ),
    "a rule that asks for two shops at once": (
        "{id: a, when: {channel: jd, all: [{channel: tmall-flagship}]}, then: {hold: x}}",
        "3:13: rules.0.when: can never hold: channel would have to be two things at once",
    ),
}


@pytest.mark.parametrize(("text", "problem"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_named_where_it_stands(tmp_path: Path, text: str, problem: str) -> None:
    assert said(tmp_path, HEAD + text) == [problem]


def test_an_unknown_courier_is_named_with_what_may_be_meant(tmp_path: Path) -> None:
    (problem,) = said(tmp_path, HEAD + "{id: a, when: {lines: 1}, then: {carrier: [SFF]}}")

    assert problem.startswith("3:48: rules.0.then.carrier.0: unknown carrier; did you mean SF")


def test_all_mistakes_of_a_file_are_named_at_once_and_no_rule_is_taken(tmp_path: Path) -> None:
    text = (
        HEAD
        + "{id: a, when: {pad_min: {lt: 1}}, then: {hold: x, tell: never}}\n  - {id: b, when: {lines: x}, then: {}}"
    )

    found = read(tmp_path, text)
    assert [(each.line, each.path) for each in found.problems] == [
        (3, "rules.0.when.pad_min"),
        (3, "rules.0.then.tell"),
        (4, "rules.1.when.lines"),
        (4, "rules.1.then"),
    ]
    with pytest.raises(ConfigError):
        found.require()


def test_an_id_that_stands_twice_is_named_with_the_first_line(tmp_path: Path) -> None:
    row = "{id: a, when: {lines: 1}, then: {tag: [x]}}"

    assert said(tmp_path, f"{HEAD}{row}\n  - {row}") == [
        "4:10: rules.1.id: 'a' is already the id of the rule on line 3"
    ]


def test_an_effect_that_a_rule_above_always_has_is_named_and_refuses_nothing(tmp_path: Path) -> None:
    first = "{id: a, when: {total: {ge: 100}}, then: {carrier: [SF]}}"
    second = "{id: b, when: {total: {gt: 200}, kind: cod}, then: {carrier: [EMS], tag: [x]}}"
    found = read(tmp_path, f"{HEAD}{first}\n  - {second}")

    assert found.config is not None
    assert [(each.severity, each.line, each.path, each.text) for each in found.notes] == [
        (
            "warning",
            4,
            "rules.1.then.carrier",
            "never counts: rule 'a' above has carrier too and matches wherever this one does",
        )
    ]


def test_a_time_that_the_clocks_skip_is_refused(tmp_path: Path) -> None:
    text = HEAD + "{id: a, from: 2027-03-14T02:30, when: {lines: 1}, then: {hold: x}}"
    (problem,) = read(tmp_path, text, ZoneInfo("America/New_York")).problems

    assert problem.text == "the clocks of America/New_York skip this time"


def test_own_orders_are_named_by_their_channel_and_connector_that_stand_in_no_file(tmp_path: Path) -> None:
    assert said(tmp_path, HEAD + "{id: a, when: {channel: internal, connector: internal}, then: {hold: x}}") == []


def test_a_gift_is_the_sku_that_is_written_and_a_comparison_goes_by_its_plain_form(tmp_path: Path) -> None:
    text = HEAD + "{id: a, when: {sku: 杯（红）}, then: {gift: {sku: 杯（红）, short: ' 杯（蓝） '}}}"
    (rule,) = read(tmp_path, text).require().rules

    assert rule.when == Every((Comparison(fact="sku", operator=Operator.HAS, words=("杯(红)",)),))
    assert rule.then.gift == GiftEffect(sku="杯（红）", short="杯（蓝）")


def test_a_rule_is_read_with_its_zones_window_conditions_and_effects(tmp_path: Path) -> None:
    text = HEAD + (
        "{id: a, from: 2027-03-01T10:00, until: 2027-03-02T00:00Z,\n"
        "     when: {any: [{zone: remote}, {total: {ge: 99.9}}], not: {kind: cod}},\n"
        "     then: {hold: 等, ask: true, warehouse: {by: zone}, part: {cold: {sku: ['F*']}}}}"
    )
    config = read(tmp_path, text).require()

    assert config.zones == {"remote": (("新疆", ""), ("海南", "三沙市"))}
    assert config.lines == {"a": 3}
    assert config.rules == (
        Rule(
            id="a",
            on=On.ORDER,
            when=Every(
                (
                    Some(
                        (
                            Comparison(fact="zone", operator=Operator.HAS, words=("remote",)),
                            Comparison(fact="total", operator=Operator.GE, words=(Decimal("99.9"),)),
                        )
                    ),
                    Opposite(Every((Comparison(fact="kind", operator=Operator.ONE_OF, words=("cod",)),))),
                )
            ),
            then=Effects(
                hold="等",
                ask=True,
                warehouse_by="zone",
                part=(PartEffect(name="cold", by="sku", words=("F*",)),),
            ),
            from_at=datetime(2027, 3, 1, 2, tzinfo=UTC),
            until_at=datetime(2027, 3, 2, tzinfo=UTC),
        ),
    )


GOOD = (ROOT / "config" / "rules.example.yaml").read_text(encoding="utf-8")
SHARDS = st.sampled_from(["{", "}", "[", "]", ":", "*", '"', "~", "1e999", "-1", "any", "not", "${X}", "!file x", "\n"])


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_whatever_stands_in_the_file_is_rules_or_refused_with_a_line(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    text = GOOD
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(text)))
        text = text[:start] + data.draw(SHARDS) + text[start + data.draw(st.integers(0, 9)) :]
    found = read(tmp_path_factory.mktemp("rules"), text)

    assert (found.config is None) is bool(found.problems)
    assert all(1 <= each.line <= len(text.splitlines()) + 1 for each in found.problems)
