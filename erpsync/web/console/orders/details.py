"""What an entry of an order's story says, in pairs of a name and a value, in the reader's words."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from erpsync.languages import Language
from erpsync.languages.codes import CODES
from erpsync.languages.vocabulary import OWN_WORDS
from erpsync.sdk.money import major
from erpsync.store.order_rules import OFF
from erpsync.web.console.audit.words import GIFT_WORDS, SEAL_WORDS
from erpsync.web.console.desk.words import ONE_PAPER_WORDS
from erpsync.web.words import Clockface

_WORDS = OWN_WORDS | {"follows"}
_PAPERS = ONE_PAPER_WORDS | {"pick": "Pick list of the wave"}
_NOTHING: tuple[object, ...] = (None, "", [], {})
_CHANGE = ("from", "to", "changes")


@dataclass(frozen=True, slots=True)
class Details:
    """Tells details as a page does: codes in words, amounts as money, instants on the operator's clock."""

    speech: Language
    clock: Clockface
    currency: str

    def pairs(self, detail: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """Yield what a detail says; what changed is told once, as what was and what is."""
        before, after = detail.get("from"), detail.get("to")
        changed: Mapping[str, Any] = {}
        if isinstance(before, Mapping) and isinstance(after, Mapping):
            changed = after
            for name, now in after.items():
                was, is_now = self._value(name, before.get(name)), self._value(name, now)
                yield self._name(name), f"{was} → {is_now}"
        for name, value in detail.items():
            told = (changed and name in _CHANGE) or name in changed
            if not told and value not in _NOTHING and (name, value) != ("attempts", 0):
                yield self._name(name), self._value(name, value)

    def _name(self, name: str) -> str:
        return self.speech.phrase(name.removesuffix("_minor"))

    def _value(self, name: str, value: Any) -> str:
        if value in _NOTHING:
            return "–"
        if name == "marks" and isinstance(value, Mapping):
            return self.speech.comma.join(self._mark(mark, *pair) for mark, pair in value.items())
        if name == "gifts" and isinstance(value, Mapping):
            return self.speech.comma.join(
                f"{rule} {self.speech.say(GIFT_WORDS.get(state, '–'))}" for rule, state in value.items()
            )
        if isinstance(value, Mapping):
            return self.speech.comma.join(f"{self._name(key)} {self._value(key, item)}" for key, item in value.items())
        if isinstance(value, list):
            return self.speech.comma.join(
                self._taken(item) if isinstance(item, Mapping) else self._value(name, item) for item in value
            )
        if name.endswith("_minor") and isinstance(value, int):
            return self.speech.money(major(value, self.currency), self.currency)
        if name == "paper" and value in _PAPERS:
            return self.speech.say(_PAPERS[value])
        if name in _WORDS and value in CODES:
            return self.speech.phrase(value)
        return self.clock.plain(value)

    def _mark(self, name: str, before: str | None, now: str | None) -> str:
        """Return what became of a mark: `+tag 偏远`, `-tag 偏远`, `carrier EMS → SF`."""
        what, _, which = name.partition(":")
        named = " ".join(filter(None, (self.speech.phrase(what), which)))
        if now is None or now == OFF:
            return f"−{named}"
        if before is None or before in ("", OFF):
            return " ".join(filter(None, (f"+{named}", self._wish(now))))
        return f"{named} {self._wish(before)} → {self._wish(now) or '–'}"

    def _wish(self, value: str) -> str:
        """Return what a mark says, in words where it is a code of ours."""
        return self.speech.say(SEAL_WORDS[value]) if value in SEAL_WORDS else value

    def _taken(self, item: Mapping[str, Any]) -> str:
        """Return units of a SKU as a page writes them: `A ×2 SH`; of anything else all that it says."""
        if {"sku", "qty"} <= item.keys():
            return " ".join(filter(None, (f"{item['sku']} ×{item['qty']}", str(item.get("warehouse") or ""))))
        return self._value("", item)
