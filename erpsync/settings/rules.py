"""Loads rules.yaml: zones and rules into frozen settings; every problem with file, line and column, all at once.

Why rules that contradict themselves are refused and shadowed ones only named: a hold that never comes is found out
when the parcel has left; a second wish for a courier that never counts costs nothing.
"""

import re
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path as FilePath
from typing import Any, Literal
from zoneinfo import ZoneInfo

from erpsync.core.facts import On
from erpsync.core.rules.lint import never_match, shadowed
from erpsync.core.rules.model import EFFECTS, Effects, GiftEffect, PartEffect, Rule, Zones
from erpsync.core.rules.places import PROVINCES, short_place
from erpsync.settings.bind import Binder
from erpsync.settings.conditions import Conditions, Known, near
from erpsync.settings.files import Disk, Files
from erpsync.settings.problems import Findings, Path
from erpsync.settings.rule_config import LoadedRules, RulesConfig
from erpsync.settings.rule_models import ByKeys, GiftKeys, PartKeys, RuleKeys, RulesFile, ThenKeys
from erpsync.settings.secrets import Sources, is_reference
from erpsync.settings.tree import Mapping, Node, Scalar, Sequence, locate

_INSTANT = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d)?)?(Z|[+-]\d\d:\d\d)?")

_NOT_RULED = {
    "return": "return comes with a later release; so far a rule is about an order or a parcel",
    "event": "no rule is about events: who is told of them stands under `routes` in erpsync.yaml",
}


def load_rules(
    file: FilePath, *, timezone: ZoneInfo, known: Known | None = None, source: Files | None = None
) -> LoadedRules:
    """Return the rules of a file such as rules.yaml, with everything that is wrong with them.

    Args:
        timezone: whose clock `from` and `until` without an offset mean.
        known: names that conditions and effects may hold; by default any.
        source: what the file is read from, the disk by default.
    """
    source = source or Disk()
    findings = Findings(str(file))
    node = source.read(file, findings)
    config = None
    if node is not None:
        reading = _Reading(findings, Sources(file.parent, {}), timezone, known or Known())
        config = replace(reading.file(node), file=str(file))
        config = config if source.knows_lines else replace(config, lines={})
    listed = sorted(findings.found, key=lambda each: (each.line, each.column))
    problems = tuple(each for each in listed if each.severity == "error")
    notes = tuple(each for each in listed if each.severity != "error")
    return LoadedRules(config=None if problems else config, node=node, problems=problems, notes=notes)


