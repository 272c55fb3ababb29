"""The REST API held against its own description: schemathesis makes up calls, and every answer has to be one described.

What is made up is the same in every run. Nothing may answer 5xx, or what `openapi.json` does not say.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.support.api import Api, api_of

pytestmark = [pytest.mark.slow, pytest.mark.concurrent("threads")]

CALLS = 6
"""Calls to each address with each token: with some forty addresses that takes less than a minute."""

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
REPEATED = settings(
    max_examples=CALLS,
    derandomize=True,
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture
def town(sqlite_file: Path) -> Iterator[Api]:
    with api_of(f"sqlite:///{sqlite_file}") as api:
        yield api


def described(api: Api) -> dict[str, Any]:
    document: dict[str, Any] = requests.get(f"{api.server.url}api/v1/openapi.json", timeout=60).json()
    return document


@pytest.mark.parametrize("scope", ["read", "operate", "admin"])
def test_every_answer_is_one_that_is_described(town: Api, scope: str) -> None:
    token, base = town.make_token(scope), f"{town.server.url}api/v1"
    schema = schemathesis.openapi.from_dict(described(town))
    problems: dict[str, str] = {}
    called: list[str] = []

    for found in schema.get_all_operations():
        operation = found.ok()

        @REPEATED
        @given(case=operation.as_strategy())
        def call(case: Any) -> None:
            called.append(f"{case.method} {case.path}")
            headers = {"Authorization": f"Bearer {token}"}
            case.call_and_validate(base_url=base, headers=headers, checks=CHECKS, timeout=60)

        try:
            call()
        except AssertionError as failure:
            problems[operation.label] = str(failure)
        except BaseExceptionGroup as failures:
            problems[operation.label] = "\n".join(str(one) for one in failures.exceptions)

    assert len(set(called)) > 20
    assert problems == {}


def test_a_body_of_another_kind_is_refused_by_every_address_that_takes_one(town: Api) -> None:
    writes = [
        (path.removeprefix("/api/v1"), method)
        for path, methods in described(town)["paths"].items()
        for method, told in methods.items()
        if "requestBody" in told
    ]
    answers = {
        f"{method} {path} {kind}": town.send(
            method.upper(), path.replace("{", "").replace("}", ""), data=body, Content_Type=kind, Idempotency_Key="k"
        ).status_code
        for path, method in writes
        for kind, body in (
            ("text/plain", b'{"reason": "x"}'),
            ("application/x-www-form-urlencoded", b"reason=x"),
            ("application/xml", b"<reason>x</reason>"),
        )
    }

    assert len(writes) > 10
    assert {call: status for call, status in answers.items() if status not in {404, 415, 422}} == {}
