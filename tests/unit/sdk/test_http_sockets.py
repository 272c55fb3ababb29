"""The HTTP client over real sockets: connections that are refused, kept, cut and starved."""

import contextlib
import gzip
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from erpsync.sdk.clock import ManualClock, SystemClock
from erpsync.sdk.errors import NoAnswerError, NoOutcomeError, OutcomeUnknownError, TimedOut, TransientError
from erpsync.sdk.http import HttpClient
from erpsync.sdk.sandbox import TRANSPORT_FAULTS, Fault, Sandbox, SandboxRequest, SandboxResponse, serve

LONG_S = 60


class Echo(Sandbox):
    def __init__(self) -> None:
        super().__init__()
        self.effects = 0

    def answer(self, request: SandboxRequest) -> SandboxResponse:
        self.effects += 1
        return SandboxResponse.of_json({"path": request.path, "query": request.query, "form": request.form()})


@contextmanager
def peer(answer: Callable[[socket.socket], None], *, tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """Serve every connection with `answer`; yields the address."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve_all() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection, contextlib.suppress(OSError):
                talk = tls.wrap_socket(connection, server_side=True) if tls else connection
                talk.recv(65536)
                answer(talk)

    thread = threading.Thread(target=serve_all, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


@contextmanager
def released(event: threading.Event) -> Iterator[None]:
    """Set the event at the end, so that the peer ends too."""
    try:
        yield
    finally:
        event.set()


@pytest.fixture
def http() -> Iterator[HttpClient]:
    client = HttpClient(clock=ManualClock(), read_s=LONG_S)
    yield client
    client.close()
    client.close()


def test_a_request_that_never_left_is_transient_even_when_it_must_not_be_repeated(http: HttpClient) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    with pytest.raises(TransientError):
        http.request("POST", f"http://127.0.0.1:{port}/", repeatable=False)


@pytest.mark.concurrent("threads")
def test_silence_after_the_request_is_an_unknown_outcome() -> None:
    over = threading.Event()
    impatient = HttpClient(clock=ManualClock(), read_s=0.3)

    with peer(lambda _: over.wait(LONG_S) and None) as url, released(over), pytest.raises(NoOutcomeError):
        impatient.request("POST", url, data={"a": "b"}, repeatable=False)


@pytest.mark.concurrent("threads")
@pytest.mark.parametrize(
    "said", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"], ids=["silence", "half a body"]
)
def test_what_gets_no_whole_answer_in_time_is_a_time_out_by_type(said: bytes) -> None:
    over = threading.Event()
    impatient = HttpClient(clock=ManualClock(), read_s=0.1)

    def begin(connection: socket.socket) -> None:
        connection.sendall(said)
        over.wait(LONG_S)

    with peer(begin) as url, released(over), pytest.raises(NoAnswerError) as told:
        impatient.request("GET", url, repeatable=True)
    assert isinstance(told.value, TimedOut)


def test_a_connection_that_is_refused_is_no_time_out(http: HttpClient) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    with pytest.raises(TransientError) as told:
        http.request("GET", f"http://127.0.0.1:{port}/", repeatable=True)
    assert not isinstance(told.value, TimedOut)


@pytest.mark.concurrent("threads")
def test_a_body_that_trickles_in_ends_with_the_deadline() -> None:
    """A peer that sends a byte now and then resets every read time-out; only the deadline ends it."""
    over = threading.Event()

    def trickle(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while not over.wait(0.02):
            connection.sendall(b"x")

    http = HttpClient(clock=SystemClock(), read_s=LONG_S, deadline_s=0.3)
    with peer(trickle) as url, released(over), pytest.raises(OutcomeUnknownError):
        http.request("POST", url, repeatable=False)


@pytest.mark.concurrent("threads")
def test_a_body_that_was_cut_is_an_unknown_outcome(http: HttpClient) -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{}"

    with peer(lambda connection: connection.sendall(answer)) as url, pytest.raises(OutcomeUnknownError):
        http.request("POST", url, repeatable=False)


@pytest.mark.concurrent("threads")
def test_a_chunked_body_that_was_cut_is_transient_for_a_repeatable_call(http: HttpClient) -> None:
    answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel"

    with peer(lambda connection: connection.sendall(answer)) as url, pytest.raises(TransientError):
        http.request("GET", url, repeatable=True)


@pytest.mark.concurrent("threads")
def test_an_answer_that_is_not_http_is_an_unknown_outcome(http: HttpClient) -> None:
    with peer(lambda connection: connection.sendall(b"SSH-2.0-x\r\n")) as url, pytest.raises(OutcomeUnknownError):
        http.request("POST", url, repeatable=False)


@pytest.mark.concurrent("threads")
def test_a_certificate_nobody_trusts_means_that_nothing_was_sent(http: HttpClient, tmp_path: Path) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(self_signed(tmp_path))

    with peer(lambda _: None, tls=tls) as url, pytest.raises(TransientError):
        http.request("POST", url.replace("http:", "https:"), repeatable=False)


def self_signed(folder: Path) -> Path:
    """Write a key and a certificate of its own making."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(now).not_valid_after(now + timedelta(days=1))
    certificate = builder.sign(key, hashes.SHA256())
    form, nobody = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    secret = key.private_bytes(serialization.Encoding.PEM, form, nobody)
    path = folder / "pair.pem"
    path.write_bytes(secret + certificate.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.mark.concurrent("threads")
def test_a_handshake_that_fails_otherwise_is_not_known_to_have_done_nothing(http: HttpClient) -> None:
    with peer(lambda connection: connection.sendall(b"no TLS here")) as url, pytest.raises(OutcomeUnknownError):
        http.request("POST", url.replace("http:", "https:"), repeatable=False)


@pytest.mark.concurrent("threads")
def test_a_compressed_body_is_read(http: HttpClient) -> None:
    body = gzip.compress(b'{"ok": 1}' + b" " * 200_000)
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(body)

    with peer(lambda connection: connection.sendall(head + body)) as url:
        assert http.request("GET", url, repeatable=True).json() == {"ok": 1}


def test_one_connection_serves_many_calls_and_the_prefix_names_the_sandbox(http: HttpClient) -> None:
    with serve({"a": Echo(), "b": Echo()}) as server:
        got = [http.request("POST", server.url("b") + "/x/y?q=1", data={"k": "中"}, repeatable=True) for _ in range(5)]
        opened = len(server.connections())

    assert got[-1].json() == {"path": "/x/y", "query": {"q": "1"}, "form": {"k": "中"}}
    assert opened == 1


def test_an_address_without_a_sandbox_is_not_found(http: HttpClient) -> None:
    with serve({"a": Echo()}) as server:
        address = server.url("a").replace("/a", "/other/x")

        assert http.request("GET", address, repeatable=True).status == 404
        with pytest.raises(KeyError):
            server.url("other")


@pytest.mark.parametrize("kind", TRANSPORT_FAULTS)
@pytest.mark.parametrize("served", [True, False], ids=["served", "mounted"])
def test_a_fault_looks_the_same_served_and_mounted(http: HttpClient, kind: Fault, served: bool) -> None:
    """What a client sees, and whether the platform acted, does not depend on how the sandbox is reached."""
    shop = Echo()
    shop.faults.force(kind)
    with serve({"shop": shop}) as server:
        client = http if served else HttpClient(clock=ManualClock(), mount=shop.handle)
        address = server.url("shop") if served else "http://shop.test"
        with pytest.raises(Exception, match=r".") as told:
            client.request("POST", address + "/ship", repeatable=False).json()

    acted = kind not in {Fault.TIMEOUT_BEFORE, Fault.ERROR_5XX_BEFORE, Fault.THROTTLE}
    assert shop.effects == int(acted)
    if acted or kind is Fault.TIMEOUT_BEFORE:
        assert isinstance(told.value, OutcomeUnknownError)
