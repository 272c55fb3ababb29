"""A judge of its own: it reads conditions as they stand, without compiling, index or memory, and knows nothing of ours.

It also lists every instant at which time may change an answer, by trying each bound of each day.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from unicodedata import normalize
from zoneinfo import ZoneInfo

from erpsync.core.facts import UNKNOWN, OrderFacts
from erpsync.core.rules import Comparison, Condition, Every, Opposite, Rule, Zones

SUMMER_TIME = (
    datetime(2026, 11, 1, 6, tzinfo=UTC),
    datetime(2027, 3, 14, 7, tzinfo=UTC),
    datetime(2027, 11, 7, 6, tzinfo=UTC),
)
"""When New York's clocks are moved."""

TIMED = ("clock", "weekday", "paid_min", "placed_min", "ship_by_h")


@dataclass
class Said:
    """What the rules say."""

    holds: list[tuple[str, str, bool, bool]] = field(default_factory=list)
    marks: dict[str, tuple[str, str]] = field(default_factory=dict)
    gifts: list[tuple[str, str]] = field(default_factory=list)
    outcomes: list[str] = field(default_factory=list)
    passed_over: list[tuple[str, str, str]] = field(default_factory=list)
    grounds: dict[str, set[str]] = field(default_factory=dict)


@dataclass
class Brute:
    """Judges one order."""

    zones: Zones
    zone: ZoneInfo
    facts: OrderFacts
    now: datetime
    tags: set[str] = field(default_factory=set)
    read: set[str] = field(default_factory=set)

    def judge(self, rules: Sequence[Rule]) -> Said:
        self.tags, self.read = set(self.facts.tag), set(self.facts.notes_read)
        said = Said()
        winners: dict[str, str] = {}
        for rule in rules:
            out_of_time = (rule.from_at and self.now < rule.from_at) or (rule.until_at and self.now >= rule.until_at)
            truth = self.truth(rule.when)
            if out_of_time or truth is False:
                said.outcomes.append("not")
            elif truth is None:
                said.outcomes.append("unknown")
                for test in self.grounds(rule.when):
                    said.marks.setdefault(f"unknown:{test.fact}", ("", rule.id))
            else:
                said.outcomes.append("matched")
                self.effects(rule, said, winners)
        seals = {what: owner for what, owner in winners.items() if what.startswith("seal ")}
        if seals:
            names = sorted(what[5:] for what in seals)
            said.marks["seal"] = (" ".join(names), seals[f"seal {names[0]}"])
        return said

    def effects(self, rule: Rule, said: Said, winners: dict[str, str]) -> None:
        then = rule.then
        grounds = list(self.grounds(rule.when))
        if then.hold or then.void:
            said.holds.append((rule.id, then.hold or then.void, then.ask or bool(then.void), bool(then.void)))
            said.grounds[rule.id] = {test.fact for test in self.approvable(rule.when)}
        self.read |= {test.fact for test in grounds if test.operator.value == "contains" and self.test(test) is True}
        for tag in then.tag:
            said.marks.setdefault(f"tag:{tag}", ("", rule.id))
        self.tags |= set(then.tag)
        for what in then.seal:
            winners.setdefault(f"seal {what}", rule.id)
        if then.gift:
            said.gifts.append((rule.id, then.gift.sku))
        singles = {
            "carrier": {"carrier": " ".join(then.carrier)} if then.carrier else {},
            "warehouse": {"warehouse": " ".join(then.warehouse)}
            if then.warehouse
            else {"warehouse": f"by:{then.warehouse_by}"}
            if then.warehouse_by
            else {},
            "part": {f"part:{part.name}": f'{{"{part.by}": ["{part.words[0]}"]}}' for part in then.part},
            "void": {"void": then.void} if then.void else {},
            "tell": {"tell": then.tell} if then.tell else {},
        }
        for effect, marks in singles.items():
            if not marks:
                continue
            if effect in winners:
                said.passed_over.append((rule.id, effect, winners[effect]))
                continue
            winners[effect] = rule.id
            for name, value in marks.items():
                said.marks[name] = (value, rule.id)

    # ---- truth -------------------------------------------------------------------------------------------------------

    def truth(self, condition: Condition) -> bool | None:
        if isinstance(condition, Comparison):
            return self.test(condition)
        if isinstance(condition, Opposite):
            inner = self.truth(condition.of)
            return None if inner is None else not inner
        found = [self.truth(each) for each in condition.of]
        if isinstance(condition, Every):
            return False if False in found else None if None in found else True
        return True if True in found else None if None in found else False

    def grounds(self, condition: Condition) -> Iterator[Comparison]:
        if isinstance(condition, Comparison):
            yield condition
        elif isinstance(condition, Opposite):
            yield from self.grounds(condition.of)
        else:
            whole = self.truth(condition)
            for each in condition.of:
                if self.truth(each) is whole:
                    yield from self.grounds(each)

    def approvable(self, condition: Condition) -> list[Comparison]:
        """Return what an approval is for: the grounds, but all tests where time could move them."""
        tests = list(tests_in(condition))
        timed = any(test.fact in TIMED and test.operator.value != "unknown" for test in tests)
        return tests if timed else list(self.grounds(condition))

    def value(self, fact: str) -> object:
        if fact == "tag":
            return self.tags
        if fact == "zone":
            return self.zones_of_place()
        return getattr(
            self.facts, {"paid_min": "paid_at", "placed_min": "placed_at", "ship_by_h": "ship_by_at"}.get(fact, fact)
        )

    def zones_of_place(self) -> object:
        province, city = self.facts.province, self.facts.city
        if province is UNKNOWN:
            return UNKNOWN
        here = [
            (zone, town) for zone, places in self.zones.items() for name, town in places if bare(name) == bare(province)
        ]
        if city is UNKNOWN and any(town for _, town in here):
            return UNKNOWN
        return {zone for zone, town in here if not town or bare(town) == bare(city)}

    def test(self, test: Comparison) -> bool | None:
        operator = test.operator.value
        if test.fact == "clock":
            return within(self.now.astimezone(self.zone), test)
        if test.fact == "weekday":
            name = self.now.astimezone(self.zone).strftime("%a").lower()
            return name in test.words
        value = self.value(test.fact)
        if operator == "unknown":
            return value is UNKNOWN
        if value is UNKNOWN:
            return None
        if test.fact in ("paid_min", "placed_min", "ship_by_h"):
            return self.running(test, value)
        if operator in ("lt", "le", "gt", "ge"):
            return compared(operator, Decimal(str(value)), Decimal(str(test.words[0])))
        if operator == "contains":
            text = normalize("NFKC", str(value)).casefold()
            return any(normalize("NFKC", str(word)).casefold() in text for word in test.words)
        if operator == "unread":
            unread = str(value).strip() != "" and test.fact not in self.read
            return unread == test.words[0]
        if operator == "one of":
            if test.fact in ("province", "city"):
                return bare(str(value)) in [bare(str(word)) for word in test.words]
            return any(value == word for word in test.words)
        return on_set(operator, set(value), [str(word) for word in test.words])  # type: ignore[call-overload]

    def running(self, test: Comparison, at: object) -> bool:
        if at is None:
            return False
        assert isinstance(at, datetime)
        length = at - self.now if test.fact == "ship_by_h" else self.now - at
        micro = length // timedelta(microseconds=1)
        unit = 3_600_000_000 if test.fact == "ship_by_h" else 60_000_000
        return compared(test.operator.value, Decimal(micro), Decimal(str(test.words[0])) * unit)

    # ---- time --------------------------------------------------------------------------------------------------------

    def flips(self, rules: Sequence[Rule]) -> list[datetime]:
        """Return the instants behind `now` at which time may change an answer."""
        found = {at for rule in rules for at in (rule.from_at, rule.until_at) if at}
        for rule in rules:
            for test in tests_in(rule.when):
                found |= set(self.flips_of(test))
        return sorted(at for at in found if at > self.now)

    def flips_of(self, test: Comparison) -> Iterator[datetime]:
        if test.fact in ("clock", "weekday"):
            yield from SUMMER_TIME
            today = self.now.astimezone(self.zone).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
            for day in range(-1, 10):
                for minute in test.words if test.fact == "clock" else (0,):
                    wall = today + timedelta(days=day, minutes=int(minute))
                    for fold in (0, 1):
                        yield wall.replace(tzinfo=self.zone, fold=fold).astimezone(UTC)
        elif test.fact in ("paid_min", "placed_min", "ship_by_h") and test.operator.value != "unknown":
            at = self.value(test.fact)
            if isinstance(at, datetime):
                sign = -1 if test.fact == "ship_by_h" else 1
                unit = 3_600_000_000 if test.fact == "ship_by_h" else 60_000_000
                whole = int(Decimal(str(test.words[0])) * unit)
                for near in (-1, 0, 1):
                    yield at + sign * timedelta(microseconds=whole + near)


