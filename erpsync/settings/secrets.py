"""Resolves what a scalar refers to: `${ENV}`, `${ENV:-default}`, `!file PATH`, `!cred NAME`.

Why after parsing: a value put into the text before parsing could change the document's structure; put into a scalar
it stays a value, whatever it contains.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import SecretStr

from erpsync.settings.tree import Scalar

NOT_RESOLVED = "(not resolved)"
"""Stands where a secret would be when the secrets were not asked for."""

MAX_SECRET_BYTES = 1 << 16
_REFERENCE = re.compile(r"\$\$\{|\$\{(?P<body>[^}]*)(?P<end>\}?)")
_BODY = re.compile(r"(?P<name>[A-Za-z_][A-Za-z0-9_]*)(:-(?P<default>.*))?", re.DOTALL)
_CREDENTIAL = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9._-]{1,255}")


class Unresolved(Exception):
    """A reference that leads nowhere; the text says what is missing, never a value."""


@dataclass(slots=True)
class Sources:
    """Where references lead.

    Args:
        folder: what `!file` paths are relative to.
        known: every value read so far from a reference, so that no message repeats one.
    """

    folder: Path
    environ: Mapping[str, str]
    known: set[str] = field(default_factory=set)

    def resolve(self, scalar: Scalar) -> str:
        """Return the text a scalar stands for; raises `Unresolved`."""
        text = self._text(scalar)
        self.known.add(text)
        return text

    def _text(self, scalar: Scalar) -> str:
        text = str(scalar.value)
        if scalar.tag == "!cred":
            return _read(self._credential(text), f"credential {text}")
        text = _REFERENCE.sub(self._substitute, text)
        if scalar.tag == "!file":
            if not text:
                raise Unresolved("!file needs the path of a file")
            return _read(self.folder / text, f"file {text}")
        return text

    def _substitute(self, match: re.Match[str]) -> str:
        if match["body"] is None:
            return "${"
        if not match["end"]:
            raise Unresolved("${ without a closing }; write $${ for a literal ${")
        body = _BODY.fullmatch(match["body"])
        if body is None:
            raise Unresolved("between ${ and } belongs NAME or NAME:-default; write $${ for a literal ${")
        value = self.environ.get(body["name"], "")
        if value:
            return value
        if body["default"] is not None:
            return body["default"]
        state = "empty" if body["name"] in self.environ else "not set"
        raise Unresolved(f"environment variable {body['name']} is {state}")

    def _credential(self, name: str) -> Path:
        if not _CREDENTIAL.fullmatch(name):
            raise Unresolved("!cred needs a name of letters, digits, dots, hyphens or underscores")
        folder = self.environ.get("CREDENTIALS_DIRECTORY", "")
        if not folder:
            raise Unresolved(f"credential {name}: CREDENTIALS_DIRECTORY is not set (systemd sets it: LoadCredential=)")
        return Path(folder) / name


def is_reference(scalar: Scalar) -> bool:
    """Return whether the scalar stands for something else than its own text."""
    return bool(scalar.tag) or (isinstance(scalar.value, str) and "${" in scalar.value)


def is_placeholder(secret: SecretStr) -> bool:
    """Return whether `secret` was left unresolved on purpose."""
    return secret.get_secret_value() == NOT_RESOLVED


def _read(path: Path, what: str) -> str:
    """Return a small text file less its trailing newline."""
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_SECRET_BYTES + 1)
        text = data.decode().rstrip("\r\n")
    except UnicodeDecodeError:
        raise Unresolved(f"{what} is not UTF-8 text") from None
    except (OSError, ValueError) as error:
        raise Unresolved(f"{what} cannot be read: {_reason(error)}") from None
    if len(data) > MAX_SECRET_BYTES:
        raise Unresolved(f"{what} is larger than {MAX_SECRET_BYTES} bytes")
    if not text:
        raise Unresolved(f"{what} is empty")
    if "\0" in text:
        raise Unresolved(f"{what} holds U+0000")
    return text


def _reason(error: Exception) -> str:
    return (error.strerror or "not readable").lower() if isinstance(error, OSError) else "the path is not usable"
