"""Messages written from the promises, and what is made of them."""

import json
from pathlib import Path

import pytest

from connectors.webhook_json.mapping.messages import OrderMessage, RefundMessage
from tests.connectors.webhook_json.shop import HERE, connector, raw
from tests.support.records import plain

FILES = sorted((HERE / "golden").glob("*.json"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_message_becomes_what_its_golden_file_says(path: Path) -> None:
    case = json.loads(path.read_text(encoding="utf-8"))
    normalise = connector().normalise_refund if case["kind"] == "refund" else connector().normalise

    assert plain(normalise(raw(case["raw"]))) == case["expected"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_golden_message_is_of_the_published_form(path: Path) -> None:
    case = json.loads(path.read_text(encoding="utf-8"))
    model = RefundMessage if case["kind"] == "refund" else OrderMessage

    model.model_validate(case["raw"])
