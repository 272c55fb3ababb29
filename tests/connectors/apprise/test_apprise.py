"""Apprise: an extra that says what is missing, not for robots that it misunderstands, not believed when it fails."""

import pytest
from pydantic import ValidationError

from connectors.apprise.settings import AppriseSettings
from erpsync.sdk.errors import AuthError, OutcomeUnknownError
from erpsync.sdk.types import Message
from tests.connectors.apprise.test_conformance import SECRET, AppriseHarness

pytestmark = pytest.mark.concurrent("threads")
MESSAGE = Message(id="sales-7", title="Orders", text="1 order waits")


@pytest.mark.parametrize(
    ("url", "use"),
    [
        ("wecombot://k", "wecom_bot"),
        ("dingtalk://s@t/", "dingtalk_bot"),
        ("Feishu://t", "feishu_bot"),
        ("lark://t", "feishu_bot"),
        ("mailtos://u:p@h", "mail"),
    ],
)
def test_what_has_a_connector_of_its_own_is_not_told_through_apprise(url: str, use: str) -> None:
    with pytest.raises(ValidationError, match=f"connector: {use}"):
        AppriseSettings.model_validate({"url": url})


def test_a_service_that_refuses_is_not_counted_as_told() -> None:
    harness = AppriseHarness()
    harness.service.status = 500

    with pytest.raises(OutcomeUnknownError) as raised:
        harness.connector().push_message(MESSAGE)
    assert SECRET not in repr(raised.value)


def test_a_service_that_apprise_does_not_know_is_an_operators_matter() -> None:
    harness = AppriseHarness()
    connector = harness.connector()
    unknown = type(connector)(AppriseSettings.model_validate({"url": "nosuch://a"}), harness.http(), harness.clock)

    with pytest.raises(AuthError, match="knows no service"):
        unknown.check()
    with pytest.raises(AuthError):
        unknown.push_message(MESSAGE)
