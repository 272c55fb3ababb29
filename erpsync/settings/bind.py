"""Checks a YAML tree against a pydantic model: a frozen model, or problems with their places.

Why the tree is turned into plain data along the model's annotations: only then a reference is resolved where it may
be, a path is taken from the configuration's folder, and a secret is known as one before any message is written.
"""

from dataclasses import dataclass, field
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from erpsync.settings.annotations import Kinds, is_number, is_path, is_secret, item, member, models
from erpsync.settings.diagnose import Explained, explain
from erpsync.settings.problems import Findings, Path
from erpsync.settings.secrets import NOT_RESOLVED, Sources, Unresolved, is_reference
from erpsync.settings.tree import Mapping, Node, Place, Scalar, Sequence, core_scalar

Model = TypeVar("Model", bound=BaseModel)


@dataclass(slots=True)
class Binder:
    """Binds trees of one file.

    Args:
        secrets: resolve secrets; otherwise none is read and a placeholder stands for each.
        lenient: references elsewhere that lead nowhere, and all that need a file, become placeholders as well.

    Attributes:
        constructed: whether a model was returned that is wrong in its placeholders; no connector can be made of it.
    """

    findings: Findings
    sources: Sources
    secrets: bool = True
    lenient: bool = False
    constructed: bool = False
    _referred: set[Path] = field(default_factory=set)
    _unresolved: set[Path] = field(default_factory=set)

    def bind(self, node: Node, model: type[Model], base: Path = ()) -> Model | None:
        """Return the model, or None after noting every problem; `base` is the path of `node` in its file."""
        if not isinstance(node, Mapping):
            self.findings.add(node.place, base, "must be a mapping (key: value)")
            return None
        before = len(self.findings.found)
        data = self._plain(node, (model,), base, node.place)
        try:
            return model.model_validate(data)
        except ValidationError as error:
            self._note(explain(error, node, model, hidden=self._hidden(base)), base)
        if any(problem.severity == "error" for problem in self.findings.found[before:]):
            return None
        self.constructed = True  # only placeholders were refused
        return model.model_construct(**data)

    def _hidden(self, base: Path) -> set[Path]:
        return {path[len(base) :] for path in self._referred if path[: len(base)] == base}

    def _note(self, explained: list[Explained], base: Path) -> None:
        for path, place, text in explained:
            full = (*base, *path)
            if not any(unresolved[: len(full)] == full for unresolved in self._unresolved):
                self.findings.add(place, full, self._scrub(text))

    def _scrub(self, text: str) -> str:
        for value in sorted(self.sources.known, key=len, reverse=True):
            if len(value) >= 4:
                text = text.replace(value, "***")
        return text

    def _plain(self, node: Node, alternatives: Kinds, path: Path, place: Place) -> Any:
        if isinstance(node, Mapping):
            return {
                key: self._plain(child, member(alternatives, key), (*path, key), node.keys[key])
                for key, child in node.items.items()
            }
        if isinstance(node, Sequence):
            below = item(alternatives)
            return [self._plain(child, below, (*path, n), child.place) for n, child in enumerate(node.items)]
        if node.value is None and models(alternatives) and type(None) not in alternatives:
            return {}
        return self._scalar(node, alternatives, path, place)

    def _scalar(self, scalar: Scalar, alternatives: Kinds, path: Path, place: Place) -> Any:
        value = scalar.value
        if is_reference(scalar):
            value = self._referred_value(scalar, alternatives, path, place)
        elif is_secret(alternatives) and isinstance(value, str):
            value = self._literal_secret(value, path, place)
        if is_path(alternatives) and isinstance(value, str) and value:
            return self.sources.folder / value
        return value

    def _literal_secret(self, value: str, path: Path, place: Place) -> str:
        self.findings.add(
            place, path, "a secret is written in the file; use ${ENV}, !file PATH or !cred NAME", severity="warning"
        )
        self.sources.known.add(value)
        self._referred.add(path)
        if self.secrets:
            return value
        self._unresolved.add(path)
        return NOT_RESOLVED

    def _referred_value(self, scalar: Scalar, alternatives: Kinds, path: Path, place: Place) -> Any:
        self._referred.add(path)
        secret = is_secret(alternatives)
        if (secret and not self.secrets) or (self.lenient and scalar.tag):
            self._unresolved.add(path)
            return NOT_RESOLVED
        try:
            text = self.sources.resolve(scalar)
        except Unresolved as error:
            self._unresolved.add(path)
            if not self.lenient:
                self.findings.add(place, path, str(error))
            return NOT_RESOLVED
        return core_scalar(text) if is_number(alternatives) else text
