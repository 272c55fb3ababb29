"""Signatures: how a delivery is checked and how our own calls are signed.

Why one object for both directions: the shop shares one secret with us, and what it can check it can also make.
"""

import base64
import hashlib
import hmac
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from datetime import UTC, datetime

from connectors.webhook_json.settings import HeaderSignature, WebhookJsonSettings
from erpsync.sdk.errors import AuthError
from erpsync.sdk.signing import ID, SIGNATURE, TIMESTAMP, decode_key, sign, signed_headers
from erpsync.sdk.types import WebhookRequest

MAX_ID_CHARS = 256


class Signature(ABC):
    """Signs bodies and checks signed ones."""

    @abstractmethod
    def headers(self, body: bytes, *, id: str, at: datetime) -> dict[str, str]:
        """Return the headers that sign `body`; `id` names the call, equal for equal calls."""

    @abstractmethod
    def verify(self, request: WebhookRequest) -> str:
        """Return the id that the sender gave this delivery, empty when it gave none. Raises `AuthError`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StandardSignature(Signature):
    """The three headers of Standard Webhooks, symmetric."""

    key: bytes = field(repr=False)
    tolerance_s: int

    def headers(self, body: bytes, *, id: str, at: datetime) -> dict[str, str]:
        """Return id, time and signature."""
        return signed_headers(self.key, body, id=id, at=at)

    def verify(self, request: WebhookRequest) -> str:
        """Return the webhook-id of a delivery signed with our key and sent within the tolerance.

        Several signatures, blanks between them, stand side by side while the shop changes its secret: one must fit.
        """
        id, timestamp = request.headers.get(ID, ""), request.headers.get(TIMESTAMP, "")
        given = request.headers.get(SIGNATURE, "").split()
        if not (id and timestamp and given):
            raise AuthError(f"one of the headers {ID}, {TIMESTAMP}, {SIGNATURE} is missing")
        if not (id.isascii() and len(id) <= MAX_ID_CHARS and timestamp.isascii() and timestamp.isdigit()):
            raise AuthError(f"{ID} or {TIMESTAMP} is not what Standard Webhooks allows")
        wanted = sign(self.key, request.body, id=id, timestamp=timestamp)
        if not any(_equal(signature, wanted) for signature in given):
            raise AuthError("the signature is wrong")
        off_s = int(request.received_at.timestamp()) - int(timestamp[:15])
        if abs(off_s) > self.tolerance_s:
            raise AuthError(f"the delivery's time is {abs(off_s)} s {'behind' if off_s > 0 else 'ahead of'} our clock")
        return id


@dataclass(frozen=True, slots=True, kw_only=True)
class BodySignature(Signature):
    """HMAC-SHA256 of the body in one header.

    It carries no time, so a replay cannot be told; but equal bodies change nothing.
    """

    key: bytes = field(repr=False)
    form: HeaderSignature

    def headers(self, body: bytes, *, id: str, at: datetime) -> dict[str, str]:
        """Return the signature, and beside it the id and the time."""
        stamp = str(int(at.astimezone(UTC).timestamp()))
        return {self.form.header.lower(): self.sign(body), ID: id, TIMESTAMP: stamp}

    def sign(self, body: bytes) -> str:
        """Return the value of the header."""
        digest = hmac.new(self.key, body, hashlib.sha256).digest()
        text = digest.hex() if self.form.encoding == "hex" else base64.b64encode(digest).decode("ascii")
        return self.form.prefix + text

    def verify(self, request: WebhookRequest) -> str:
        """Return an empty id when the body is signed with our secret; hex digits may be of either case."""
        given = request.headers.get(self.form.header.lower(), "").strip()
        wanted = self.sign(request.body)
        if self.form.encoding == "hex":
            given, wanted = given.lower(), wanted.lower()
        if not _equal(given, wanted):
            raise AuthError(f"the signature in {self.form.header} is {'wrong' if given else 'missing'}")
        return ""


def signature_of(settings: WebhookJsonSettings) -> Signature:
    """Return the signature that `settings` describe."""
    secret = settings.secret.get_secret_value()
    if isinstance(settings.signature, HeaderSignature):
        return BodySignature(key=secret.encode("utf-8"), form=settings.signature)
    return StandardSignature(key=decode_key(secret), tolerance_s=settings.tolerance_s)


def _equal(given: str, wanted: str) -> bool:
    """Return whether two signatures are equal, after the same time wherever they differ."""
    return hmac.compare_digest(given.encode("utf-8", "replace"), wanted.encode("utf-8"))
