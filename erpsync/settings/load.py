"""Loads a configuration: every file, every problem, all at once.

Why nothing stops at the first problem: an operator who mends a file at night wants one list, not one round per line.
"""

from collections.abc import Collection, Iterable, Sequence
from collections.abc import Mapping as Environ
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from erpsync.sdk.roles import ConnectorSettings, MessageSink, WarehouseSink
from erpsync.sdk.roles.couriers import CourierSink
from erpsync.settings.bind import Binder
from erpsync.settings.checks import ReadChannel, ReadMain, check_main, check_together, text_of, warehouse_rows
from erpsync.settings.config import Loaded, build
from erpsync.settings.document_checks import unusable_documents
from erpsync.settings.files import CHANNELS, RULES, Disk, Files, main_file
from erpsync.settings.folders import unusable_folders
from erpsync.settings.kept import keep
from erpsync.settings.models import ChannelFile, MainFile
from erpsync.settings.problems import Findings, Problem
from erpsync.settings.production_checks import check_production
from erpsync.settings.registry import Registry, RegistryError
from erpsync.settings.release_checks import check_releases
from erpsync.settings.route_checks import check_routes
from erpsync.settings.rule_config import LoadedRules, RulesConfig
from erpsync.settings.secrets import Sources
from erpsync.settings.tree import Mapping, Node, Scalar
from erpsync.settings.written import positions

CHANNEL_NAME = "is not read: a channel file's name ends in .yaml"
RULES_NAME = "is not read: the file of rules is called rules.yaml"


def load(
    path: Path | str,
    *,
    registry: Registry,
    environ: Environ[str, str],
    secrets: bool | Collection[str] = True,
    source: Files | None = None,
    folders: bool = False,
) -> Loaded:
    """Return the configuration at `path`, a folder or its erpsync.yaml, with everything that is wrong with it.

    Args:
        secrets: False reads no secret and puts a placeholder for each; all else is checked. Ids of channels read those
            of erpsync.yaml and of these channels. The database's URL is always resolved. Secrets of a disabled channel
            are never read.
        source: what the files are read from, the disk by default.
        folders: look also whether this user can work in the folders that are named, and whether papers can be made.
    """
    main = main_file(Path(path))
    sources = Sources(main.parent.absolute(), environ)
    loading = _Loading(registry, sources, secrets, source or Disk())
    root = loading.main(main)
    folder = Findings(str(main.parent / CHANNELS))
    names, ignored = loading.source.channel_files(main.parent, folder)
    channels = [loading.channel(file) for file in names]
    check_main(root)
    check_together(root, channels)
    rules, misnamed = loading.rules(root, channels, whole=not folder.failed)
    named = {id: channel for channel in reversed(channels) if (id := text_of(channel.at("id")))}
    check_releases(root, named)
    check_production(root)
    ids = None if rules.config is None else {rule.id for rule in rules.config.rules}
    whens = check_routes(root, named, sources, rules=ids)
    files = [root.findings, folder, *(channel.findings for channel in channels)]
    strange = [*(_ignored(file, CHANNEL_NAME) for file in ignored), *(_ignored(file, RULES_NAME) for file in misnamed)]
    listed = [*_in_order(files), *rules.problems, *rules.notes, *strange]
    problems = tuple(problem for problem in listed if problem.severity == "error")
    notes = tuple(problem for problem in listed if problem.severity != "error")
    unusable = unusable_folders(sources.folder, root, channels) if folders else ()
    unusable += unusable_documents(sources.folder, root) if folders else ()
    if problems or root.model is None:
        return Loaded(config=None, problems=problems, notes=notes, unusable=unusable)
    done = [
        (channel.model, channel.settings, channel.makeable, channel.findings.file)
        for channel in channels
        if channel.model
    ]
    kept = keep(main, root, dict(zip(names, channels, strict=True)), rules.node)
    trees = {
        channel.model.id: (file, channel.node) for file, channel in zip(names, channels, strict=True) if channel.model
    }
    written = positions(str(main), root.node, trees, rules, lines=loading.source.knows_lines)
    config = replace(build(sources.folder, root.model, done, rules.require(), whens), kept=kept, written=written)
    return Loaded(config=config, notes=notes, unusable=unusable)


