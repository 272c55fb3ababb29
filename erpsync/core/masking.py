"""Who gets a parcel, as somebody may see it who need not know: enough to tell two apart, too little to find anybody."""

from collections.abc import Mapping

STARS = 4
_SHOWN_HEAD, _SHOWN_TAIL, _LEAST_HIDDEN = 3, 4, 4


def mask_name(name: str) -> str:
    """Return a name of which only the first sign is left: `王**`; nothing where there is none."""
    name = name.strip()
    return f"{name[0]}**" if name else ""


def mask_phone(phone: str) -> str:
    """Return a telephone number with its middle hidden: `138****5678`; nothing where there is none.

    What is too short to leave that many digits hidden is hidden whole, and an extension is not shown.
    """
    digits = [sign for sign in phone if sign.isdecimal() or sign == "*"]
    if not digits:
        return ""
    if len(digits) < _SHOWN_HEAD + _LEAST_HIDDEN + _SHOWN_TAIL:
        return "*" * STARS
    return f"{''.join(digits[:_SHOWN_HEAD])}{'*' * STARS}{''.join(digits[-_SHOWN_TAIL:])}"


def masked(recipient: Mapping[str, str]) -> dict[str, str]:
    """Return what may be seen of a recipient: `name`, `phone` and `city`, those that are there.

    The city is the province where the channel says no city; district, street and a platform's ciphertext stay hidden.
    """
    shown = {
        "name": mask_name(recipient.get("name", "")),
        "phone": mask_phone(recipient.get("phone", "")),
        "city": recipient.get("city", "") or recipient.get("province", ""),
    }
    return {name: value for name, value in shown.items() if value}
