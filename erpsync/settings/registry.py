"""Finds connectors by the entry-point group `erpsync.connectors`; a class is imported when it is first asked for.

Why lazily: a command that needs no connector starts without their imports, and one broken third-party connector does
not stop the shops that do not use it.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from importlib.metadata import Distribution, EntryPoint, distributions, entry_points

from pydantic import BaseModel

from erpsync.sdk import VERSION
from erpsync.sdk.roles import Connector
from erpsync.settings.hints import did_you_mean, one_of

GROUP = "erpsync.connectors"
SHARED_IMPORT_NAME = "connectors"


class RegistryError(Exception):
    """The installed connectors cannot be used as they are; an administrator has to change what is installed."""


class Registry:
    """Connector classes by name.

    Args:
        loaders: what gives the class, by name; called at most once.
    """

    def __init__(self, loaders: Mapping[str, Callable[[], type[Connector]]]) -> None:
        self._loaders = dict(loaders)
        self._classes: dict[str, type[Connector]] = {}

    @classmethod
    def of(cls, classes: Mapping[str, type[Connector]]) -> "Registry":
        """Return a registry of classes already at hand, as tests build it."""
        return cls({name: partial(_same, kind) for name, kind in classes.items()})

    def names(self) -> tuple[str, ...]:
        """Return the names of all connectors, sorted, without importing any."""
        return tuple(sorted(self._loaders))

    def load(self, name: str) -> type[Connector]:
        """Return the class of a connector; raises `RegistryError` if there is none or it breaks the contract."""
        if name not in self._classes:
            self._classes[name] = self._load(name)
        return self._classes[name]

    def _load(self, name: str) -> type[Connector]:
        if name not in self._loaders:
            hint = did_you_mean(name, self._loaders)
            raise RegistryError(f"no connector '{name}'{hint or '; installed are ' + one_of(self._loaders)}")
        try:
            kind = self._loaders[name]()
        except (ImportError, AttributeError, SyntaxError) as error:
            raise RegistryError(f"connector '{name}' cannot be imported: {error}") from error
        problem = _contract_problem(kind)
        if problem:
            raise RegistryError(f"connector '{name}' cannot be used: {problem}")
        return kind


def installed() -> Registry:
    """Return the installed connectors.

    Raises `RegistryError` if two of them have one name, or two distributions own the import name `connectors`: the
    interpreter would take either, and which one depends on the order of folders.
    """
    return from_entry_points(entry_points(group=GROUP), owners(distributions()))


def owners(installed: Iterable[Distribution]) -> list[str]:
    """Return the names of distributions whose list of files holds the import name `connectors`.

    Source: packaging.python.org, "Recording installed projects": RECORD lists every file. An editable installation
    lists none of its modules; its entry points give it away.
    """
    file = re.compile(rf"^{SHARED_IMPORT_NAME}(/|\.py,)", re.MULTILINE)
    return [distribution.name for distribution in installed if file.search(distribution.read_text("RECORD") or "")]


def from_entry_points(points: Iterable[EntryPoint], owners: Iterable[str] = ()) -> Registry:
    """Return the registry of `points`; `owners` are distributions known to own the import name `connectors`."""
    by_name: dict[str, EntryPoint] = {}
    shared = {owner.lower() for owner in owners}
    for point in points:
        other = by_name.setdefault(point.name, point)
        if (other.value, _owner(other)) != (point.value, _owner(point)):
            raise RegistryError(f"two connectors are named '{point.name}': {_source(other)} and {_source(point)}")
        if point.module.partition(".")[0] == SHARED_IMPORT_NAME:
            shared.add(_owner(point))
    if len(shared) > 1:
        raise RegistryError(
            f"two distributions own the import name '{SHARED_IMPORT_NAME}': {', '.join(sorted(shared))}; uninstall one"
        )
    return Registry({name: point.load for name, point in by_name.items()})


def _same(kind: type[Connector]) -> type[Connector]:
    return kind


def _owner(point: EntryPoint) -> str:
    return point.dist.name.lower() if point.dist else "an unnamed distribution"


def _source(point: EntryPoint) -> str:
    return f"{point.value} of {_owner(point)}"


def _contract_problem(kind: object) -> str | None:
    if not (isinstance(kind, type) and issubclass(kind, Connector)):
        return "it is no subclass of erpsync.sdk.roles.Connector"
    settings = getattr(kind, "Settings", None)
    if not (isinstance(settings, type) and issubclass(settings, BaseModel)):
        return "its Settings are no pydantic model"
    if settings.model_config.get("extra") != "forbid":
        return "its Settings do not forbid unknown keys"
    return _version_problem(getattr(kind, "sdk", ""))


def _version_problem(written_for: object) -> str | None:
    """Return why this SDK is not the one a connector was written for; one that names none is taken as it is."""
    if written_for == "":
        return None
    if not isinstance(written_for, str) or not re.fullmatch(r"[0-9]{1,4}\.[0-9]{1,4}", written_for):
        return f"its sdk must be a version of erpsync.sdk like {VERSION}"
    (major, minor), (ours, newest) = (tuple(map(int, version.split("."))) for version in (written_for, VERSION))
    if major != ours or minor > newest:
        return f"it was written for erpsync.sdk {written_for}, this is {VERSION}; install versions that fit"
    return None
