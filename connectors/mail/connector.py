"""Sends messages by mail, over SMTP with TLS.

Why the standard library: one plain mail to a few addresses needs nothing more, and its certificates are checked.
Source: RFC 5321 section 4.2.1 (4yz may pass, 5yz may not), RFC 4954 section 6 (530, 534, 535, 538: log-in refused).
"""

import smtplib
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from email.message import EmailMessage
from email.utils import format_datetime

from connectors.mail.settings import MailSettings
from erpsync.sdk.errors import (
    AuthError,
    ConnectorError,
    NoAnswerError,
    NoOutcomeError,
    OutcomeUnknownError,
    RejectedError,
    TransientError,
)
from erpsync.sdk.messages import as_text, cut
from erpsync.sdk.roles import Connector, MessageSink
from erpsync.sdk.types import CheckReport, Message

MOST_BYTES = 100_000
MOST_SUBJECT_BYTES = 200
NO_LOG_IN = frozenset({530, 534, 535, 538})


class MailConnector(Connector, MessageSink):
    """One mailbox that writes to a few others."""

    Settings = MailSettings
    settings: MailSettings
    sdk = "1.1"

    def check(self) -> CheckReport:
        """Log in, and write nothing."""
        with self._session():
            return CheckReport()

    def push_message(self, message: Message) -> None:
        """Send one mail. Taken by some and refused for others counts as sent; all refused is a refusal."""
        mail = self._mail(message)
        self.http.admit()
        with self._session() as server:
            try:
                server.send_message(mail, self.settings.sender, self.settings.to)
            except (smtplib.SMTPServerDisconnected, TimeoutError) as error:
                kind = NoOutcomeError if isinstance(error, TimeoutError) else OutcomeUnknownError
                raise kind("the mail server was silent once it had the mail") from None
            except smtplib.SMTPException as error:
                raise _verdict(error) from None

    def _mail(self, message: Message) -> EmailMessage:
        mail = EmailMessage()
        mail["From"] = self.settings.sender
        mail["To"] = ", ".join(self.settings.to)
        mail["Subject"] = cut(" ".join(message.title.split()), MOST_SUBJECT_BYTES)
        mail["Date"] = format_datetime(message.at or self.clock.now())
        mail["Message-ID"] = f"<{message.id}@{self.settings.sender.rpartition('@')[2]}>"
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(as_text(message, most_bytes=MOST_BYTES, title=False), cte="base64")
        return mail

    @contextmanager
    def _session(self) -> Iterator[smtplib.SMTP]:
        """Yield a connection that has been logged in; what goes wrong before says that nothing was sent."""
        try:
            server = self._connected()
        except TimeoutError:
            raise NoAnswerError(f"the mail server {self.settings.host} did not answer in time") from None
        except smtplib.SMTPException as error:
            raise _verdict(error) from None
        except OSError as error:
            raise TransientError(f"the mail server {self.settings.host} cannot be reached: {_why(error)}") from None
        try:
            yield server
        finally:
            with suppress(smtplib.SMTPException, OSError):
                server.quit()
            server.close()

    def _connected(self) -> smtplib.SMTP:
        settings = self.settings
        context = ssl.create_default_context(cafile=settings.ca_file)
        if settings.tls == "tls":
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                settings.host, settings.port, timeout=settings.timeout_s, context=context
            )
        else:
            server = smtplib.SMTP(settings.host, settings.port, timeout=settings.timeout_s)
        try:
            if settings.tls == "starttls":
                server.starttls(context=context)
            if settings.password is not None:
                server.login(settings.user, settings.password.get_secret_value())
        except BaseException:
            server.close()
            raise
        return server


def _why(error: OSError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted, {error.verify_message}"
    if isinstance(error, socket.gaierror):
        return "its name leads nowhere"
    return error.strerror or type(error).__name__


def _verdict(error: smtplib.SMTPException) -> ConnectorError:
    """Return who acts next. The server's own words may quote addresses: only its code is told."""
    code = _code(error)
    if isinstance(error, smtplib.SMTPAuthenticationError) or code in NO_LOG_IN:
        return AuthError("the mail server refuses the log-in", code=str(code))
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return AuthError("the mail server cannot do what is configured: TLS, or a log-in")
    if 500 <= code < 600:
        return RejectedError("the mail server refuses the mail", code=str(code))
    return TransientError("the mail server does not take the mail now", code=str(code) if code else "")


def _code(error: smtplib.SMTPException) -> int:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return min((code for code, _ in error.recipients.values()), default=0)
    return error.smtp_code if isinstance(error, smtplib.SMTPResponseException) else 0
