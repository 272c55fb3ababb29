"""The configuration in force: what each setting is and where it is written, and what the files say now.

Why the files are read only when somebody asks: that a reload would change something is a question of a person with a
file open, and reading them asks for every secret.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from erpsync.settings import Config, Loaded, Problem, changed_channels
from erpsync.settings.files import RULES
from erpsync.settings.shown import Change, changes, shown
from erpsync.settings.written import Written
from erpsync.store.views.nodes import Working, reload_at, working
from erpsync.web.access.door import Guarded
from erpsync.web.access.visit import Visit
from erpsync.web.console.kit import Kit

Page = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A change of the files with where it stands now; None where it stands no more."""

    change: Change
    written: Written | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What the files say now, beside what is in force.

    Args:
        problems: why they would be refused, as `erpsync check` says it.
        notes: what refuses nothing.
        fixed: what differs and only a restart changes.
        places: what is written otherwise.
        unseen: shops that change without a word written otherwise: a secret, or a file that is referred to.
    """

    problems: Sequence[Problem] = ()
    notes: Sequence[Problem] = ()
    fixed: Sequence[str] = ()
    places: Sequence[Place] = ()
    added: Sequence[str] = ()
    removed: Sequence[str] = ()
    unseen: Sequence[str] = ()

    @property
    def refused(self) -> bool:
        """Whether a reload would not be taken."""
        return bool(self.problems or self.fixed)

    @property
    def nothing(self) -> bool:
        """Whether a reload would change nothing."""
        return not (self.refused or self.places or self.added or self.removed or self.unseen)


class Configuration:
    """The page `/configuration`."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit

    def routes(self) -> list[Guarded]:
        """Return its address."""
        return [self._kit.door.page("/configuration", self.configuration, role="read")]

    def configuration(self, visit: Visit) -> Response:
        """Answer the page; with `compare` also what the files say now."""
        site = self._kit.site
        config = site.config()
        page: Page = {"files": [], "difference": None, "can_compare": False}
        if config is not None:
            page |= {"files": shown(config), "can_compare": site.reread is not None}
            if site.reread is not None and "compare" in visit.request.query_params:
                page["difference"] = difference(config, site.reread())
        page |= self._nodes(config)
        return self._kit.pages.answer("system/configuration.html", page, visit)

    def _nodes(self, config: Config | None) -> Page:
        store = self._kit.site.store
        now = store.clock.now()
        with store.read() as connection:
            nodes = working(connection)
            own = next((it for it in nodes if it.node.id == store.owner), None)
            refused = own.node.refusal if own else None
            instant = refused.at if refused else own.since_at if own else None
            last = None if instant is None else reload_at(connection, instant)
        return {
            "nodes": [_row(it, now, store.owner, config) for it in nodes],
            "since": own.since_at if own else None,
            "refusal": refused,
            "last": last,
        }


def _row(it: Working, now: Any, owner: str, config: Config | None) -> Page:
    node = it.node
    others = changes(config.kept, it.text) if config is not None and config.kept and it.text else []
    return {
        "node": node,
        "own": node.id == owner,
        "lives": node.lives(now),
        "heard_at": node.since(now),
        "since_at": it.since_at,
        "changes": [] if node.id == owner else others,
    }


def difference(config: Config, loaded: Loaded) -> Difference:
    """Return what a reload would do with these files: what it would change, or why it would be refused."""
    notes = (*loaded.notes, *loaded.unusable)
    if loaded.config is None:
        return Difference(problems=loaded.problems, notes=notes)
    new = loaded.config
    diff = changed_channels(config, new)
    written = changes(config.kept, new.kept)
    said = {change.channel for change in written}
    whole = {*diff.added, *diff.removed}
    return Difference(
        notes=notes,
        fixed=diff.fixed,
        places=[Place(change=it, written=_place(new, it)) for it in written if it.channel not in whole],
        added=diff.added,
        removed=diff.removed,
        unseen=[id for id in diff.changed if id not in said and not _inherits(written)],
    )


def _inherits(written: Sequence[Change]) -> bool:
    """Whether the values for all shops changed, which explains a shop whose own file did not."""
    return any(not change.channel and change.path.startswith("defaults.") for change in written)


def _place(config: Config, change: Change) -> Written | None:
    path = tuple(int(key) if key.isdigit() else key for key in change.path.split("."))
    if change.channel == RULES:
        return config.written.in_rules(path)
    if change.channel:
        return config.written.in_channel(change.channel, path)
    return config.written.in_main(path)