@dataclass(frozen=True, slots=True)
class _Loading:
    """Reads and binds single files."""

    registry: Registry
    sources: Sources
    secrets: bool | Collection[str]
    source: Files

    def main(self, file: Path) -> ReadMain:
        root = ReadMain(Findings(str(file)))
        root.node = self.source.read(file, root.findings)
        if root.node is not None:
            root.model = Binder(root.findings, self.sources, self.secrets is not False).bind(root.node, MainFile)
        return root

    def channel(self, file: Path) -> ReadChannel:
        channel = ReadChannel(Findings(str(file)))
        channel.node = node = self.source.read(file, channel.findings)
        if node is None:
            return channel
        own = node.without("settings") if isinstance(node, Mapping) else node
        channel.model = Binder(channel.findings, self.sources).bind(own, ChannelFile)
        if isinstance(node, Mapping):
            channel.settings = self._settings(node, channel)
        return channel

    def rules(self, root: ReadMain, channels: list[ReadChannel], *, whole: bool) -> tuple[LoadedRules, Sequence[Path]]:
        """Return the rules, checked as far as can be told where other files are wrong; and files that are not read.

        Args:
            whole: whether `channels` are all that there are.
        """
        folder = Path(root.findings.file).parent
        file, misnamed = self.source.rules_file(folder)
        if file is None:
            return LoadedRules(config=RulesConfig(file=str(folder / RULES))), misnamed
        from erpsync.settings.conditions import Known
        from erpsync.settings.rules import load_rules

        model = root.model or MainFile()
        known = Known(
            channels=_names(channels, "id") if whole else None,
            connectors=_names(channels, "connector") if whole else None,
            warehouses={id for _, id in warehouse_rows(root)} if isinstance(root.node, Mapping) else None,
        )
        return load_rules(file, timezone=ZoneInfo(model.timezone), known=known, source=self.source), misnamed

    def _settings(self, node: Mapping, channel: ReadChannel) -> Any:
        """Return the connector's settings, also checked when the rest of the file is wrong."""
        name = channel.model.connector if channel.model else text_of(node.items.get("connector"))
        if name is None:
            return None
        try:
            kind = self.registry.load(name)
        except RegistryError as error:
            channel.findings.add(node.keys["connector"], ("connector",), str(error))
            return None
        channel.runs_warehouses = _may_play(kind, WarehouseSink)
        channel.takes_messages = _may_play(kind, MessageSink)
        channel.books = _may_play(kind, CourierSink)
        block = node.items.get("settings")
        if block is None or (isinstance(block, Scalar) and block.value is None):
            block = Mapping(node.keys.get("settings", node.place), {}, {})
        secrets = channel.model is not None and channel.model.enabled and self._wanted(channel.model.id)
        binder = Binder(channel.findings, self.sources, secrets, lenient=not secrets)
        settings = binder.bind(_at_key(block, node), kind.Settings, ("settings",))
        channel.makeable = not binder.constructed
        if isinstance(settings, ConnectorSettings):
            for key, text in settings.notes().items():
                channel.add(("settings", key), text, "note")
        return settings

    def _wanted(self, id: str) -> bool:
        return self.secrets if isinstance(self.secrets, bool) else id in self.secrets


def _may_play(kind: type, role: type) -> bool:
    """Whether a connector's class plays a role, or one of those does that it may turn into by its settings."""
    return issubclass(kind, role) or any(_may_play(subclass, role) for subclass in kind.__subclasses__())


def _at_key(block: Node, parent: Mapping) -> Node:
    """Return the block with the place of its key, where a key missing in it is reported."""
    return replace(block, place=parent.keys.get("settings", parent.place))


def _names(channels: Iterable[ReadChannel], key: str) -> set[str] | None:
    """Return what all channels have under a key that is text; None where one has none, as it may be any."""
    names = [text_of(channel.at(key)) for channel in channels]
    return None if None in names else {name for name in names if name is not None}


def _in_order(files: Iterable[Findings]) -> list[Problem]:
    return [problem for findings in files for problem in sorted(findings.found, key=lambda it: (it.line, it.column))]


def _ignored(file: Path, why: str) -> Problem:
    findings = Findings(str(file))
    findings.add((1, 1), (), why, severity="warning")
    return findings.found[0]
