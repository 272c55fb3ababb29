"""The keys of a route: which department is told of what, through which channel, and how often."""

import re
from datetime import time
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from erpsync.core.messages import Quiet, RoutePolicy, When
from erpsync.settings.keys import Keys

_HOURS = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])-([01][0-9]|2[0-3]):([0-5][0-9])")
_DEFAULT = RoutePolicy(id="", to="", when=When(kinds=()))


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


Word = Annotated[str, Field(min_length=1, max_length=200)]
Words = Word | Annotated[list[Word], Field(min_length=1, max_length=100)]


class Total(Keys):
    """What an order costs."""

    ge: float = Field(ge=0, le=1e12, description="At least so much, in whole units of the order's currency.")


class RouteWhen(Keys):
    """Of what a route tells: all that is given has to hold, of a list one of its words."""

    event: Words = Field(description="Kinds of events, such as order.held; order. is all kinds that begin so.")
    channel: Words | None = Field(None, description="Only what concerns one of these channels.")
    warehouse: Words | None = Field(None, description="Only what names one of these warehouses.")
    sku: Words | None = Field(None, description="Only what names one of these SKUs.")
    hold_reason: Words | None = Field(None, description="Only orders held for one of these reasons.")
    rule: Words | None = Field(None, description="Only orders that one of these rules holds.")
    level: Literal["info", "warn", "alarm"] = Field("info", description="Only what matters so much, or more.")
    total: Total | None = Field(None, description="Only orders that cost so much.")


class Route(Keys):
    """A department that is told."""

    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")] = Field(
        description="Its name: lower-case letters, digits, hyphens or underscores, at most 63."
    )
    to: str = Field(description="Channel that sends, for example one with `connector: wecom_bot`.")
    department: str = Field("", max_length=60, description="Whom it is for; stands before every title.")
    lang: Literal["en", "zh"] = Field("zh", description="Language of the messages.")
    when: RouteWhen = Field(description="Of what it tells.")
    digest_s: float = Field(
        _DEFAULT.digest_s, ge=0, le=86_400, description="Seconds within which all that happens becomes one message."
    )
    quiet: Annotated[str, AfterValidator(_checked)] | None = Field(
        None, description="Hours without messages, such as 22:00-07:00 by `timezone`; what comes then is one message."
    )
    quiet_lets: Literal["nothing", "alarm"] = Field(
        "nothing", description="Whether an alarm comes through in quiet hours, with all that has waited."
    )
    most_per_min: int = Field(
        _DEFAULT.most_per_min, ge=1, le=60, description="Messages a minute at most; what is more becomes one message."
    )


def route_policy(route: Route) -> RoutePolicy:
    """Return what a route decides by."""
    when = route.when
    return RoutePolicy(
        id=route.id,
        to=route.to,
        department=route.department,
        language=route.lang,
        digest_s=route.digest_s,
        quiet=hours(route.quiet) if route.quiet else None,
        quiet_lets=route.quiet_lets,
        most_per_min=route.most_per_min,
        when=When(
            kinds=_words(when.event),
            channels=_words(when.channel),
            warehouses=_words(when.warehouse),
            skus=_words(when.sku),
            hold_reasons=_words(when.hold_reason),
            rules=_words(when.rule),
            level=when.level,
            least_total=None if when.total is None else Decimal(str(when.total.ge)),
        ),
    )


def _words(given: str | list[str] | None) -> tuple[str, ...]:
    if given is None:
        return ()
    return (given,) if isinstance(given, str) else tuple(given)
