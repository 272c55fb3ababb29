"""The real daemon while its database cannot grow, and when there is room again."""

import base64
import hashlib
import hmac
import json
import resource
import socket
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from tests.crash.process import Daemon, Shop, eventually

SECRET = base64.b64encode(b"k" * 32).decode()
CHANNEL = "id: own\nconnector: webhook_json\nsettings: {secret: '${OWN}', signature: {header: X-Sig, encoding: hex}}\n"


@dataclass
class Port:
    """The daemon as the outside sees it."""

    url: str

    def send(self, id: str) -> int:
        body = json.dumps({"type": "order", "data": {"external_id": id, "note": "x" * 20_000}}).encode()
        sign = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
        return requests.post(f"{self.url}/hooks/own", data=body, headers={"X-Sig": sign}, timeout=60).status_code

    def ready(self) -> dict[str, object]:
        return dict(requests.get(f"{self.url}/readyz", timeout=60).json())

    def status(self) -> dict[str, object]:
        return dict(requests.get(f"{self.url}/status.json", timeout=60).json())


@pytest.fixture
def port(tmp_path: Path) -> tuple[Shop, Port]:
    shop = Shop(tmp_path / "shop")
    with socket.create_server(("127.0.0.1", 0)) as free:
        number = free.getsockname()[1]
    shop.write("erpsync.yaml", f"web: {{listen: '127.0.0.1:{number}'}}\nwarehouses:\n  - {{id: SH}}\n")
    shop.write("channels/own.yaml", CHANNEL)
    return shop, Port(f"http://127.0.0.1:{number}")


@pytest.mark.concurrent("processes")
def test_a_disk_without_room_is_told_where_people_look_and_ends_by_itself(port: tuple[Shop, Port]) -> None:
    shop, daemon_at = port
    with Daemon(shop, OWN=SECRET) as daemon:
        daemon.wait("daemon.started")
        assert daemon_at.send("W-1") == 200
        assert daemon_at.ready()["ready"] is True

        let_grow(daemon, shop.database.with_name("erpsync.db-wal").stat().st_size)
        assert daemon_at.send("W-2") == 503
        assert eventually(lambda: daemon_at.ready()["ready"] is False)
        assert f"the disk of {shop.database.parent}" in str(daemon_at.ready()["problem"])
        found = daemon_at.status()
        assert (found["ok"], found["storage"]["writable"]) == (False, False)  # type: ignore[index]
        daemon.wait("webhook.not_stored", lambda record: str(shop.database.parent) in record["error"])

        let_grow(daemon, resource.RLIM_INFINITY)
        assert eventually(lambda: daemon_at.ready()["ready"] is True)
        assert daemon_at.send("W-2") == 200


def let_grow(daemon: Daemon, size: int) -> None:
    """Let no file of the daemon grow beyond so many bytes, as a full disk would."""
    resource.prlimit(daemon.process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
