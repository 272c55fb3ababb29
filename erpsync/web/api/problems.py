"""What an error looks like: one clear sentence in a problem document.

Source: RFC 9457, media type `application/problem+json`; `type` is left out, which means `about:blank`.
"""

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import structlog
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from erpsync.flows.api.idempotency import BusyError, ClaimLostError, KeyReusedError
from erpsync.flows.errors import FieldRefused, Refused
from erpsync.store.db.engine import StoreError
from erpsync.store.db.privacy import PrivacyError
from erpsync.store.db.trouble import cause_of
from erpsync.store.views import NotFound

TYPE = "application/problem+json"
RETRY_S = "1"

log = structlog.get_logger(__name__)


class Problem(Exception):
    """A request that cannot be answered as it is.

    Args:
        detail: one sentence for the caller.
    """

    def __init__(self, status: int, detail: str, *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = headers


def problem(status: int, detail: str, *, headers: Mapping[str, str] | None = None, **more: Any) -> Response:
    """Return a problem document."""
    return Response(problem_body(status, detail, **more), status, headers=headers, media_type=TYPE)


def problem_body(status: int, detail: str, **more: Any) -> bytes:
    """Return the bytes of a problem document."""
    document = {"title": HTTPStatus(status).phrase, "status": status, "detail": detail, **more}
    return json.dumps(document, ensure_ascii=False).encode()


# Which status an expected error has; the sentence is the error's own.
_STATUS: tuple[tuple[type[Exception], int], ...] = (
    (NotFound, 404),
    (FieldRefused, 422),
    (Refused, 409),
    (BusyError, 409),
    (KeyReusedError, 422),
    (ClaimLostError, 409),
    (PrivacyError, 503),
)
EXPECTED = tuple(kind for kind, _ in _STATUS)


def status_of(error: Exception) -> int:
    """Return the status of an expected error."""
    return next(status for kind, status in _STATUS if isinstance(error, kind))


def _told(request: Request, error: Exception) -> Response:
    headers = {"Retry-After": RETRY_S} if isinstance(error, BusyError | ClaimLostError) else None
    return problem(status_of(error), str(error), headers=headers)


def _stated(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)  # noqa: S101 - says so to the type checker
    return problem(error.status, error.detail, headers=error.headers)


def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - says so to the type checker
    said = {404: "there is nothing at this address", 405: "this address does not take this method"}
    return problem(error.status_code, said.get(error.status_code, str(error.detail)), headers=error.headers)


def _invalid(request: Request, error: Exception) -> Response:
    """Say what is wrong with a request, without repeating what was sent."""
    assert isinstance(error, RequestValidationError)  # noqa: S101 - says so to the type checker
    problems = [
        {"at": ".".join(str(step) for step in detail["loc"]), "problem": _lower(detail["msg"])}
        for detail in error.errors()
    ]
    return problem(422, f"{problems[0]['at']}: {problems[0]['problem']}", errors=problems[:20])


def _lower(text: str) -> str:
    return text if text[1:2].isupper() else text[:1].lower() + text[1:]


def _database(request: Request, error: Exception) -> Response:
    log.error("api.failed", path=request.url.path, error=cause_of(error))
    return problem(503, "the database cannot be used now; try again", headers={"Retry-After": "5"})


def _unforeseen(request: Request, error: Exception) -> Response:
    del error
    return problem(500, "something went wrong here; the log has it")


HANDLERS: dict[int | type[Exception], Any] = {
    Problem: _stated,
    HTTPException: _http,
    RequestValidationError: _invalid,
    SQLAlchemyError: _database,
    StoreError: _database,
    Exception: _unforeseen,
    **dict.fromkeys(EXPECTED, _told),
}