@dataclass(slots=True)
class _Reading:
    """Reads one file."""

    findings: Findings
    sources: Sources
    timezone: ZoneInfo
    known: Known
    _zones: Zones = field(default_factory=dict)

    def file(self, root: Node) -> RulesConfig:
        root = self._literal(root, ())
        file = self._bind(root.without("rules") if isinstance(root, Mapping) else root, RulesFile, ())
        if not isinstance(root, Mapping):
            return RulesConfig()
        zones = root.items.get("zones")
        names = zones.items if isinstance(zones, Mapping) else {}
        self._zones = self._places(file.zones, root) if file else dict.fromkeys(names, ())
        rows = root.items.get("rules", Sequence(root.place, ()))
        if not isinstance(rows, Sequence):
            self.findings.add(root.keys["rules"], ("rules",), "must be a list")
            return RulesConfig()
        read = [self._rule(row, ("rules", n)) for n, row in enumerate(rows.items)]
        lines = self._ids(rows)
        self._lint([(n, rule) for n, rule in enumerate(read) if rule is not None], root)
        return RulesConfig(rules=tuple(rule for rule in read if rule), zones=self._zones, lines=lines)

    def _bind(self, node: Node, model: type[Any], base: Path) -> Any:
        return Binder(self.findings, self.sources).bind(node, model, base)

    def _literal(self, node: Node, path: Path) -> Node:
        """Return the tree with a word in place of each reference: rules hold none, and none is read."""
        if isinstance(node, Mapping):
            items = {key: self._literal(child, (*path, key)) for key, child in node.items.items()}
            return replace(node, items=items)
        if isinstance(node, Sequence):
            return replace(node, items=tuple(self._literal(child, (*path, n)) for n, child in enumerate(node.items)))
        if not is_reference(node):
            return node
        self.findings.add(node.place, path, "refers to something else; a rule says itself what it means")
        return Scalar(node.place, "reference")

    def _places(self, zones: dict[str, list[str]], root: Mapping) -> Zones:
        found: dict[str, tuple[tuple[str, str], ...]] = {}
        for zone, places in zones.items():
            pairs = []
            for n, place in enumerate(places):
                path: Path = ("zones", zone, n)
                province, slash, city = (part.strip() for part in place.partition("/"))
                if not province or (slash and not city):
                    self._at(root, path, "must be PROVINCE or PROVINCE/CITY")
                elif short_place(province) not in PROVINCES:
                    text = f"'{province}' is no province of China{near(province, PROVINCES)}"
                    self._at(root, path, text, severity="warning")
                pairs.append((province, city))
            if not places:
                self._at(root, ("zones", zone), "is empty: name a province")
            found[zone] = tuple(pairs)
        return found

    def _at(self, root: Node, path: Path, text: str, severity: Literal["error", "warning"] = "error") -> None:
        self.findings.add(locate(root, path)[1], path, text, severity=severity)

    def _ids(self, rows: Sequence) -> dict[str, int]:
        """Return the line of each rule, and note ids that stand twice."""
        lines: dict[str, int] = {}
        for n, row in enumerate(rows.items):
            id = row.items.get("id") if isinstance(row, Mapping) else None
            if not isinstance(id, Scalar) or not isinstance(id.value, str):
                continue
            if id.value in lines:
                text = f"'{id.value}' is already the id of the rule on line {lines[id.value]}"
                self.findings.add(id.place, ("rules", n, "id"), text)
            lines.setdefault(id.value, row.place[0])
        return lines

    def _rule(self, row: Node, path: Path) -> Rule | None:
        refused = _NOT_RULED.get(str(_said(row, "on"))) if isinstance(row, Mapping) else None
        if isinstance(row, Mapping) and refused:
            self._under(row, path, "on", refused)
            return None
        own = row.without("when") if isinstance(row, Mapping) else row
        keys: RuleKeys | None = self._bind(own, RuleKeys, path)
        if not isinstance(row, Mapping):
            return None
        on = keys.on if keys else _said(row, "on")
        when = None
        if "when" not in row.items:
            self.findings.add(row.place, (*path, "when"), "is missing")
        elif isinstance(on, str) and on in set(EFFECTS):
            conditions = Conditions(findings=self.findings, on=On(on), zones=self._zones, known=self.known)
            when = conditions.read(row.items["when"], (*path, "when"))
        if keys is None:
            return None
        before = len(self.findings.found)
        instants = [self._instant(row, path, name) for name in ("from", "until")]
        if instants[0] and instants[1] and instants[0] >= instants[1]:
            self._under(row, path, "until", "is not after from: the rule would never count")
        then = self._effects(keys.then, On(keys.on), row, path)
        if when is None or any(problem.severity == "error" for problem in self.findings.found[before:]):
            return None
        return Rule(id=keys.id, on=On(keys.on), when=when, then=then, from_at=instants[0], until_at=instants[1])

    def _under(self, row: Mapping, path: Path, name: str, text: str) -> None:
        self.findings.add(row.keys[name], (*path, name), text)

    def _instant(self, row: Mapping, path: Path, name: str) -> datetime | None:
        """Return `from` or `until` in UTC."""
        node = row.items.get(name)
        text = node.value if isinstance(node, Scalar) else None
        if not isinstance(text, str):
            return None
        try:
            at = datetime.fromisoformat(text) if _INSTANT.fullmatch(text) else None
            if at is not None and at.tzinfo is None:
                local = at.replace(tzinfo=self.timezone)
                if local.astimezone(UTC).astimezone(self.timezone).replace(tzinfo=None) != at:
                    self._under(row, path, name, f"the clocks of {self.timezone.key} skip this time")
                at = local
            if at is not None:
                return at.astimezone(UTC)
        except (ValueError, OverflowError):
            pass  # no such day, month or hour, which is said below
        self._under(row, path, name, "must be a day or an instant that exists, such as 2027-03-01T10:00")
        return None

    def _effects(self, then: ThenKeys, on: On, row: Mapping, path: Path) -> Effects:
        """Return what comes of a rule, after noting what does not go together."""
        given = [name for name in ThenKeys.model_fields if name != "ask" and getattr(then, name) is not None]
        if not given:
            self._under(row, path, "then", "says nothing that should be so")
        for name in given:
            if name not in EFFECTS[on]:
                self._effect(row, path, name, f"does not go with on: {on.value}")
        if then.hold and then.void:
            self._effect(row, path, "hold", "stands beside void, which holds by itself")
        if then.ask is not None and not (then.hold or then.void):
            self._effect(row, path, "ask", "asks nobody without hold or void")
        if then.ask is not None and on is On.PARCEL:
            text = "does not go with on: parcel: nobody can approve a parcel that is not made; take out what has a tag"
            self._effect(row, path, "ask", text)
        if then.ask is False and then.void:
            self._effect(row, path, "ask", "must be true: what is void is held until a person decides")
        if then.gift and then.gift.short == then.gift.sku:
            self._effect(row, path, "gift", "has the SKU itself as what is given instead of it")
        places = then.warehouse if isinstance(then.warehouse, list) else []
        for id in places:
            if self.known.warehouses is not None and id not in self.known.warehouses:
                hint = near(id, self.known.warehouses)
                self._effect(row, path, "warehouse", f"no warehouse '{id}' in erpsync.yaml{hint}")
        return Effects(
            hold=then.hold or "",
            ask=bool(then.ask),
            tag=tuple(then.tag or ()),
            seal=tuple(then.seal or ()),
            gift=_gift(then.gift) if then.gift else None,
            carrier=tuple(then.carrier or ()),
            warehouse=tuple(places),
            warehouse_by=then.warehouse.by if isinstance(then.warehouse, ByKeys) else "",
            part=tuple(self._part(name, keys, row, path) for name, keys in (then.part or {}).items()),
            void=then.void or "",
            tell=then.tell or "",
        )

    def _effect(self, row: Mapping, path: Path, name: str, text: str) -> None:
        self.findings.add(locate(row, ("then", name))[1], (*path, "then", name), text)

    def _part(self, name: str, keys: PartKeys, row: Mapping, path: Path) -> PartEffect:
        if (keys.sku is None) is (keys.sku_tag is None):
            place = locate(row, ("then", "part", name))[1]
            self.findings.add(place, (*path, "then", "part", name), "must have either sku or sku_tag")
        if keys.sku is not None:
            return PartEffect(name=name, by="sku", words=tuple(keys.sku))
        return PartEffect(name=name, by="sku_tag", words=tuple(keys.sku_tag or ()))

    def _lint(self, rules: list[tuple[int, Rule]], root: Node) -> None:
        """Note rules that can match nothing, and effects that never count."""
        for n, rule in rules:
            fact = never_match(rule.when, rule.on, self._zones)
            if fact:
                text = f"can never hold: {fact} would have to be two things at once"
                self._at(root, ("rules", n, "when"), text)
        for shadow in shadowed([rule for _, rule in rules]):
            n, above = rules[shadow.rule][0], rules[shadow.above][1]
            text = f"never counts: rule '{above.id}' above has {shadow.effect} too and matches wherever this one does"
            self._at(root, ("rules", n, "then", shadow.effect), text, severity="warning")


def _gift(keys: GiftKeys) -> GiftEffect:
    return GiftEffect(sku=keys.sku, qty=keys.qty, once=keys.once or "", most=keys.most, short=keys.short)


def _said(row: Mapping, key: str) -> object:
    node = row.items.get(key)
    return "order" if node is None else node.value if isinstance(node, Scalar) else None
