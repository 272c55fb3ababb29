"""What somebody may do, whether a person or a program, and how they may be called."""

import re

from erpsync.flows.errors import Refused

ROLES = ("read", "pack", "operate", "admin")
"""Each may do what those before it may: look; make waves, print, scan and stop at a desk; change orders, stock and
channels; see people, users and settings."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def reaches(role: str, needed: str) -> bool:
    """Whether a role is the one that is needed or reaches further."""
    return ROLES.index(role) >= ROLES.index(needed)


def check_role(role: str, what: str) -> None:
    """Refuse what is no role; `what` is it called where it was said."""
    if role not in ROLES:
        raise Refused(f"{what} must be one of {', '.join(ROLES)}, is {role}")


def check_name(name: str, whose: str) -> None:
    """Refuse what no token and no user may be called."""
    if not _NAME.fullmatch(name):
        raise Refused(f"{whose} name is up to 64 letters, digits, dots, dashes and underscores, is {name!r}")
