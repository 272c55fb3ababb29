"""A mail server on this machine: TLS, STARTTLS, log-in, and whatever answers a test wants."""

import base64
import datetime as dt
import email
import email.policy
import ipaddress
import socketserver
import ssl
import tempfile
import threading
from contextlib import suppress
from email.message import EmailMessage
from pathlib import Path
from typing import Any, Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

USER, PASSWORD = "sales@shop.example.com", "authorisation-code-of-the-mailbox"


def certificate(folder: Path) -> tuple[Path, Path]:
    """Make a certificate for this machine; return its file and that of its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    cert_file, key_file = folder / "cert.pem", folder / "key.pem"
    cert_file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return cert_file, key_file


class MailServer:
    """Takes mails.

    Attributes:
        mails: what it took.
        answers: what it says to a command in place of what it would say, for example {"DATA": "554 no"}; an empty
            text ends the connection. `MAILED` stands for the end of a mail.
    """

    def __init__(self, tls: str = "tls") -> None:
        self.tls = tls
        self.mails: list[EmailMessage] = []
        self.answers: dict[str, str] = {}
        self._folder = tempfile.TemporaryDirectory()
        self.ca_file, key_file = certificate(Path(self._folder.name))
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(self.ca_file, key_file)
        self._server = _Server(("127.0.0.1", 0), _Talk)
        self._server.mail = self
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def settings(self, **more: Any) -> dict[str, Any]:
        """Return the settings that reach it."""
        log_in = {} if self.tls == "none" else {"user": USER, "password": PASSWORD, "ca_file": self.ca_file}
        ends = {"sender": USER, "to": ["boss@shop.example.com"]}
        return {"host": "127.0.0.1", "port": self.port, "tls": self.tls, **ends, **log_in, **more}

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        self._folder.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True
    mail: MailServer

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing about clients that went away."""


class _Talk(socketserver.BaseRequestHandler):
    server: _Server

    def handle(self) -> None:
        mail = self.server.mail
        self.wire = self.request
        if mail.tls == "tls":
            self.wire = mail.context.wrap_socket(self.request, server_side=True)
        self.file = self.wire.makefile("rb")
        try:
            self.talk(mail)
        finally:
            with suppress(OSError):
                self.file.close()
                self.wire.close()

    def talk(self, mail: MailServer) -> None:
        self.logged_in = mail.tls == "none"
        self.say("220 mail.example.com")
        while line := self.file.readline().decode().strip():
            verb = line.split()[0].upper()
            own = mail.answers.get(verb)
            if own == "":
                return
            if own is not None:
                self.say(own)
                continue
            if verb == "QUIT":
                self.say("221 bye")
                return
            if not self.obey(mail, verb, line):
                return

    def obey(self, mail: MailServer, verb: str, line: str) -> bool:
        if verb == "EHLO":
            secure = mail.tls == "tls" or self.wire is not self.request
            self.say("250-mail.example.com")
            self.say("250 AUTH PLAIN" if secure else "250 STARTTLS" if mail.tls == "starttls" else "250 8BITMIME")
        elif verb == "STARTTLS":
            self.say("220 go ahead")
            self.wire = mail.context.wrap_socket(self.request, server_side=True)
            self.file = self.wire.makefile("rb")
        elif verb == "AUTH":
            said = base64.b64decode(line.rsplit(maxsplit=1)[-1]).decode().split("\0")
            self.logged_in = said[1:] == [USER, PASSWORD]
            self.say("235 welcome" if self.logged_in else "535 log-in refused")
        elif verb == "DATA":
            return self.take(mail)
        elif verb in ("MAIL", "RCPT") and not self.logged_in:
            self.say("530 log in first")
        else:
            self.say("250 ok")
        return True

    def take(self, mail: MailServer) -> bool:
        self.say("354 go on")
        lines: list[bytes] = []
        while (line := self.file.readline()) != b".\r\n":
            lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
        answer = mail.answers.get("MAILED")
        if answer is None or answer == "":
            message: Any = email.message_from_bytes(b"".join(lines), policy=email.policy.default)
            mail.mails.append(message)
        if answer == "":
            return False
        self.say(answer or "250 taken")
        return True

    def say(self, text: str) -> None:
        self.wire.sendall(f"{text}\r\n".encode())
