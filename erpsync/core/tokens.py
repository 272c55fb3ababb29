"""When people hear of a token that ends, and how long to wait between two tries to renew it."""

from datetime import datetime, timedelta

ALARM_DAYS = (14, 3, 1)
FIRST_S = 300.0
CAP_S = 14_400.0


def alarm_days(expires_at: datetime, now: datetime) -> int | None:
    """Return the nearest alarm a token has reached, in days before its end; None while it lasts longer."""
    reached = [days for days in ALARM_DAYS if expires_at - now <= timedelta(days=days)]
    return min(reached, default=None)


def alarm_step(days: float) -> int | None:
    """Return which alarm a token has reached that lasts so many days yet, from 1 for the farthest; None for none."""
    reached = sum(days <= limit for limit in ALARM_DAYS)
    return reached or None


def is_news(alarm: int, *, warned: int) -> bool:
    """Whether people did not hear of this alarm yet; `warned` is the nearest one they heard of, 0 for none."""
    return warned == 0 or alarm < warned


def pause_s(tries: int) -> float:
    """Return the seconds until the next try after so many without an answer; platforms limit how often one may ask."""
    return min(CAP_S, FIRST_S * float(1 << min(tries, 20)))
