"""What the forms of this room hold: texts that must be there, whole numbers, pasted lines of a SKU and a number."""

import re
from dataclasses import dataclass
from unicodedata import normalize

from erpsync.flows.errors import Refused
from erpsync.web.access.forms import Form

MOST_UNITS = 10**9
MOST_CHARS = 200
_NUMBER = re.compile(r"([+-]?)([0-9]{1,9})(?:\.0+)?")
_LINE = re.compile(r"(.*?)[\t,，;；]\s*([^\t,，;；]*)[\t,，;；\s]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class PastedLine:
    """A line that was pasted: a SKU and how many of it."""

    number: int
    sku: str
    qty: int


def reason_of(form: Form) -> str:
    """Return why somebody acts; raises `Refused` without one."""
    return needed(form, "reason", "a reason is needed")


def needed(form: Form, name: str, problem: str) -> str:
    """Return what a field holds; raises `Refused` with this problem where it is empty."""
    text = form.text(name).strip()
    if not text:
        raise Refused(problem)
    if len(text) > MOST_CHARS:
        raise Refused(f"a field holds {len(text)} characters, more than {MOST_CHARS}")
    return text


def units_of(form: Form, name: str, *, least: int = 0) -> int:
    """Return a field as a whole number; raises `Refused`."""
    text = needed(form, name, "a number is needed")
    number = _number(text)
    if number is None or number < least:
        raise Refused(_not_a_number(text, least))
    return number


def pasted_lines(text: str, *, least: int = 0) -> tuple[list[PastedLine], list[tuple[int, str]]]:
    """Return the lines of a text, and (number, problem) of those that cannot be read; empty lines are passed over."""
    lines, problems = list[PastedLine](), list[tuple[int, str]]()
    first: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        read = _LINE.fullmatch(line)
        qty = _number(read[2]) if read else None
        sku = read[1].strip() if read else ""
        if read is None:
            problems.append((number, "between SKU and number a tab or a comma is needed"))
        elif not sku or len(sku) > MOST_CHARS:
            problems.append((number, "the SKU is empty" if not sku else "the SKU is too long"))
        elif qty is None or qty < least:
            problems.append((number, _not_a_number(read[2].strip(), least)))
        elif sku in first:
            problems.append((number, f"{sku} stands in line {first[sku]} already"))
        else:
            first[sku] = number
            lines.append(PastedLine(number=number, sku=sku, qty=qty))
    return lines, problems


def _number(text: str) -> int | None:
    """Return a whole number as people type it, full-width digits too; None where it is none."""
    read = _NUMBER.fullmatch(normalize("NFKC", text).replace("\u2212", "-").strip())
    return None if read is None else int(read[1] + read[2])


def _not_a_number(text: str, least: int) -> str:
    if least < 0:
        return f"a whole number is needed, not “{text}”"
    return f"a whole number from {least} is needed, not “{text}”"
