"""The keys of erpsync.yaml about the rules of rules.yaml."""

from pydantic import Field

from erpsync.settings.keys import Keys

MOST_CHANGED = 500


class RuleLimits(Keys):
    """How much a change of rules may change at once."""

    most_changed: int = Field(
        MOST_CHANGED,
        ge=1,
        le=1_000_000_000,
        description="Open orders whose holds a reload may change; one that would change those of more is refused.",
    )
