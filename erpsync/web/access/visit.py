"""A visit: who is at an address of the console, and what they sent."""

from dataclasses import dataclass, field

from starlette.requests import Request

from erpsync.flows.access.sessions import Caller, Visitor
from erpsync.web.access.forms import Form


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A person with a session at an address whose role they have.

    Args:
        csrf: what every form of this page has to carry, in a field named `csrf`.
        form: what was filled in; empty for a page.
    """

    request: Request
    visitor: Visitor
    csrf: str
    caller: Caller
    form: Form = field(default_factory=Form)

    @property
    def name(self) -> str:
        """The user's name."""
        return self.visitor.name

    @property
    def role(self) -> str:
        """The user's role: read, pack, operate or admin."""
        return self.visitor.role

    @property
    def actor(self) -> str:
        """Who acts, for events."""
        return self.visitor.actor

    @property
    def language(self) -> str | None:
        """In which language the user reads, None while they have not chosen."""
        return self.visitor.language

    def may(self, role: str) -> bool:
        """Whether the user's role is this one or reaches further."""
        return self.visitor.may(role)
