"""Mail: TLS that is checked, refusals that say who acts, a mail that is known again."""

from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import ValidationError

from connectors.mail.connector import MailConnector
from connectors.mail.settings import MailSettings
from erpsync.sdk.clock import ManualClock
from erpsync.sdk.errors import AuthError, ConnectorError, OutcomeUnknownError, RejectedError, TransientError
from erpsync.sdk.http import HttpClient
from erpsync.sdk.types import Message
from tests.support.smtp import PASSWORD, MailServer

pytestmark = pytest.mark.concurrent("threads")
MESSAGE = Message(id="sales-7", title="订单 S1 挂起", text="订单 S1 挂起：地址不全\nS2")


@pytest.fixture
def server() -> Iterator[MailServer]:
    with MailServer() as found:
        yield found


def mailbox(server: MailServer, **more: Any) -> MailConnector:
    clock = ManualClock()
    return MailConnector(MailSettings.model_validate(server.settings(**more)), HttpClient(clock=clock), clock)


def failing(server: MailServer, **more: Any) -> ConnectorError:
    with pytest.raises(ConnectorError) as raised:
        mailbox(server, **more).push_message(MESSAGE)
    assert PASSWORD not in f"{raised.value!r}"
    return raised.value


@pytest.mark.parametrize("tls", ["tls", "starttls", "none"])
def test_a_mail_arrives_with_its_text_and_can_be_known_again(tls: str) -> None:
    with MailServer(tls) as server:
        for _ in range(2):
            mailbox(server).push_message(MESSAGE)

        first, again = server.mails

    assert (first["Subject"], first["To"]) == ("订单 S1 挂起", "boss@shop.example.com")
    assert first.get_content().splitlines() == ["订单 S1 挂起：地址不全", "S2", "#sales-7"]
    assert first["Message-ID"] == again["Message-ID"] == "<sales-7@shop.example.com>"


def test_a_certificate_of_nobody_known_is_not_trusted(server: MailServer) -> None:
    error = failing(server, ca_file=None)

    assert isinstance(error, TransientError)
    assert "certificate" in str(error)
    assert server.mails == []


def test_a_server_without_starttls_gets_no_password() -> None:
    with MailServer("starttls") as server:
        server.answers["STARTTLS"] = "502 what"

        error = failing(server)

    assert isinstance(error, AuthError | RejectedError | TransientError)
    assert server.mails == []


def test_a_wrong_password_is_an_operators_matter(server: MailServer) -> None:
    assert isinstance(failing(server, password="wrong"), AuthError)


@pytest.mark.parametrize(
    ("command", "answer", "kind"),
    [
        ("MAIL", "450 try later", TransientError),
        ("RCPT", "550 nobody of that name: boss@shop.example.com", RejectedError),
        ("RCPT", "451 later", TransientError),
        ("MAILED", "554 looks like spam", RejectedError),
        ("MAILED", "452 no room", TransientError),
        ("MAIL", "", OutcomeUnknownError),
        ("MAILED", "", OutcomeUnknownError),
    ],
)
def test_what_the_server_says_decides_who_acts(
    server: MailServer, command: str, answer: str, kind: type[ConnectorError]
) -> None:
    server.answers[command] = answer

    error = failing(server)

    assert isinstance(error, kind)
    assert "boss@" not in str(error)


def test_a_server_that_is_not_there_says_nothing_of_the_mail() -> None:
    with MailServer() as server:
        settings = server.settings()
    clock = ManualClock()
    connector = MailConnector(MailSettings.model_validate(settings), HttpClient(clock=clock), clock)

    with pytest.raises(TransientError, match="cannot be reached"):
        connector.push_message(MESSAGE)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"tls": "none"}, "could be read on the way"),
        ({"user": ""}, "go together"),
        ({"to": ["boss"]}, "must be a mail address"),
        ({"sender": "a@b.example.com\nBcc: c@d.example.com"}, "must be a mail address"),
        ({"to": []}, "at least 1"),
    ],
)
def test_settings_that_cannot_work_are_refused(server: MailServer, wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        MailSettings.model_validate(server.settings(**wrong))
