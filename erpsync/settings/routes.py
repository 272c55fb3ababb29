"""The keys of a route: which department is told of what, through which channel, and how often."""

import re
from datetime import time
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, Field

from erpsync.core.messages import MOST_PER_MINUTE, Quiet, RoutePolicy
from erpsync.settings.keys import Keys

if TYPE_CHECKING:
    from erpsync.core.rules.model import Condition

_HOURS = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])-([01][0-9]|2[0-3]):([0-5][0-9])")


def hours(text: str) -> Quiet:
    """Return the quiet hours in a text such as 22:00-07:00; raises `ValueError` where it holds none."""
    match = _HOURS.fullmatch(text)
    if match is None:
        raise ValueError("must be two times of day such as 22:00-07:00")
    begins, ends = time(int(match[1]), int(match[2])), time(int(match[3]), int(match[4]))
    if begins == ends:
        raise ValueError("must begin and end at different times")
    return Quiet(begins=begins, ends=ends)


def _checked(text: str) -> str:
    hours(text)
    return text


class Route(Keys):
    """A department that is told."""

    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")] = Field(
        description="Its name: lower-case letters, digits, hyphens or underscores, at most 63."
    )
    to: str = Field(description="Channel that sends, for example one with `connector: wecom_bot`.")
    department: str = Field("", max_length=60, description="Whom it is for; stands before every title.")
    lang: Literal["en", "zh"] = Field("zh", description="Language of the messages.")
    when: dict[str, Any] = Field(description="Of what it tells: conditions on facts of events, `event` among them.")
    digest_s: float = Field(
        0, ge=0, le=86_400, description="Seconds within which all that happens becomes one message."
    )
    quiet: Annotated[str, AfterValidator(_checked)] | None = Field(
        None, description="Hours without messages, such as 22:00-07:00 by `timezone`; what comes then is one message."
    )
    quiet_lets: Literal["nothing", "alarm"] = Field(
        "nothing", description="Whether an alarm comes through in quiet hours, with all that has waited."
    )
    most_per_min: int = Field(
        MOST_PER_MINUTE, ge=1, le=60, description="Messages a minute at most; what is more becomes one message."
    )


def route_policy(route: Route, condition: "Condition") -> RoutePolicy:
    """Return what a route decides by; `condition` is what its `when` says."""
    from erpsync.core.rules.events import When  # few have routes, and what judges conditions costs each start

    return RoutePolicy(
        id=route.id,
        to=route.to,
        department=route.department,
        language=route.lang,
        digest_s=route.digest_s,
        quiet=hours(route.quiet) if route.quiet else None,
        quiet_lets=route.quiet_lets,
        most_per_min=route.most_per_min,
        when=When(condition=condition),
    )
