"""SF's digest, by the vectors of its own guide and of independent programs."""

import json
from pathlib import Path
from typing import Any

import pytest

from connectors.sf.client.signing import digest

VECTORS = json.loads((Path(__file__).parent / "digest.json").read_text(encoding="utf-8"))["vectors"]
METHODS = {"standard_md5": "md5", "simple_md5": "simple_md5"}


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["mode"])
def test_a_call_is_signed_as_the_vectors_say(vector: dict[str, Any]) -> None:
    got = digest(vector["body"], vector["params"]["timestamp"], vector["secret"], METHODS[vector["mode"]])

    assert got == vector["expected"]


def test_text_is_encoded_as_java_does_before_it_is_digested() -> None:
    """Expected: MD5 of %7E*+%E5%8D%97%2F-_.1k, taken with openssl."""
    assert digest("~* 南/-_.", "1", "k", "md5") == "8v3ZnBs2S0JhpNZUt3p8Pg=="


def test_sm3_is_that_of_the_national_standard() -> None:
    """Source: GB/T 32905-2016, appendix A.1, the digest of abc."""
    expected = "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"

    assert digest("a", "b", "c", "sm3") == expected
