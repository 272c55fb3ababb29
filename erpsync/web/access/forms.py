"""Forms as browsers send them: read within limits of size and time, every value a text."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request

from erpsync.web.hooks import BodyError, read_body

MOST_FIELDS = 10_000
_KIND = "application/x-www-form-urlencoded"
_CLOSE = {"Connection": "close"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """What was filled in, by the names of the fields; a name may stand several times."""

    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def text(self, name: str) -> str:
        """Return what a field holds, "" if it is not there."""
        texts = self.values.get(name, ())
        return texts[0] if texts else ""

    def all(self, name: str) -> tuple[str, ...]:
        """Return all that was chosen under a name, in the order of the page."""
        return self.values.get(name, ())


async def read_form(request: Request, *, max_bytes: int, within_s: float) -> Form:
    """Return the form that a request brings.

    Raises:
        HTTPException: it is too large, comes too slowly, ends early, or is no form.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _KIND:
        raise HTTPException(415, f"this address takes a form ({_KIND})")
    try:
        async with asyncio.timeout(within_s):
            body = await read_body(request, max_bytes)
    except BodyError as error:
        raise HTTPException(error.status, error.problem, headers=_CLOSE) from None
    except TimeoutError:
        raise HTTPException(408, "the form took too long", headers=_CLOSE) from None
    except ClientDisconnect:
        raise HTTPException(400, "the form ended early", headers=_CLOSE) from None
    return parse_form(body)


def parse_form(body: bytes) -> Form:
    """Return the form of a body; raises `HTTPException` for one that is none."""
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS)
    except ValueError:
        raise HTTPException(400, "the form cannot be read") from None
    if any("\0" in text for pair in pairs for text in pair):
        raise HTTPException(422, "the form holds U+0000, which no text may hold")
    values: dict[str, tuple[str, ...]] = {}
    for name, value in pairs:
        values[name] = (*values.get(name, ()), value)
    return Form(values=values)
