"""Reloading the configuration: all or nothing; channels that did not change go on undisturbed."""

from contextlib import suppress
from dataclasses import dataclass

import structlog
from sqlalchemy import select, update
from sqlalchemy.exc import SQLAlchemyError

from erpsync.flows.audit.report import show_change
from erpsync.flows.audit.trial import holds_change
from erpsync.flows.context import Context
from erpsync.runtime.parts import Built, Stages
from erpsync.runtime.world import World
from erpsync.sdk.text import storable
from erpsync.settings import Config, ConfigError, Diff, changed_channels
from erpsync.store import tables
from erpsync.store.cursors import forget_failures, want_pass
from erpsync.store.db.engine import StoreError
from erpsync.store.events import Event, write_events

log = structlog.get_logger("erpsync.runtime.reload")

MOST_SAID = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Reloaded:
    """What became of a reload; `problems` is empty exactly when it was taken."""

    problems: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()

    @property
    def why(self) -> str:
        """Of one that was refused, the first problem and how many more there are, in one line."""
        first, *more = self.problems
        return storable(first[:MOST_SAID]) + (f" (and {len(more)} more)" if more else "")

    @property
    def taken(self) -> bool:
        """Whether the new configuration is in force."""
        return not self.problems


def reload(built: Built, world: World) -> Reloaded:
    """Read the files and put them in force; with any problem the old configuration stays and each one is logged.

    Either leaves an event, unless the database is away.
    """
    done = _reload(built, world)
    detail = {"changed": list(done.changed)} if done.taken else {"why": done.why}
    event = Event(kind="config.reloaded" if done.taken else "config.refused", detail=detail)
    with suppress(SQLAlchemyError, StoreError):
        built.store.retrying(lambda tx: write_events(tx, [event]))
    return done


def _reload(built: Built, world: World) -> Reloaded:
    try:
        config = built.load().require()
    except ConfigError as error:
        return _refused(tuple(str(problem) for problem in error.problems))
    except OSError as error:
        return _refused((f"{error.filename}: {error.strerror}",))
    diff = changed_channels(built.config, config)
    if diff.fixed:
        return _refused(tuple(f"{name} changed; that needs a restart" for name in diff.fixed))
    return _take(built, world, config, diff)


def _take(built: Built, world: World, config: Config, diff: Diff) -> Reloaded:
    changed = (*diff.added, *diff.changed, *diff.removed)
    try:
        too_many = _holds_too_many(built.ctx, config)
        if too_many:
            return _refused((too_many,))
        ctx = built.rebuild(config)
    except ConfigError as error:
        return _refused(tuple(str(problem) for problem in error.problems))
    except SQLAlchemyError as error:
        return _refused((f"the database did not take it ({type(error).__name__})",))
    world.replace(ctx, changed)
    with suppress(SQLAlchemyError):  # then they are tried when their time comes
        try_refused(ctx, world.stages)
    log.info(
        "config.reloaded",
        added=", ".join(diff.added),
        changed=", ".join(diff.changed),
        removed=", ".join(diff.removed),
        others=", ".join(diff.others),
    )
    return Reloaded(changed=changed)


def _holds_too_many(ctx: Context, config: Config) -> str:
    """Return why rules that hold many more or fewer orders than those in force look like a mistake; empty if not."""
    book = config.rules.book(config.timezone)
    if book.digest == ctx.book.digest:
        return ""
    change = show_change(holds_change(ctx, book), most=config.most_changed)
    if not change["refused"]:
        return ""
    most = ", ".join(f"{rule['hold']}:{rule['id']}: {rule['begins'] + rule['ends']}" for rule in change["rules"][:3])
    changed, opened, limit = change["changed"], change["open"], config.most_changed
    return (
        f"{config.rules.file}: would change the holds of {changed} of {opened} open orders ({most}), more than"
        f" rules.most_changed ({limit}); `erpsync plan` names them, and a restart puts it in force all the same"
    )


def try_refused(ctx: Context, stages: Stages) -> None:
    """Try channels that refused our credentials at once, and not only when their time comes: they may be new ones."""
    with ctx.store.begin() as tx:
        refused = (tables.channel.c.auth_failed_at.is_not(None), tables.channel.c.active, ~tables.channel.c.paused)
        for channel_id in sorted(tx.execute(select(tables.channel.c.id).where(*refused)).scalars()):
            tx.execute(update(tables.channel).where(tables.channel.c.id == channel_id).values(auth_failed_at=None))
            forget_failures(tx, channel_id)
            if channel_id in ctx.channels:
                want_pass(tx, channel_id, stages.streams_of(ctx.channels[channel_id]))


def _refused(problems: tuple[str, ...]) -> Reloaded:
    for problem in problems:
        log.error("config.refused", problem=problem, action="mend it and reload; the old configuration stays in force")
    return Reloaded(problems=problems)