def tests_in(condition: Condition) -> Iterator[Comparison]:
    if isinstance(condition, Comparison):
        yield condition
    elif isinstance(condition, Opposite):
        yield from tests_in(condition.of)
    else:
        for each in condition.of:
            yield from tests_in(each)


def bare(place: object) -> str:
    return str(place).replace("维吾尔自治区", "").removesuffix("省").removesuffix("市")


def within(local: datetime, test: Comparison) -> bool:
    minute = local.hour * 60 + local.minute
    begin, end = (int(word) for word in test.words)
    inside = set(range(begin, end)) if begin < end else {*range(begin, 1440), *range(end)}
    return minute in inside


def compared(operator: str, left: Decimal, right: Decimal) -> bool:
    return {"lt": left < right, "le": left <= right, "gt": left > right, "ge": left >= right}[operator]


def on_set(operator: str, value: set[str], words: list[str]) -> bool:
    def is_meant(each: str, word: str) -> bool:
        return each.startswith(word[:-1]) if word.endswith("*") else each == word

    if operator == "has":
        return any(is_meant(each, word) for each in value for word in words)
    if operator == "all":
        return all(any(is_meant(each, word) for each in value) for word in words)
    return len(value) > 0 and all(any(is_meant(each, word) for word in words) for each in value)
