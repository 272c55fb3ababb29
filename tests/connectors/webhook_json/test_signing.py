"""Signatures against vectors of independent libraries, and what is refused."""

import ast
import inspect
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.webhook_json.client import signing
from connectors.webhook_json.client.signing import signature_of
from erpsync.sdk.errors import AuthError
from erpsync.sdk.types import WebhookRequest
from tests.connectors.webhook_json.shop import HERE, NOW, connector, request, settings, vector_request

STANDARD = json.loads((HERE / "standardwebhooks.json").read_text(encoding="utf-8"))["vectors"]
BODIES = json.loads((HERE / "body_signatures.json").read_text(encoding="utf-8"))


def sent_at(vector: dict[str, Any]) -> datetime:
    return datetime.fromtimestamp(int(vector["params"]["webhook-timestamp"]), UTC)


def refusal(request: WebhookRequest, **more: Any) -> str:
    with pytest.raises(AuthError) as refused:
        connector(**more).read_webhook(request)
    return refused.value.problem


@pytest.mark.parametrize("vector", STANDARD, ids=lambda vector: vector["params"]["webhook-id"])
def test_a_body_is_signed_as_the_standard_webhooks_libraries_sign_it(vector: dict[str, Any]) -> None:
    signature, delivery = vector_request(vector, sent_at(vector))
    headers = signature.headers(delivery.body, id=vector["params"]["webhook-id"], at=sent_at(vector))

    assert headers == {**vector["params"], "webhook-signature": vector["expected"]}
    assert signature.verify(delivery) == vector["params"]["webhook-id"]


@pytest.mark.parametrize("vector", BODIES, ids=lambda vector: vector["name"])
def test_a_signature_of_the_body_alone_is_the_one_that_known_senders_make(vector: dict[str, Any]) -> None:
    form = {name: vector[name] for name in ("header", "encoding", "prefix")}
    signature = signature_of(settings(secret=vector["secret"], signature=form))
    text = vector["body"].encode("utf-8")
    headers = signature.headers(text, id="1", at=NOW)

    assert headers[vector["header"].lower()] == vector["expected"]
    assert signature.verify(WebhookRequest(headers=headers, query={}, body=text, received_at=NOW)) == ""


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_a_delivery_without_one_of_the_three_headers_is_refused(name: str) -> None:
    genuine = request()
    headers = {key: value for key, value in genuine.headers.items() if key != name}

    assert "missing" in refusal(replace(genuine, headers=headers))


@pytest.mark.parametrize(("name", "value"), [("webhook-id", "msg_2"), ("webhook-timestamp", "1772439001")])
def test_the_signature_covers_id_and_time(name: str, value: str) -> None:
    genuine = request()

    assert refusal(replace(genuine, headers={**genuine.headers, name: value})) == "the signature is wrong"


@pytest.mark.parametrize("seconds", [-300, 300])
def test_a_delivery_at_the_edge_of_the_tolerance_is_taken(seconds: int) -> None:
    assert connector().read_webhook(request(at=NOW + timedelta(seconds=seconds))).records


@pytest.mark.parametrize(("seconds", "side"), [(-301, "behind"), (301, "ahead of")])
def test_a_delivery_beyond_the_tolerance_is_refused(seconds: int, side: str) -> None:
    """failures.md row 12: a replay, or a shop whose clock is wrong."""
    assert refusal(request(at=NOW + timedelta(seconds=seconds))) == f"the delivery's time is 301 s {side} our clock"


def test_the_tolerance_is_a_setting() -> None:
    late = request(at=NOW - timedelta(seconds=301))

    assert connector(tolerance_s=600).read_webhook(late).records
    assert refusal(request(at=NOW - timedelta(seconds=11)), tolerance_s=10)


def test_one_right_signature_among_several_is_enough_while_a_secret_is_changed() -> None:
    genuine = request()
    several = f"v1,b2xk v1a,xyz {genuine.headers['webhook-signature']}"

    assert connector().read_webhook(replace(genuine, headers={**genuine.headers, "webhook-signature": several}))


@pytest.mark.parametrize("signature", ["v1,", "v1", "v2,AAAA", "中文", "v1,中文", "\x00"])
def test_a_signature_of_another_form_is_refused_and_nothing_else(signature: str) -> None:
    genuine = request()

    refusal(replace(genuine, headers={**genuine.headers, "webhook-signature": signature}))


@given(st.dictionaries(st.sampled_from(["webhook-id", "webhook-timestamp", "webhook-signature"]), st.text()))
def test_whatever_stands_in_the_headers_is_refused_and_nothing_else(headers: dict[str, str]) -> None:
    refusal(WebhookRequest(headers=headers, query={}, body=b"{}", received_at=NOW))


def test_hex_digits_of_either_case_are_taken() -> None:
    form = {"header": "X-Sign", "encoding": "hex", "prefix": "sha256="}
    signature = signature_of(settings(secret="s3cret", signature=form))
    headers = {"x-sign": signature.headers(b"{}", id="1", at=NOW)["x-sign"].upper()}

    assert signature.verify(WebhookRequest(headers=headers, query={}, body=b"{}", received_at=NOW)) == ""
    with pytest.raises(AuthError, match="wrong"):
        signature.verify(WebhookRequest(headers=headers, query={}, body=b"{ }", received_at=NOW))
    with pytest.raises(AuthError, match="missing"):
        signature.verify(WebhookRequest(headers={}, query={}, body=b"{}", received_at=NOW))


def test_signatures_are_compared_in_constant_time_only() -> None:
    """`==` between a given and a wanted signature would tell an attacker how much of a guess is right."""
    tree = ast.parse(inspect.getsource(signing))
    compared = [node for node in ast.walk(tree) if isinstance(node, ast.Compare)]
    names = {part.id for node in compared for part in ast.walk(node) if isinstance(part, ast.Name)}

    assert not names & {"given", "wanted", "each"}
    assert "hmac.compare_digest" in inspect.getsource(signing)


def test_a_secret_shows_in_no_representation_of_what_holds_it() -> None:
    assert "key" not in repr(signature_of(settings()))
    assert "b3du" not in repr(settings())
