"""Signatures against vectors computed by independent SDKs, one of them published by the platform."""

import json
from typing import Any

import pytest
from pydantic import SecretStr

from connectors.jd.client import sign
from tests.connectors.jd.shop import HERE

VECTORS = json.loads((HERE / "sign.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_a_call_is_signed_as_the_platforms_own_sdks_sign_it(vector: dict[str, Any]) -> None:
    assert sign(vector["params"], SecretStr(vector["secret"]), vector["sign_method"]) == vector["expected"]


def test_empty_parameters_and_a_signature_among_them_are_left_out() -> None:
    params = {"method": "jingdong.pop.order.get", "v": "2.0"}

    assert sign({**params, "sign": "X", "format": ""}, SecretStr("s"), "md5") == sign(params, SecretStr("s"), "md5")
