"""Signatures against vectors computed by independent SDKs."""

import json
from typing import Any

import pytest
from pydantic import SecretStr

from erpsync.sdk.top import sign
from tests.connectors.taobao.shop import HERE

VECTORS = json.loads((HERE / "sign.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_a_call_is_signed_as_the_platforms_own_sdks_sign_it(vector: dict[str, Any]) -> None:
    got = sign(vector["params"], SecretStr(vector["secret"]), vector["sign_method"], body=vector["body"] or "")

    assert got == vector["expected"]


def test_a_signature_among_the_parameters_does_not_sign_itself() -> None:
    params = {"method": "taobao.time.get", "v": "2.0"}

    assert sign({**params, "sign": "X"}, SecretStr("s"), "md5") == sign(params, SecretStr("s"), "md5")
