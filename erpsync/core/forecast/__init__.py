"""What buyers will want of each SKU over its lead time, how sure that is, and how good such numbers were.

`weeks` makes a series of a SKU's history: sold-out weeks and days of events say less, or nothing. `run` is one pass
over it: its level and what that level would have said at earlier origins. `pool` takes the back-tests of all SKUs
together and turns each level into a mean and quantiles. `settle` has an answer for SKUs that are too young. `factors`
and `uplifted` put events in that come. `grade` says, when the weeks are over, whether "as last month" would have been
better.

Nothing here knows a database: a night's job reads the history, calls these in turn, and writes what they say.
"""

from erpsync.core.forecast.calendar import Event, Factor, FestivalDays, Lived, Span, YearDays, factors, uplifted
from erpsync.core.forecast.grades import Grade, Graded, grade, newest
from erpsync.core.forecast.models import BackTest, Level, oldest_origin, run
from erpsync.core.forecast.newcomers import NoForecast, settle
from erpsync.core.forecast.pool import Forecast, Pool, pool
from erpsync.core.forecast.seasons import Profile, profile
from erpsync.core.forecast.spring import spring_festival
from erpsync.core.forecast.weeks import Says, Series, weeks

__all__ = [
    "BackTest",
    "Event",
    "Factor",
    "FestivalDays",
    "Forecast",
    "Grade",
    "Graded",
    "Level",
    "Lived",
    "NoForecast",
    "Pool",
    "Profile",
    "Says",
    "Series",
    "Span",
    "YearDays",
    "factors",
    "grade",
    "newest",
    "oldest_origin",
    "pool",
    "profile",
    "run",
    "settle",
    "spring_festival",
    "uplifted",
    "weeks",
]
