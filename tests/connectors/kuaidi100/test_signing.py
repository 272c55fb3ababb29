"""Signatures, by vectors that are not ours, and byte for byte what is sent."""

import json
from pathlib import Path
from typing import Any

import pytest

from connectors.kuaidi100.sandbox import Kuaidi100Sandbox
from connectors.kuaidi100.signing import sign
from erpsync.sdk.clock import ManualClock
from erpsync.sdk.sandbox import SandboxRequest, SandboxResponse
from tests.connectors.kuaidi100.account import SETTINGS, account, wish

VECTORS = json.loads((Path(__file__).parent / "sign.json").read_text(encoding="utf-8"))["vectors"]


def parts(vector: dict[str, Any]) -> list[str]:
    secret = vector["secret"]
    if vector["kind"] == "query":
        return [vector["body"], secret["key"], secret["customer"]]
    return [vector["body"], vector["params"]["t"], secret["key"], secret["secret"]]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: str(vector["kind"]))
def test_a_call_is_signed_as_the_vectors_say(vector: dict[str, Any]) -> None:
    assert sign(*parts(vector)) == vector["expected"]


def test_what_is_sent_is_what_was_signed() -> None:
    """Chinese letters, spaces and signs that a form writes in another way."""
    forms: list[dict[str, str]] = []

    def hears(request: SandboxRequest) -> SandboxResponse:
        forms.append(request.form())
        return SandboxResponse.of_json({"success": True, "code": 200, "data": {"kuaidinum": "SF1"}})

    account(Kuaidi100Sandbox(clock=ManualClock()), mount=hears).book(wish("R1 +&=%/汉"))

    [form] = forms
    assert form["sign"] == sign(form["param"], form["t"], SETTINGS["key"], SETTINGS["secret"])
    assert json.loads(form["param"])["orderId"] == "R1 +&=%/汉"
    assert form["t"] == "1772438400000"


def test_no_secret_of_the_account_is_sent_in_the_open() -> None:
    bodies: list[str] = []

    def hears(request: SandboxRequest) -> SandboxResponse:
        bodies.append(request.body.decode())
        return SandboxResponse.of_json({"success": True, "code": 200, "data": {"kuaidinum": "SF1"}})

    account(Kuaidi100Sandbox(clock=ManualClock()), mount=hears).book(wish())

    assert SETTINGS["secret"] not in bodies[0]
